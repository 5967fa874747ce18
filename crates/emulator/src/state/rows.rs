//! The rows: what is remembered of each thing.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A task definition family: what outlives its revisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Family {
    /// The newest revision number ever given; it never goes back (docs/aws.md, Revision lifecycle).
    pub last_revision: u32,
    /// When that one was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
}

/// Where a revision is in its life (docs/aws.md, Revision lifecycle).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Active,
    Inactive,
    DeleteInProgress,
}

impl Status {
    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
        }
    }
}

/// One revision of a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Revision {
    /// The task definition as AWS gives it back, less what changes over its life.
    pub definition: Map<String, Value>,
    pub tags: Tags,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_requested_at: Option<Timestamp>,
    /// What its tasks need of it, once one was started.
    #[serde(skip)]
    pub blueprint: OnceLock<Arc<Blueprint>>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// The members that its creator gave, on the wire's names.
    pub given: Map<String, Value>,
    pub tags: Tags,
    /// Deleted clusters stay visible as INACTIVE for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// A rule of the default event bus with its targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// ScheduleExpression, EventPattern, State, Description, RoleArn, ManagedBy: those that are set.
    pub members: Map<String, Value>,
    pub tags: Tags,
    pub created_at: Timestamp,
    /// When its ScheduleExpression was last changed; rates count from there, or from the creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescheduled_at: Option<Timestamp>,
    /// Targets by Id, as they were put.
    pub targets: BTreeMap<String, Value>,
    /// When targets were last removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets_removed_at: Option<Timestamp>,
}

/// A group of schedules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub tags: Tags,
    pub created_at: Timestamp,
    /// The client token that it was created with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A schedule of EventBridge Scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScheduleRow {
    /// What was put, with Scheduler's defaults.
    pub members: Map<String, Value>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// When it last got another time to fire; a rate without a StartDate counts from there.
    pub anchored_at: Timestamp,
    /// The client token that it was created with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// The attributes that its creator gave.
    pub attributes: Map<String, Value>,
    pub created_at: Timestamp,
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub id: String,
    pub body: String,
    /// As they were given.
    pub attributes: Map<String, Value>,
    pub sent_at: Timestamp,
    /// Until then it is hidden, since somebody has received it.
    pub visible_at: Timestamp,
    pub received: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_received_at: Option<Timestamp>,
}

/// A delivery that failed in a way that passes, until it is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub event: Undelivered,
    /// The target as it was when it was first called; whether AWS looks again is not known (docs/aws.md, Retries).
    pub target: Value,
    /// How often it will have been tried again.
    pub retries: u32,
    /// When it was tried first.
    pub since: Timestamp,
    /// When it is tried again.
    pub at: Timestamp,
}

/// What could not be delivered yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Undelivered {
    /// A tick of a scheduled rule.
    RuleTick { rule: String, target_id: String, due: Timestamp },
    /// An event that a rule matched.
    RuleEvent { rule: String, target_id: String, event: Value },
    /// A tick of a schedule, which is named by group and name.
    ScheduleTick { schedule: String, due: Timestamp },
}

/// What the tagging index says of one resource, which is not always what is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Indexed {
    /// What GetResources shows until `pending` comes due; `None` shows nothing.
    pub seen: Option<Tags>,
    /// What it will show, and from when on.
    pub pending: Vec<(Timestamp, Option<Tags>)>,
}

/// What of a rule makes it fire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Acts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Where a rate counts from, and before which there is no tick.
    pub since: Timestamp,
    /// Targets by Id, as they were put.
    pub targets: BTreeMap<String, Value>,
}

impl Acts {
    /// How a rule fires; `None` for one that does not.
    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        let member = |name: &str| rule.members.get(name).and_then(Value::as_str).map(str::to_owned);
        let (expression, pattern) = (member("ScheduleExpression"), member("EventPattern"));
        let asks = expression.is_some() || pattern.is_some();
        (asks && member("State").as_deref() != Some("DISABLED") && !rule.targets.is_empty()).then(|| Self {
            expression,
            pattern,
            since: rule.rescheduled_at.unwrap_or(rule.created_at),
            targets: rule.targets.clone(),
        })
    }
}

/// How a rule fires although it was changed since (docs/aws.md, Consistency).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Former {
    /// Up to and with this moment.
    pub until: Timestamp,
    /// `None` where it did not fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts: Option<Acts>,
}

/// What the tasks of a revision need of it, also after it is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Blueprint {
    pub arn: String,
    pub family: String,
    pub revision: u32,
    /// cpu, memory, ephemeralStorage: those that are set.
    pub members: Map<String, Value>,
    pub network_mode: String,
    pub compatibilities: Vec<String>,
    /// Of each container name, image, cpu, memory, memoryReservation: those that are set.
    pub containers: Vec<Map<String, Value>>,
}

/// A task: what it was started from, and when. What state it is in follows from the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The name of its cluster.
    pub cluster: String,
    pub blueprint: Arc<Blueprint>,
    /// What RunTask was given.
    pub given: Arc<Map<String, Value>>,
    /// What the task is told beyond its task definition; null for nothing.
    #[serde(default, skip_serializing_if = "is_null")]
    pub overrides: Arc<Value>,
    pub tags: Tags,
    pub created_at: Timestamp,
    /// The client token and a digest of the request that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// How its containers fare, in their order, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Arc<Script>>,
}

/// How the containers of a task fare, in the order of the task definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// Why none of them starts, if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails_to_start: Option<String>,
    pub containers: Vec<Course>,
}

/// How one container of a task fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    /// How long it runs; `None` for as long as others do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_for: Option<SignedDuration>,
    pub exit_code: i32,
    /// Whether the task ends with it.
    pub essential: bool,
}

fn is_null(overrides: &Arc<Value>) -> bool {
    overrides.is_null()
}

/// What makes a second RunTask the same as the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub text: String,
    pub request: String,
}

/// Somebody's wish that a task stops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub at: Timestamp,
    pub reason: String,
}
