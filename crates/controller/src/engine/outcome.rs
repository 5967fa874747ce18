//! What workers bring back, and what that schedules.

use std::time::Duration;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::failure::RetryClass;
use ecs_etl_spec::job::Job;
use ecs_etl_spec::name::JobName;

use super::{Engine, Found, Key, Mode, Running};
use crate::context::Interrupted;
use crate::queue::Urgency;
use crate::reconcile::Outcome;
use crate::tidy;

/// Longest that one pass waits for a key's next turn, unless it waits for the call budget.
const PATIENCE_OF_ONE_PASS: Duration = Duration::from_secs(600);

/// Shortest wait for a moment that a decision named: it may be over by now.
const MOMENT: Duration = Duration::from_secs(1);

impl Engine {
    pub(super) fn finished(&mut self, done: Result<(tokio::task::Id, Found), tokio::task::JoinError>) {
        let (id, found) = match done {
            Ok((id, found)) => (id, Some(found)),
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(%error, "a reconcile panicked; this is a defect of ecs-etl, please report it");
                }
                (error.id(), None)
            }
        };
        let Some(Running { work, identity }) = self.running.remove(&id) else { return };
        let (key, urgency) = (work.key().clone(), work.urgency());
        drop(work);
        self.slots.give_back(&key);
        if identity != self.identity {
            self.queue.schedule(key, urgency);
            return;
        }
        match (key, found) {
            (Key::Sweep(place), Some(Found::Sweep(result))) => self.after_sweep(place, result),
            (Key::Job(name), Some(Found::Job(result, tidied))) => {
                self.after_job(name.clone(), *result, urgency);
                if let Some(tidied) = tidied {
                    self.after_tidy(name, tidied);
                }
            }
            (Key::Orphan(place, name), Some(Found::Orphan(result))) => self.after_orphan(place, name, *result),
            (Key::Tidy(name), Some(Found::Tidy(result))) => self.after_tidy(name, result),
            // A worker that brought nothing back panicked.
            (Key::Sweep(place), _) => self.after_sweep(place, Err(Interrupted::Panicked)),
            (Key::Job(name), _) => self.after_job(name, Err(Interrupted::Panicked), urgency),
            (Key::Orphan(place, name), _) => self.after_orphan(place, name, Err(Interrupted::Panicked)),
            (Key::Tidy(name), _) => self.after_tidy(name, Err(Interrupted::Panicked)),
        }
    }

    fn after_job(&mut self, name: JobName, result: Result<Outcome, Interrupted>, urgency: Urgency) {
        let key = Key::Job(name.clone());
        let now = self.cx.clock.now();
        let Some(job) = self.manifests.job(&name).cloned() else { return };
        if self.handled.get(&name) != Some(&job.digest) {
            // The spec changed while the worker was busy with the old one, of which nothing is said any more but what was done.
            let message = "the manifest has changed meanwhile and is looked at again".to_owned();
            let verdict = Verdict::Waiting(Reason::Progressing, message, None);
            self.reporter.job(&job, &result, None, Some(verdict), now);
            // What the old one waits for may not be what the new one needs.
            self.cx.aws.withdraw(&job.place, name.as_str());
            self.queue.schedule(key, Urgency::Edit);
            return;
        }
        let waits = match &result {
            Ok(Outcome { stopped: Some(stopped), .. }) | Err(stopped) => matches!(stopped, Interrupted::Budget { .. }),
            Ok(Outcome { stopped: None, .. }) => false,
        };
        if !waits {
            self.cx.aws.withdraw(&job.place, name.as_str());
        }
        let (retrying, verdict) = match &result {
            Ok(outcome @ Outcome { stopped: None, .. }) => (None, self.next_look(&job, outcome, urgency)),
            Ok(Outcome { stopped: Some(stopped), .. }) | Err(stopped) => (self.retry(key, stopped, urgency), None),
        };
        self.reporter.job(&job, &result, retrying, verdict, now);
        self.counted(name);
    }

    /// Schedules the next look at a job whose reconcile came to its end; a verdict if somebody keeps undoing our repairs.
    fn next_look(&mut self, job: &Job, outcome: &Outcome, urgency: Urgency) -> Option<Verdict> {
        let key = Key::Job(job.name.clone());
        let settings = self.cx.settings();
        match &outcome.verdict {
            Verdict::Ready(..) | Verdict::Paused(..) | Verdict::Stalled(..) => {
                self.forget_failures(&key);
                self.cx.gate().settled(&job.name);
                if let Some(names) = self.cx.names(&job.place, &job.name).filter(|_| outcome.is_quiet()) {
                    self.cx.world().pass(&job.place, &names);
                }
            }
            Verdict::Waiting(_, _, Some(at)) => {
                let wait = Duration::try_from(at.duration_since(self.cx.clock.now())).unwrap_or_default().max(MOMENT);
                self.forget_failures(&key);
                if self.mode == Mode::Daemon || wait <= PATIENCE_OF_ONE_PASS {
                    self.queue.schedule_after(key.clone(), wait, urgency);
                }
            }
            Verdict::Waiting(_, _, None) => {
                self.again(key.clone(), RetryClass::Soon, urgency);
            }
        }
        let fight = self.fights.seen(&job.name, outcome, settings.resync, self.cx.clock.now())?;
        self.pace.slow_down(&key, fight.wait);
        self.cx.seams().names_fights().then_some(fight.verdict)
    }

    fn after_tidy(&mut self, name: JobName, result: Result<tidy::Outcome, Interrupted>) {
        let key = Key::Tidy(name.clone());
        match result {
            Ok(outcome) => {
                self.forget_failures(&key);
                self.reporter.cleaned_up(&name, None);
                if let Some(wait) = outcome.next_due(self.cx.clock.now()).filter(|_| self.mode == Mode::Daemon) {
                    self.queue.schedule_after(key, wait, Urgency::CleanUp);
                }
            }
            Err(stopped) => {
                tracing::warn!(job = %name, error = %stopped, "clean-up will be tried again");
                self.reporter.clean_up_failed(&name, None, &stopped);
                self.retry(key, &stopped, Urgency::CleanUp);
            }
        }
    }
}
