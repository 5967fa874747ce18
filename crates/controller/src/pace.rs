//! When to look at a key again: backoff after failures, jitter against herds, and resyncs spread over their interval.

use std::collections::BTreeMap;
use std::time::Duration;

use ecs_etl_plan::failure::RetryClass;
use tokio::time::Instant;

use crate::queue::{Backoffs, Jitter};

/// How long a key that only a person can help is left alone, unless its spec changes: the person may help in AWS.
const GIVEN_UP: Duration = Duration::from_secs(3600);

/// How much a resync may come early or late, as a share of its interval.
const RESYNC_JITTER: f64 = 0.1;

/// Times of the keys of one engine.
#[derive(Debug)]
pub struct Pace<K> {
    backoffs: Backoffs<K>,
    jitter: Jitter,
    not_before: BTreeMap<K, Instant>,
}

impl<K: Ord + Clone> Pace<K> {
    /// A pace that has seen no failure.
    pub fn new(jitter: Jitter) -> Self {
        Self { backoffs: Backoffs::new(), jitter, not_before: BTreeMap::new() }
    }

    /// A try failed: how long until the next. Until then not even a resync tries it.
    pub fn failed(&mut self, key: &K, class: RetryClass) -> Duration {
        let wait = self.backoffs.failed(key, class, &mut self.jitter).unwrap_or(GIVEN_UP);
        self.not_before.insert(key.clone(), Instant::now() + wait);
        wait
    }

    /// A try worked, or its key has a new spec: what was counted is forgotten.
    pub fn reset(&mut self, key: &K) {
        self.backoffs.reset(key);
        self.not_before.remove(key);
    }

    /// Forgets keys that nobody wants any more.
    pub fn keep(&mut self, wanted: impl Fn(&K) -> bool) {
        self.backoffs.keep(&wanted);
        self.not_before.retain(|key, _| wanted(key));
    }

    /// How many keys have failed, or are left alone.
    pub fn len(&self) -> usize {
        self.backoffs.count().max(self.not_before.len())
    }

    /// How many tries in a row have failed.
    pub fn failures(&self, key: &K) -> u32 {
        self.backoffs.failures(key)
    }

    /// Leaves the key alone until then.
    pub fn slow_down(&mut self, key: &K, wait: Duration) {
        self.not_before.insert(key.clone(), Instant::now() + wait);
    }

    /// `wait`, or longer while a backoff runs.
    pub fn at_least(&self, key: &K, wait: Duration) -> Duration {
        let backoff = self.not_before.get(key).map(|at| at.saturating_duration_since(Instant::now()));
        backoff.unwrap_or_default().max(wait)
    }

    /// The time to the next resync: the interval, a little more or less, so that places drift apart.
    pub fn resync(&mut self, interval: Duration) -> Duration {
        self.jitter.between(interval.mul_f64(1.0 - RESYNC_JITTER), interval.mul_f64(1.0 + RESYNC_JITTER))
    }
}

/// Where in `interval` a key has its turn: always the same for a name, and evenly spread over names.
pub fn spread(name: &str, interval: Duration) -> Duration {
    // FNV-1a alone leaves names that differ in their last letter close together; the generator's mixing parts them.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    Jitter::seeded(hash).between(Duration::ZERO, interval.saturating_sub(Duration::from_nanos(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_names_are_spread_evenly_over_the_interval() {
        let interval = Duration::from_secs(600);
        let mut tenths = [0_u32; 10];
        for index in 0..1000 {
            let at = spread(&format!("job-{index}"), interval);
            assert!(at < interval);
            tenths[(at.as_secs() / 60) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (60..150).contains(count)), "{tenths:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_resync_does_not_break_into_a_backoff_and_a_new_spec_ends_it() {
        let mut pace = Pace::new(Jitter::seeded(1));
        let wait = pace.failed(&"job", RetryClass::Slow);
        assert_eq!(pace.at_least(&"job", Duration::ZERO), wait);
        pace.reset(&"job");
        assert_eq!(pace.at_least(&"job", Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.failures(&"job"), 0);
    }
}
