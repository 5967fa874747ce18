//! What EventBridge Scheduler can do beside time zones: dates, flexible windows and single moments.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sketch::set;
use crate::ticks::ticks_in;

/// `spec.startDate`, `spec.endDate` and `spec.flexibleTimeWindowMinutes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// No tick before this moment.
    pub start: Option<Timestamp>,
    /// No tick after this one.
    pub end: Option<Timestamp>,
    /// How many minutes a run may be late.
    pub window: Option<u32>,
}

/// A moment as an expression: `at(...)`, in UTC.
pub fn at(moment: Timestamp) -> String {
    format!("at({})", moment.strftime("%Y-%m-%dT%H:%M:%S"))
}

impl Timing {
    /// Whether rules cannot do it.
    pub fn needs_scheduler(&self, schedules: &[String]) -> bool {
        *self != Self::default() || schedules.iter().any(|schedule| schedule.starts_with("at("))
    }

    /// Whether what fires hangs on when one looks.
    pub fn is_dated(&self, schedules: &[String]) -> bool {
        self.start.is_some() || self.end.is_some() || schedules.iter().any(|schedule| schedule.starts_with("at("))
    }

    /// Whether nothing fires any more, so that what is live is left as it is.
    pub fn is_over(&self, zone: &str, schedules: &[String], now: Timestamp) -> bool {
        let passed = |schedule: &String| {
            let after = now.checked_add(SignedDuration::from_hours(100 * 24)).unwrap_or(now);
            schedule.starts_with("at(") && ticks_in(zone, schedule, now, after).is_some_and(|ticks| ticks.is_empty())
        };
        self.end.is_some_and(|end| end <= now) || schedules.iter().any(passed)
    }

    /// Whether a tick of the schedule is one.
    pub fn holds(&self, tick: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= tick) && self.end.is_none_or(|end| tick <= end)
    }

    /// How late a run may be, in milliseconds.
    pub fn lateness(&self) -> i64 {
        self.window.map_or(0, |minutes| i64::from(minutes) * 60_000)
    }

    /// Writes it into the spec of a job.
    pub(crate) fn render(&self, spec: &mut Value) {
        let text = |moment: Timestamp| json!(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        set(spec, "startDate", self.start.map(text));
        set(spec, "endDate", self.end.map(text));
        set(spec, "flexibleTimeWindowMinutes", self.window.map(|minutes| json!(minutes)));
    }
}
