//! Whose a resource is: its tags prove it, and nothing else does.

use ecs_etl_spec::name::{ControllerName, JobName};

use crate::lower::described;
use crate::observed::LiveRule;
use crate::tags::{self, Tags};

/// The mark that makes a resource ours: both tags, with these values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark<'a> {
    /// Identity of the controller.
    pub controller: &'a str,
    /// Job the resource belongs to.
    pub job: &'a str,
}

impl<'a> Mark<'a> {
    /// The mark of a controller's job.
    pub fn new(controller: &'a ControllerName, job: &'a JobName) -> Self {
        Self { controller: controller.as_str(), job: job.as_str() }
    }

    /// Whether these tags prove that a resource is ours, for this job.
    pub fn is_on(&self, tags: &Tags) -> bool {
        self.is_of_controller(tags) && tags.get(tags::JOB).map(String::as_str) == Some(self.job)
    }

    /// Whether these tags prove that a group of schedules is ours.
    pub fn is_of_controller(&self, tags: &Tags) -> bool {
        tags.get(tags::CONTROLLER).map(String::as_str) == Some(self.controller)
    }

    /// Says whose a resource with these tags is, for one that [`Mark::is_on`] finds not ours.
    pub fn stranger(&self, tags: &Tags) -> String {
        match (tags.get(tags::CONTROLLER), tags.get(tags::JOB)) {
            (None, _) => "it has no ownership tag".to_owned(),
            (Some(controller), _) if controller != self.controller => {
                format!("it belongs to the controller {controller:?}")
            }
            (Some(_), Some(job)) => format!("it belongs to the job {job:?}"),
            (Some(_), None) => format!("it has no {} tag", tags::JOB),
        }
    }
}

/// What stands for the tags of a schedule of EventBridge Scheduler, which bears none: those of its group prove whose it is, and
/// its description tells which job's.
///
/// In a group that is somebody's, a description that tells nothing, or nothing any more, is taken to be of `job`, whose name the
/// schedule bears: it is put right, and nothing is deleted on the strength of it, since it tells no source.
pub fn of_schedule(group: &Tags, live: &LiveRule, job: &str) -> Tags {
    let mut tags = described(live.description.as_deref().unwrap_or_default());
    let theirs = tags.remove(tags::CONTROLLER);
    match (group.get(tags::CONTROLLER), theirs) {
        (Some(owner), None) => {
            tags.insert(tags::JOB.to_owned(), job.to_owned());
            tags.insert(tags::CONTROLLER.to_owned(), owner.clone())
        }
        (Some(owner), Some(theirs)) if *owner == theirs => tags.insert(tags::CONTROLLER.to_owned(), theirs),
        (Some(_), Some(_)) | (None, _) => None,
    };
    if let Some(paused) = group.get(tags::RECONCILE) {
        tags.insert(tags::RECONCILE.to_owned(), paused.clone());
    }
    tags
}

/// Whether a person has tagged the resource to be left alone.
pub fn is_paused(tags: &Tags) -> bool {
    tags.get(tags::RECONCILE).is_some_and(|value| value == "disabled")
}
