//! `at(yyyy-mm-ddThh:mm:ss)`: a single moment, which EventBridge Scheduler knows and a rule does not.

use jiff::civil::DateTime;

use super::Schedule;
use super::error::{ScheduleError, quoted};

/// The years of a cron expression. Those of a single moment are not documented; no other is worth finding out.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

/// Parses `at(...)` as Scheduler does: a local time to the second, without a zone (docs/aws.md, Scheduler).
pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleError> {
    let inner = text.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner else {
        return Err(ScheduleError::new(format!("{} does not end with the parenthesis it opened", quoted(text)))
            .help("write `at(2026-12-31T09:30:00)`"));
    };
    match inner.parse::<DateTime>() {
        Ok(at) if !YEARS.contains(&at.year()) => {
            let (first, last) = (YEARS.start(), YEARS.end());
            Err(ScheduleError::new(format!("schedules of AWS know the years {first} to {last}")))
        }
        Ok(at) if at.strftime("%Y-%m-%dT%H:%M:%S").to_string() == inner => Ok(Schedule::once(text.to_owned(), at)),
        Ok(at) => {
            let exactly = at.strftime("%Y-%m-%dT%H:%M:%S");
            let error = ScheduleError::new(format!("AWS does not take {}", quoted(text)));
            Err(error.help(format!("write `at({exactly})`; its time zone is `spec.timeZone`")))
        }
        Err(_) => Err(ScheduleError::new(format!("{} is not a moment", quoted(text)))
            .help("write `at(2026-12-31T09:30:00)`, in the job's `timeZone`")),
    }
}
