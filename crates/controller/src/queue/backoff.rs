//! How long a key that failed waits: exponentially longer, jittered, capped, and forgotten when its spec changes.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use ecs_etl_plan::failure::RetryClass;

/// Shortest and longest wait of a kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Wait before the first retry, at least; the range doubles with each failure.
    pub floor: Duration,
    /// Longest wait.
    pub cap: Duration,
}

impl Pace {
    /// The pace for a kind of failure; none where trying again is pointless until something changes.
    pub fn of(class: RetryClass) -> Option<Self> {
        let (floor, cap) = match class {
            RetryClass::Soon | RetryClass::NotFound => (1, 300),
            // AWS refills most buckets within seconds; asking at once only empties them for others.
            RetryClass::Throttled => (2, 300),
            // Permissions, quotas and roles change by people's hands.
            RetryClass::Slow => (60, 900),
            RetryClass::Terminal => return None,
        };
        Some(Self { floor: Duration::from_secs(floor), cap: Duration::from_secs(cap) })
    }

    /// The wait after `failures` failures in a row (at least one): evenly spread over a range that doubles.
    pub fn delay(self, failures: u32, jitter: &mut Jitter) -> Duration {
        let doubled = 2_u32.checked_pow(failures.max(1)).and_then(|factor| self.floor.checked_mul(factor));
        let ceiling = doubled.map_or(self.cap, |ceiling| ceiling.min(self.cap));
        jitter.between(self.floor, ceiling)
    }
}

/// Failures in a row, by key.
#[derive(Debug)]
pub struct Backoffs<K> {
    failures: BTreeMap<K, u32>,
}

impl<K> Default for Backoffs<K> {
    fn default() -> Self {
        Self { failures: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Backoffs<K> {
    /// Nothing has failed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a failure of `key` and says how long to wait; none where trying again is pointless.
    pub fn failed(&mut self, key: &K, class: RetryClass, jitter: &mut Jitter) -> Option<Duration> {
        let count = self.failures.entry(key.clone()).or_insert(0);
        *count = count.saturating_add(1);
        Pace::of(class).map(|pace| pace.delay(*count, jitter))
    }

    /// Starts over: the key's spec changed, or it succeeded.
    pub fn reset(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Forgets keys that nobody wants any more.
    pub fn keep(&mut self, wanted: impl Fn(&K) -> bool) {
        self.failures.retain(|key, _| wanted(key));
    }

    /// How many keys have failed.
    pub fn count(&self) -> usize {
        self.failures.len()
    }

    /// How often `key` failed in a row.
    pub fn failures(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }
}

/// Randomness that spreads work over time and need not be secret. Equal seeds give equal sequences, so a simulated history
/// can be run again.
#[derive(Debug, Clone)]
pub struct Jitter {
    state: u64,
}

impl Jitter {
    /// The sequence of `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A sequence that differs from process to process.
    pub fn from_entropy() -> Self {
        Self::seeded(RandomState::new().hash_one(std::process::id()))
    }

    /// A duration from `low` up to `high`; `low` if they are not in order.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let width = u64::try_from(high.saturating_sub(low).as_nanos()).unwrap_or(u64::MAX);
        // The upper half of a 128-bit product is even enough over any width, and cannot exceed it.
        let offset = (u128::from(self.draw()) * (u128::from(width) + 1)) >> 64;
        low.saturating_add(Duration::from_nanos(u64::try_from(offset).unwrap_or(width)))
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
