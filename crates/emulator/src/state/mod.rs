//! What the emulator remembers: tables of entities, each of which knows what changed in it.
//!
//! Everything that a request can change is a row here, so that a journal of rows is a journal of everything.

mod change;
mod rows;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

pub use change::{Change, Entity, Kind};
pub(crate) use rows::{
    Acts, Blueprint, Cluster, Course, Family, Former, Group, Indexed, Message, Queue, Retry, Revision, Rule,
    ScheduleRow, Script, Status, Stop, Tags, Task, Token, Undelivered,
};
pub(crate) use table::Table;

use crate::events::{Acting, Ticking};
use crate::firing::Firing;
use crate::place::Place;
use crate::scheduler::Alarm;
use crate::throttle::Buckets;

/// So many firings are kept for whoever asks what came due; of more, the oldest are forgotten.
const MOST_FIRINGS: usize = 10_000;

/// What time alone will change. What is due at one moment is done in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The next tick of a rule.
    Tick((Place, String)),
    /// The next tick of a schedule.
    Alarm((Place, String)),
    /// The moment at which a delivery is tried again.
    Retry((Place, String)),
    /// The moment at which a change of a rule takes effect.
    Former((Place, String)),
    /// The moment at which the event bus hears of a task's next phase.
    Phase((Place, String)),
    /// The end of a revision's deletion.
    Revision((Place, String, u32)),
    /// Something the tagging index is to see of a resource.
    Index((Place, String)),
    /// The moment from which on a stopped task is no longer shown.
    Task((Place, String)),
}

/// The whole memory of the emulator.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub families: Table<(Place, String), Family>,
    pub revisions: Table<(Place, String, u32), Revision>,
    pub clusters: Table<(Place, String), Cluster>,
    pub rules: Table<(Place, String), Rule>,
    pub index: Table<(Place, String), Indexed>,
    pub tasks: Table<(Place, String), Task>,
    pub groups: Table<(Place, String), Group>,
    /// By their group and name, with a slash between them.
    pub schedules: Table<(Place, String), ScheduleRow>,
    pub queues: Table<(Place, String), Queue>,
    /// By the name of their queue, when they were sent, and their id.
    pub messages: Table<(Place, String), Message>,
    /// Of rules that were changed or deleted: how they still fire, the soonest to end first.
    pub formers: Table<(Place, String), Vec<Former>>,
    /// Deliveries that failed and are to be tried again, by what was to be delivered and how often it was tried.
    pub retries: Table<(Place, String), Retry>,
    /// Rules that fire, ready to; it follows from the rows and is not written down.
    pub ticking: BTreeMap<(Place, String), Ticking>,
    /// Schedules that fire, ready to; likewise.
    pub alarms: BTreeMap<(Place, String), Alarm>,
    /// Rules that match events, ready to; likewise.
    pub listening: BTreeMap<(Place, String), Arc<Acting>>,
    /// What is due when; likewise.
    agenda: BTreeSet<(Timestamp, Due)>,
    /// How much may be asked at present, which is forgotten with the process.
    pub buckets: Buckets,
    /// The moment of the latest write: what was due by then has been done.
    as_of: Option<Timestamp>,
    /// Whether a journal follows, so that what time makes must be carried along.
    journaled: bool,
    reset: bool,
    /// What fired and was not yet asked for.
    firings: VecDeque<Firing>,
    /// How many events were put in this process.
    events: u64,
}

impl State {
    /// Has what time makes written down with the next write, for a journal to be read again.
    pub(crate) fn keep_book(&mut self) {
        self.journaled = true;
        self.tasks.keep_book();
        self.messages.keep_book();
        self.schedules.keep_book();
        self.formers.keep_book();
        self.retries.keep_book();
    }

    /// Forgets everything, and remembers that it did.
    pub(crate) fn reset(&mut self) {
        let journaled = self.journaled;
        *self = Self { reset: true, ..Self::default() };
        if journaled {
            self.keep_book();
        }
    }

    /// The moment of the latest write, if there was one.
    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// Keeps a firing for whoever asks.
    pub(crate) fn tell(&mut self, firing: Firing) {
        if self.firings.len() >= MOST_FIRINGS {
            self.firings.pop_front();
        }
        self.firings.push_back(firing);
    }

    /// What fired since the last call.
    pub(crate) fn take_firings(&mut self) -> Vec<Firing> {
        std::mem::take(&mut self.firings).into()
    }

    /// A number that no other event of this process has.
    pub(crate) fn count_event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }

    /// The rules of one place that match events, in the order of their names.
    pub(crate) fn listening_at<'a>(&'a self, place: &Place) -> impl Iterator<Item = (&'a str, &'a Arc<Acting>)> {
        let place = place.clone();
        let from = Bound::Included((place.clone(), String::new()));
        self.listening
            .range((from, Bound::Unbounded))
            .take_while(move |((at, _), _)| *at == place)
            .map(|((_, rule), acting)| (rule.as_str(), acting))
    }

    /// Whether a rule of this place matches events.
    pub(crate) fn listens(&self, place: &Place) -> bool {
        !self.listening.is_empty() && self.listening_at(place).next().is_some()
    }

    /// Has something looked at again at `when`, if ever.
    pub(crate) fn remind(&mut self, when: Option<Timestamp>, what: Due) {
        if let Some(when) = when {
            self.agenda.insert((when, what));
        }
    }

    /// No longer has something looked at again at `when`.
    pub(crate) fn forget_reminder(&mut self, when: Option<Timestamp>, what: Due) {
        if let Some(when) = when {
            self.agenda.remove(&(when, what));
        }
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(when, _)| *when)
    }

    /// What is due by `now`, the earliest first; each is told once.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        if self.next_due()? > now {
            return None;
        }
        self.agenda.pop_first()
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        let scheduled = self.rules.len() + self.formers.len() + self.tasks.len();
        let queued =
            self.queues.len() + self.messages.len() + self.retries.len() + self.groups.len() + self.schedules.len();
        self.families.len() + self.revisions.len() + self.clusters.len() + self.index.len() + scheduled + queued
    }

    /// What requests changed since the last call, or `None`; `now` is when.
    pub(crate) fn take_change(&mut self, now: Timestamp) -> Option<Change> {
        let (mut rows, mut carried) = (Vec::new(), Vec::new());
        self.families.drain_touched(Kind::Family, &mut rows);
        self.revisions.drain_touched(Kind::Revision, &mut rows);
        self.clusters.drain_touched(Kind::Cluster, &mut rows);
        self.rules.drain_touched(Kind::Rule, &mut rows);
        self.index.drain_touched(Kind::Index, &mut rows);
        self.tasks.drain_touched(Kind::Task, &mut rows);
        self.formers.drain_touched(Kind::Former, &mut rows);
        self.groups.drain_touched(Kind::ScheduleGroup, &mut rows);
        self.schedules.drain_touched(Kind::Schedule, &mut rows);
        self.queues.drain_touched(Kind::Queue, &mut rows);
        self.messages.drain_touched(Kind::Message, &mut rows);
        self.retries.drain_touched(Kind::Retry, &mut rows);
        let reset = std::mem::take(&mut self.reset);
        if !reset && rows.is_empty() {
            return None;
        }
        self.tasks.drain_carried(Kind::Task, &mut carried);
        self.formers.drain_carried(Kind::Former, &mut carried);
        self.schedules.drain_carried(Kind::Schedule, &mut carried);
        self.messages.drain_carried(Kind::Message, &mut carried);
        self.retries.drain_carried(Kind::Retry, &mut carried);
        self.as_of = Some(now);
        Some(Change { carried, rows, at: self.as_of, reset })
    }

    /// Everything there is, one change per row, so that a reader needs memory for one row at a time.
    pub(crate) fn everything(&self) -> Vec<Change> {
        let mut rows = Vec::new();
        self.families.all(Kind::Family, &mut rows);
        self.revisions.all(Kind::Revision, &mut rows);
        self.clusters.all(Kind::Cluster, &mut rows);
        self.rules.all(Kind::Rule, &mut rows);
        self.index.all(Kind::Index, &mut rows);
        self.tasks.all(Kind::Task, &mut rows);
        self.formers.all(Kind::Former, &mut rows);
        self.groups.all(Kind::ScheduleGroup, &mut rows);
        self.schedules.all(Kind::Schedule, &mut rows);
        self.queues.all(Kind::Queue, &mut rows);
        self.messages.all(Kind::Message, &mut rows);
        self.retries.all(Kind::Retry, &mut rows);
        let change = |row| Change { carried: Vec::new(), rows: vec![row], at: self.as_of, reset: false };
        rows.into_iter().map(change).collect()
    }

    /// Takes over a change read from a journal.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), serde_json::Error> {
        if change.reset {
            *self = Self::default();
        }
        for row in change.carried.into_iter().chain(change.rows) {
            match row.kind {
                Kind::Family => self.families.apply(row)?,
                Kind::Revision => self.revisions.apply(row)?,
                Kind::Cluster => self.clusters.apply(row)?,
                Kind::Rule => self.rules.apply(row)?,
                Kind::Index => self.index.apply(row)?,
                Kind::Task => self.tasks.apply(row)?,
                Kind::Former => self.formers.apply(row)?,
                Kind::ScheduleGroup => self.groups.apply(row)?,
                Kind::Schedule => self.schedules.apply(row)?,
                Kind::Queue => self.queues.apply(row)?,
                Kind::Message => self.messages.apply(row)?,
                Kind::Retry => self.retries.apply(row)?,
            }
        }
        self.as_of = self.as_of.max(change.at);
        Ok(())
    }

    /// All rows of one place whose name starts with `prefix`, in the order of their names.
    pub(crate) fn rules_with_prefix<'a>(
        &'a self,
        place: &Place,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Rule)> {
        starting_with(&self.rules, place, prefix)
    }

    /// The revisions of one place, by family and number.
    pub(crate) fn revisions_at(&self, place: &Place) -> impl DoubleEndedIterator<Item = (&str, u32, &Revision)> {
        // Family names are ASCII, so none comes after the last character of all.
        let from = (place.clone(), String::new(), 0);
        let to = (place.clone(), char::MAX.to_string(), 0);
        self.revisions.range(from..to).map(|((_, family, number), revision)| (family.as_str(), *number, revision))
    }

    /// The revisions of one family, oldest first.
    pub(crate) fn revisions_of(
        &self,
        place: &Place,
        family: &str,
    ) -> impl DoubleEndedIterator<Item = (u32, &Revision)> {
        let from = (place.clone(), family.to_owned(), 0);
        let to = (place.clone(), family.to_owned(), u32::MAX);
        self.revisions.range(from..=to).map(|((_, _, number), revision)| (*number, revision))
    }

    /// The newest ACTIVE revision of a family.
    pub(crate) fn latest_active(&self, place: &Place, family: &str) -> Option<(u32, &Revision)> {
        self.revisions_of(place, family).rev().find(|(_, revision)| revision.status == Status::Active)
    }
}

/// The rows of a table keyed by name, of one place, from the names that start with `prefix`.
pub(crate) fn starting_with<'a, V>(
    table: &'a Table<(Place, String), V>,
    place: &Place,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a V)> {
    let place = place.clone();
    let from = Bound::Included((place.clone(), prefix.to_owned()));
    table
        .range((from, Bound::Unbounded))
        .take_while(move |((at, name), _)| *at == place && name.starts_with(prefix))
        .map(|((_, name), value)| (name.as_str(), value))
}

/// The tasks of one place by the last part of their ARN.
pub(crate) fn tasks_at<'a>(state: &'a State, place: &Place) -> impl Iterator<Item = (&'a str, &'a Task)> {
    starting_with(&state.tasks, place, "")
}
