//! The tags that prove ownership, and what else the controller remembers in AWS.

use std::collections::BTreeMap;

/// Tags of a resource, as AWS returns them.
pub type Tags = BTreeMap<String, String>;

/// Identity of the controller that owns the resource. Present and equal, or the resource is a stranger's.
pub const CONTROLLER: &str = "ecs-etl/controller";
/// Name of the job that the resource belongs to.
pub const JOB: &str = "ecs-etl/job";
/// Where the manifests come from: the git remote as host/path.
pub const SOURCE: &str = "ecs-etl/source";
/// Versioned digest of the normalised content of a revision, such as `v1:…`. On revisions only: a rule's content changes
/// under its tags.
pub const SPEC: &str = "ecs-etl/spec";
/// `Delete` or `Retain`: what becomes of the job when its manifest goes.
pub const POLICY: &str = "ecs-etl/policy";
/// Since when a revision is pinned by no schedule (RFC 3339, UTC, whole seconds).
pub const RETIRED_AT: &str = "ecs-etl/retired-at";
/// `disabled`, set by a person on a rule: leave the job alone.
pub const RECONCILE: &str = "ecs-etl/reconcile";

/// Version prefix of the digests this build writes.
pub const SPEC_VERSION: &str = "v1";
