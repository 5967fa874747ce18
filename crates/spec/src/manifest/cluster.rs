//! `spec` of an EtlCluster.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::Deserializer;

use super::trigger::NotifySpec;
use crate::job::Backend;
use crate::shapes::strict::{Strict, given};
use crate::shapes::{ContainerDefinition, RunTask, TaskDefinition};

/// Where jobs run, who may start them, and what they share.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterSpec {
    /// Name or ARN of the ECS cluster; default `metadata.name`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub cluster: Option<String>,
    /// AWS Region, such as `ap-northeast-1`. Required.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub region: Option<String>,
    /// ARN of the role to assume for this cluster; without it the controller's own credentials are used.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub assume_role_arn: Option<String>,
    /// External id to give when that role is assumed.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub external_id: Option<String>,
    /// Name or ARN of the role that EventBridge assumes to start runs. Required unless every job has `roleArn`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub events_role_arn: Option<String>,
    /// What keeps the schedules of jobs in UTC: `rules`, the default, or `scheduler`. What rules cannot say, such as a time
    /// zone, is always EventBridge Scheduler's.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Backend")]
    pub scheduler: Option<Backend>,
    /// Name or ARN of the role that EventBridge Scheduler assumes to start runs. Required where a schedule is Scheduler's,
    /// unless the job has `roleArn`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub scheduler_role_arn: Option<String>,
    /// Who hears of the end of every job's runs, unless the job has a `notify` of its own.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<NotifySpec>")]
    pub notify: Option<Vec<NotifySpec>>,
    /// What is merged under each job of the cluster.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Defaults")]
    pub defaults: Option<Defaults>,
    /// Remove every job of this cluster; when they are gone, this document can go.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "bool")]
    pub drain: Option<bool>,
}

impl<'de> Strict<'de> for ClusterSpec {}

impl<'de> Strict<'de> for Backend {
    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// Defaults under each job: maps merge, lists and scalars replace, `null` in the job removes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Defaults {
    /// Under `spec.taskDefinition`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "TaskDefinition")]
    pub task_definition: Option<TaskDefinition>,
    /// Under every container; `environment` and `secrets` merge by name.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "ContainerDefinition")]
    pub container: Option<ContainerDefinition>,
    /// Under `spec.runTask`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "RunTask")]
    pub run_task: Option<RunTask>,
    /// Under `metadata.labels`, as AWS tags.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl<'de> Strict<'de> for Defaults {}
