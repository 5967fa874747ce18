//! How much is remembered, counted by what it is remembered for, so that somebody from outside can tell whether it is forgotten again.

use std::collections::BTreeMap;

/// What there is an entry for, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// A place that is named.
    Place,
    /// A job that is written, or that left something behind.
    Job,
    /// Such a job in a place, or a place: what the queue holds, twice for the clean-up of a job.
    Key,
    /// A rule, a schedule, a family or a revision of ours, or its like.
    Thing,
}

/// Entries of each collection that outlives a reconcile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered(pub BTreeMap<&'static str, (Per, usize)>);

impl Remembered {
    /// Notes how many entries a collection has.
    pub fn note(&mut self, what: &'static str, per: Per, entries: usize) {
        self.0.entry(what).or_insert((per, 0)).1 += entries;
    }
}
