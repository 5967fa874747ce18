//! Who goes first: the tickets that wait for one account and Region, and the buckets they draw on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bucket::Bucket;
use super::ranks::Ranks;
use super::share::Share;
use super::tokens::Tokens;

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

/// Who has its turn so soon holds its place in every bucket that it needs.
const NEAR: Duration = Duration::from_secs(5);

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
    /// Buckets in which it holds its place: all that it needs if its turn is [`NEAR`], else the one that it waits for longest. Who
    /// waits an hour for one bucket must not keep others from the rest.
    holds: BTreeSet<Bucket>,
}

/// The buckets of one account and Region with the line before them. Pure: time is an argument, counted from any origin.
#[derive(Debug)]
pub(super) struct Line {
    tokens: BTreeMap<Bucket, Tokens>,
    ranks: BTreeMap<Bucket, Ranks>,
    waiting: BTreeMap<String, Waiting>,
    /// The same by number, so by age.
    by_number: BTreeMap<u64, (Duration, Urgency)>,
    /// The same by the time they are told to come back.
    by_until: BTreeSet<(Duration, String)>,
    tickets: u64,
    served_since_aged: u32,
}

impl Line {
    /// Nearly empty buckets and nobody waiting.
    pub(super) fn new(share: Share, now: Duration) -> Self {
        let tokens = |bucket| (bucket, Tokens::new(bucket, share, now));
        Self {
            tokens: Bucket::ALL.into_iter().map(tokens).collect(),
            ranks: Bucket::ALL.into_iter().map(|bucket| (bucket, Ranks::default())).collect(),
            waiting: BTreeMap::new(),
            by_number: BTreeMap::new(),
            by_until: BTreeSet::new(),
            tickets: 0,
            served_since_aged: 0,
        }
    }

    /// Asks for `calls` in the name of `ticket`, for the first time or again: all of them or none.
    pub(super) fn reserve(&mut self, now: Duration, ticket: &str, urgency: Urgency, calls: &Calls) -> Turn {
        let (mut own, wait) = self.ask(now, ticket, urgency, calls);
        let Some((bucket, until)) = wait else {
            self.serve(now, &own);
            return Turn::Granted;
        };
        own.until = until;
        self.enter(ticket, own);
        Turn::Wait { bucket, until }
    }

    /// Keeps a place in the line for who will ask for `calls`, and says until when if they cannot go now; nothing is taken.
    pub(super) fn queue(
        &mut self,
        now: Duration,
        ticket: &str,
        urgency: Urgency,
        calls: &Calls,
    ) -> Option<(Bucket, Duration)> {
        let (mut own, wait) = self.ask(now, ticket, urgency, calls);
        // Who has its turn keeps it while it looks at what it would do with it.
        own.until = wait.map_or(now, |(_, until)| until);
        if !calls.is_empty() {
            self.enter(ticket, own);
        }
        wait
    }

    /// Takes a ticket out of the line, or makes a new one, and says what it has to wait for.
    fn ask(
        &mut self,
        now: Duration,
        ticket: &str,
        urgency: Urgency,
        calls: &Calls,
    ) -> (Waiting, Option<(Bucket, Duration)>) {
        self.forget_unclaimed(now);
        let (number, since) = match self.leave(ticket) {
            Some(before) => (before.number, before.since),
            None => {
                self.tickets += 1;
                (self.tickets, now)
            }
        };
        let holds = BTreeSet::new();
        let mut own = Waiting { urgency, number, since, until: now, calls: calls.clone(), holds };
        let wait = self.wait(now, &mut own);
        (own, wait)
    }

    /// When a ticket that waits has its turn, if that is still to come. It costs nothing to ask, so its owner does before it
    /// reads anything again.
    pub(super) fn turn(&mut self, now: Duration, ticket: &str) -> Option<(Bucket, Duration)> {
        self.forget_unclaimed(now);
        let mut own = self.leave(ticket)?;
        let wait = self.wait(now, &mut own);
        // Who has its turn keeps its place while it looks at what it would do with it.
        own.until = wait.map_or(now, |(_, until)| until);
        self.enter(ticket, own);
        wait
    }

    /// Gives up a ticket that will not come back, or needs nothing.
    pub(super) fn withdraw(&mut self, ticket: &str) {
        self.leave(ticket);
    }

    /// When the last of those that wait has its turn, unless more come.
    pub(super) fn last_turn(&self) -> Option<Duration> {
        self.by_until.last().map(|(until, _)| *until)
    }

    /// AWS refused a call for its rate: the bucket rests for a moment, and earns less from then on. The new rate, in
    /// thousandths of the share, if that is news.
    pub(super) fn throttled(&mut self, now: Duration, bucket: Bucket) -> Option<u32> {
        let tokens = self.tokens.get_mut(&bucket)?;
        tokens.throttled(now).then(|| tokens.rate(now))
    }

    /// The bucket that `own` waits for longest, and until when; none if it can go now.
    fn wait(&self, now: Duration, own: &mut Waiting) -> Option<(Bucket, Duration)> {
        let favoured = self.favoured(now, own);
        let mut wait: Option<(Bucket, Duration)> = None;
        for (bucket, count) in &own.calls {
            let (Some(tokens), Some(ranks)) = (self.tokens.get(bucket), self.ranks.get(bucket)) else { continue };
            let rank = (own.urgency, own.number);
            let ahead = match favoured {
                Some(favoured) if favoured == rank => 0,
                Some(favoured) => ranks.ahead(own.urgency, own.number) + ranks.behind(rank, favoured),
                None => ranks.ahead(own.urgency, own.number),
            };
            if tokens.affords(now, ahead, *count) {
                continue;
            }
            let until = tokens.ready(now, ahead, *count);
            if wait.is_none_or(|(_, latest)| until > latest) {
                wait = Some((*bucket, until));
            }
        }
        own.holds = match wait {
            Some((bucket, until)) if until > now + NEAR => BTreeSet::from([bucket]),
            Some(_) | None => own.calls.keys().copied().collect(),
        };
        wait
    }

    fn serve(&mut self, now: Duration, own: &Waiting) {
        for (bucket, count) in &own.calls {
            if let Some(tokens) = self.tokens.get_mut(bucket) {
                tokens.take(now, *count);
            }
        }
        let aged = is_aged(now, own.since);
        self.served_since_aged = if aged { 0 } else { self.served_since_aged.saturating_add(1) };
    }

    /// Urgency and number of the one aged ticket whose turn it is whatever its urgency, if it is an aged one's turn. `own`
    /// stands outside the line while it asks.
    fn favoured(&self, now: Duration, own: &Waiting) -> Option<(Urgency, u64)> {
        if self.served_since_aged < OTHERS_BETWEEN_AGED {
            return None;
        }
        let eldest = self.by_number.first_key_value().map(|(number, (since, urgency))| (*number, *since, *urgency));
        let eldest = eldest.into_iter().chain([(own.number, own.since, own.urgency)]).min()?;
        let (number, since, urgency) = eldest;
        is_aged(now, since).then_some((urgency, number))
    }

    fn forget_unclaimed(&mut self, now: Duration) {
        while let Some((until, ticket)) = self.by_until.first() {
            if until.saturating_add(CLAIM) >= now {
                break;
            }
            let ticket = ticket.clone();
            self.leave(&ticket);
        }
    }

    fn enter(&mut self, ticket: &str, own: Waiting) {
        for bucket in &own.holds {
            if let (Some(ranks), Some(calls)) = (self.ranks.get_mut(bucket), own.calls.get(bucket)) {
                ranks.add(own.urgency, own.number, *calls);
            }
        }
        self.by_number.insert(own.number, (own.since, own.urgency));
        self.by_until.insert((own.until, ticket.to_owned()));
        self.waiting.insert(ticket.to_owned(), own);
    }

    fn leave(&mut self, ticket: &str) -> Option<Waiting> {
        let (ticket, own) = self.waiting.remove_entry(ticket)?;
        for bucket in &own.holds {
            if let Some(ranks) = self.ranks.get_mut(bucket) {
                ranks.remove(own.urgency, own.number);
            }
        }
        self.by_number.remove(&own.number);
        self.by_until.remove(&(own.until, ticket));
        Some(own)
    }
}

fn is_aged(now: Duration, since: Duration) -> bool {
    now.saturating_sub(since) >= AGED
}

#[cfg(test)]
mod tests;
