//! What starts a job besides its schedule, and what its end starts.
//!
//! Each of these becomes one EventBridge rule with an event pattern. Which pattern, only a plan can say: it names the
//! cluster by its ARN and the run by the group that the family gives it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::adopt::Adopt;
use crate::name::{Digest, Family, JobName};
use crate::pattern::EventPattern;
use crate::shapes::{RunTask, TaskDefinition};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The main container ended with exit code 0.
    Success,
    /// It ended with another one, was stopped from outside, or never started.
    Failure,
    /// Either.
    Completion,
}

impl Outcome {
    /// The word under `on`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Completion => "completion",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A job after whose runs another one starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct After {
    /// The job that runs first.
    pub job: JobName,
    /// Which end of its runs counts.
    pub on: Outcome,
    /// How its runs are known.
    pub upstream: Runs,
}

/// How the runs of a job are told from all others in the events of ECS (docs/aws.md, Tasks).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Runs {
    /// ECS cluster name or ARN.
    pub ecs_cluster: String,
    /// `runTask.group`; none for ECS's own `family:FAMILY`.
    pub group: Option<String>,
    /// The container whose exit code counts.
    pub container: String,
    /// The family that the job has taken over; none for `<prefix><job>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
}

impl Runs {
    /// Those of a job with these contents.
    ///
    /// Of several containers the first essential one tells how a run ended: a pattern cannot ask for all of them (docs/aws.md, Tasks).
    pub fn of(ecs_cluster: &str, task_definition: &TaskDefinition, run_task: &RunTask, adopt: &Adopt) -> Self {
        let containers = task_definition.container_definitions.as_deref().unwrap_or_default();
        let main = containers.iter().find(|container| container.essential != Some(false)).or(containers.first());
        Self {
            ecs_cluster: ecs_cluster.to_owned(),
            group: run_task.group.clone(),
            container: main.and_then(|container| container.name.clone()).unwrap_or_default(),
            family: adopt.family.clone(),
        }
    }
}

/// Who hears of the end of a job's runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// Which end of a run is told.
    pub on: Outcome,
    /// ARN of an SNS topic, an SQS queue, a Lambda function or an event bus.
    pub target: String,
    /// Name or ARN of a role that EventBridge assumes for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

impl After {
    /// Six digits that name the rule: they stay the same however the other job's runs come to be known.
    pub fn suffix(&self) -> String {
        suffix(&["after", self.job.as_str(), self.on.as_str()])
    }
}

impl Notify {
    /// Six digits that name the rule.
    pub fn suffix(&self) -> String {
        suffix(&["notify", self.on.as_str(), &self.target])
    }
}

impl EventPattern {
    /// Six digits that name the rule.
    pub fn suffix(&self) -> String {
        suffix(&["event", self.as_str()])
    }
}

fn suffix(parts: &[&str]) -> String {
    Digest::of(parts.join("\n").as_bytes()).short(6).to_owned()
}
