//! Whether two schedules of one job start it at the same minute.

use jiff::Timestamp;

use super::next::tick_at_or_after;
use super::{Kind, Schedule};

/// Whether two schedules tick at the same minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// They have no minute in common.
    Never,
    /// They first do at this minute.
    At(Timestamp),
    /// One is a rate, which AWS counts from a moment that nobody else knows: they may.
    Possible,
}

/// Whether `a` and `b` tick at the same minute at or after `from`. Exact for two cron expressions.
pub fn coincide(a: &Schedule, b: &Schedule, from: Timestamp) -> Overlap {
    match (a.kind(), b.kind()) {
        (Kind::Cron(a), Kind::Cron(b)) => tick_at_or_after(&[a, b], from).map_or(Overlap::Never, Overlap::At),
        (Kind::Rate(_), Kind::Rate(_)) => Overlap::Possible,
        (Kind::Rate(_), Kind::Cron(cron)) | (Kind::Cron(cron), Kind::Rate(_)) => {
            tick_at_or_after(&[cron], from).map_or(Overlap::Never, |_| Overlap::Possible)
        }
    }
}
