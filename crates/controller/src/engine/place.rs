//! What a sweep of a place sets in motion.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::{Family, JobName};

use super::{Engine, Key, Mode};
use crate::context::Interrupted;
use crate::pace::spread;
use crate::queue::Urgency;
use crate::world::{Names, Sweep};

impl Engine {
    pub(super) fn after_sweep(&mut self, place: Place, result: Result<Sweep, Interrupted>) {
        if !self.homes.contains_key(&place) {
            // No document names it any more: what is there stays as it is.
            return;
        }
        match result {
            Ok(sweep) => self.swept(&place, sweep),
            Err(stopped) => self.not_swept(&place, &stopped),
        }
        self.unread.remove(&place);
        self.create_what_waited();
    }

    fn swept(&mut self, place: &Place, sweep: Sweep) {
        let key = Key::Sweep(place.clone());
        let first = self.cx.world().sweep(place).is_none();
        let answers_again = self.pruning.has_failed(place);
        let changed = self.cx.world().take_sweep(place, sweep);
        self.find_again(place);
        self.reporter.place_swept(place);
        self.unread_homes.retain(|_, home| home != place);
        self.pruning.swept(place, None);
        self.forget_failures(&key);
        if self.mode == Mode::Daemon && self.manifests.own_places().contains(place) {
            let wait = self.pace.resync(self.cx.settings().resync);
            self.queue.schedule_after(key, wait, Urgency::Drift);
            if !first {
                self.end_round();
            }
        }
        self.look_at_jobs_of(place, first, first || answers_again, &changed);
        self.look_at_jobs_elsewhere(place, &changed);
        self.look_after_orphans(Some(place));
    }

    fn not_swept(&mut self, place: &Place, stopped: &Interrupted) {
        let now = self.cx.clock.now();
        let retrying = self.retry(Key::Sweep(place.clone()), stopped, Urgency::Drift);
        self.reporter.place_failed(&self.manifests, place, stopped, retrying, now);
        self.pruning.swept(place, Some(stopped));
        // Jobs of other places are not kept waiting for the count of these.
        let jobs: Vec<JobName> = self.homes.get(place).into_iter().flatten().cloned().collect();
        for job in jobs {
            self.counted(job);
        }
        self.prune();
    }

    fn end_round(&mut self) {
        let now = self.cx.clock.now();
        let jobs = self.manifests.wanted().count();
        self.reporter.summarise(jobs, self.round_began, now);
        self.cx.gate().next_pass();
        self.round_began = now;
    }

    /// Looks at the jobs of a place: `at_once` at all of them, otherwise at those that changed, and in the course of the
    /// interval at the others.
    fn look_at_jobs_of(&mut self, place: &Place, first: bool, at_once: bool, changed: &BTreeSet<Family>) {
        let manifests = Arc::clone(&self.manifests);
        let settings = self.cx.settings();
        let jobs = || manifests.wanted().filter(|job| job.place == *place);
        if self.mode == Mode::Daemon {
            let names: Vec<Names> = jobs().filter_map(|job| self.cx.names(place, &job.name)).collect();
            self.cx.world().rotate(place, &names, settings.resync);
        }
        for job in jobs() {
            let new = self.handled.get(&job.name) != Some(&job.digest);
            let names = self.cx.names(place, &job.name);
            let at_once = at_once || new || names.is_some_and(|names| names.is_among(changed));
            let urgency = match (first, new) {
                (true, _) if !self.is_there(job) => Urgency::New,
                // At the start nobody knows which jobs were edited; in one pass somebody waits for all of them.
                (true, _) if self.mode == Mode::OnePass => Urgency::Edit,
                (false, true) => Urgency::Edit,
                (true, _) | (false, false) => Urgency::Drift,
            };
            let key = Key::Job(job.name.clone());
            let wait = if at_once { Duration::ZERO } else { spread(job.name.as_str(), settings.resync) };
            self.queue.schedule_after(key.clone(), self.pace.at_least(&key, wait), urgency);
        }
    }

    /// Looks at jobs that live in other places and have left something here: they have yet to move away. It bears their name, the one
    /// that they had before, or that of what they took over.
    fn look_at_jobs_elsewhere(&mut self, place: &Place, changed: &BTreeSet<Family>) {
        if changed.is_empty() {
            return;
        }
        let manifests = Arc::clone(&self.manifests);
        let prefix = self.cx.settings().prefix.clone();
        // What is no job's name is no job's family.
        let named = |family: &Family| JobName::new(family.as_str().strip_prefix(prefix.as_str())?).ok();
        let by_name = changed.iter().filter_map(named).filter_map(|name| manifests.job(&name));
        let has_other_names = |job: &&Arc<Job>| job.moved_from.is_some() || !job.adopt.is_empty();
        let is_left = |job: &&Arc<Job>| {
            job.names().any(|name| self.cx.names(place, name).is_some_and(|names| names.is_among(changed)))
        };
        let by_other_names = manifests.wanted().filter(has_other_names).filter(is_left);
        let left = by_name.chain(by_other_names).filter(|job| job.place != *place).map(|job| job.name.clone());
        for name in left.collect::<BTreeSet<JobName>>() {
            let key = Key::Job(name);
            let wait = self.pace.at_least(&key, Duration::ZERO);
            self.queue.schedule_after(key, wait, Urgency::Drift);
        }
    }

    /// Every place has been read, or has failed to answer: what seems to be new is new.
    pub(super) fn create_what_waited(&mut self) {
        if self.unread.is_empty() {
            self.arrivals.clear();
            for (job, urgency) in std::mem::take(&mut self.creations) {
                let key = Key::Job(job);
                let wait = self.pace.at_least(&key, Duration::ZERO);
                self.queue.schedule_after(key, wait, urgency);
            }
        }
    }
}
