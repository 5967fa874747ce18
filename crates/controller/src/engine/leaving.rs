//! The engine's part in deletions: when to look at what jobs left behind, and what to do once the rules allow it.

use std::collections::BTreeMap;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::prune::PruneDecision;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::JobName;

use super::{Engine, Key, Mode};
use crate::context::Interrupted;
use crate::orphans;
use crate::queue::Urgency;

impl Engine {
    /// Looks at what jobs left behind: all that is new, and all of a place that was just swept.
    pub(super) fn look_after_orphans(&mut self, swept: Option<&Place>) {
        let names = orphans::names(&self.cx, &self.manifests);
        let new = self.pruning.keep(&names);
        for (place, job) in names {
            let key = (place, job);
            if new.contains(&key) || swept == Some(&key.0) {
                self.queue.schedule(Key::Orphan(key.0, key.1), Urgency::Drift);
            }
        }
        self.prune();
    }

    pub(super) fn after_orphan(&mut self, place: Place, job: JobName, result: Result<orphans::Outcome, Interrupted>) {
        let key = Key::Orphan(place.clone(), job.clone());
        let now = self.cx.clock.now();
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(stopped) => {
                tracing::warn!(%job, region = %place.region, error = %stopped, "what a job left behind could not be looked after");
                self.pruning.unknown(&place, &job, stopped.to_string());
                self.retry(key, &stopped);
                self.prune();
                return;
            }
        };
        let was_scheduled = self.pruning.is_scheduled(&job);
        self.pruning.found(&place, &job, outcome.left);
        let mentioned = self.manifests.mentions(&job);
        if !outcome.actions.is_empty() && !mentioned {
            self.reporter.left_behind(
                &job,
                &Verdict::Waiting(Reason::Removing, "the job is being removed".to_owned(), None),
                &outcome.actions,
                now,
            );
        }
        if was_scheduled && !self.pruning.is_scheduled(&job) && !mentioned {
            tracing::info!(%job, "job removed; its revisions follow when no retry can want them");
            self.removed.push(job.clone());
            self.reporter.forget(&job);
        }
        match (&outcome.stopped, outcome.next_due) {
            (Some(stopped), _) => {
                self.retry(key, stopped);
            }
            (None, Some(due)) if self.mode == Mode::Daemon => {
                let wait = std::time::Duration::try_from(due.duration_since(now)).unwrap_or_default();
                self.pace.reset(&key);
                self.queue.schedule_after(key, wait, Urgency::CleanUp);
            }
            (None, _) => self.pace.reset(&key),
        }
        self.prune();
    }

    /// Asks the rules of deletion, says what they say, and does what they allow.
    pub(super) fn prune(&mut self) {
        let waits = self
            .manifests
            .wanted()
            .any(|job| self.cx.world().sweep(&job.place).is_some() && !self.seen.contains(&job.name));
        if waits || self.manifests.directory.controller_problem.is_some() {
            // The jobs that are wanted come first: what they own sets the caps.
            return;
        }
        let decision = self.pruning.decide(&self.cx, &self.manifests);
        self.report_pruning(&decision);
        match self.mode {
            Mode::Daemon => self.remove(decision.remove),
            Mode::OnePass => self.removable = decision.remove,
        }
    }

    /// Jobs that may be removed now, once they are released.
    pub fn removable(&self) -> &[JobName] {
        &self.removable
    }

    /// Jobs removed since the start.
    pub fn removed(&self) -> &[JobName] {
        &self.removed
    }

    /// Removes what may be removed: the word of `apply --prune`.
    pub fn release_removals(&mut self) {
        let jobs = std::mem::take(&mut self.removable);
        self.remove(jobs);
    }

    /// Tidies every job's replaced revisions, and those of jobs that went: in one pass, this is asked for.
    pub fn tidy_all(&mut self) {
        for job in self.manifests.wanted() {
            if self.reporter.jobs().get(&job.name).is_some_and(ecs_etl_plan::status::JobStatus::is_ready) {
                self.queue.schedule(Key::Tidy(job.name.clone()), Urgency::CleanUp);
            }
        }
        for (place, job) in orphans::names(&self.cx, &self.manifests) {
            if !self.pruning.is_scheduled(&job) {
                self.queue.schedule(Key::Orphan(place, job), Urgency::CleanUp);
            }
        }
    }

    fn remove(&mut self, jobs: Vec<JobName>) {
        for job in jobs {
            for place in self.pruning.places_of(&job) {
                let key = Key::Orphan(place, job.clone());
                if self.pace.at_least(&key, std::time::Duration::ZERO).is_zero() {
                    self.queue.schedule(key, Urgency::Drift);
                }
            }
            self.pruning.release([job]);
        }
    }

    fn report_pruning(&mut self, decision: &PruneDecision) {
        let now = self.cx.clock.now();
        let message = "its manifest is gone; `apply --prune` removes it, or `run` after the grace period".to_owned();
        let not_in_this_pass = Verdict::Waiting(Reason::PendingDeletion, message, None);
        let mut verdicts: BTreeMap<&JobName, &Verdict> = decision.verdicts.iter().collect();
        verdicts.extend(self.pruning.paused());
        for (job, verdict) in &verdicts {
            if !self.manifests.mentions(job) && self.manifests.selector.selects_name(job) {
                let waits = self.mode == Mode::OnePass && is_leaving(verdict);
                self.reporter.left_behind(job, if waits { &not_in_this_pass } else { verdict }, &[], now);
            }
        }
        self.reporter.pruning(decision);
        if self.pruning.knows_everything() {
            let known: Vec<JobName> = self.reporter.jobs().keys().cloned().collect();
            for job in known {
                if !self.manifests.mentions(&job) && !verdicts.contains_key(&job) && !self.lost.contains(&job) {
                    self.reporter.forget(&job);
                }
            }
        }
    }

    /// Whether a verdict on what was left behind needs a person, for the exit code of one pass.
    pub fn holds_something(&self) -> bool {
        !self.reporter.held.is_empty()
            || self
                .reporter
                .jobs()
                .values()
                .any(|job| job.status.conditions.iter().any(|condition| condition.reason == Reason::DeletionHeld))
    }
}

/// Whether a job is on its way out, now or after its grace.
fn is_leaving(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Waiting(Reason::PendingDeletion | Reason::Removing, ..))
}
