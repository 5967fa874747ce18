//! The clock that a door reads before each request.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A source of the present moment.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    source: Source,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    Scaled { base: Timestamp, origin: Instant, speed: u32 },
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self { source: Source::System }
    }

    /// A clock that reads `base` now and goes on with tokio's time, so that a paused runtime has a paused AWS.
    pub fn starting_at(base: Timestamp) -> Self {
        Self { source: Source::Scaled { base, origin: Instant::now(), speed: 1 } }
    }

    /// A clock that reads the machine's time now and goes on `speed` times as fast.
    pub fn accelerated(speed: u32) -> Self {
        Self { source: Source::Scaled { base: Timestamp::now(), origin: Instant::now(), speed } }
    }

    /// The same clock, or one as fast that reads `floor` now where this one is behind it: for a state that has seen later times.
    #[must_use]
    pub fn not_before(self, floor: Option<Timestamp>) -> Self {
        let speed = match self.source {
            Source::System => 1,
            Source::Scaled { speed, .. } => speed,
        };
        match floor.filter(|floor| *floor > self.now()) {
            Some(base) => Self { source: Source::Scaled { base, origin: Instant::now(), speed } },
            None => self,
        }
    }

    /// How long it really takes until this clock reads `at`; no time at all if it has.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        let speed = match self.source {
            Source::System => 1,
            Source::Scaled { speed, .. } => speed.max(1),
        };
        Duration::try_from(at.duration_since(self.now())).unwrap_or(Duration::ZERO) / speed
    }

    /// The present moment, cut to milliseconds as AWS shows time.
    pub fn now(&self) -> Timestamp {
        let exact = match self.source {
            Source::System => Timestamp::now(),
            Source::Scaled { base, origin, speed } => {
                let elapsed = origin.elapsed().checked_mul(speed).unwrap_or(Duration::MAX);
                let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
                base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
            }
        };
        Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_started_clock_follows_the_time_of_a_paused_runtime() {
        let base: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let clock = Clock::starting_at(base);
        assert_eq!(clock.now(), base);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), "2026-01-02T03:05:35Z".parse().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn an_accelerated_clock_runs_ahead() {
        let clock = Clock::accelerated(60);
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now().duration_since(before), SignedDuration::from_secs(120));
        assert_eq!(clock.until(clock.now() + SignedDuration::from_secs(120)), Duration::from_secs(2));
        assert_eq!(clock.until(before), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_does_not_fall_behind_what_a_state_has_seen() {
        let base: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let clock = Clock::starting_at(base);
        let later = base + SignedDuration::from_hours(9);
        assert_eq!(clock.not_before(None).now(), base);
        assert_eq!(clock.not_before(Some(base)).now(), base);
        let ahead = clock.not_before(Some(later));
        assert_eq!(ahead.now(), later);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ahead.now(), later + SignedDuration::from_secs(1));
        assert!(
            Clock::system().not_before(Some(Timestamp::now() + SignedDuration::from_hours(1))).now() > Timestamp::now()
        );
    }
}
