//! Whose a resource is: its tags prove it, and nothing else does.

use ecs_etl_spec::name::{ControllerName, JobName};

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
        tags.get(tags::CONTROLLER).map(String::as_str) == Some(self.controller)
            && tags.get(tags::JOB).map(String::as_str) == Some(self.job)
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

/// Whether a person has tagged the resource to be left alone.
pub fn is_paused(tags: &Tags) -> bool {
    tags.get(tags::RECONCILE).is_some_and(|value| value == "disabled")
}
