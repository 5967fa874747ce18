//! A token bucket that keeps a share of one of AWS's, and learns from throttles what is left of it.

use std::time::Duration;

use super::bucket::Bucket;
use super::share::Share;

/// After a throttle, nothing more goes out for so long.
const REST: i128 = 1_000_000_000;

/// What is left of the rate after a throttle, in thousandths of what it was: somebody else draws on the bucket too.
const CUT: i128 = 700;

/// The whole share, in thousandths.
const FULL_RATE: i128 = 1000;

/// The rate never falls below this, in thousandths of the share: who never asks never learns that there is room again.
const LEAST_RATE: i128 = 50;

/// Throttles so soon after a cut tell nothing new: calls were under way already.
const ECHO: Duration = Duration::from_secs(5);

/// As long as no throttle comes, the rate grows by [`GROWTH`] thousandths of the share after each of these.
const STEP: Duration = Duration::from_secs(20);
const GROWTH: i128 = 50;

/// A token bucket in whole nanoseconds: a token is the time it takes to earn one at the full share, so nothing is rounded
/// but where a cut rate earns a fraction.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// What one call costs.
    cost: i128,
    /// What is held at most.
    full: i128,
    /// What is held; below zero after a plan of more calls than the bucket holds, or a throttle.
    level: i128,
    /// When `level` was true.
    at: Duration,
    /// The rate at the last cut, in thousandths of the share.
    cut_to: i128,
    /// When that was.
    cut_at: Duration,
}

impl Tokens {
    /// A bucket that holds one call, so that a restart starts with no burst.
    pub(super) fn new(bucket: Bucket, share: Share, now: Duration) -> Self {
        let rate = bucket.rate();
        let cost = share.nanoseconds_a_call(rate.per_second);
        let full = cost * i128::from(share.of(rate.burst).max(1));
        Self { cost, full, level: cost, at: now, cut_to: FULL_RATE, cut_at: Duration::ZERO }
    }

    /// The rate now, in thousandths of the share.
    pub(super) fn rate(&self, now: Duration) -> u32 {
        u32::try_from(self.pace(now).0).unwrap_or(0)
    }

    /// The rate at `now`, in thousandths, and until when it is that.
    fn pace(&self, now: Duration) -> (i128, Option<Duration>) {
        let steps = now.saturating_sub(self.cut_at).as_nanos() / STEP.as_nanos();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let rate = (self.cut_to + GROWTH * i128::from(steps)).min(FULL_RATE);
        let next = (rate < FULL_RATE).then(|| self.cut_at + STEP * (steps + 1));
        (rate, next)
    }

    /// What is held at `now`.
    fn level(&self, now: Duration) -> i128 {
        let (mut at, mut level) = (self.at, self.level);
        while at < now {
            let (rate, next) = self.pace(at);
            let end = next.map_or(now, |next| next.min(now));
            level += nanoseconds(end - at) * rate / FULL_RATE;
            at = end;
        }
        level.min(self.full)
    }

    /// When `calls` can go after `ahead` others have gone; at once is `now`.
    ///
    /// More than the bucket ever holds can go once it is full: it is then overdrawn, and others wait the longer.
    pub(super) fn ready(&self, now: Duration, ahead: u64, calls: u64) -> Duration {
        let need = self.full.min(self.cost * i128::from(calls)) + self.cost * i128::from(ahead);
        let (mut at, mut missing) = (now, need - self.level(now));
        while missing > 0 {
            let (rate, next) = self.pace(at);
            let wait = (missing * FULL_RATE + rate - 1) / rate;
            let wait = Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX));
            match next {
                Some(next) if next < at.saturating_add(wait) => {
                    missing -= nanoseconds(next - at) * rate / FULL_RATE;
                    at = next;
                }
                Some(_) | None => return at.saturating_add(wait),
            }
        }
        at
    }

    /// Whether `calls` can go now although what `ahead` others wait for stays untouched.
    ///
    /// A full bucket serves whoever is there: it earns nothing more, so those ahead lose nothing by it.
    pub(super) fn affords(&self, now: Duration, ahead: u64, calls: u64) -> bool {
        let (own, others) = (self.cost * i128::from(calls), self.cost * i128::from(ahead));
        self.level(now) >= self.full.min(own + others)
    }

    pub(super) fn take(&mut self, now: Duration, calls: u64) {
        self.level = self.level(now) - self.cost * i128::from(calls);
        self.at = now;
    }

    /// AWS says that the bucket is empty, whatever is thought here: it rests, and from then on earns less. True if that is
    /// news.
    pub(super) fn throttled(&mut self, now: Duration) -> bool {
        self.level = self.level(now).min(-REST);
        self.at = now;
        let (rate, _) = self.pace(now);
        let is_echo = self.cut_to < FULL_RATE && now.saturating_sub(self.cut_at) < ECHO;
        if !is_echo {
            self.cut_to = (rate * CUT / FULL_RATE).max(LEAST_RATE);
            self.cut_at = now;
        }
        !is_echo
    }
}

fn nanoseconds(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFY: Bucket = Bucket::TaskDefinitionModify;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn empty() -> Tokens {
        let mut tokens = Tokens::new(MODIFY, Share::WHOLE, Duration::ZERO);
        tokens.take(Duration::ZERO, 1);
        tokens
    }

    #[test]
    fn a_throttle_cuts_the_rate_once_and_it_grows_back_in_steps() {
        let mut tokens = empty();
        assert_eq!(tokens.rate(at(0)), 1000);
        assert!(tokens.throttled(at(60_000)));
        assert!(!tokens.throttled(at(64_999)), "calls that were under way tell nothing new");
        assert_eq!(tokens.rate(at(79_999)), 700);
        assert_eq!(tokens.rate(at(80_000)), 750);
        assert!(tokens.throttled(at(80_000)));
        assert_eq!(tokens.rate(at(80_000)), 525);
        assert_eq!(tokens.rate(at(80_000 + 9 * 20_000)), 975);
        assert_eq!(tokens.rate(at(80_000 + 10 * 20_000)), 1000);
    }

    #[test]
    fn the_rate_never_falls_to_nothing() {
        let mut tokens = empty();
        for minute in 1..60 {
            tokens.throttled(at(minute * 6000));
        }
        assert!(tokens.rate(at(354_000)) >= 50);
        assert_eq!(tokens.rate(at(354_000 + 400_000)), 1000);
    }

    #[test]
    fn what_is_told_of_a_cut_bucket_comes_true() {
        let mut tokens = empty();
        tokens.throttled(at(10_000));
        for (ahead, calls) in [(0, 1), (3, 1), (10, 2), (50, 1), (500, 5)] {
            let ready = tokens.ready(at(10_000), ahead, calls);
            let held = Tokens { full: i128::MAX, ..tokens.clone() };
            let need = tokens.cost * i128::from(ahead + calls);
            assert!(held.level(ready) >= need, "{ahead} and {calls}: ready too early");
            assert!(held.level(ready - Duration::from_micros(1)) < need, "{ahead} and {calls}: ready too late");
        }
    }
}
