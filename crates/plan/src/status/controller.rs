//! The document `_controller.json`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConditionType, HEARTBEAT_STALE_AFTER, JobStatus};
use crate::condition::Status;

/// Version of the form of status documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ApiVersion {
    /// The first.
    #[default]
    #[serde(rename = "ecs-etl/v1")]
    V1,
}

/// The kind of the controller's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ControllerKind {
    /// The only one.
    #[default]
    EtlControllerStatus,
}

/// The document `_controller.json`, rewritten with every heartbeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerStatus {
    /// Version of the document's form.
    pub api_version: ApiVersion,
    /// What it is.
    pub kind: ControllerKind,
    /// Which controller.
    pub metadata: ControllerMetadata,
    /// What is true of it.
    pub status: ControllerState,
}

/// Which controller a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerMetadata {
    /// Its identity, the value of the ownership tag.
    pub name: String,
}

/// What is true of a controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerState {
    /// Version of the program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started: Timestamp,
    /// When it was last alive.
    pub heartbeat: Timestamp,
    /// When it ended, having done all it was started for or having been told to stop; none while it runs.
    pub finished: Option<Timestamp>,
    /// Which AWS it talks to: `embedded`, `aws` or a URL.
    pub endpoint: String,
    /// Which jobs it looks after; none if all of the directory's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// The lease that it needs to write; none if it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseState>,
    /// AWS accounts it found there.
    pub accounts: BTreeSet<String>,
    /// The manifests it read last.
    pub manifests: Manifests,
    /// Jobs by their conditions.
    pub counts: Counts,
    /// When each job was last seen live in AWS.
    pub jobs: BTreeMap<String, Timestamp>,
    /// Problems that belong to no job.
    pub problems: Vec<Problem>,
    /// What waits for somebody's approval.
    pub held: Vec<Held>,
    /// Why nothing is deleted now.
    pub pruning_blocked: Option<PruningBlocked>,
    /// The last look at everything in AWS.
    pub last_resync: Option<Resync>,
}

/// A lease, as a controller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseState {
    /// The table it is in.
    pub table: String,
    /// Whether this controller has it.
    pub standing: LeaseStanding,
    /// Who else has it, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Why the table does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Whether a controller has a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaseStanding {
    /// It has, and writes.
    Holder,
    /// It has not, and looks.
    Standby,
}

/// The manifest directory as last acted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifests {
    /// The directory.
    pub directory: String,
    /// Commit that is checked out there, or what its link leads to.
    pub revision: Option<String>,
    /// Whether it could be read as a whole.
    pub complete: bool,
    /// Problems found in it.
    pub problems: Vec<Problem>,
}

/// A problem that belongs to no job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// What it is about: a file with or without a line, a Region, a resource.
    pub about: String,
    /// What is wrong and what a person can do.
    pub message: String,
}

/// Number of jobs by what is true of them. Each job counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// All.
    pub jobs: usize,
    /// `Ready` is true.
    pub ready: usize,
    /// Not ready, and it will be without a person's doing.
    pub reconciling: usize,
    /// Not ready until somebody does something.
    pub stalled: usize,
    /// None of these: left alone, or not known.
    pub unknown: usize,
}

impl Counts {
    /// Counts `jobs`.
    pub fn of<'a>(jobs: impl IntoIterator<Item = &'a JobStatus>) -> Self {
        let mut counts = Self::default();
        for job in jobs {
            let holds = |kind| job.condition(kind).is_some_and(|condition| condition.status == Status::True);
            counts.jobs += 1;
            if holds(ConditionType::Ready) {
                counts.ready += 1;
            } else if holds(ConditionType::Stalled) {
                counts.stalled += 1;
            } else if holds(ConditionType::Reconciling) {
                counts.reconciling += 1;
            } else {
                counts.unknown += 1;
            }
        }
        counts
    }

    /// Counts jobs of which nothing is known yet.
    #[must_use]
    pub fn and_unseen(self, jobs: usize) -> Self {
        Self { jobs: self.jobs + jobs, unknown: self.unknown + jobs, ..self }
    }
}

/// What kind of work is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeldKind {
    /// Removals of jobs, beyond `maxDeletions` or a quarter of the jobs owned.
    Deletions,
    /// Changes of existing jobs, beyond `maxChanges`.
    Changes,
}

/// A set of work that is held back until its digest is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What it is.
    pub kind: HeldKind,
    /// Digest of the set: what is approved.
    pub digest: String,
    /// Jobs in it, sorted.
    pub jobs: Vec<String>,
    /// Why it is held, and how to release it.
    pub message: String,
}

/// Why nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruningBlocked {
    /// The reason.
    pub why: String,
    /// The file at fault, if it is one.
    pub file: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// A look at everything in AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// When it ended.
    pub finished: Timestamp,
    /// How long it took, in milliseconds.
    #[serde(rename = "durationMs")]
    pub duration_ms: u64,
    /// Jobs looked at.
    pub jobs: usize,
    /// Jobs that were not as they should be.
    pub drifted: usize,
    /// Jobs that could not be looked at.
    pub failed: usize,
}

impl ControllerStatus {
    /// Whether it should be running and has not been heard of for [`HEARTBEAT_STALE_AFTER`].
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.status.finished.is_none() && now.duration_since(self.status.heartbeat) > HEARTBEAT_STALE_AFTER
    }
}
