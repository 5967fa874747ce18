//! The wire to AWS: counts calls and throttles, gives each call the time that a network takes, and hears of ticks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecs_etl_emulator::door::{Call, Fault, Observer};
use ecs_etl_emulator::firing::{Firing, Outcome};
use ecs_etl_emulator::{Reply, Request};
use jiff::Timestamp;

/// How long a request is under way, and its answer: together what a call to a nearby Region takes.
const ONE_WAY: Duration = Duration::from_millis(20);

/// What one client has asked.
#[derive(Debug, Default)]
pub struct Wire {
    counts: Mutex<Counts>,
}

/// Calls by operation, those that were throttled, and ticks.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// How often each operation was called.
    pub calls: BTreeMap<String, u64>,
    /// How many of the calls AWS throttled.
    pub throttled: u64,
    /// The ticks of each rule that started tasks, by their due time.
    pub started: BTreeMap<(String, Timestamp), u32>,
    /// Ticks that came to nothing.
    pub failed: Vec<String>,
}

impl Wire {
    /// What was counted since this was last asked.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Wire {
    fn decide(&self, call: &Call, _request: &Request) -> Fault {
        *self.counts().calls.entry(call.operation.clone()).or_default() += 1;
        Fault { before: ONE_WAY, after: ONE_WAY, ..Fault::none() }
    }

    fn saw(&self, _call: &Call, _request: &Request, reply: Option<&Reply>) {
        let throttled = reply.is_some_and(|reply| {
            reply.status != 200 && String::from_utf8_lossy(&reply.body).contains("ThrottlingException")
        });
        self.counts().throttled += u64::from(throttled);
    }

    fn fired(&self, firing: &Firing) {
        let mut counts = self.counts();
        match &firing.outcome {
            Outcome::Started { .. } => {
                *counts.started.entry((firing.rule.clone(), firing.due)).or_default() += 1;
            }
            other @ (Outcome::Failed { .. }
            | Outcome::Refused { .. }
            | Outcome::NotPlaced { .. }
            | Outcome::Queued { .. }
            | Outcome::NotEmulated { .. }) => counts.failed.push(format!("{}: {other:?}", firing.rule)),
        }
    }
}

impl Counts {
    /// All calls.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Calls that change AWS.
    pub fn writes(&self) -> u64 {
        self.calls.iter().filter(|(operation, _)| mutates(operation)).map(|(_, count)| count).sum()
    }

    /// Writes of clean-up, which are counted apart: they come out of the spare budget.
    pub fn clean_up(&self) -> u64 {
        let operations = ["ecs:TagResource", "ecs:UntagResource", "ecs:DeregisterTaskDefinition"];
        operations.iter().filter_map(|operation| self.calls.get(*operation)).sum()
    }

    /// Calls that do not.
    pub fn reads(&self) -> u64 {
        self.total() - self.writes()
    }
}

/// Whether an operation changes AWS.
fn mutates(operation: &str) -> bool {
    let name = operation.split_once(':').map_or(operation, |(_, name)| name);
    !["Describe", "List", "Get", "AssumeRole"].iter().any(|read| name.starts_with(read))
}
