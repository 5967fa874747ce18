//! The keyed work queue: what to look at next, and when.
//!
//! Only keys are queued, never the reason, so a reconcile decides from what it sees and not from what woke it. The same key
//! queued twice is one piece of work, at the earlier time and the higher urgency. A key is worked on by one worker at a
//! time: queued again meanwhile, it waits until the first is through. [`Queue`] is pure, time is an argument;
//! [`WorkQueue`] adds the waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

mod backoff;
mod work;

pub use backoff::{Backoffs, Jitter, Pace};
pub use work::{Work, WorkQueue};

/// Longest a key waits. Timers misbehave far ahead (adding to an `Instant` can panic, tokio's wheel ends after about two
/// years), and a look once a day harms nobody.
pub const MAX_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is served first among keys that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// A person changed the manifest and waits.
    Edit,
    /// A job that has nothing in AWS yet.
    New,
    /// A look whether AWS is still as it should be, or the repair of what is not.
    Drift,
    /// Tidying that nobody waits for.
    CleanUp,
}

impl Urgency {
    /// Its name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::New => "new",
            Self::Drift => "drift",
            Self::CleanUp => "clean-up",
        }
    }
}

/// When a key is wanted, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: Instant,
    urgency: Urgency,
    /// Number of the call that brought the key in: among equals, first come, first served.
    arrival: u64,
}

/// Keys with the time and urgency of their next turn.
#[derive(Debug)]
pub struct Queue<K> {
    wanted: BTreeMap<K, Entry>,
    /// Keys of `wanted` that are nobody's now, by time; those that were found due move to `due`.
    waiting: BTreeSet<(Instant, u64, K)>,
    due: BTreeSet<(Urgency, Instant, u64, K)>,
    in_flight: BTreeSet<K>,
    arrivals: u64,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            wanted: BTreeMap::new(),
            waiting: BTreeSet::new(),
            due: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            arrivals: 0,
        }
    }
}

impl<K: Ord + Clone> Queue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants `key` at `at`. A key already wanted keeps the earlier time and the higher urgency.
    pub fn schedule(&mut self, key: K, at: Instant, urgency: Urgency) {
        let entry = match self.wanted.get(&key).copied() {
            Some(earlier) => {
                self.unfile(&key, earlier);
                Entry { at: earlier.at.min(at), urgency: earlier.urgency.min(urgency), arrival: earlier.arrival }
            }
            None => {
                self.arrivals += 1;
                Entry { at, urgency, arrival: self.arrivals }
            }
        };
        self.wanted.insert(key.clone(), entry);
        if !self.in_flight.contains(&key) {
            self.waiting.insert((entry.at, entry.arrival, key));
        }
    }

    /// Wants `key` after `delay`, which counts as [`MAX_DELAY`] if it is longer.
    pub fn schedule_after(&mut self, key: K, now: Instant, delay: Duration, urgency: Urgency) {
        self.schedule(key, after(now, delay), urgency);
    }

    /// Takes the most urgent key that is due, the one that waits longest among equals. It is in flight until [`finish`].
    ///
    /// [`finish`]: Self::finish
    #[must_use = "a key taken and dropped is in flight for ever"]
    pub fn pop(&mut self, now: Instant) -> Option<(K, Urgency)> {
        while let Some((at, _, _)) = self.waiting.first() {
            if *at > now {
                break;
            }
            let Some((_, _, key)) = self.waiting.pop_first() else { break };
            if let Some(entry) = self.wanted.get(&key) {
                self.due.insert((entry.urgency, entry.at, entry.arrival, key));
            }
        }
        let (urgency, _, _, key) = self.due.pop_first()?;
        self.wanted.remove(&key);
        self.in_flight.insert(key.clone());
        Some((key, urgency))
    }

    /// Gives back a key taken by [`pop`](Self::pop). If it was wanted meanwhile, it is due from then on.
    pub fn finish(&mut self, key: &K) {
        if !self.in_flight.remove(key) {
            return;
        }
        if let Some(entry) = self.wanted.get(key) {
            self.waiting.insert((entry.at, entry.arrival, key.clone()));
        }
    }

    /// Wants `key` no longer. Work in flight goes on.
    pub fn forget(&mut self, key: &K) {
        if let Some(entry) = self.wanted.remove(key) {
            self.unfile(key, entry);
        }
    }

    /// When the next key is due; a time gone by if one is now. None while nothing is wanted that is not in flight.
    pub fn next_due(&self) -> Option<Instant> {
        // What is due was found so at a time gone by, whichever of it is the oldest.
        let due = self.due.first().map(|(_, at, _, _)| *at);
        due.or_else(|| self.waiting.first().map(|(at, _, _)| *at))
    }

    /// When `key` is wanted next.
    pub fn wanted_at(&self, key: &K) -> Option<Instant> {
        self.wanted.get(key).map(|entry| entry.at)
    }

    /// How many keys are wanted or in flight.
    pub fn len(&self) -> usize {
        self.wanted.len() + self.in_flight.iter().filter(|key| !self.wanted.contains_key(key)).count()
    }

    /// Whether nothing is wanted and nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.in_flight.is_empty()
    }

    /// How many keys are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes a key out of the order it stands in, whichever that is.
    fn unfile(&mut self, key: &K, entry: Entry) {
        self.waiting.remove(&(entry.at, entry.arrival, key.clone()));
        self.due.remove(&(entry.urgency, entry.at, entry.arrival, key.clone()));
    }
}

/// `now + delay`, the delay cut to [`MAX_DELAY`].
pub(crate) fn after(now: Instant, delay: Duration) -> Instant {
    now.checked_add(delay.min(MAX_DELAY)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
