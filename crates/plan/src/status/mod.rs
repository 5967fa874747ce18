//! What the status files say: one document per job, and one for the controller.
//!
//! Both are read back: by `ecs-etl status`, and by the daemon, which keeps transition times over a restart. Names are plain
//! text here, since they are shown and compared, never acted on.

use ecs_etl_spec::schedule::{Schedule, Timing, Zone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::condition::{Reason, Status};

mod controller;
mod next;

pub use controller::{
    ApiVersion, ControllerKind, ControllerMetadata, ControllerState, ControllerStatus, Counts, Held, HeldKind,
    LeaseStanding, LeaseState, Manifests, Problem, PruningBlocked, Resync,
};
pub use next::{Live, StatusInput, next_status};

/// A heartbeat older than this says nothing about now.
pub const HEARTBEAT_STALE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The document `<job>.json`. Rewritten only when it changes: when a job was last seen is in the controller's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// Version of the document's form.
    pub api_version: ApiVersion,
    /// What it is.
    pub kind: JobKind,
    /// Which job.
    pub metadata: JobMetadata,
    /// What is true of it.
    pub status: JobState,
}

/// The kind of a job's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum JobKind {
    /// The only one.
    #[default]
    EtlJobStatus,
}

/// Which job a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMetadata {
    /// Name of the job.
    pub name: String,
    /// File and line of its manifest, `sales.yaml:1`; the last one known if the manifest is gone.
    pub source: Option<String>,
}

/// What is true of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobState {
    /// Digest of the spec that was last compared with AWS.
    pub observed_spec: Option<String>,
    /// `Ready` always; `Reconciling` and `Stalled` only while true. In this order.
    pub conditions: Vec<Condition>,
    /// The revision that its schedules start, as last seen.
    pub task_definition: Option<TaskDefinitionStatus>,
    /// Its schedules, as last seen.
    #[serde(default)]
    pub schedules: Vec<ScheduleStatus>,
    /// Its rules that wait for events, as last seen: what else starts it, and who is told of its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventStatus>,
    /// The last writes made for it.
    pub last_change: Option<LastChange>,
    /// What failed, and when it is tried again.
    pub retry: Option<Retry>,
    /// What a person may want to know although it changes nothing, such as a stranger's target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The three conditions of kstatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConditionType {
    /// AWS is as the manifest says.
    Ready,
    /// It will be, without a person's doing.
    Reconciling,
    /// It will not be until somebody does something.
    Stalled,
}

/// One thing that is true, false or unknown, and since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// Whether it holds.
    pub status: Status,
    /// Why, as one word of a closed list.
    pub reason: Reason,
    /// Why, as a sentence.
    pub message: String,
    /// When `status` last became another one.
    pub last_transition_time: Timestamp,
}

/// The revision of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDefinitionStatus {
    /// ARN of the revision.
    pub arn: String,
}

/// One schedule of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleStatus {
    /// Name of the rule, or of the schedule in EventBridge Scheduler.
    pub name: String,
    /// Its expression, as AWS has it.
    pub expression: String,
    /// Time zone of a schedule of EventBridge Scheduler; none for a rule.
    #[serde(rename = "timeZone", skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
    /// When it begins, if it has a beginning.
    #[serde(rename = "startDate", skip_serializing_if = "Option::is_none", default)]
    pub start_date: Option<Timestamp>,
    /// When it ends, if it has an end.
    #[serde(rename = "endDate", skip_serializing_if = "Option::is_none", default)]
    pub end_date: Option<Timestamp>,
    /// Its state, as AWS has it: `ENABLED` or `DISABLED`.
    pub state: String,
}

impl ScheduleStatus {
    /// When it fires; none if that cannot be told from what AWS has.
    pub fn timing(&self) -> Option<Timing> {
        let zone = Zone::new(self.time_zone.as_deref().unwrap_or("UTC"))?;
        let timing = Timing::of(Schedule::parse(&self.expression).ok()?, zone);
        Some(Timing { start: self.start_date, end: self.end_date, ..timing })
    }
}

/// One rule of a job that waits for events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventStatus {
    /// Name of the rule.
    pub name: String,
    /// Its event pattern, as AWS has it.
    pub pattern: String,
    /// Its state, as AWS has it: `ENABLED` or `DISABLED`.
    pub state: String,
}

/// Writes made in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastChange {
    /// When.
    pub time: Timestamp,
    /// AWS operations in order.
    pub actions: Vec<String>,
}

/// A failure that is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// When the next try is.
    pub next_at: Timestamp,
    /// How many tries have failed in a row.
    pub attempts: u32,
    /// What went wrong the last time.
    pub message: String,
}

impl JobStatus {
    /// The condition of that type, if it is there.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// Whether `Ready` is true.
    pub fn is_ready(&self) -> bool {
        self.condition(ConditionType::Ready).is_some_and(|ready| ready.status == Status::True)
    }

    /// The same job when nobody has looked at it for too long: nothing is known of it.
    #[must_use]
    pub fn gone_stale(&self, heartbeat: Timestamp) -> Self {
        let message = format!("the controller was last alive at {heartbeat}; what it saw may have changed since");
        let condition = Condition {
            kind: ConditionType::Ready,
            status: Status::Unknown,
            reason: Reason::HeartbeatStale,
            message,
            last_transition_time: heartbeat,
        };
        let status = JobState { conditions: vec![condition], ..self.status.clone() };
        Self { status, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
