//! `metadata`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::shapes::strict::{Strict, given};

/// Annotation that tells the controller to leave a job alone: `disabled`.
pub const RECONCILE: &str = "ecs-etl/reconcile";

/// Annotation that names what a job was called before.
pub const MOVED_FROM: &str = "ecs-etl/moved-from";

/// What every name of ours in labels, tags and annotations starts with.
pub const OURS: &str = "ecs-etl/";

/// Name, labels and annotations of a document.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metadata {
    /// Lower-case letters, digits and `-`, at most 63; unique among the documents of its kind.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String", regex(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub name: Option<String>,
    /// Become AWS tags of the job's resources; `-l key=value` selects by them.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub labels: Option<BTreeMap<String, String>>,
    /// `ecs-etl/reconcile: disabled` leaves the job alone; `ecs-etl/moved-from: OLD-NAME` renames it. Others are free.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl<'de> Strict<'de> for Metadata {}
