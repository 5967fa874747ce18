//! Schedules: Unix cron, AWS cron, rates, single moments and macros, as the one AWS expression each becomes.
//!
//! [`Schedule::parse`] takes what a person writes and gives the expression that is sent to EventBridge together with
//! what it means. An AWS expression is kept to the letter; the other forms become a canonical one. What a single AWS
//! expression cannot say is refused, and the error tells what to write instead (docs/aws.md, Rules and schedules).

mod aws;
mod coincide;
mod cron;
mod error;
mod field;
mod macros;
mod next;
mod once;
mod rate;
mod timing;
mod unix;
mod zone;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Serialize, Serializer};

pub use coincide::{Overlap, coincide};
pub use cron::{Cron, Days, Weekday};
pub use error::ScheduleError;
pub use next::Ticks;
pub use rate::Rate;
pub use timing::Timing;
pub use zone::Zone;

/// The longest schedule expression EventBridge takes, in characters.
pub const MAX_LENGTH: usize = 256;

/// A schedule in the form AWS takes, and what it means. Ordered by its expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule {
    expression: String,
    kind: Kind,
}

/// The kinds of schedule. A rule of EventBridge knows the first two, EventBridge Scheduler all three.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Fires at the minutes that match.
    Cron(Cron),
    /// Fires at an interval, counted from a moment that only AWS knows.
    Rate(Rate),
    /// Fires once, at this local time.
    Once(DateTime),
}

impl Schedule {
    /// Parses Unix cron of five fields, `cron(...)`, `rate(...)` or `at(...)` as AWS takes them, or a macro such as
    /// `@daily`.
    ///
    /// The error says why the text is no schedule, or why no single AWS expression says the same.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        if text.chars().count() > MAX_LENGTH {
            return Err(ScheduleError::new(format!("a schedule has at most {MAX_LENGTH} characters"))
                .help("split it into a list of schedules"));
        }
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let keyword = trimmed.split('(').next().unwrap_or_default();
        if keyword.len() < trimmed.len() {
            return match keyword {
                "cron" => aws::parse(trimmed),
                // Not trimmed: AWS refuses blanks around a rate, and so do we.
                _ if text.starts_with("rate(") || keyword == "rate" => rate::parse(text),
                "at" => once::parse(trimmed),
                _ => Err(macros::unknown_function(keyword)),
            };
        }
        if let Some(name) = trimmed.strip_prefix('@') {
            return macros::parse(name);
        }
        unix::parse(trimmed)
    }

    fn cron(expression: String, cron: Cron) -> Self {
        Self { expression, kind: Kind::Cron(cron) }
    }

    fn rate(expression: String, rate: Rate) -> Self {
        Self { expression, kind: Kind::Rate(rate) }
    }

    fn once(expression: String, at: DateTime) -> Self {
        Self { expression, kind: Kind::Once(at) }
    }

    /// The expression sent to AWS, to the letter.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The first six hexadecimal digits of the SHA-256 of the expression, which name a rule among several of one job.
    pub fn suffix(&self) -> String {
        crate::name::Digest::of(self.expression.as_bytes()).short(6).to_owned()
    }

    /// What the expression means.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The first run strictly after `time`, in UTC; none when the schedule never fires again.
    ///
    /// Always none for a rate: its runs are counted from a moment that only AWS knows. [`Self::fires_after`] tells the
    /// two apart.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Cron(cron) => cron.next_after(time),
            Kind::Rate(_) => None,
            Kind::Once(at) => zone::naive(*at).filter(|at| *at > time),
        }
    }

    /// Whether it fires at any time from 1970 to 2199, the years that AWS cron knows: `0 0 30 2 *` does not.
    pub fn can_ever_fire(&self) -> bool {
        match &self.kind {
            Kind::Cron(cron) => cron.next_after(Timestamp::from_second(-1).unwrap_or(Timestamp::MIN)).is_some(),
            Kind::Rate(_) | Kind::Once(_) => true,
        }
    }

    /// Whether it fires at any time strictly after `now`. AWS accepts a rule whose years have all passed.
    pub fn fires_after(&self, now: Timestamp) -> bool {
        match &self.kind {
            Kind::Cron(_) | Kind::Once(_) => self.next_after(now).is_some(),
            Kind::Rate(_) => true,
        }
    }

    /// Whether both fire at the same times, however they are written: `0/30` and `0,30`, `MON` and `2`.
    pub fn same_ticks(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expression)
    }
}
