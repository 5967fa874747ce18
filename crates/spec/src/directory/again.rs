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

/// A reading of the directory, and which files are not as they were then.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// What it said.
    pub directory: &'a Directory,
    /// Paths of the files that came, went, or hold other bytes since.
    pub changed: &'a BTreeSet<&'a str>,
}

/// Jobs that need not be read again.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    /// The files that say them, and nothing else.
    pub files: BTreeSet<&'a str>,
    /// By their names.
    pub jobs: Vec<&'a Arc<Job>>,
}

impl<'a> Earlier<'a> {
    /// Jobs that need not be read again; none if what all jobs hang on may have changed.
    pub(super) fn standing(&self) -> Standing<'a> {
        let Self { directory, changed } = *self;
        if !self.has_same_frame() {
            return Standing::default();
        }
        let mut files: BTreeSet<&str> = BTreeSet::new();
        let mut read_again: BTreeSet<&str> = directory.diagnostics.iter().map(|found| found.file.as_str()).collect();
        read_again.extend(directory.unreadable.keys().map(String::as_str));
        read_again.extend(directory.blocked.values().map(|blocked| blocked.origin.file.as_str()));
        read_again.extend(self.frame());
        for job in directory.jobs.values() {
            let file = job.origin.file.as_str();
            if changed.contains(file) || hangs_on_more(job) || !files.insert(file) {
                read_again.insert(file);
            }
        }
        files.retain(|file| !read_again.contains(file));
        let jobs = directory.jobs.values().filter(|job| files.contains(job.origin.file.as_str())).collect();
        Standing { files, jobs }
    }

    /// Whether clusters and controller are written in files that have not changed, and are without fault.
    fn has_same_frame(&self) -> bool {
        self.directory.controller_problem.is_none() && self.frame().all(|file| !self.changed.contains(file))
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
pub(super) fn clashes(standing: &Standing<'_>, said: &BTreeMap<String, Vec<Said>>) -> bool {
    standing.jobs.iter().any(|job| said.contains_key(job.name.as_str()))
}

/// Adds the jobs that stand to those that were read.
pub(super) fn add(standing: &Standing<'_>, jobs: &mut BTreeMap<JobName, Arc<Job>>) {
    // In order, and so at once.
    let all = standing.jobs.iter().map(|job| (job.name.clone(), Arc::clone(job))).collect();
    let read = std::mem::replace(jobs, all);
    jobs.extend(read);
}
