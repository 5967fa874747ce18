//! Places that no document names any more. What is there is not touched, and what runs there is not started beside it: a job misses
//! its new words rather than doubles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::JobName;

use super::Engine;

/// What starts a job in such a place.
#[derive(Debug)]
pub(super) struct Beside {
    place: Place,
    /// ARNs of its rules there, by which they are known again whatever role shows them.
    rules: BTreeSet<String>,
}

impl Engine {
    /// Takes note of places that are not among those that are named now, and of what runs there: the jobs that were at home there
    /// `before`, those that were to be removed there, and those that are on their way from there.
    pub(super) fn lose_places(&mut self, mut before: BTreeMap<Place, BTreeSet<JobName>>, named: &BTreeSet<Place>) {
        before.retain(|place, _| !named.contains(place));
        for (place, jobs) in &mut before {
            jobs.extend(self.pruning.scheduled_in(place).cloned());
        }
        // A cluster that was drained before its document went leaves nothing to report.
        for (lost, jobs) in before.iter().filter(|(_, jobs)| !jobs.is_empty()) {
            self.reporter.place_lost(lost, jobs);
            self.lost.extend(jobs.iter().map(|job| (job.clone(), lost.clone())));
        }
        let lost: Vec<Place> = self.cx.world().places().filter(|place| !named.contains(*place)).cloned().collect();
        let manifests = Arc::clone(&self.manifests);
        let settings = self.cx.settings();
        for place in lost {
            let at_home = before.get(&place);
            let wanted = manifests.wanted().flat_map(|job| job.names());
            let jobs: BTreeSet<&JobName> = at_home.into_iter().flatten().chain(wanted).collect();
            for job in jobs {
                let Some(names) = self.cx.names(&place, job) else { continue };
                let was_here = at_home.is_some_and(|jobs| jobs.contains(job));
                if !was_here && self.cx.world().is_of_others(&place, &names, &settings.identity.controller) {
                    continue;
                }
                let rules = self.cx.world().started_by(&place, &names);
                if let Some(rules) = rules {
                    self.beside.insert(job.clone(), Beside { place: place.clone(), rules });
                }
            }
        }
    }

    /// Takes note of jobs that were at home `before` in a place whose lists have not been read, and are not wanted there now.
    pub(super) fn leave_unread_places(&mut self, before: &BTreeMap<Place, BTreeSet<JobName>>, named: &BTreeSet<Place>) {
        let manifests = Arc::clone(&self.manifests);
        let world = self.cx.world();
        for (place, jobs) in before.iter().filter(|(place, _)| world.sweep(place).is_none()) {
            for job in jobs.iter().filter(|job| self.reporter.was_seen(job)) {
                // Where it was first, it was seen.
                self.unread_homes.entry(job.clone()).or_insert_with(|| place.clone());
            }
        }
        let is_at_home = |job: &JobName, place: &Place| manifests.job(job).is_some_and(|job| job.place == *place);
        let is_wanted = |job: &JobName| manifests.wanted().any(|heir| heir.names().any(|name| name == job));
        self.unread_homes.retain(|job, place| !is_at_home(job, place) && (named.contains(place) || is_wanted(job)));
    }

    /// The place in which a job that is wanted elsewhere may run, for all that was read of it. What another role shows is the same
    /// place if its revisions are of the Region and the account that the job was seen in.
    pub(super) fn may_run_in(&self, job: &Job) -> Option<&Place> {
        let home = job.names().find_map(|name| self.unread_homes.get(name)).filter(|place| **place != job.place)?;
        let mut statuses = job.names().filter_map(|name| self.reporter.jobs().get(name));
        let seen = statuses.find_map(|status| status.status.task_definition.as_ref());
        let world = self.cx.world();
        let here = world.sweep(&job.place).and_then(|sweep| sweep.active.values().flatten().next());
        let is_here = seen.zip(here).is_some_and(|(seen, here)| scope(&seen.arn) == scope(here.as_str()));
        (!is_here).then_some(home)
    }

    /// Takes note of places that are named again: their jobs can move.
    pub(super) fn find_places(&mut self, named: &BTreeSet<Place>) {
        self.lost.retain(|_, place| !named.contains(place));
        let found: Vec<JobName> =
            self.beside.extract_if(.., |_, beside| named.contains(&beside.place)).map(|(job, _)| job).collect();
        let manifests = Arc::clone(&self.manifests);
        for job in found {
            // Whatever it is called by now, it is looked at as if it were edited.
            self.handled.remove(&job);
            let heirs = manifests.wanted().filter(|heir| heir.moved_from.as_ref() == Some(&job));
            heirs.for_each(|heir| drop(self.handled.remove(&heir.name)));
        }
    }

    /// A place was read: it may be one that was lost, under another role.
    pub(super) fn find_again(&mut self, place: &Place) {
        let shown = |beside: &&Beside| self.cx.world().shows_rule_of(place, &beside.rules);
        let found: BTreeSet<Place> = self.beside.values().filter(shown).map(|beside| beside.place.clone()).collect();
        if found.is_empty() {
            return;
        }
        self.find_places(&found);
        found.iter().for_each(|place| self.reporter.place_named(place));
    }

    /// The place, named by no document any more, in which a job to be created still runs.
    pub(super) fn runs_beside(&self, job: &Job) -> Option<&Place> {
        let place = &job.names().find_map(|name| self.beside.get(name))?.place;
        Some(place).filter(|place| **place != job.place && !job.names().any(|name| self.starts_in(&job.place, name)))
    }

    /// Whether the sweep of a place shows a rule or a schedule that starts a job.
    pub(super) fn starts_in(&self, place: &Place, job: &JobName) -> bool {
        self.cx.names(place, job).is_some_and(|names| self.cx.world().started_by(place, &names).is_some())
    }
}

/// Region and account in the ARN of a revision, with what comes before them.
fn scope(arn: &str) -> Option<&str> {
    arn.split_once(":task-definition/").map(|(scope, _)| scope)
}
