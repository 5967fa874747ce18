//! Notices when something else keeps undoing our repairs: three equal ones in a row. The job is then repaired more slowly, and
//! its status says that somebody fights us.

use std::collections::BTreeMap;
use std::time::Duration;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_spec::name::JobName;
use jiff::{SignedDuration, Timestamp};

use crate::reconcile::Outcome;

/// How many equal repairs in a row are a fight.
const FIGHT: u32 = 3;

/// Resyncs without any repair after which the fight is over.
const PEACE: i32 = 3;

/// How much more slowly a job in a fight is repaired, in resyncs.
const SLOWER: u32 = 3;

/// The repairs of every job that had any.
#[derive(Debug, Default)]
pub struct Fights(BTreeMap<JobName, Repairs>);

#[derive(Debug)]
struct Repairs {
    /// What was repaired: operations and resources, in order.
    what: Vec<String>,
    times: u32,
    last: Timestamp,
}

/// A fight, and what it means for the job.
#[derive(Debug)]
pub struct Fight {
    /// What to say of the job.
    pub verdict: Verdict,
    /// How long to leave it alone.
    pub wait: Duration,
}

impl Fights {
    /// Takes note of a reconcile that came to its end. A fight, if it is one.
    pub fn seen(&mut self, job: &JobName, outcome: &Outcome, resync: Duration, now: Timestamp) -> Option<Fight> {
        if outcome.actions.is_empty() {
            let peace = SignedDuration::try_from(resync).unwrap_or(SignedDuration::MAX).saturating_mul(PEACE);
            let over = |repairs: &Repairs| now.duration_since(repairs.last) > peace;
            if self.0.get(job).is_some_and(over) {
                self.0.remove(job);
            }
            return self.0.get(job).filter(|repairs| repairs.times >= FIGHT).map(|repairs| repairs.fight(resync));
        }
        let steps = outcome.plan.steps.iter();
        let what: Vec<String> =
            steps.map(|step| format!("{} {}", step.action.operation(), step.action.resource())).collect();
        let repairs = self.0.entry(job.clone()).or_insert_with(|| Repairs { what: what.clone(), times: 0, last: now });
        if repairs.what == what {
            repairs.times += 1;
        } else {
            (repairs.what, repairs.times) = (what, 1);
        }
        repairs.last = now;
        (repairs.times >= FIGHT).then(|| repairs.fight(resync))
    }

    /// Forgets jobs that nobody wants any more.
    pub fn keep(&mut self, wanted: impl Fn(&JobName) -> bool) {
        self.0.retain(|job, _| wanted(job));
    }

    /// The job has a new spec: what was repaired before says nothing of it.
    pub fn forget(&mut self, job: &JobName) {
        self.0.remove(job);
    }
}

impl Repairs {
    fn fight(&self, resync: Duration) -> Fight {
        let message = format!(
            "the same repair was made {} times in a row ({}): something else keeps undoing it; find it, or set \
             ecs-etl/reconcile: disabled; repairs are slower until then",
            self.times,
            self.what.join(", ")
        );
        Fight { verdict: Verdict::Stalled(Reason::DriftFight, message), wait: resync.saturating_mul(SLOWER) }
    }
}
