//! When a job of Copilot runs.

use ecs_etl_spec::fill_in;
use serde_json::json;

use crate::finding::Kind;
use crate::found::Run;
use crate::object::Object;

/// Reads `on.schedule`: Unix cron, an expression of AWS, a macro, `@every`, or `none`.
pub fn read(run: &mut Run, object: &mut Object<'_>) {
    let Some(node) = object.get("on") else { return };
    let mut on = Object::new(node, "on");
    match on.text("schedule").as_deref() {
        None => {}
        Some("none") => {
            run.schedule = Some(fill_in::marker("schedule"));
            run.suspend = json!(true);
            let why = "the job has no schedule in Copilot, and is suspended here";
            run.find(Kind::FillIn, "on.schedule", why, "write when it would run", "spec.schedule");
        }
        Some(text) => run.schedule = Some(every(text).unwrap_or_else(|| text.to_owned())),
    }
    object.leave_all(on.finish());
}

/// `@every 1h30m` as a rate; none if it is something else, or no whole number of minutes.
fn every(text: &str) -> Option<String> {
    let minutes = minutes(text.strip_prefix("@every ")?.trim())?;
    let (number, unit) = match (minutes % 1440, minutes % 60) {
        (0, _) => (minutes / 1440, "day"),
        (_, 0) => (minutes / 60, "hour"),
        (_, _) => (minutes, "minute"),
    };
    let plural = if number == 1 { "" } else { "s" };
    Some(format!("rate({number} {unit}{plural})"))
}

/// The minutes of a duration as Go writes it: `90m`, `1h30m`, `120s`.
fn minutes(text: &str) -> Option<u64> {
    let mut seconds: u64 = 0;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && seconds > 0 && seconds.is_multiple_of(60)).then_some(seconds / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_some_minutes_is_a_rate_in_its_largest_unit() {
        for (text, expected) in [
            ("@every 5m", Some("rate(5 minutes)")),
            ("@every 1h30m", Some("rate(90 minutes)")),
            ("@every 60m", Some("rate(1 hour)")),
            ("@every 48h", Some("rate(2 days)")),
            ("@every 60s", Some("rate(1 minute)")),
            ("@every 30s", None),
            ("@every m", None),
            ("@every 5", None),
            ("@daily", None),
        ] {
            assert_eq!(every(text).as_deref(), expected, "{text}");
        }
    }
}
