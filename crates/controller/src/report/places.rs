//! What is reported of places: those that do not answer, and those that no document names any more.

use std::collections::BTreeSet;
use std::time::Duration;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;

use super::{Reporter, Retrying};
use crate::context::Interrupted;
use crate::manifests::Manifests;
use crate::verdict;

/// How many jobs a message names.
const NAMED: usize = 10;

/// Why a place's lists could not be read, and when this is tried again.
#[derive(Debug)]
pub(super) struct Silence {
    stopped: Interrupted,
    retrying: Option<Retrying>,
    since: Timestamp,
}

impl Reporter {
    /// A place cannot be swept: nothing is known of the jobs in it that have not been handled yet.
    pub fn place_failed(
        &mut self,
        manifests: &Manifests,
        place: &Place,
        stopped: &Interrupted,
        retrying: Option<Retrying>,
        now: Timestamp,
    ) {
        self.problem(about(place), stopped.to_string());
        let verdict = verdict::of_interruption(stopped);
        for job in manifests.wanted().filter(|job| job.place == *place) {
            self.set(&job.name, Some(&job.origin), None, &verdict, None, &[], retrying.map(|r| (r, stopped)), &[], now);
        }
        self.silent.insert(place.clone(), Silence { stopped: stopped.clone(), retrying, since: now });
    }

    /// A job is new or has a new spec, and its place, or the one that it moves from, has not answered yet: it waits for that, and
    /// says so like those that were there before it.
    pub fn waits_for_place(&mut self, job: &Job, place: &Place, now: Timestamp) {
        let Some(Silence { stopped, retrying, since }) = self.silent.remove(place) else { return };
        let gone_by = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let left = retrying.map(|retrying| Retrying { wait: retrying.wait.saturating_sub(gone_by), ..retrying });
        let verdict = verdict::of_interruption(&stopped);
        self.set(&job.name, Some(&job.origin), None, &verdict, None, &[], left.map(|r| (r, &stopped)), &[], now);
        self.silent.insert(place.clone(), Silence { stopped, retrying, since });
    }

    /// A place was swept.
    pub fn place_swept(&mut self, place: &Place) {
        self.silent.remove(place);
        self.solved(&about(place));
    }

    /// No document names a place any more: what its jobs have there is reported, never guessed at.
    ///
    /// A job that is written still, for another place, may run in both.
    pub fn place_lost(&mut self, place: &Place, jobs: &BTreeSet<JobName>) {
        let names: Vec<&str> = jobs.iter().take(NAMED).map(JobName::as_str).collect();
        let more = if jobs.len() > NAMED { ", …" } else { "" };
        let message = format!(
            "no EtlCluster names {} any more; what {} jobs have there stays as it is and goes on running ({}{more}); write the \
             EtlCluster again, with drain: true to remove them",
            place.region,
            jobs.len(),
            names.join(", ")
        );
        self.problem(about(place), message);
    }

    /// Neither the manifest of a job nor a document of the place it was in is left.
    pub fn location_lost(&mut self, job: &JobName, place: &Place, now: Timestamp) {
        let message = format!(
            "no EtlCluster names {} any more; what the job has there stays as it is and goes on running; write the EtlCluster \
             again, with drain: true to remove it",
            place.region
        );
        self.left_behind(job, &Verdict::Stalled(Reason::LocationLost, message), &[], now);
    }

    /// A job is wanted in one place and still runs in another that no document names any more.
    pub fn runs_in_lost_place(&mut self, job: &Job, place: &Place, now: Timestamp) {
        let message = format!(
            "the job still runs in {}, which no EtlCluster names any more, and beside it here it would run twice; write an \
             EtlCluster for {} again, under any name, and the job moves; or remove it there by hand and restart ecs-etl",
            place.region, place.region
        );
        self.left_behind(&job.name, &Verdict::Stalled(Reason::LocationLost, message), &[], now);
    }

    /// Forgets how places answered that no document names any more.
    pub fn keep_places(&mut self, named: &BTreeSet<Place>) {
        self.silent.retain(|place, _| named.contains(place));
    }

    /// A document names a place.
    pub fn place_named(&mut self, place: &Place) {
        let lost = self.problems.get(&about(place)).is_some_and(|problem| problem.starts_with("no EtlCluster names"));
        if lost {
            self.solved(&about(place));
        }
    }
}

fn about(place: &Place) -> String {
    format!("place/{}", name(place))
}

/// A place as problems name it: its Region, and the role that leads to its account if it is another's.
pub(super) fn name(place: &Place) -> String {
    match &place.assume_role_arn {
        Some(role) => format!("{}/{role}", place.region),
        None => place.region.to_string(),
    }
}
