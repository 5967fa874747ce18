//! Which jobs a command is about: `--job NAME` and `-l key=value`.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::job::Job;
use ecs_etl_spec::name::JobName;

/// A choice of jobs. Selecting some never touches the others, and never deletes any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Names; all without any.
    pub jobs: BTreeSet<JobName>,
    /// Labels that must all be there.
    pub labels: BTreeMap<String, String>,
}

impl Selector {
    /// Whether it chooses every job there is.
    pub fn is_everything(&self) -> bool {
        self.jobs.is_empty() && self.labels.is_empty()
    }

    /// Whether it chooses this job.
    pub fn selects(&self, job: &Job) -> bool {
        (self.jobs.is_empty() || self.jobs.contains(&job.name))
            && self.labels.iter().all(|(key, value)| job.labels.get(key) == Some(value))
    }

    /// Whether it chooses a job of which only the name is known: labels of a job without manifest are not.
    pub fn selects_name(&self, job: &JobName) -> bool {
        self.labels.is_empty() && (self.jobs.is_empty() || self.jobs.contains(job))
    }
}
