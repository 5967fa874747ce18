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
    }
}
