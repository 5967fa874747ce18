//! A directory's worth of manifests: parse each file, resolve jobs against clusters, keep what is valid.

mod across;
mod adoptions;
mod again;
mod chains;
mod jobs;
mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use again::Earlier;
pub use load::{load, load_next, load_within};

use crate::diagnostic::Diagnostic;
use crate::job::{Cluster, Controller, Job};
use crate::name::{ClusterName, JobName};
pub use crate::yaml::Limits;

/// Everything a directory says.
#[derive(Debug, Clone, PartialEq)]
pub struct Directory {
    /// Valid jobs that resolve.
    pub jobs: BTreeMap<JobName, Arc<Job>>,
    /// Jobs that are written but cannot be used: invalid, duplicate, or with an unknown cluster. Their live state stays.
    pub blocked: BTreeMap<JobName, Blocked>,
    /// Valid clusters.
    pub clusters: BTreeMap<ClusterName, Cluster>,
    /// The controller, or the defaults.
    pub controller: Controller,
    /// Why nothing may be written at all: the EtlController is invalid or there are two, so whose resources these are
    /// is not known. `controller` then holds the defaults, which must not be used.
    pub controller_problem: Option<String>,
    /// Every finding, sorted by file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that could not be understood as a whole or in part, with the reason: any job may have been in them, so
    /// nothing may be deleted.
    pub unreadable: BTreeMap<String, String>,
}

/// Why a named job cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Closed reason for the condition.
    pub reason: BlockedReason,
    /// Sentence for a person.
    pub message: String,
    /// Where the document is.
    pub origin: crate::job::Origin,
    /// What its documents say the job was called before: that runs on under its old name, and is not gone.
    pub moved_from: BTreeSet<JobName>,
}

impl Blocked {
    /// For a job that is sound by itself, and not beside others.
    fn of(job: &Job, message: String) -> Self {
        let (reason, origin) = (BlockedReason::InvalidSpec, job.origin.clone());
        Self { reason, message, origin, moved_from: job.moved_from.iter().cloned().collect() }
    }
}

impl Directory {
    /// What documents say that their jobs were called before, also those that cannot be used: such a job was renamed, and is not gone.
    /// A job whose cluster drains goes, under whatever name.
    pub fn former_names(&self) -> BTreeSet<&JobName> {
        let of_jobs = self.jobs.values().filter(|job| !job.drain).filter_map(|job| job.moved_from.as_ref());
        of_jobs.chain(self.blocked.values().flat_map(|blocked| &blocked.moved_from)).collect()
    }
}

/// Closed list of reasons for which a manifest is not acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockedReason {
    /// The manifest breaks a rule.
    InvalidSpec,
    /// Two documents have this name.
    DuplicateName,
    /// `spec.cluster` names no EtlCluster of the directory.
    ClusterNotFound,
}

/// One manifest file as it was read.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path below the manifest directory, with `/` between parts.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}
