//! Whether two schedules of one job start it at the same minute.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::cron::Cron;
use super::next::tick_at_or_after;
use super::zone::naive;
use super::{Kind, Schedule};

/// Whether two schedules tick at the same minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// They have no minute in common.
    Never,
    /// They first do at this minute, which is one of UTC, or local time written as if it were.
    At(Timestamp),
    /// One is a rate, which AWS counts from a moment that nobody else knows: they may.
    Possible,
}

/// Whether `a` and `b` tick at the same minute at or after `from`. Exact but for rates.
///
/// Both are of one time zone, and so is `from`: local times of one zone coincide as those of any other do.
pub fn coincide(a: &Schedule, b: &Schedule, from: Timestamp) -> Overlap {
    let cron_at = |cron: &Cron, at: DateTime| {
        let tick = naive(at).and_then(|at| tick_at_or_after(&[cron], at).filter(|tick| *tick == at && at >= from));
        tick.map_or(Overlap::Never, Overlap::At)
    };
    match (a.kind(), b.kind()) {
        (Kind::Once(a), Kind::Once(b)) => {
            let both = naive(*a).filter(|at| a == b && *at >= from);
            both.map_or(Overlap::Never, Overlap::At)
        }
        (Kind::Once(at), Kind::Cron(cron)) | (Kind::Cron(cron), Kind::Once(at)) => cron_at(cron, *at),
        (Kind::Once(at), Kind::Rate(_)) | (Kind::Rate(_), Kind::Once(at)) => {
            naive(*at).filter(|at| *at >= from).map_or(Overlap::Never, |_| Overlap::Possible)
        }
        (Kind::Cron(a), Kind::Cron(b)) => tick_at_or_after(&[a, b], from).map_or(Overlap::Never, Overlap::At),
        (Kind::Rate(_), Kind::Rate(_)) => Overlap::Possible,
        (Kind::Rate(_), Kind::Cron(cron)) | (Kind::Cron(cron), Kind::Rate(_)) => {
            tick_at_or_after(&[cron], from).map_or(Overlap::Never, |_| Overlap::Possible)
        }
    }
}
