//! What is true of a job, in the words of kstatus: Ready always; Reconciling and Stalled only while true.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Closed list of reasons. Each is explained in the README: what it means and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Live state equals the manifest.
    Converged,
    /// Live state equals the manifest, which suspends the job.
    Suspended,
    /// The manifest or a tag in AWS says to leave the job alone.
    ReconcileDisabled,
    /// Writes are under way, or wait for their turn.
    Progressing,
    /// The call budget has nothing left for now.
    WaitingForCallBudget,
    /// A move keeps away from the next tick.
    WaitingForTick,
    /// More jobs would change in one pass than `maxChanges` allows.
    ChangesHeld,
    /// Another controller holds the lease, and writes.
    Standby,
    /// AWS asks for fewer calls.
    Throttled,
    /// AWS failed or could not be reached; the next try is scheduled.
    AwsUnavailable,
    /// AWS refuses for want of a permission.
    AccessDenied,
    /// A quota of AWS is used up.
    QuotaExceeded,
    /// Something the job needs is not there yet: a role that cannot be assumed, a cluster.
    DependencyNotReady,
    /// AWS refuses what the manifest asks for.
    RejectedByAws,
    /// The manifest breaks a rule.
    InvalidSpec,
    /// Two documents have this name.
    DuplicateName,
    /// `spec.cluster` names no EtlCluster of the directory.
    ClusterNotFound,
    /// A resource of that name exists and is not ours.
    NotOwned,
    /// `adopt` names what must not be taken over.
    AdoptionRefused,
    /// Whether a resource is ours could not be read.
    OwnershipUnknown,
    /// A difference that a write did not cure.
    DiffNotConverging,
    /// A newer ecs-etl wrote the live revision.
    UnknownSpecVersion,
    /// Something keeps undoing our repairs.
    DriftFight,
    /// A plan broke one of its own rules and was not carried out.
    PlanRefused,
    /// The manifest is gone; the grace period runs.
    PendingDeletion,
    /// The manifest is gone; deletions are not safe now.
    PruningBlocked,
    /// The manifest is gone; more would go than the caps allow.
    DeletionHeld,
    /// The manifest is gone; the resources stay by `deletionPolicy: Retain`.
    Retained,
    /// The manifest is gone, and the resources belong to another source.
    OtherSource,
    /// The manifest is gone, and which shard the job belonged to cannot be told.
    ShardUnknown,
    /// The resources are being removed.
    Removing,
    /// The schedule is removed; its revisions follow when no retry can want them.
    Removed,
    /// The place or the prefix of the resources is named by no document any more.
    LocationLost,
    /// The daemon's heartbeat is stale: nothing is known.
    HeartbeatStale,
}

/// Tri-state of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It is not known.
    Unknown,
}

/// What a decision concludes about the job once its steps are done.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is as the manifest says: `Converged` or `Suspended`.
    Ready(Reason, String),
    /// It will be, without a person: `Progressing`, `WaitingForTick`, `PendingDeletion` …; look again at the time given.
    Waiting(Reason, String, Option<Timestamp>),
    /// It will not be until somebody does something.
    Stalled(Reason, String),
    /// It was left alone on purpose.
    Paused(Reason, String),
}
