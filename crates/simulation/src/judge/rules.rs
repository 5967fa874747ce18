//! What of a story the oracles must know to be fair.

use jiff::Timestamp;

use crate::fault::Kind;
use crate::hand::Deed;
use crate::story::{Crew, Story, What};

/// What of a story the oracles must know to be fair.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Who runs which manifests.
    pub crew: Crew,
    /// The moment the history begins.
    pub start: Timestamp,
    /// AWS's own delay before a change is seen by a tick, in milliseconds.
    pub changes_take: i64,
    /// How long lists may be behind, in milliseconds.
    pub list_lag: i64,
    /// Whether lists may be older still, or in another order.
    pub lists_lie: bool,
    /// Whether calls are kept inside a budget.
    pub limited: bool,
    /// Whether no throttle may come of our own calls.
    pub never_throttled: bool,
    /// How far a wall clock may be off, in milliseconds.
    pub skew: i64,
    /// When the storm is over, in milliseconds.
    pub calm: i64,
}

impl Rules {
    pub(super) fn of(story: &Story, start: Timestamp) -> Self {
        let has = |kind: Kind| {
            story.faults.kinds.iter().any(|(other, _)| *other == kind)
                || story.faults.outages.iter().any(|outage| outage.kind == kind)
        };
        let bursts =
            story.events.iter().any(|event| matches!(&event.what, What::Hand(hand) if hand.deed == Deed::Burst));
        let skews = story.events.iter().any(|event| matches!(event.what, What::Skew { .. }));
        Self {
            crew: story.crew,
            start,
            changes_take: i64::from(story.nature.changes_take) * 1000,
            list_lag: i64::from(story.nature.list_lag) * 1000,
            lists_lie: has(Kind::StaleList) || has(Kind::ReorderedList),
            limited: story.limits,
            never_throttled: story.limits && story.nature.throttles && story.crew == Crew::One && !bursts,
            skew: if skews { 120_000 } else { 0 },
            calm: i64::from(story.calm),
        }
    }

    /// The moment so many milliseconds after the beginning.
    pub(super) fn at(&self, millis: i64) -> Timestamp {
        self.start.checked_add(jiff::SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MAX)
    }
}
