//! Which jobs of an earlier reading stand as they are, so that one edit among ten thousand files costs one file.
//!
//! Whatever is not plain is read again: only a file that says one valid job, of which nothing was found to tell and which
//! hangs on no other, is taken as it was. What comes of that is equal to a full reading, and a property test holds it to that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Directory;
use super::jobs::Said;
use crate::job::Job;
use crate::name::JobName;

/// A reading of the directory, and which of its files have not changed since.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// What it said.
    pub directory: &'a Directory,
    /// Paths of the files whose bytes are still the same.
    pub unchanged: &'a BTreeSet<&'a str>,
}

impl<'a> Earlier<'a> {
    /// Jobs by the file that says them and nothing else, and that need not be read again; none if what all jobs hang on may have
    /// changed.
    pub(super) fn standing(&self) -> BTreeMap<&'a str, &'a Arc<Job>> {
        let Self { directory, unchanged } = *self;
        if !self.has_same_frame() {
            return BTreeMap::new();
        }
        let mut standing: BTreeMap<&str, &Arc<Job>> = BTreeMap::new();
        let mut read_again: BTreeSet<&str> = directory.diagnostics.iter().map(|found| found.file.as_str()).collect();
        read_again.extend(directory.unreadable.keys().map(String::as_str));
        read_again.extend(directory.blocked.values().map(|blocked| blocked.origin.file.as_str()));
        read_again.extend(self.frame());
        for job in directory.jobs.values() {
            let file = job.origin.file.as_str();
            if !unchanged.contains(file) || hangs_on_more(job) || standing.insert(file, job).is_some() {
                read_again.insert(file);
            }
        }
        standing.retain(|file, _| !read_again.contains(file));
        standing
    }

    /// Whether clusters and controller are written in files that have not changed, and are without fault.
    fn has_same_frame(&self) -> bool {
        self.directory.controller_problem.is_none() && self.frame().all(|file| self.unchanged.contains(file))
    }

    /// Files that say a cluster or the controller.
    fn frame(&self) -> impl Iterator<Item = &'a str> {
        let clusters = self.directory.clusters.values().map(|cluster| &cluster.origin);
        let controller = self.directory.controller.origin.as_ref();
        clusters.chain(controller).map(|origin| origin.file.as_str())
    }

    /// Whether clusters and controller, as they were read now, are those of before.
    pub(super) fn is_framed_by(&self, now: &Directory) -> bool {
        now.controller_problem.is_none()
            && now.controller == self.directory.controller
            && now.clusters == self.directory.clusters
    }
}

/// Whether a job is more than its own document says: what it starts after, was called or takes over is looked up in others,
/// and a time may have passed.
fn hangs_on_more(job: &Job) -> bool {
    job.moved_from.is_some() || !job.after.is_empty() || !job.adopt.is_empty() || job.scheduler.is_some()
}

/// Whether a job that stands is also said by a document that was read now.
pub(super) fn clashes(standing: &BTreeMap<&str, &Arc<Job>>, said: &BTreeMap<String, Vec<Said>>) -> bool {
    standing.values().any(|job| said.contains_key(job.name.as_str()))
}

/// Adds the jobs that stand to those that were read.
pub(super) fn add(standing: &BTreeMap<&str, &Arc<Job>>, jobs: &mut BTreeMap<JobName, Arc<Job>>) {
    jobs.extend(standing.values().map(|job| (job.name.clone(), Arc::clone(job))));
}
