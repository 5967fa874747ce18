//! Sets workers to keys.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::observed::Observed;
use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::{JobName, RuleName};
use tracing::Instrument as _;

use super::{Engine, Found, Key, Mode, Running};
use crate::observe::Trust;
use crate::orphans::{self, Task};
use crate::queue::{Urgency, Work};
use crate::reconcile;
use crate::slots::Needs;
use crate::sweep;
use crate::tidy;

/// How long keys wait while the directory does not say who we are.
const IDENTITY_WAIT: Duration = Duration::from_secs(10);

/// What there is to do for a key.
enum Assignment {
    Sweep(Place),
    Job(Arc<Job>),
    Orphan(Place, JobName, Task),
    Tidy(Arc<Job>),
}

impl Engine {
    pub(super) fn start(&mut self, work: Work<Key>) {
        let (key, urgency) = (work.key().clone(), work.urgency());
        if self.manifests.directory.controller_problem.is_some() {
            // Who we are is not known, so nobody may write: the key waits.
            self.queue.schedule_after(key, IDENTITY_WAIT, urgency);
            return;
        }
        let Some(task) = self.task(&key) else { return };
        if let Assignment::Job(job) = &task
            && self.must_wait(job)
        {
            self.creations.entry(job.name.clone()).or_insert(urgency);
            if let Some(place) = self.may_run_in(job).cloned() {
                let now = self.cx.clock.now();
                if self.homes.contains_key(&place) {
                    self.reporter.waits_for_place(job, &place, now);
                } else {
                    self.reporter.runs_in_lost_place(job, &place, now);
                }
                self.counted(job.name.clone());
            }
            return;
        }
        if let Assignment::Job(job) = &task
            && let Some(place) = self.runs_beside(job).cloned()
        {
            self.handled.insert(job.name.clone(), job.digest.clone());
            self.reporter.runs_in_lost_place(job, &place, self.cx.clock.now());
            self.counted(job.name.clone());
            return;
        }
        if !self.slots.take(&key, needs(&task), urgency) {
            return;
        }
        if let Assignment::Job(job) = &task {
            self.creations.remove(&job.name);
            self.handled.insert(job.name.clone(), job.digest.clone());
        }
        let handle = self.spawn(task, urgency);
        self.running.insert(handle.id(), Running { work, identity: self.identity });
    }

    /// What a key stands for now; nothing if nobody wants it any more, or no document names its place: what is there stays as
    /// it is.
    fn task(&self, key: &Key) -> Option<Assignment> {
        let is_named = |place: &Place| self.homes.contains_key(place);
        match key {
            Key::Sweep(place) => is_named(place).then(|| Assignment::Sweep(place.clone())),
            Key::Job(name) => self.manifests.job(name).cloned().map(Assignment::Job),
            // Who stands by looks again when it has the lease.
            Key::Tidy(_) if self.cx.may_write().is_err() => None,
            Key::Tidy(name) => self.manifests.job(name).cloned().map(Assignment::Tidy),
            Key::Orphan(place, name) => (is_named(place) && !self.manifests.mentions(name)).then(|| {
                let selected = self.manifests.selector.selects_name(name);
                let task = if selected && self.cx.may_write().is_ok() {
                    self.pruning.task(place, name)
                } else {
                    Task::Inspect { was_scheduled: self.pruning.is_scheduled(name) }
                };
                Assignment::Orphan(place.clone(), name.clone(), task)
            }),
        }
    }

    /// Whether a job is new, or seems to be, while some places have not been read yet: it may have moved from there, and would
    /// run twice. A place that has failed to answer is not waited for, unless the job was seen there.
    fn must_wait(&self, job: &Job) -> bool {
        if self.may_run_in(job).is_some() {
            return true;
        }
        let elsewhere = self.unread.iter().any(|place| *place != job.place);
        let has_starts = !(job.schedules.is_empty() && job.after.is_empty() && job.events.is_empty());
        // Revisions of it may be left from a time when it was here before.
        let is_started = || job.suspend || !has_starts || self.starts_in(&job.place, &job.name);
        elsewhere && (self.arrivals.contains(&job.name) || !self.is_there(job) || !is_started())
    }

    /// Whether the sweep of its place shows anything of a job.
    pub(super) fn is_there(&self, job: &Job) -> bool {
        self.cx.names(&job.place, &job.name).is_some_and(|names| self.cx.world().shows(&job.place, &names))
    }

    /// Whether the lists show other rules of a job than were last seen of it.
    fn lists_contradict(&self, job: &Job) -> bool {
        let Some(names) = self.cx.names(&job.place, &job.name) else { return false };
        let listed = |rules: &[RuleName]| self.cx.world().bulk(&job.place, &[names], rules, &Observed::default());
        self.reporter.saw_otherwise(&job.name, listed)
    }

    fn spawn(&mut self, task: Assignment, urgency: Urgency) -> tokio::task::AbortHandle {
        let cx = Arc::clone(&self.cx);
        let cause = urgency.as_str();
        match task {
            Assignment::Sweep(place) => {
                self.workers.spawn(async move { Found::Sweep(sweep::sweep(&cx, &place).await) })
            }
            Assignment::Job(job) => {
                let span = tracing::info_span!("reconcile", job = %job.name, cause);
                let tidies = self.mode == Mode::Daemon;
                let trust = match (self.mode, urgency) {
                    // The lists are up to a resync old, and the edit is not.
                    (Mode::Daemon, Urgency::Edit) => Trust::ForDifferences,
                    // They may be older than what a process wrote just before this one began.
                    _ if self.lists_contradict(&job) => Trust::ForDifferences,
                    // What kept it from being ready may be a tag.
                    _ if self.reporter.was_in_trouble(&job.name) => Trust::BulkForSilence,
                    (Mode::Daemon, Urgency::New | Urgency::Drift | Urgency::CleanUp) => Trust::Presumed,
                    (Mode::OnePass, _) => Trust::BulkForSilence,
                };
                let calls = of_calls(urgency);
                let work = async move {
                    let mut result = reconcile::reconcile(&cx, &job, calls, trust).await;
                    cx.seams().outcome(&mut result);
                    let tidied = match &result {
                        Ok(outcome) if tidies && outcome.is_quiet() && cx.may_write().is_ok() => {
                            Some(tidy::tidy(&cx, &job, Some(&outcome.observed)).await)
                        }
                        Ok(_) | Err(_) => None,
                    };
                    Found::Job(Box::new(result), tidied)
                };
                self.workers.spawn(work.instrument(span))
            }
            Assignment::Orphan(place, name, task) => {
                let span = tracing::info_span!("reconcile", job = %name, cause = "gone");
                let look = async move { Found::Orphan(Box::new(orphans::look_after(&cx, &place, &name, task).await)) };
                self.workers.spawn(look.instrument(span))
            }
            Assignment::Tidy(job) => {
                let span = tracing::info_span!("reconcile", job = %job.name, cause = "clean-up");
                self.workers.spawn(async move { Found::Tidy(tidy::tidy(&cx, &job, None).await) }.instrument(span))
            }
        }
    }
}

/// What a task needs while it is worked on. A job that moves from another name touches that one's resources too.
fn needs(task: &Assignment) -> Needs {
    let of_job = |job: &Job| job.names().cloned().collect();
    let (place, jobs) = match task {
        // One sweep of a place is there at a time anyway, and everything else waits for it.
        Assignment::Sweep(_) => (None, BTreeSet::new()),
        Assignment::Job(job) | Assignment::Tidy(job) => (Some(job.place.clone()), of_job(job)),
        Assignment::Orphan(place, name, _) => (Some(place.clone()), BTreeSet::from([name.clone()])),
    };
    Needs { place, jobs }
}

/// The priority of a key's calls in the budget.
fn of_calls(urgency: Urgency) -> ecs_etl_aws::Urgency {
    match urgency {
        Urgency::Edit => ecs_etl_aws::Urgency::Edit,
        Urgency::New => ecs_etl_aws::Urgency::Create,
        Urgency::Drift => ecs_etl_aws::Urgency::Drift,
        Urgency::CleanUp => ecs_etl_aws::Urgency::CleanUp,
    }
}
