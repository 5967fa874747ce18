//! `spec` of an EtlController.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::shapes::strict::{Strict, given};

/// How the controller of this directory behaves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ControllerSpec {
    /// Which AWS: `embedded` (the default), `aws`, or a URL.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub endpoint: Option<String>,
    /// What every family and rule name starts with; default `etl-`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub prefix: Option<String>,
    /// Where these manifests come from, as a mark on what they own; default the git remote, `none` without git.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    pub source: Option<String>,
    /// When and how many jobs may be removed.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "PruneSpec")]
    pub prune: Option<PruneSpec>,
    /// Existing jobs changed per pass, creations not counted; default unlimited.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    pub max_changes: Option<i32>,
    /// Replaced revisions kept per job, for a quick way back; default 5.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    pub keep_revisions: Option<i32>,
    /// Time between two looks at everything in AWS, in seconds; default 600.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    pub resync_seconds: Option<i32>,
    /// Digest of a held set of deletions or changes, `sha256:` and 64 hexadecimal digits: lets that very set pass.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String", regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub approved: Option<String>,
}

impl<'de> Strict<'de> for ControllerSpec {}

/// When and how many jobs may be removed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PruneSpec {
    /// How long a job's document must be gone, in seconds; default 300.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    pub grace_seconds: Option<i32>,
    /// How many jobs may go within an hour; default 10.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    pub max_deletions: Option<i32>,
}

impl<'de> Strict<'de> for PruneSpec {}
