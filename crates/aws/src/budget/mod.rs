//! The call budget: a share of each of AWS's throttle buckets, per account and Region, and the line before it.
//!
//! Reads wait for their turn inside the call, which is short. Writes are reserved for a whole plan before its first one, and
//! who must wait comes back later: waiting is the queue's business, and a plan never stops half way for want of tokens.
//! Everything here is pure but this file, which knows a clock and a lock. Why it is so: docs/design/budget.md.

mod bucket;
mod line;
mod ranks;
mod share;
mod tokens;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecs_etl_spec::name::{AccountId, Region};
use tokio::time::Instant;

pub use bucket::{Bucket, Rate};
pub use line::Urgency;
use line::{Calls, Line, Turn};
pub use share::{Share, ShareError};

/// Whether a plan may write now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Reservation {
    /// Every call of it may go now.
    Granted,
    /// None of them; ask again then with the same ticket, which keeps its place in the line until half a minute later.
    Wait {
        /// The bucket that is short.
        bucket: Bucket,
        /// When there will be enough in it, unless somebody more urgent comes.
        until: Instant,
    },
}

/// Account and Region: what AWS counts calls by.
pub(crate) type Meter = (AccountId, Region);

/// All lines, or none with limits off.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: bool,
    share: Share,
    origin: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: BTreeMap<Meter, Line>,
    reads: u64,
}

impl Budget {
    pub(crate) fn new(limits: bool, share: Share) -> Self {
        Self { limits, share, origin: Instant::now(), state: Mutex::default() }
    }

    /// Whether calls are limited at all.
    pub(crate) fn limits(&self) -> bool {
        self.limits
    }

    /// Takes the tokens for `calls`, or keeps a place in the line for `ticket`.
    pub(crate) fn reserve(
        &self,
        meter: &Meter,
        ticket: &str,
        urgency: Urgency,
        calls: impl IntoIterator<Item = Bucket>,
    ) -> Reservation {
        if !self.limits {
            return Reservation::Granted;
        }
        let counts = counts(calls);
        let now = self.now();
        match self.lock().line(meter, self.share, now).reserve(now, ticket, urgency, &counts) {
            Turn::Granted => Reservation::Granted,
            Turn::Wait { bucket, until } => Reservation::Wait { bucket, until: self.origin + until },
        }
    }

    /// Keeps a place in the line for `ticket`, and says until when, if `calls` cannot go now. Nothing is taken.
    pub(crate) fn queue(
        &self,
        meter: &Meter,
        ticket: &str,
        urgency: Urgency,
        calls: impl IntoIterator<Item = Bucket>,
    ) -> Option<(Bucket, Instant)> {
        let counts = counts(calls);
        let now = self.now();
        let (bucket, until) = self.lock().line(meter, self.share, now).queue(now, ticket, urgency, &counts)?;
        Some((bucket, self.origin + until))
    }

    /// Waits until one call of `bucket` may go.
    pub(crate) async fn read(&self, meter: &Meter, bucket: Bucket, urgency: Urgency) {
        if !self.limits {
            return;
        }
        let ticket = {
            let mut state = self.lock();
            state.reads += 1;
            // No job is called so: a name has no space in it.
            format!("read {}", state.reads)
        };
        // A read that is dropped while it waits must not keep its place.
        let mut place = Withdraw { budget: self, meter, ticket: Some(ticket) };
        while let Some(ticket) = &place.ticket {
            match self.reserve(meter, ticket, urgency, [bucket]) {
                Reservation::Granted => place.ticket = None,
                Reservation::Wait { until, .. } => tokio::time::sleep_until(until).await,
            }
        }
    }

    /// When a ticket that waits has its turn, if that is still to come.
    pub(crate) fn turn(&self, meter: &Meter, ticket: &str) -> Option<(Bucket, Instant)> {
        let now = self.now();
        let (bucket, until) = self.lock().lines.get_mut(meter)?.turn(now, ticket)?;
        Some((bucket, self.origin + until))
    }

    /// Gives up the place of a ticket, if it has one.
    pub(crate) fn withdraw(&self, meter: &Meter, ticket: &str) {
        if let Some(line) = self.lock().lines.get_mut(meter) {
            line.withdraw(ticket);
        }
    }

    /// When the last of all that wait has its turn.
    pub(crate) fn last_turn(&self) -> Option<Instant> {
        let last = self.lock().lines.values().filter_map(Line::last_turn).max()?;
        Some(self.origin + last)
    }

    /// Lets a bucket rest that AWS calls empty, and says so once.
    pub(crate) fn throttled(&self, meter: &Meter, bucket: Bucket) {
        if !self.limits {
            return;
        }
        let now = self.now();
        let rate = self.lock().line(meter, self.share, now).throttled(now, bucket);
        if let Some(rate) = rate {
            let (account, region) = (meter.0.as_str(), meter.1.as_str());
            let (bucket, share) = (bucket.name(), self.share);
            let of_share = format!("{}.{} %", rate / 10, rate % 10);
            tracing::warn!(
                account,
                region,
                bucket,
                %share,
                of_share,
                "AWS throttled us though our calls kept to their share; others use this bucket too, so we go slower for a while"
            );
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counts(calls: impl IntoIterator<Item = Bucket>) -> Calls {
    let mut counts = Calls::new();
    for bucket in calls {
        *counts.entry(bucket).or_default() += 1;
    }
    counts
}

impl State {
    fn line(&mut self, meter: &Meter, share: Share, now: Duration) -> &mut Line {
        self.lines.entry(meter.clone()).or_insert_with(|| Line::new(share, now))
    }
}

/// Gives a read's place in the line back when the read is dropped.
struct Withdraw<'a> {
    budget: &'a Budget,
    meter: &'a Meter,
    ticket: Option<String>,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = &self.ticket {
            self.budget.withdraw(self.meter, ticket);
        }
    }
}
