//! Counts how many existing jobs one pass over the manifests would change, and holds them all when `maxChanges` is exceeded.
//!
//! One edit of a shared default may reach every job. So with `maxChanges` set, changes wait until each job has been looked
//! at once; then they go together or are held together, as a set with a digest that a person can approve.

use std::collections::BTreeSet;

use ecs_etl_plan::changes::{self, Changes};
use ecs_etl_plan::prune::Held;
use ecs_etl_spec::name::{Digest, JobName};

use crate::context::Interrupted;

/// The count of one pass.
#[derive(Debug, Default)]
pub struct Gate {
    max: Option<u32>,
    approved: BTreeSet<Digest>,
    unseen: BTreeSet<JobName>,
    wanting: Changes,
    released: Changes,
}

impl Gate {
    /// Begins a pass over `jobs`, of which `max` may change; any number without one.
    pub fn begin(&mut self, max: Option<u32>, jobs: impl IntoIterator<Item = JobName>) {
        self.max = max;
        self.unseen = jobs.into_iter().collect();
        self.wanting.clear();
        self.released.clear();
    }

    /// Begins to count anew, for the repairs of the next resync.
    pub fn next_pass(&mut self) {
        self.released.clear();
    }

    /// Digests of the sets that a person has released.
    pub fn approve(&mut self, approved: BTreeSet<Digest>) {
        self.approved = approved;
    }

    /// A job was looked at, whatever came of it. True when it was the last, so that those that wait may be looked at again.
    pub fn seen(&mut self, job: &JobName) -> bool {
        self.unseen.remove(job) && self.unseen.is_empty()
    }

    /// Asks to change an existing job to the spec with this digest.
    pub fn admit(&mut self, job: &JobName, spec: &Digest) -> Result<(), Interrupted> {
        if self.max.is_none() || self.released.get(job) == Some(spec) {
            return Ok(());
        }
        self.wanting.insert(job.clone(), spec.clone());
        let others = self.unseen.iter().any(|other| other != job);
        if others {
            return Err(Interrupted::Counting);
        }
        match changes::hold(&self.wanting, &self.released, self.max, &self.approved) {
            Some(held) => Err(Interrupted::Held(held)),
            None => {
                self.released.append(&mut self.wanting);
                Ok(())
            }
        }
    }

    /// Jobs that wait for the count or for approval; after the count, those let go by it need another look.
    pub fn waiting(&self) -> BTreeSet<JobName> {
        self.wanting.keys().chain(self.released.keys()).cloned().collect()
    }

    /// What is held, once every job has been looked at.
    pub fn held(&self) -> Option<Held> {
        if !self.unseen.is_empty() {
            return None;
        }
        changes::hold(&self.wanting, &self.released, self.max, &self.approved)
    }
}
