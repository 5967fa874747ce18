//! Who goes first: the tickets that wait for one account and Region, and the buckets they draw on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bucket::{Bucket, Tokens};

/// Why a call is made, which decides who goes first. In this order, but nobody starves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Somebody changed a manifest and waits for it.
    Edit,
    /// A job that has nothing in AWS yet.
    Create,
    /// The periodic look, and the repair of what it finds.
    Drift,
    /// Tidying away what nothing needs any more.
    CleanUp,
}

/// How many calls of each bucket a plan makes.
pub(super) type Calls = BTreeMap<Bucket, u64>;

/// The answer to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The calls may go now; their tokens are taken.
    Granted,
    /// Come back then; the place in the line is kept.
    Wait { bucket: Bucket, until: Duration },
}

/// A ticket that is not claimed so long after its time loses its place: its owner has gone, or needs nothing any more.
const CLAIM: Duration = Duration::from_secs(30);

/// Who has waited so long is served before the more urgent, one at a time.
const AGED: Duration = Duration::from_secs(300);

/// So many others are served between two aged tickets.
const OTHERS_BETWEEN_AGED: u32 = 3;

#[derive(Debug)]
struct Waiting {
    urgency: Urgency,
    /// Its number in the line.
    number: u64,
    since: Duration,
    until: Duration,
    calls: Calls,
    /// Buckets that were short for it. Only there does it hold its place: a ticket that waits for one bucket must not keep
    /// others from the rest.
    short_of: BTreeSet<Bucket>,
}

/// The buckets of one account and Region with the line before them. Pure: time is an argument, counted from any origin.
#[derive(Debug)]
pub(super) struct Line {
    tokens: BTreeMap<Bucket, Tokens>,
    waiting: BTreeMap<String, Waiting>,
    tickets: u64,
    served_since_aged: u32,
}

impl Line {
    /// Nearly empty buckets and nobody waiting.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            tokens: Bucket::ALL.into_iter().map(|bucket| (bucket, Tokens::new(bucket, now))).collect(),
            waiting: BTreeMap::new(),
            tickets: 0,
            served_since_aged: 0,
        }
    }

    /// Asks for `calls` in the name of `ticket`, for the first time or again: all of them or none.
    pub(super) fn reserve(&mut self, now: Duration, ticket: &str, urgency: Urgency, calls: &Calls) -> Turn {
        self.waiting.retain(|_, waiting| waiting.until.saturating_add(CLAIM) >= now);
        let (number, since, mut short_of) = match self.waiting.remove(ticket) {
            Some(before) => (before.number, before.since, before.short_of),
            None => {
                self.tickets += 1;
                (self.tickets, now, BTreeSet::new())
            }
        };
        short_of.retain(|bucket| calls.contains_key(bucket));
        let mut own = Waiting { urgency, number, since, until: now, calls: calls.clone(), short_of };
        let ahead = self.ahead(now, &own);

        let mut wait: Option<(Bucket, Duration)> = None;
        for (bucket, count) in calls {
            let Some(tokens) = self.tokens.get(bucket) else { continue };
            let ahead = ahead.get(bucket).copied().unwrap_or(0);
            if tokens.affords(now, ahead, *count) {
                continue;
            }
            let until = tokens.ready(now, ahead, *count);
            own.short_of.insert(*bucket);
            if wait.is_none_or(|(_, latest)| until > latest) {
                wait = Some((*bucket, until));
            }
        }
        let Some((bucket, until)) = wait else {
            self.serve(now, &own);
            return Turn::Granted;
        };
        own.until = until;
        self.waiting.insert(ticket.to_owned(), own);
        Turn::Wait { bucket, until }
    }

    /// Gives up a ticket that will not come back.
    pub(super) fn withdraw(&mut self, ticket: &str) {
        self.waiting.remove(ticket);
    }

    /// AWS refused a call for its rate: the bucket rests for a moment.
    pub(super) fn throttled(&mut self, now: Duration, bucket: Bucket) {
        if let Some(tokens) = self.tokens.get_mut(&bucket) {
            tokens.throttled(now);
        }
    }

    fn serve(&mut self, now: Duration, own: &Waiting) {
        for (bucket, count) in &own.calls {
            if let Some(tokens) = self.tokens.get_mut(bucket) {
                tokens.take(now, *count);
            }
        }
        let aged = is_aged(now, own);
        self.served_since_aged = if aged { 0 } else { self.served_since_aged.saturating_add(1) };
    }

    /// The calls that go before those of `own`, by bucket.
    fn ahead(&self, now: Duration, own: &Waiting) -> Calls {
        let favoured = self.favoured(now, own);
        let rank = |waiting: &Waiting| (favoured != Some(waiting.number), waiting.urgency, waiting.number);
        let mut ahead = Calls::new();
        for waiting in self.waiting.values().filter(|waiting| rank(waiting) < rank(own)) {
            for bucket in &waiting.short_of {
                *ahead.entry(*bucket).or_default() += waiting.calls.get(bucket).copied().unwrap_or(0);
            }
        }
        ahead
    }

    /// The one aged ticket whose turn it is whatever its urgency, if it is an aged one's turn.
    fn favoured(&self, now: Duration, own: &Waiting) -> Option<u64> {
        if self.served_since_aged < OTHERS_BETWEEN_AGED {
            return None;
        }
        let aged = self.waiting.values().chain([own]).filter(|waiting| is_aged(now, waiting));
        aged.map(|waiting| waiting.number).min()
    }
}

fn is_aged(now: Duration, waiting: &Waiting) -> bool {
    now.saturating_sub(waiting.since) >= AGED
}

#[cfg(test)]
mod tests;
