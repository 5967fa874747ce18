//! Whether EventBridge accepts a schedule expression (docs/aws.md, Rules and schedules).
//!
//! A reading of the grammar of its own, on purpose: it shares nothing with the parser of the manifests, so that an
//! error in one shows against the other. It answers only whether, not when.

/// The last year that an expression may name. The guide says 2199, but AWS was seen to accept 2500.
const LAST_YEAR: u32 = 9999;

/// Whether PutRule accepts `expression`: `rate(...)` or `cron(...)`, exactly.
pub(super) fn is_valid(expression: &str) -> bool {
    if let Some(inner) = inside(expression, "rate(") {
        return rate(inner);
    }
    inside(expression, "cron(").is_some_and(cron)
}

fn inside<'a>(expression: &'a str, opening: &str) -> Option<&'a str> {
    expression.strip_prefix(opening)?.strip_suffix(')')
}

/// A positive number, one space, and the unit in the number that fits.
fn rate(inner: &str) -> bool {
    let Some((value, unit)) = inner.split_once(' ') else { return false };
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    match value.parse::<u32>() {
        Ok(0) | Err(_) => false,
        Ok(1) => matches!(unit, "minute" | "hour" | "day"),
        Ok(_) => matches!(unit, "minutes" | "hours" | "days"),
    }
}

/// What a field takes.
struct Field {
    least: u32,
    most: u32,
    /// Names of the values from `least` on.
    names: &'static [&'static str],
    steps: bool,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const MINUTE: Field = Field { least: 0, most: 59, names: &[], steps: true };
const HOUR: Field = Field { least: 0, most: 23, names: &[], steps: true };
const DAY_OF_MONTH: Field = Field { least: 1, most: 31, names: &[], steps: true };
const MONTH: Field = Field { least: 1, most: 12, names: MONTHS, steps: true };
// AWS documents no steps for days of the week.
const DAY_OF_WEEK: Field = Field { least: 1, most: 7, names: DAYS, steps: false };
const YEAR: Field = Field { least: 1970, most: LAST_YEAR, names: &[], steps: true };

fn cron(inner: &str) -> bool {
    // AWS was seen to let a comma trail any field, `?` too.
    let fields: Vec<&str> = inner.split_whitespace().map(|field| field.strip_suffix(',').unwrap_or(field)).collect();
    let [minute, hour, day_of_month, month, day_of_week, year] = fields[..] else { return false };
    // One of the two days is left open with `?`, and only one: AWS cannot say "either" or "both".
    let days = match (day_of_month, day_of_week) {
        ("?", "?") => false,
        ("?", week) => self::day_of_week(week),
        (month, "?") => self::day_of_month(month),
        _ => false,
    };
    days && list(minute, &MINUTE) && list(hour, &HOUR) && list(month, &MONTH) && list(year, &YEAR)
}

/// `L`, `LW`, `15W`, or a list.
fn day_of_month(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    match text.as_str() {
        // `LW` is in no document, but was seen accepted.
        "L" | "LW" => true,
        _ => match text.strip_suffix('W') {
            Some(day) => value(day, &DAY_OF_MONTH).is_some(),
            None => list(&text, &DAY_OF_MONTH),
        },
    }
}

/// `L`, `6L`, `FRI#2`, or a list.
fn day_of_week(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    if upper == "L" {
        return true;
    }
    if let Some((day, nth)) = upper.split_once('#') {
        // One day and one week only: a list beside `#` is refused.
        return value(day, &DAY_OF_WEEK).is_some() && matches!(nth, "1" | "2" | "3" | "4" | "5");
    }
    match upper.strip_suffix('L') {
        Some(day) => value(day, &DAY_OF_WEEK).is_some(),
        None => list(&upper, &DAY_OF_WEEK),
    }
}

/// Items between commas.
fn list(text: &str, field: &Field) -> bool {
    text.split(',').all(|text| item(text, field))
}

/// `*`, a value, or a range, each with a step or without.
fn item(text: &str, field: &Field) -> bool {
    let (range, step) = match text.split_once('/') {
        None => (text, None),
        Some((range, step)) => (range, Some(step)),
    };
    let step_fits = match step {
        None => true,
        Some(step) => {
            field.steps
                && number(step).is_some_and(|step| step >= 1 && step <= field.most - field.least + at_one(field))
        }
    };
    let range_fits = match range.split_once('-') {
        _ if range == "*" => true,
        None => value(range, field).is_some(),
        // A range may wrap around, as 20-2 hours over midnight; years do not come round again.
        Some((from, to)) => match (value(from, field), value(to, field)) {
            (Some(from), Some(to)) => from <= to || field.most != LAST_YEAR,
            _ => false,
        },
    };
    step_fits && range_fits
}

/// Fields that count from 1 take their largest value as a step too; minutes and hours do not.
fn at_one(field: &Field) -> u32 {
    u32::from(field.least > 0)
}

fn value(text: &str, field: &Field) -> Option<u32> {
    let named = field.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = match named {
        Some(index) => u32::try_from(index).ok()? + field.least,
        None => number(text)?,
    };
    (field.least..=field.most).contains(&value).then_some(value)
}

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
