//! What all parts of a history share: AWS as it is, the directories as they are meant, the log, and the judge.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ecs_etl_emulator::firing::Firing;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::directory::Directory;
use crate::judge::Judge;
use crate::log::Log;
use crate::mirror::Mirror;

/// Who made a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A controller's process.
    Process {
        /// Which controller.
        process: usize,
        /// Which of its lives.
        life: u32,
    },
    /// Somebody else's hand.
    Stranger,
}

/// Counts for the figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Requests made.
    pub calls: u64,
    /// Requests by operation.
    pub operations: BTreeMap<String, u64>,
    /// Requests that changed AWS.
    pub writes: u64,
    /// Faults, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Processes that were killed, by the operation under way.
    pub crashes: BTreeMap<String, u64>,
    /// Ticks that started something.
    pub ticks: u64,
    /// Statuses written.
    pub statuses: u64,
}

impl Stats {
    /// Adds what another history counted.
    pub fn add(&mut self, other: &Self) {
        let Self { calls, operations, writes, faults, crashes, ticks, statuses } = other;
        self.calls += calls;
        self.writes += writes;
        self.ticks += ticks;
        self.statuses += statuses;
        for (mine, theirs) in
            [(&mut self.operations, operations), (&mut self.faults, faults), (&mut self.crashes, crashes)]
        {
            for (name, count) in theirs {
                *mine.entry(name.clone()).or_default() += count;
            }
        }
    }
}

/// One history as it goes on.
#[derive(Debug)]
pub struct World {
    start: Timestamp,
    origin: Instant,
    state: Mutex<State>,
}

/// What changes.
#[derive(Debug)]
pub struct State {
    /// AWS.
    pub mirror: Mirror,
    /// The directory of each controller.
    pub directories: Vec<Directory>,
    /// What happened.
    pub log: Log,
    /// What must hold.
    pub judge: Judge,
    /// Figures.
    pub stats: Stats,
    /// Faults that happened, by their labels.
    pub faults: Vec<String>,
    /// Calls that processes made.
    pub calls: Vec<Made>,
}

/// A call that a process made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// When, in milliseconds.
    pub millis: i64,
    /// Which process made it.
    pub process: usize,
    /// The operation.
    pub operation: String,
    /// Which call of that operation it was, counted from 1.
    pub nth: u64,
}

impl World {
    /// A history that begins now, which is `start` on every clock in it.
    pub fn new(start: Timestamp, directories: Vec<Directory>, judge: Judge, keeps_lines: bool) -> Self {
        let state = State {
            mirror: Mirror::default(),
            directories,
            log: Log::new(keeps_lines),
            judge,
            stats: Stats::default(),
            faults: Vec::new(),
            calls: Vec::new(),
        };
        Self { start, origin: Instant::now(), state: Mutex::new(state) }
    }

    /// Milliseconds since the beginning.
    pub fn millis(&self) -> i64 {
        i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Whole seconds since the beginning.
    pub fn second(&self) -> u32 {
        u32::try_from(self.origin.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    /// The moment it is.
    pub fn now(&self) -> Timestamp {
        self.at(self.millis())
    }

    /// The moment so many milliseconds after the beginning.
    pub fn at(&self, millis: i64) -> Timestamp {
        self.start.checked_add(jiff::SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MAX)
    }

    /// What changes. Never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the judge of something that happened now.
    pub fn judged(&self, tell: impl FnOnce(i64, &mut Judge, &Mirror)) {
        let millis = self.millis();
        let State { judge, mirror, .. } = &mut *self.state();
        tell(millis, judge, mirror);
    }

    /// Notes what happened.
    pub fn note(&self, what: std::fmt::Arguments<'_>) {
        let millis = self.millis();
        self.state().log.note(millis, what);
    }

    /// A tick came due.
    pub fn fired(&self, firing: &Firing) {
        let millis = self.millis();
        let mut state = self.state();
        let State { mirror, log, judge, stats, .. } = &mut *state;
        stats.ticks += 1;
        log.note(millis, format_args!("tick {} of {}: {:?}", firing.due, firing.rule, firing.outcome));
        judge.fired(firing, mirror);
    }
}
