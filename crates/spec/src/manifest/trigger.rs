//! `after`, `events` and `notify`: what starts a job besides its schedule, and who hears of its end.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::{Map, Value};

use crate::shapes::strict::{Strict, given};
use crate::trigger::Outcome;

/// A job after whose runs this one starts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AfterSpec {
    /// Name of the other EtlJob, in this directory and in the same Region and account.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub job: Option<String>,
    /// Which end of its runs counts; default success.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Outcome")]
    pub on: Option<Outcome>,
}

impl<'de> Strict<'de> for AfterSpec {}

/// Events that start the job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EventSpec {
    /// An EventBridge event pattern: `{source: [aws.s3], detail-type: [Object Created], ...}`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Map<String, Value>")]
    pub pattern: Option<PatternSpec>,
}

impl<'de> Strict<'de> for EventSpec {}

/// An event pattern as it is written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct PatternSpec(pub Map<String, Value>);

impl<'de> Strict<'de> for PatternSpec {}

/// Who hears of the end of the job's runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NotifySpec {
    /// Which end of a run is told; default failure.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Outcome")]
    pub on: Option<Outcome>,
    /// ARN of an SNS topic, an SQS queue, a Lambda function or an event bus.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub target: Option<String>,
    /// Name or ARN of the role that EventBridge assumes to reach an event bus of another account or Region.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub role_arn: Option<String>,
}

impl<'de> Strict<'de> for NotifySpec {}

impl<'de> Strict<'de> for Outcome {
    fn strict<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}
