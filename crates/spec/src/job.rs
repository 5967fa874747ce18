//! Valid, resolved documents: what the rest of the program works on.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::adopt::Adopt;
use crate::name::{AccountId, ClusterName, ControllerName, Digest, JobName, Prefix, Region};
use crate::pattern::EventPattern;
use crate::schedule::{Schedule, Timing, Zone};
use crate::shapes::{Packed, RunTask, TaskDefinition};
use crate::trigger::{After, Notify, Runs};

/// Where a document was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Origin {
    /// Path below the manifest directory, with `/` between parts.
    pub file: String,
    /// Line of the document's first key, counted from 1.
    pub line: u32,
}

/// Which credentials and Region reach a cluster. Two clusters with equal places share clients and sweeps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// AWS Region.
    pub region: Region,
    /// Role to assume; the ambient credentials without one.
    pub assume_role_arn: Option<String>,
    /// External id given when assuming the role.
    pub external_id: Option<String>,
}

/// What becomes of a job's AWS resources when its manifest goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// They are removed, after the grace period and within the caps.
    Delete,
    /// They stay as they are.
    Retain,
}

/// How EventBridge retries a run that did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// How late a run may still start, in seconds (60 to 86,400).
    pub maximum_event_age_seconds: u32,
    /// How often EventBridge tries (0 to 185).
    pub maximum_attempts: u32,
}

/// What keeps the schedules of UTC jobs that need nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Rules of EventBridge's default event bus.
    #[default]
    Rules,
    /// EventBridge Scheduler.
    Scheduler,
}

/// What EventBridge Scheduler is told of a job besides its schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnScheduler {
    /// `spec.timeZone`.
    pub time_zone: Zone,
    /// `spec.startDate`, to the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Timestamp>,
    /// `spec.endDate`, to the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Timestamp>,
    /// `spec.flexibleTimeWindowMinutes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flexible_time_window_minutes: Option<u16>,
    /// Role that Scheduler assumes; a name without `arn:` is expanded by [`Job::bind`].
    pub role_arn: String,
}

impl OnScheduler {
    /// When one of the job's schedules fires.
    pub fn timing(&self, schedule: &Schedule) -> Timing {
        Timing {
            schedule: schedule.clone(),
            zone: self.time_zone.clone(),
            start: self.start_date,
            end: self.end_date,
            window_minutes: self.flexible_time_window_minutes,
        }
    }
}

/// A valid EtlJob with its cluster's defaults merged in and everything but the account known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Job {
    /// `metadata.name`.
    pub name: JobName,
    /// Where it was written.
    pub origin: Origin,
    /// `metadata.labels` and the cluster's default tags: they become AWS tags.
    pub tags: Arc<BTreeMap<String, String>>,
    /// `metadata.labels` alone, for selectors; the same map as the tags where the cluster has none.
    pub labels: Arc<BTreeMap<String, String>>,
    /// `ecs-etl/reconcile: disabled` is set: leave the job alone.
    pub reconcile_disabled: bool,
    /// `ecs-etl/moved-from`: the name it had before.
    pub moved_from: Option<JobName>,
    /// `spec.deletionPolicy`.
    pub deletion_policy: DeletionPolicy,
    /// `spec.cluster`: the EtlCluster.
    pub cluster: ClusterName,
    /// Credentials and Region of that cluster.
    pub place: Place,
    /// ECS cluster name or ARN.
    pub ecs_cluster: String,
    /// The cluster is draining: the job is to be removed.
    pub drain: bool,
    /// Its schedules, sorted by expression, without duplicates; none for a job that only others start.
    pub schedules: Vec<Schedule>,
    /// `spec.schedule` was a list, so each rule name carries a suffix (even for one entry).
    pub schedule_is_list: bool,
    /// Its schedules are EventBridge Scheduler's; none if they are rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<OnScheduler>,
    /// `spec.after`, sorted by job.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<After>,
    /// `spec.events`, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventPattern>,
    /// `spec.notify`, or the cluster's, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// `spec.adopt`.
    #[serde(skip_serializing_if = "Adopt::is_empty")]
    pub adopt: Adopt,
    /// `spec.suspend`.
    pub suspend: bool,
    /// Retry policy of the rule's target.
    pub retry: Retry,
    /// `spec.deadLetterQueueArn`.
    pub dead_letter_queue_arn: Option<String>,
    /// Role that EventBridge assumes; a name without `arn:` is expanded by [`Job::bind`]. None for a job that no rule
    /// starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The task definition after defaults; `${account}` and short role names are still open.
    pub task_definition: Packed<TaskDefinition>,
    /// How a run is started; `overrides` may hold `${scheduledTime}`.
    pub run_task: Packed<RunTask>,
    /// How its runs are known in the events of ECS. It follows from the rest.
    #[serde(skip)]
    pub runs: Runs,
    /// Texts from the cluster's defaults in which `${account}` is still open, by JSON pointer from the job
    /// (`/taskDefinition/containerDefinitions/0/image`, `/runTask/…`, `/tags/…`), as templates with `$${` for `${`.
    /// What a job says itself is never a template.
    pub open: BTreeMap<String, String>,
    /// Digest of the job after defaults: `status.observedSpec`.
    pub digest: Digest,
}

impl Job {
    /// Its name, and the one it had before.
    pub fn names(&self) -> impl Iterator<Item = &JobName> {
        std::iter::once(&self.name).chain(&self.moved_from)
    }
}

impl Job {
    /// How many EventBridge rules it has.
    pub fn rules(&self) -> usize {
        let schedules = if self.scheduler.is_some() { 0 } else { self.schedules.len() };
        schedules + self.after.len() + self.events.len() + self.notify.len()
    }
}

/// The ARN of an ECS cluster that may be written as a name.
pub fn cluster_arn(cluster: &str, region: &Region, account: &AccountId) -> String {
    if cluster.starts_with("arn:") {
        cluster.to_owned()
    } else {
        format!("arn:{}:ecs:{region}:{account}:cluster/{cluster}", region.partition())
    }
}

/// A valid EtlCluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// `metadata.name`.
    pub name: ClusterName,
    /// Where it was written.
    pub origin: Origin,
    /// Credentials and Region.
    pub place: Place,
    /// ECS cluster name or ARN.
    pub ecs_cluster: String,
    /// `spec.drain`.
    pub drain: bool,
}

/// How many jobs may be removed, and after which wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Prune {
    /// How long a job must be gone, in seconds.
    pub grace_seconds: u32,
    /// How many jobs may go within an hour.
    pub max_deletions: u32,
}

/// The EtlController of a directory, or the defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Controller {
    /// Identity, the value of the ownership tag; `default` without a document.
    pub name: ControllerName,
    /// Where it was written; none for the defaults.
    pub origin: Option<Origin>,
    /// `spec.endpoint`.
    pub endpoint: Option<String>,
    /// `spec.prefix`.
    pub prefix: Prefix,
    /// `spec.source`; none means the git remote, which only the caller can know.
    pub source: Option<String>,
    /// `spec.prune`.
    pub prune: Prune,
    /// `spec.maxChanges`.
    pub max_changes: Option<u32>,
    /// `spec.keepRevisions`.
    pub keep_revisions: u32,
    /// `spec.resyncSeconds`.
    pub resync_seconds: u32,
    /// `spec.approved`.
    pub approved: Option<Digest>,
}

/// A job whose account is known: role names are ARNs and `${account}` is filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundJob {
    /// The job as resolved.
    pub job: Arc<Job>,
    /// Account it lives in.
    pub account: AccountId,
    /// The task definition with nothing left open.
    pub task_definition: TaskDefinition,
    /// The run parameters with `${account}` filled in; `${scheduledTime}` stays.
    pub run_task: RunTask,
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// ARN of the role that EventBridge assumes.
    pub role_arn: Option<String>,
    /// ARN of the role that EventBridge Scheduler assumes.
    pub scheduler_role_arn: Option<String>,
    /// Who hears of the end of its runs, with the ARNs of roles.
    pub notify: Vec<Notify>,
    /// Tags with `${account}` filled in.
    pub tags: BTreeMap<String, String>,
}
