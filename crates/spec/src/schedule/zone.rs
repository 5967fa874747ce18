//! Time zones of schedules, by their IANA names.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::Serialize;

/// An IANA time zone that this build knows. Ordered by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Zone(String);

impl Zone {
    /// UTC, where rules live.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// The zone of this name; none for one that is unknown. Names are compared to the letter, as AWS is assumed to.
    pub fn new(name: &str) -> Option<Self> {
        if matches!(name, "UTC" | "Etc/UTC") {
            return Some(Self::utc());
        }
        let found = TimeZoneDatabase::bundled().get(name).ok()?;
        (found.iana_name() == Some(name)).then(|| Self(name.to_owned()))
    }

    /// Whether it is UTC.
    pub fn is_utc(&self) -> bool {
        self.0 == "UTC"
    }

    /// Its IANA name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Local time at `time`.
    pub fn local(&self, time: Timestamp) -> DateTime {
        self.zone().to_datetime(time)
    }

    /// The moment of a local time: none if a change of clocks skips it, the first if it comes twice.
    pub fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone().to_ambiguous_timestamp(local);
        let skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        if skipped { None } else { ambiguous.earlier().ok() }
    }

    fn zone(&self) -> TimeZone {
        if self.is_utc() { TimeZone::UTC } else { TimeZoneDatabase::bundled().get(&self.0).unwrap_or(TimeZone::UTC) }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A local time as if its zone were UTC: how cron expressions, which know no zones, are walked.
pub(super) fn naive(local: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(local).ok()
}

/// The reverse of [`naive`].
pub(super) fn unnaive(time: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(time)
}
