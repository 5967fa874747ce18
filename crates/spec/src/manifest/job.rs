//! `spec` of an EtlJob.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::trigger::{AfterSpec, EventSpec, NotifySpec};
use crate::job::DeletionPolicy;
use crate::shapes::strict::{Strict, given};
use crate::shapes::{RunTask, TaskDefinition};

/// What is run, and what starts it: a schedule, the end of another job, an event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct JobSpec {
    /// Name of an EtlCluster in this directory.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub cluster: Option<String>,
    /// Unix cron (`0 2 * * *`), AWS `cron(...)`, `rate(...)` or `at(...)`, or a macro such as `@daily`; one or a list.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "ScheduleSpec")]
    pub schedule: Option<ScheduleSpec>,
    /// Other jobs after whose runs this one starts; after each of them, not after all.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<AfterSpec>", length(min = 1))]
    pub after: Option<Vec<AfterSpec>>,
    /// Events that start the job.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<EventSpec>", length(min = 1))]
    pub events: Option<Vec<EventSpec>>,
    /// Who hears of the end of its runs; replaces the cluster's.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<NotifySpec>")]
    pub notify: Option<Vec<NotifySpec>>,
    /// IANA name of the time zone of the schedule; default UTC. Any other puts the schedule into EventBridge Scheduler.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub time_zone: Option<String>,
    /// The schedule fires at or after this moment only: RFC 3339, or local time in `timeZone`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub start_date: Option<String>,
    /// The schedule fires at or before this moment only: RFC 3339, or local time in `timeZone`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub end_date: Option<String>,
    /// How many minutes after its tick EventBridge may start a run, to spread the load.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u16", range(min = 1, max = 1440))]
    pub flexible_time_window_minutes: Option<i32>,
    /// Ticks of two of the schedules may coincide, and the job then starts twice.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "bool")]
    pub allow_overlap: Option<bool>,
    /// Keep the schedule in AWS, disabled.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "bool")]
    pub suspend: Option<bool>,
    /// How late EventBridge may still start a run, in seconds; default 3600.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32", range(min = 60, max = 86_400))]
    pub starting_deadline_seconds: Option<i32>,
    /// How often EventBridge tries to start a run; default 185.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32", range(min = 0, max = 185))]
    pub maximum_retry_attempts: Option<i32>,
    /// ARN of the standard SQS queue, in the cluster's Region, that gets the runs that could not be started.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub dead_letter_queue_arn: Option<String>,
    /// The shape of ECS RegisterTaskDefinition, all of it, less family and tags.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "TaskDefinition")]
    pub task_definition: Option<TaskDefinition>,
    /// How a run is started, in the words of ECS RunTask.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "RunTask")]
    pub run_task: Option<RunTask>,
    /// Name or ARN of the role that EventBridge assumes to start a run; default the cluster's `eventsRoleArn`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub role_arn: Option<String>,
    /// Existing resources to take over under their own names.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Adopt")]
    pub adopt: Option<Adopt>,
    /// What becomes of the AWS resources when this document goes; default Delete.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "DeletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl<'de> Strict<'de> for JobSpec {}

/// Existing resources that a job takes over under their own names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Adopt {
    /// Family of the task definition, instead of one named after the job.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub family: Option<String>,
    /// Names of EventBridge rules, one for each schedule in the order in which they are written, then for each of `events`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<String>")]
    pub rules: Option<Vec<String>>,
}

impl<'de> Strict<'de> for Adopt {}

impl<'de> Strict<'de> for DeletionPolicy {
    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// One schedule or several.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum ScheduleSpec {
    /// A single expression.
    One(String),
    /// Several; each becomes a rule of its own.
    List(#[schemars(length(min = 1))] Vec<String>),
}

impl<'de> Deserialize<'de> for ScheduleSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

impl<'de> Strict<'de> for ScheduleSpec {
    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = ScheduleSpec;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a schedule or a list of schedules")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ScheduleSpec, E> {
        Ok(ScheduleSpec::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ScheduleSpec, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(ScheduleSpec::List(list))
    }
}
