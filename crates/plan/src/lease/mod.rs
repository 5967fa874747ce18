//! Which of several controllers may write: a lease on one item of a table, told from conditional writes alone.
//!
//! The item holds the holder's name, a version that every renewal changes, and how long the lease lasts. No clock is ever
//! compared with another machine's. The holder counts its lease from *before* it sent the write that won it; who waits counts
//! from *after* it first read a version, until the version has not changed for the length of the lease and one call more. So
//! whatever the network does, the holder has ended before the other begins ([`Lease::may_write`] has the arithmetic).
//!
//! [`Lease::next`] says what to ask of the table, and [`Lease::answered`] takes what came back. One request is under way at a time.

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;

use std::time::Duration;

/// A moment of this process, since some beginning of its own, on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// A clock that never goes back. It may stand still while the machine sleeps.
    pub steady: Duration,
    /// The clock on the wall. It goes on while the machine sleeps, and may be set.
    pub wall: Duration,
}

impl Moment {
    /// At most so much time has passed since `earlier`, whatever became of one of the clocks.
    fn at_most_since(self, earlier: Self) -> Duration {
        self.at_least_since(earlier).max(self.wall.saturating_sub(earlier.wall))
    }

    /// At least so much time has passed since `earlier`.
    fn at_least_since(self, earlier: Self) -> Duration {
        self.steady.saturating_sub(earlier.steady)
    }
}

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A lease.
    pub duration: Duration,
    /// The longest that one write to AWS can be under way.
    pub call: Duration,
}

/// What the item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds the lease, for people.
    pub holder: String,
    /// A text that no other write of the item ever had.
    pub version: String,
    /// How long this lease lasts.
    pub duration: Duration,
}

/// What to ask of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Read the item, consistently.
    Read,
    /// Write the item if it is not there (`replaces` is none), or has the version `replaces`; or has the version that is written,
    /// by a try whose answer was lost.
    Put {
        /// What to write.
        record: Record,
        /// The version that must be there.
        replaces: Option<String>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What was read; none if there is no item.
    Read(Option<Record>),
    /// It was written.
    Written,
    /// The condition did not hold: nothing was written.
    Refused,
    /// Nobody knows: no answer, or none that says what became of it.
    Unknown,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask this now.
    Ask(Ask),
    /// Wait so long.
    Wait(Duration),
}

/// Who may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This controller.
    Holder,
    /// Another one, by its name; or nobody knows who.
    Standby(Option<String>),
}

/// One controller's view of the lease.
#[derive(Debug, Clone)]
pub struct Lease {
    terms: Terms,
    me: String,
    /// What this controller wrote last, as far as it knows.
    held: Option<Held>,
    /// A write whose effect is not known yet.
    claim: Option<Claim>,
    /// What it read last.
    seen: Seen,
    /// Not to ask before this long after the last answer.
    pause: Option<(Moment, Duration)>,
}

#[derive(Debug, Clone)]
struct Held {
    version: String,
    /// Before the write was sent.
    sent: Moment,
}

#[derive(Debug, Clone)]
struct Claim {
    version: String,
    replaces: Option<String>,
    /// Before it was first sent: a later try may only confirm what the first has done.
    sent: Moment,
}

#[derive(Debug, Clone)]
enum Seen {
    /// Nothing was read yet, or what was read is out of date.
    Nothing,
    /// There is no item.
    Absent,
    /// Another controller's record, and since when it has been the same.
    Other { record: Record, since: Moment },
}

impl Lease {
    /// The view of a controller that knows nothing yet, and is called `me`.
    pub fn new(me: String, terms: Terms) -> Self {
        Self { terms, me, held: None, claim: None, seen: Seen::Nothing, pause: None }
    }

    /// Whether a write to AWS may begin now.
    ///
    /// A write takes `call` at most, so what begins by `sent + duration - call` has ended by `sent + duration`. Another controller
    /// read the version at `sent` or later, and waits `duration + call` from then.
    pub fn may_write(&self, now: Moment) -> bool {
        self.held.as_ref().is_some_and(|held| now.at_most_since(held.sent) + self.terms.call <= self.terms.duration)
    }

    /// How long writes may begin from now on, if nothing more is heard of the table.
    pub fn left(&self, now: Moment) -> Duration {
        let spent = self.held.as_ref().map(|held| now.at_most_since(held.sent) + self.terms.call);
        spent.map_or(Duration::ZERO, |spent| self.terms.duration.saturating_sub(spent))
    }

    /// Who may write now.
    pub fn standing(&self, now: Moment) -> Standing {
        match &self.seen {
            _ if self.may_write(now) => Standing::Holder,
            Seen::Other { record, .. } => Standing::Standby(Some(record.holder.clone())),
            Seen::Nothing | Seen::Absent => Standing::Standby(None),
        }
    }

    /// What to do next; `fresh` makes versions.
    pub fn next(&mut self, now: Moment, fresh: impl FnOnce() -> String) -> Next {
        if let Some((since, pause)) = self.pause {
            let waited = now.at_least_since(since);
            if waited < pause {
                return Next::Wait(pause - waited);
            }
            self.pause = None;
        }
        if self.claim.is_none() {
            match self.due(now) {
                Due::Claim(replaces) => self.claim = Some(Claim { version: fresh(), replaces, sent: now }),
                Due::Read => return Next::Ask(Ask::Read),
                Due::In(wait) => return Next::Wait(wait),
            }
        }
        match &self.claim {
            Some(claim) => Next::Ask(Ask::Put {
                record: Record {
                    holder: self.me.clone(),
                    version: claim.version.clone(),
                    duration: self.terms.duration,
                },
                replaces: claim.replaces.clone(),
            }),
            None => Next::Ask(Ask::Read),
        }
    }

    fn due(&self, now: Moment) -> Due {
        match (&self.held, &self.seen) {
            (Some(held), _) => {
                let age = now.at_most_since(held.sent);
                let renewal = self.terms.duration / 3;
                if age >= renewal { Due::Claim(Some(held.version.clone())) } else { Due::In(renewal - age) }
            }
            (None, Seen::Absent) => Due::Claim(None),
            (None, Seen::Other { record, since })
                if now.at_least_since(*since) >= record.duration + self.terms.call =>
            {
                Due::Claim(Some(record.version.clone()))
            }
            (None, Seen::Other { .. } | Seen::Nothing) => Due::Read,
        }
    }

    /// Takes an answer that came at `now`.
    pub fn answered(&mut self, now: Moment, answer: Answer) {
        match answer {
            Answer::Written => {
                if let Some(Claim { version, sent, .. }) = self.claim.take() {
                    self.held = Some(Held { version, sent });
                    self.seen = Seen::Nothing;
                }
            }
            Answer::Refused => {
                // Nobody but this controller writes its versions, so another one has written since.
                (self.claim, self.held, self.seen) = (None, None, Seen::Nothing);
            }
            Answer::Unknown => self.pause = Some((now, self.pause())),
            Answer::Read(found) => {
                self.seen = self.sighting(found, now);
                if matches!(self.seen, Seen::Other { .. }) {
                    self.pause = Some((now, self.look(now)));
                }
            }
        }
    }

    fn sighting(&self, found: Option<Record>, now: Moment) -> Seen {
        match (found, &self.seen) {
            (None, _) => Seen::Absent,
            (Some(found), Seen::Other { record, since }) if found.version == record.version => {
                Seen::Other { record: found, since: *since }
            }
            (Some(found), _) => Seen::Other { record: found, since: now },
        }
    }

    /// How long to wait after a look that found another holder.
    fn look(&self, now: Moment) -> Duration {
        let often = (self.terms.duration / 10).clamp(Duration::from_secs(1), Duration::from_secs(5));
        match &self.seen {
            Seen::Other { record, since } => {
                let left = (record.duration + self.terms.call).saturating_sub(now.at_least_since(*since));
                often.min(left)
            }
            Seen::Nothing | Seen::Absent => often,
        }
    }

    /// How long to wait after an answer that says nothing.
    fn pause(&self) -> Duration {
        (self.terms.duration / 30).clamp(Duration::from_secs(1), Duration::from_secs(5))
    }

    /// Gives the lease up: no write begins from now on. The version whose item is to be deleted, if one may be this controller's.
    pub fn release(&mut self) -> Vec<String> {
        let held = self.held.take().map(|held| held.version);
        let claim = self.claim.take().map(|claim| claim.version);
        self.seen = Seen::Nothing;
        held.into_iter().chain(claim).collect()
    }
}

enum Due {
    Claim(Option<String>),
    Read,
    In(Duration),
}
