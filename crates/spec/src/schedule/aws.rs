//! `cron(...)` as EventBridge takes it: six fields, exactly one of the two day fields a `?`.

use super::Schedule;
use super::cron::{Cron, Days, Weekday};
use super::error::{ScheduleError, quoted};
use super::field::{Field, Values};

/// Parses `cron(...)` and keeps it to the letter. What AWS documents is taken, and beyond it what it was seen to take
/// with one possible meaning: `LW`, names in any case, leading zeros, a comma at a field's end. Forms with several
/// readings are refused (docs/aws.md, Rules and schedules).
pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleError> {
    let Some(inner) = text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')) else {
        return Err(ScheduleError::new(format!("{} does not end with the parenthesis it opened", quoted(text)))
            .help("write `cron(minute hour day-of-month month day-of-week year)`"));
    };
    let fields: Vec<&str> = inner.split_ascii_whitespace().collect();
    if inner.contains(|c: char| c != ' ' && c != '\t' && c.is_whitespace())
        || inner.starts_with([' ', '\t'])
        || inner.ends_with([' ', '\t'])
    {
        return Err(ScheduleError::new("only single blanks between the fields are sure to be taken by AWS")
            .help(format!("write `cron({})`", fields.join(" "))));
    }
    let fields: Vec<&str> = fields.into_iter().map(without_trailing_comma).collect();
    let [minute, hour, day_of_month, month, day_of_week, year] = fields[..] else {
        return Err(wrong_count(&fields));
    };
    let values = |field: Field, text: &str| -> Result<Values, ScheduleError> {
        field.items(text).map(|items| Values::of(&items, &field))
    };
    let (minutes, hours) = (values(Field::MINUTE, minute)?, values(Field::HOUR, hour)?);
    let (months, years) = (values(Field::MONTH, month)?, values(Field::YEAR, year)?);
    let days = match (day_of_month, day_of_week) {
        ("?", "?") => {
            return Err(ScheduleError::new("day of month and day of week are both `?`")
                .help(format!("write `cron({minute} {hour} * {month} ? {year})` for every day")));
        }
        (day, "?") => days_of_month(day)?,
        ("?", day) => days_of_week(day)?,
        (of_month, of_week) => {
            days_of_month(of_month)?;
            days_of_week(of_week)?;
            return Err(both_days(&fields));
        }
    };
    let cron = Cron { minutes, hours, days, months, years };
    Ok(Schedule::cron(text.to_owned(), cron))
}

/// AWS was seen to take `0/5,`, as the Quartz parser behind such expressions does: an empty last member is no member.
fn without_trailing_comma(text: &str) -> &str {
    match text.strip_suffix(',') {
        Some(rest) if !rest.is_empty() && !rest.ends_with(',') => rest,
        _ => text,
    }
}

fn days_of_month(text: &str) -> Result<Days, ScheduleError> {
    if text == "L" {
        return Ok(Days::LastOfMonth);
    }
    if text == "LW" {
        return Ok(Days::LastWorkdayOfMonth);
    }
    let letter = text.contains(|c: char| c.is_ascii_alphabetic());
    if let Some(day) = text.strip_suffix('W').filter(|day| day.bytes().all(|b| b.is_ascii_digit())) {
        let day = Field::DAY_OF_MONTH.value(day)?;
        return Ok(Days::NearestWorkday(u8::try_from(day).unwrap_or_default()));
    }
    let error = || ScheduleError::new(format!("AWS documents no day of month {}", quoted(text)));
    if text.starts_with("L-") {
        return Err(error().help(
            "`L` is the last day; for a day before it, write one schedule for each length of month, such as \
             `cron(0 2 29 1,3,5,7,8,10,12 ? *)` and `cron(0 2 28 4,6,9,11 ? *)`",
        ));
    }
    if letter && text.contains(',') {
        return Err(
            error().help("`L` and `W` stand alone: write each in a schedule of its own, as a list of schedules")
        );
    }
    if letter {
        return Err(
            error().help("write `L` for the last day, `15W` for the weekday nearest to the 15th, or numbers 1 to 31")
        );
    }
    let items = Field::DAY_OF_MONTH.items(text)?;
    Ok(Days::of_month(Values::of(&items, &Field::DAY_OF_MONTH)))
}

fn days_of_week(text: &str) -> Result<Days, ScheduleError> {
    let field = Field::DAY_OF_WEEK;
    let weekday = |text: &str| field.value(text).map(Weekday::from_aws);
    if let Some((day, n)) = text.split_once('#') {
        if text.contains(',') {
            return Err(ScheduleError::new("AWS takes a single day of week with `#`")
                .help("write each in a schedule of its own, as a list of schedules"));
        }
        return match n.parse() {
            Ok(n @ 1..=5) if text.len() == day.len() + 2 => Ok(Days::NthOfWeek(weekday(day)?, n)),
            _ => Err(ScheduleError::new(format!("{} does not say which of the month's five weeks", quoted(text)))
                .help("write `MON#1` for the month's first Monday, up to 5")),
        };
    }
    if text == "L" {
        return Ok(Days::of_week([field.max].into_iter().collect()));
    }
    if let Some(day) = text.strip_suffix('L').filter(|day| !day.contains([',', '-', '/'])) {
        return Ok(Days::LastOfWeek(weekday(day)?));
    }
    if text.starts_with("L-") || text.split(',').any(|item| item == "L" || (item.ends_with('L') && item.len() > 1)) {
        return Err(ScheduleError::new(format!("AWS documents no day of week {}", quoted(text)))
            .help("`L` stands alone: write `FRIL` for the month's last Friday, each in a schedule of its own"));
    }
    let items = field.items(text)?;
    let values = Values::of(&items, &field);
    if text.contains('/') {
        let names: Vec<&str> = values.from(0, &field).map(|day| Weekday::from_aws(day).name()).collect();
        return Err(ScheduleError::new("AWS documents no step in the day of week")
            .help(format!("write the days: {}", names.join(","))));
    }
    Ok(Days::of_week(values))
}

/// Neither day field is `?`.
fn both_days(fields: &[&str]) -> ScheduleError {
    let [minute, hour, day_of_month, month, day_of_week, year] = fields[..] else { return wrong_count(fields) };
    let of_month = format!("cron({minute} {hour} {day_of_month} {month} ? {year})");
    let of_week = format!("cron({minute} {hour} ? {month} {day_of_week} {year})");
    let error = ScheduleError::new("one of day of month and day of week must be `?`");
    match (day_of_month, day_of_week) {
        (_, "*") => error.help(format!("write `{of_month}`")),
        ("*", _) => error.help(format!("write `{of_week}`")),
        (_, _) => error.help(format!(
            "write two schedules as a list, `{of_month}` and `{of_week}`; on days that are both they coincide, which \
             needs `allowOverlap: true`"
        )),
    }
}

fn wrong_count(fields: &[&str]) -> ScheduleError {
    let error = ScheduleError::new(format!("an AWS cron expression has six fields, and this one has {}", fields.len()));
    match fields {
        [minute, hour, day_of_month, month, day_of_week] => {
            let guess = match (*day_of_month, *day_of_week) {
                ("?", _) | (_, "?") => format!("cron({} *)", fields.join(" ")),
                (_, "*") => format!("cron({minute} {hour} {day_of_month} {month} ? *)"),
                ("*", _) | (_, _) => {
                    return error.help(format!("a Unix cron is written without `cron()`: `{}`", fields.join(" ")));
                }
            };
            match parse(&guess) {
                Ok(schedule) => error.help(format!("write `{schedule}`: the last field is the year")),
                Err(_) => error.help("write `cron(minute hour day-of-month month day-of-week year)`"),
            }
        }
        [_, rest @ .., _] if rest.len() == 5 => error.help("AWS cron has no seconds: leave the first field out"),
        _ => error.help("write `cron(minute hour day-of-month month day-of-week year)`"),
    }
}
