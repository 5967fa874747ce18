//! The engine's part in deletions: when to look at what jobs left behind, and what to do once the rules allow it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::prune::PruneDecision;
use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::JobName;

use super::{Engine, Key, Mode};
use crate::adopted::Adopted;
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
        if !self.homes.contains_key(&place) {
            self.reporter.cleaned_up(&job, Some(&place));
            return;
        }
        if self.manifests.mentions(&job) {
            self.wanted_again(job, &result);
            return;
        }
        let key = Key::Orphan(place.clone(), job.clone());
        match result {
            Ok(outcome) => self.looked_after(key, &place, job, outcome),
            Err(stopped) => {
                tracing::warn!(%job, region = %place.region, error = %stopped, "what a job left behind could not be looked after");
                self.reporter.clean_up_failed(&job, Some(&place), &stopped);
                if !self.pruning.knows(&place, &job) {
                    self.pruning.unknown(&place, &job, stopped.to_string());
                }
                self.retry(key, &stopped, Urgency::Drift);
            }
        }
        // Until all of it was looked at, nothing may go: the rules are asked once, not after each of thousands.
        if !self.pruning.is_inspecting() {
            if self.others_came_to_light(&place) {
                self.look_after_orphans(None);
            } else {
                self.prune();
            }
        }
    }

    /// Whether tags that were read for one job told of another one that no manifest names and nobody has looked after.
    fn others_came_to_light(&self, place: &Place) -> bool {
        let others = self.cx.world().jobs_of_another_name(place, &Adopted::new());
        others.into_iter().any(|job| !self.manifests.mentions(&job) && !self.pruning.has_looked_after(place, &job))
    }

    /// The manifest came back while a worker was busy with what the job had left behind.
    fn wanted_again(&mut self, job: JobName, result: &Result<orphans::Outcome, Interrupted>) {
        let touched = match result {
            Ok(outcome) => !outcome.actions.is_empty(),
            Err(_) => true,
        };
        self.reporter.clean_up_ended(&job);
        if touched && self.manifests.job(&job).is_some() {
            self.queue.schedule(Key::Job(job), Urgency::Edit);
        }
    }

    fn looked_after(&mut self, key: Key, place: &Place, job: JobName, outcome: orphans::Outcome) {
        let now = self.cx.clock.now();
        if !outcome.went.is_empty() {
            self.pruning.searched(outcome.went);
        }
        let was_scheduled = self.pruning.is_scheduled(&job);
        self.pruning.found(place, &job, outcome.left);
        if !outcome.actions.is_empty() {
            let verdict = Verdict::Waiting(Reason::Removing, "the job is being removed".to_owned(), None);
            self.reporter.left_behind(&job, &verdict, &outcome.actions, now);
        }
        if was_scheduled && !self.pruning.is_scheduled(&job) {
            tracing::info!(%job, "job removed; its revisions follow when no retry can want them");
            self.reporter.forget(&job);
            if !outcome.actions.is_empty() {
                self.pruning.went(&job, now);
            }
            if self.mode == Mode::OnePass {
                self.removed.insert(job.clone());
            }
        }
        if outcome.stopped.is_none() {
            self.reporter.cleaned_up(&job, Some(place));
        }
        match (&outcome.stopped, outcome.next_due) {
            (Some(stopped), _) => {
                self.reporter.clean_up_failed(&job, Some(place), stopped);
                self.retry(key, stopped, Urgency::Drift);
            }
            (None, Some(due)) if self.mode == Mode::Daemon => {
                let wait = std::time::Duration::try_from(due.duration_since(now)).unwrap_or_default();
                self.forget_failures(&key);
                self.queue.schedule_after(key, wait, Urgency::CleanUp);
            }
            (None, _) => self.forget_failures(&key),
        }
    }

    /// Asks the rules of deletion, says what they say, and does what they allow.
    pub(super) fn prune(&mut self) {
        let unseen = |job: &&Arc<Job>| !self.seen.contains(&job.name);
        let waits = self.manifests.wanted().filter(unseen).any(|job| self.cx.world().sweep(&job.place).is_some());
        if waits || self.manifests.directory.controller_problem.is_some() {
            // The jobs that are wanted come first: what they own sets the caps.
            return;
        }
        let decision = self.pruning.decide(&self.cx, &self.manifests);
        self.report_pruning(&decision);
        let remove = if self.searches_before(&decision.remove) { Vec::new() } else { decision.remove };
        match self.mode {
            Mode::Daemon => self.remove(&remove),
            Mode::OnePass => {
                self.pruning.keep_permits(|job| remove.contains(job));
                self.removable = remove;
            }
        }
    }

    /// Whether jobs that may be removed have to wait until it is known which others went within the hour.
    fn searches_before(&mut self, jobs: &[JobName]) -> bool {
        let Some(job) = jobs.first() else { return false };
        let Some(place) = self.pruning.places_of(job).into_iter().next() else { return false };
        if self.cx.may_write().is_err() {
            // Who stands by removes nothing, and asks again when it has the lease.
            return true;
        }
        let search = self.pruning.must_search(job, &self.manifests.own_places());
        if search == Some(true) {
            let key = Key::Orphan(place, job.clone());
            let wait = self.pace.at_least(&key, std::time::Duration::ZERO);
            self.queue.schedule_after(key, wait, Urgency::Drift);
        }
        search.is_some()
    }

    /// Jobs that may be removed now, once they are released.
    pub fn removable(&self) -> &[JobName] {
        &self.removable
    }

    /// Jobs that this pass has removed.
    pub fn removed(&self) -> &BTreeSet<JobName> {
        &self.removed
    }

    /// Removes what may be removed: the word of `apply --prune`.
    pub fn release_removals(&mut self) {
        let jobs = std::mem::take(&mut self.removable);
        self.remove(&jobs);
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

    fn remove(&mut self, jobs: &[JobName]) {
        for job in self.pruning.release(jobs) {
            for place in self.pruning.places_of(&job) {
                let key = Key::Orphan(place, job.clone());
                let wait = self.pace.at_least(&key, std::time::Duration::ZERO);
                self.queue.schedule_after(key, wait, Urgency::Drift);
            }
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
        self.report_gone(&verdicts.keys().map(|job| (*job).clone()).collect());
    }

    /// Jobs whose manifest is gone and of which nothing is known to be left: their status goes too, once it is certain.
    fn report_gone(&mut self, left: &BTreeSet<JobName>) {
        // A manifest that cannot be read may be there.
        let unread = self.manifests.incomplete.iter().next().map(|(file, why)| {
            let message = format!("its manifest is gone or cannot be read: {file}: {why}");
            Verdict::Waiting(Reason::PruningBlocked, message, None)
        });
        let is_certain = unread.is_none() && self.pruning.knows_everything(&self.cx, &self.manifests);
        let is_here = |job: &JobName| self.manifests.mentions(job) || left.contains(job) || self.lost.contains_key(job);
        let gone: Vec<JobName> = self.reporter.jobs().keys().filter(|job| !is_here(job)).cloned().collect();
        for job in gone {
            if is_certain {
                self.reporter.forget(&job);
            } else if self.manifests.selector.selects_name(&job) {
                let message = "the manifest is gone; what is left of the job is not known yet".to_owned();
                let unknown = || Verdict::Waiting(Reason::PendingDeletion, message, None);
                let verdict = unread.clone().unwrap_or_else(unknown);
                self.reporter.left_behind(&job, &verdict, &[], self.cx.clock.now());
            }
        }
    }
}

/// Whether a job is on its way out, now or after its grace.
fn is_leaving(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Waiting(Reason::PendingDeletion | Reason::Removing, ..))
}
