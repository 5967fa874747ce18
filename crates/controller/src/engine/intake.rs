//! What a new reading of the directory changes: who we are, which places there are, which jobs have a new spec.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;

use super::{Engine, Key, Mode};
use crate::context::Settings;
use crate::manifests::Manifests;
use crate::queue::Urgency;

impl Engine {
    /// Takes what the directory says now, and schedules what that changes.
    pub fn take_manifests(&mut self, mut manifests: Manifests, git_source: &str) {
        let now = self.cx.clock.now();
        self.cx.seams().manifests(&mut manifests);
        // Most edits change what a job says, and not which there are: with thousands of them, that is soon seen.
        let same_jobs = manifests.has_the_jobs_of(&self.manifests);
        self.manifests = Arc::new(manifests);
        let manifests = Arc::clone(&self.manifests);
        self.reporter.manifests(&manifests, now);
        if !same_jobs {
            self.forget_unwanted();
        }
        self.speak_of_the_shard();
        if manifests.directory.controller_problem.is_some() {
            // Who we are is not known: nothing may be written until it is.
            self.pruning.withdraw();
            return;
        }
        self.take_settings(manifests.settings(git_source));
        if !same_jobs {
            self.take_homes(now);
        }
        self.take_places();
        self.take_jobs();
        self.look_after_orphans(None);
    }

    /// Takes approvals from this status directory too.
    pub fn read_approvals_in(&mut self, directory: &Path) {
        self.pruning.approvals = Some(directory.to_path_buf());
        self.pruning.read_approvals();
        self.release_held();
    }

    /// Removes without grace: `apply --prune`.
    pub fn skip_grace(&mut self, skip: bool) {
        self.pruning.skip_grace = skip;
    }

    /// Forgets what was known of jobs that are gone or blocked: should they come back, they are looked at as if they were new,
    /// even if they say what they said before.
    fn forget_unwanted(&mut self) {
        let manifests = Arc::clone(&self.manifests);
        let parted: Vec<JobName> =
            self.reporter.jobs().keys().filter(|job| manifests.is_of_another_shard(job)).cloned().collect();
        for job in parted {
            tracing::info!(%job, "the job is another shard's, which looks after it from now on");
            self.reporter.clean_up_ended(&job);
            self.reporter.forget(&job);
        }
        if !self.cx.seams().forgets_jobs() {
            return;
        }
        let wanted = |job: &JobName| manifests.job(job).is_some();
        self.handled.retain(|job, _| wanted(job));
        self.seen.retain(|job| manifests.mentions(job));
        self.creations.retain(|job, _| wanted(job));
        self.fights.keep(wanted);
        self.cx.lowered().retain(wanted);
        self.pace.keep(|key| match key {
            Key::Sweep(_) => true,
            Key::Orphan(_, job) => !manifests.mentions(job),
            Key::Job(job) | Key::Tidy(job) => wanted(job),
        });
    }

    fn take_settings(&mut self, settings: Settings) {
        let before = self.cx.settings();
        if before.identity != settings.identity || before.prefix != settings.prefix {
            // Other resources are ours from now on.
            self.identity += 1;
            self.pruning.search_again();
            self.handled.clear();
            self.seen.clear();
        }
        if self.mode == Mode::Daemon && settings.resync < before.resync {
            for place in self.cx.world().places() {
                self.queue.schedule_after(Key::Sweep(place.clone()), settings.resync, Urgency::Drift);
            }
        }
        self.cx.set_settings(settings);
    }

    /// Which jobs are at home where, and which lost their place.
    fn take_homes(&mut self, now: Timestamp) {
        let manifests = Arc::clone(&self.manifests);
        let places = manifests.places();
        let mut homes: BTreeMap<Place, BTreeSet<JobName>> = BTreeMap::new();
        for place in &places {
            homes.insert(place.clone(), BTreeSet::new());
        }
        for job in manifests.wanted() {
            homes.entry(job.place.clone()).or_default().insert(job.name.clone());
        }
        let before = std::mem::replace(&mut self.homes, homes);
        self.leave_unread_places(&before, &places);
        self.lose_places(before, &places);
        self.find_places(&places);
        for (job, place) in self.lost.iter().filter(|(job, _)| !manifests.mentions(job)) {
            if !self.pruning.is_scheduled(job) {
                self.reporter.location_lost(job, place, now);
            }
        }
    }

    /// Reads the places that are new, and forgets those that no document names any more.
    fn take_places(&mut self) {
        let places = self.manifests.places();
        self.cx.world().keep_places(&places);
        self.pruning.keep_places(&places);
        self.reporter.keep_places(&places);
        self.unread.retain(|place| places.contains(place));
        for place in places {
            self.reporter.place_named(&place);
            if self.cx.world().sweep(&place).is_none() {
                if !self.pruning.has_failed(&place) {
                    self.unread.insert(place.clone());
                }
                let key = Key::Sweep(place);
                let wait = self.pace.at_least(&key, std::time::Duration::ZERO);
                self.queue.schedule_after(key, wait, Urgency::Edit);
            }
        }
        self.look_where_new_jobs_may_be();
        self.create_what_waited();
    }

    /// Reads the places of other shards before a job that became this one's, or may have, is looked at: where it was it may still
    /// run. They are read for nothing else.
    fn look_where_new_jobs_may_be(&mut self) {
        let manifests = Arc::clone(&self.manifests);
        let own = manifests.own_places();
        let others: Vec<Place> = manifests.places().into_iter().filter(|place| !own.contains(place)).collect();
        if others.is_empty() {
            return;
        }
        let new = manifests.wanted().map(|job| &job.name).filter(|name| !self.handled.contains_key(*name));
        let new: BTreeSet<JobName> = new.cloned().collect();
        if new.is_empty() {
            return;
        }
        self.arrivals.extend(new);
        for place in others {
            self.unread.insert(place.clone());
            let key = Key::Sweep(place);
            let wait = self.pace.at_least(&key, std::time::Duration::ZERO);
            self.queue.schedule_after(key, wait, Urgency::Edit);
        }
    }

    /// Says what is odd about this controller's part of the directory.
    fn speak_of_the_shard(&self) {
        let manifests = &self.manifests;
        let shard = &manifests.shard;
        if shard.is_everything() || manifests.directory.controller_problem.is_some() {
            return;
        }
        if !manifests.directory.jobs.values().any(|job| shard.has(job)) {
            tracing::warn!(%shard, "no job of the directory is of this shard");
        }
        for cluster in shard.clusters.iter().filter(|cluster| !manifests.directory.clusters.contains_key(*cluster)) {
            tracing::warn!(%shard, %cluster, "the directory has no EtlCluster of this name");
        }
        if self.homes.is_empty() {
            for place in manifests.shared_places() {
                tracing::warn!(
                    region = %place.region,
                    "clusters of other shards are in the same account and Region: revisions of jobs that went there before this \
                     start stay until a controller without a shard tidies them away"
                );
            }
        }
    }

    fn take_jobs(&mut self) {
        let manifests = Arc::clone(&self.manifests);
        let is_edited = |job: &&Arc<Job>| self.handled.get(&job.name) != Some(&job.digest);
        let edited: BTreeSet<JobName> = manifests.wanted().filter(is_edited).map(|job| job.name.clone()).collect();
        let is_wanted = |job: &JobName| manifests.job(job).is_some();
        let max = self.cx.settings().max_changes;
        let count_is_over = {
            let mut gate = self.cx.gate();
            let counted = gate.is_counting();
            gate.begin(max, &edited, is_wanted);
            counted && !gate.is_counting()
        };
        for name in edited {
            let key = Key::Job(name);
            // A new spec is tried at once, whatever became of the old one.
            self.forget_failures(&key);
            let Key::Job(name) = &key else { continue };
            self.fights.forget(name);
            if let Some(job) = manifests.job(name) {
                // What it waited for in the call budget may not be what it needs now.
                self.cx.aws.withdraw(&job.place, name.as_str());
            }
            let swept = manifests.job(name).is_some_and(|job| self.cx.world().sweep(&job.place).is_some());
            if swept {
                self.queue.schedule(key, Urgency::Edit);
            } else if let Some(job) = manifests.job(name).filter(|job| self.pruning.has_failed(&job.place)) {
                // Its place does not answer: the others are not kept waiting for the count, and whoever wrote it is told.
                self.reporter.waits_for_place(job, &job.place, self.cx.clock.now());
                self.counted(name.clone());
            }
        }
        if count_is_over {
            // Whoever was waited for is gone, or wants nothing new any more.
            self.look_again_at_held();
        }
        self.release_held();
    }
}
