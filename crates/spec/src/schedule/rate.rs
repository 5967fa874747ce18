//! `rate(value unit)`: an interval.

use super::error::{ScheduleError, quoted};
use super::{Kind, Schedule};

/// An interval of whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    seconds: u64,
}

impl Rate {
    /// The interval in seconds.
    pub fn period_seconds(self) -> u64 {
        self.seconds
    }
}

const UNITS: [(&str, u64); 3] = [("minute", 60), ("hour", 3_600), ("day", 86_400)];

/// Parses `rate(...)` exactly as AWS does: lower case, one blank, singular for 1 and plural for all else
/// (docs/aws.md, Rules and schedules).
pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleError> {
    let Some(inner) = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) else {
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        return Err(if trimmed != text && trimmed.ends_with(')') {
            ScheduleError::new("AWS takes no blanks around a rate").help(format!("write {}", quoted(trimmed)))
        } else {
            malformed(text)
        });
    };
    let Some((value, unit)) = inner.split_once(' ') else { return Err(malformed(text)) };
    let singular = unit.to_ascii_lowercase();
    let singular = singular.trim().strip_suffix('s').unwrap_or(singular.trim());
    let known = UNITS.iter().find(|(name, _)| *name == singular);
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed(text));
    }
    let Some((name, seconds)) = known else {
        return Err(ScheduleError::new(format!("{} is not a unit of a rate", quoted(unit)))
            .help("write minutes, hours or days; a rate below a minute is not possible"));
    };
    let Ok(count) = value.parse::<u32>() else {
        return Err(ScheduleError::new(format!("the rate {} is too large", quoted(value))));
    };
    if count == 0 {
        return Err(ScheduleError::new("a rate of 0 never fires").help("write 1 or more; `suspend: true` stops a job"));
    }
    let expected = format!("rate({count} {name}{})", if count == 1 { "" } else { "s" });
    if text != expected {
        return Err(ScheduleError::new(format!("AWS does not take {}", quoted(text)))
            .help(format!("write `{expected}`: lower case, one blank, singular for 1 only")));
    }
    Ok(Schedule::rate(expected, Rate { seconds: u64::from(count) * seconds }))
}

fn malformed(text: &str) -> ScheduleError {
    ScheduleError::new(format!("{} is not a rate", quoted(text)))
        .help("write a whole number and a unit, such as `rate(1 hour)` or `rate(15 minutes)`")
}

impl Schedule {
    /// The interval of a rate.
    pub fn period_seconds(&self) -> Option<u64> {
        match self.kind() {
            Kind::Rate(rate) => Some(rate.period_seconds()),
            Kind::Cron(_) | Kind::Once(_) => None,
        }
    }
}
