//! What is reported of work that waits for a person: deletions that are blocked, sets that are held.

use ecs_etl_plan::prune::{self, PruneDecision};
use ecs_etl_plan::status::{Held, HeldKind, PruningBlocked};
use jiff::Timestamp;

use super::Reporter;
use crate::context::Interrupted;
use crate::verdict;

impl Reporter {
    /// What the rules of deletion said.
    pub fn pruning(&mut self, decision: &PruneDecision) {
        let blocked = decision.blocked.as_ref().filter(|_| !decision.verdicts.is_empty()).map(|blocked| {
            PruningBlocked { why: blocked.why.clone(), file: blocked.file.clone(), since: blocked.since }
        });
        if blocked.is_some() && self.pruning_blocked.is_none() {
            tracing::warn!(
                why = blocked.as_ref().map(|blocked| &blocked.why),
                "pruning is blocked; nothing is deleted"
            );
        }
        self.pruning_blocked = blocked;
        self.hold(HeldKind::Deletions, decision.held.as_ref());
    }

    /// What `maxChanges` holds.
    ///
    /// The set may have grown since its jobs were looked at: each is to name the digest that releases it now.
    pub fn held_changes(&mut self, held: Option<&prune::Held>, now: Timestamp) {
        let is_new = self.hold(HeldKind::Changes, held);
        if let Some(held) = held.filter(|_| is_new) {
            let verdict = verdict::of_interruption(&Interrupted::Held(held.clone()));
            for job in &held.jobs {
                self.set(job, None, None, &verdict, None, &[], None, &[], now);
            }
        }
    }

    /// True if the set is another one than before.
    fn hold(&mut self, kind: HeldKind, held: Option<&prune::Held>) -> bool {
        let before = self.held.iter().find(|held| held.kind == kind).map(|held| held.digest.clone());
        self.held.retain(|held| held.kind != kind);
        let Some(held) = held else { return before.is_some() };
        let digest = held.digest.as_str().to_owned();
        let is_new = before.as_ref() != Some(&digest);
        if is_new {
            tracing::error!(?kind, digest, jobs = held.jobs.len(), why = held.why, "held until it is approved");
        }
        let jobs = held.jobs.iter().map(|job| job.as_str().to_owned()).collect();
        self.held.push(Held { kind, digest, jobs, message: held.why.clone() });
        is_new
    }
}
