//! A schedule in its time zone and between its dates: when it fires on EventBridge Scheduler.

use std::fmt;

use jiff::Timestamp;

use super::zone::{Zone, naive, unnaive};
use super::{Kind, Schedule};

/// All that says when a schedule of EventBridge Scheduler fires (docs/aws.md, Scheduler).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timing {
    /// The expression.
    pub schedule: Schedule,
    /// The time zone of a cron expression or a single moment.
    pub zone: Zone,
    /// It fires at or after this moment only; whole seconds.
    pub start: Option<Timestamp>,
    /// It fires at or before this moment only; whole seconds.
    pub end: Option<Timestamp>,
    /// How many minutes after its tick a run may start, 1 to 1,440; none for at once.
    pub window_minutes: Option<u16>,
}

impl Timing {
    /// A schedule in a zone, without dates and at once.
    pub fn of(schedule: Schedule, zone: Zone) -> Self {
        Self { schedule, zone, start: None, end: None, window_minutes: None }
    }

    /// The first run strictly after `time`; none when it never fires again, and for a rate, whose runs are counted from a
    /// moment that only AWS knows.
    ///
    /// A local time that a change of clocks skips is no run; one that comes twice is a run the first time.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        match self.schedule.kind() {
            // Dates do not hold for a single moment.
            Kind::Once(at) => self.zone.moment(*at).filter(|at| *at > time),
            Kind::Rate(_) => None,
            Kind::Cron(cron) => {
                let second = jiff::SignedDuration::from_secs(1);
                let before_start = self.start.and_then(|start| start.checked_sub(second).ok());
                let after = before_start.map_or(time, |start| time.max(start));
                let mut local = naive(self.zone.local(after))?;
                loop {
                    local = cron.next_after(local)?;
                    let Some(at) = self.zone.moment(unnaive(local)) else { continue };
                    if at > after {
                        return Some(at).filter(|at| self.end.is_none_or(|end| *at <= end));
                    }
                }
            }
        }
    }

    /// The last run at or after `from` and before `until`.
    pub fn last_between(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let mut at = from.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(from);
        let mut last = None;
        while let Some(next) = self.next_after(at).filter(|next| *next < until) {
            (at, last) = (next, Some(next));
        }
        last
    }

    /// Whether nothing can come of it after `now`: its moment or its end is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self.schedule.kind() {
            Kind::Once(at) => self.zone.moment(*at).is_none_or(|at| at <= now),
            Kind::Rate(_) | Kind::Cron(_) => self.end.is_some_and(|end| end <= now),
        }
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.schedule, self.zone)
    }
}
