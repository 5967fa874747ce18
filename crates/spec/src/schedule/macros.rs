//! `@daily` and its like, and the words that look like a schedule but are none here.

use super::error::{ScheduleError, quoted};
use super::{Schedule, aws};

const MACROS: [(&str, &str); 7] = [
    ("hourly", "cron(0 * * * ? *)"),
    ("daily", "cron(0 0 * * ? *)"),
    ("midnight", "cron(0 0 * * ? *)"),
    ("weekly", "cron(0 0 ? * SUN *)"),
    ("monthly", "cron(0 0 1 * ? *)"),
    ("yearly", "cron(0 0 1 1 ? *)"),
    ("annually", "cron(0 0 1 1 ? *)"),
];

/// Parses the name of a macro, without its `@`.
pub(super) fn parse(name: &str) -> Result<Schedule, ScheduleError> {
    if let Some((_, expression)) = MACROS.iter().find(|(known, _)| *known == name) {
        return aws::parse(expression);
    }
    let error = ScheduleError::new(format!("{} is not a schedule", quoted(&format!("@{name}"))));
    Err(if name == "reboot" {
        error.help("EventBridge knows no start of a machine; run the job by hand, or give it a time")
    } else if name.starts_with("every") {
        error.help("write an interval as `rate(5 minutes)`")
    } else {
        match nearest(name) {
            Some(near) => error.help(format!("did you mean `@{near}`?")),
            None => error.help("write @hourly, @daily, @weekly, @monthly or @yearly"),
        }
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    MACROS.iter().map(|(known, _)| *known).find(|known| strsim::osa_distance(known, &lower) <= 2)
}

/// Something like `Cron(...)` or `every(...)`.
pub(super) fn unknown_function(keyword: &str) -> ScheduleError {
    let error = ScheduleError::new(format!("{} is not a kind of schedule", quoted(keyword)));
    match keyword.trim().to_ascii_lowercase().as_str() {
        known @ ("cron" | "rate" | "at") => {
            error.help(format!("write `{known}(...)`: lower case, and no blank before the parenthesis"))
        }
        _ => error.help("write a Unix cron such as `0 2 * * *`, `cron(...)`, `rate(...)` or `@daily`"),
    }
}
