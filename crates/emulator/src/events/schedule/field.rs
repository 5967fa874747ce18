//! One field of a cron expression, as the set of values that it names.

/// The last year that an expression may name. The guide says 2199, but AWS was seen to accept 2500.
pub(super) const LAST_YEAR: u32 = 9999;

/// What a field takes.
#[derive(Debug)]
pub(super) struct Field {
    pub least: u32,
    pub most: u32,
    /// Names of the values from `least` on.
    names: &'static [&'static str],
    steps: bool,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(super) const MINUTE: Field = Field { least: 0, most: 59, names: &[], steps: true };
pub(super) const HOUR: Field = Field { least: 0, most: 23, names: &[], steps: true };
pub(super) const DAY_OF_MONTH: Field = Field { least: 1, most: 31, names: &[], steps: true };
pub(super) const MONTH: Field = Field { least: 1, most: 12, names: MONTHS, steps: true };
// AWS documents no steps for days of the week.
pub(super) const DAY_OF_WEEK: Field = Field { least: 1, most: 7, names: DAYS, steps: false };
pub(super) const YEAR: Field = Field { least: 1970, most: LAST_YEAR, names: &[], steps: true };

/// Values from `from` to `to`, `step` apart; `to` may come before `from`, where the field begins again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub from: u32,
    pub to: u32,
    pub step: u32,
}

impl Run {
    /// Whether a value is in a run that does not begin again.
    pub(super) fn holds(&self, value: u32) -> bool {
        (self.from..=self.to).contains(&value) && (value - self.from).is_multiple_of(self.step)
    }
}

/// The runs between the commas of a field; `None` when AWS refuses one.
pub(super) fn runs(text: &str, field: &Field) -> Option<Vec<Run>> {
    text.split(',').map(|text| run(text, field)).collect()
}

/// The set of a field's values as bits, for fields whose values stay below 64.
pub(super) fn set(text: &str, field: &Field) -> Option<u64> {
    let mut set = 0;
    for run in runs(text, field)? {
        // A range that wraps around counts on across the end, as Quartz does: 20-2/2 is 20, 22, 0, 2.
        let width = field.most - field.least + 1;
        let length = if run.from <= run.to { run.to - run.from } else { run.to + width - run.from };
        for offset in (0..=length).step_by(usize::try_from(run.step).ok()?) {
            set |= 1 << ((run.from - field.least + offset) % width + field.least);
        }
    }
    Some(set)
}

/// `*`, a value, or a range, each with a step or without.
fn run(text: &str, field: &Field) -> Option<Run> {
    let (range, step) = match text.split_once('/') {
        None => (text, None),
        Some((range, step)) => (range, Some(number(step).filter(|step| field.steps && is_step(*step, field))?)),
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (field.least, field.most),
        None => {
            let from = value(range, field)?;
            // A value with a step goes on to the end of the field.
            (from, if step.is_some() { field.most } else { from })
        }
        // A range may wrap around, as 20-2 hours over midnight; years do not come round again.
        Some((from, to)) => {
            let (from, to) = (value(from, field)?, value(to, field)?);
            if from > to && field.most == LAST_YEAR {
                return None;
            }
            (from, to)
        }
    };
    Some(Run { from, to, step: step.unwrap_or(1) })
}

/// Fields that count from 1 take their largest value as a step too; minutes and hours do not.
fn is_step(step: u32, field: &Field) -> bool {
    step >= 1 && step <= field.most - field.least + u32::from(field.least > 0)
}

/// A number or a name that the field has.
pub(super) fn value(text: &str, field: &Field) -> Option<u32> {
    let named = field.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = match named {
        Some(index) => u32::try_from(index).ok()? + field.least,
        None => number(text)?,
    };
    (field.least..=field.most).contains(&value).then_some(value)
}

/// Digits and nothing else.
pub(super) fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
