//! The tags that prove ownership, and what else the controller remembers in AWS.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::name::Digest;

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

/// Id of our target on a rule that was taken over, which keeps the Id it had; absent where it is the usual one.
pub const TARGET: &str = "ecs-etl/target";

/// Version prefix of the digests this build writes.
pub const SPEC_VERSION: &str = "v1";

/// Which tags besides ours were written from the manifest, so that a label that goes there goes in AWS too, and tags of
/// others stay: five hexadecimal digits of the SHA-256 of each key, sorted, without separators. Absent without labels.
///
/// Digests because keys may hold any separator, and 51 of them still fit a tag value's 256 characters. On a revision, a sign after them
/// says that it speaks for no rule ([`unsettled`]).
pub const LABELS: &str = "ecs-etl/labels";

/// What the keys of all tags of ours start with; manifests cannot set them.
pub const OURS: &str = "ecs-etl/";

/// The value of [`LABELS`] for these keys; none without keys.
pub fn label_list<'a>(keys: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let marks: BTreeSet<String> = keys.into_iter().map(|key| label_mark(key)).collect();
    (!marks.is_empty()).then(|| marks.into_iter().collect())
}

fn label_mark(key: &str) -> String {
    Digest::of(key.as_bytes()).short(LABEL_MARK).to_owned()
}

const LABEL_MARK: usize = 5;

/// What [`LABELS`] of a revision ends with while tags of the rules that pin it are being changed.
const UNSETTLED: char = '+';

/// The value of [`LABELS`] that says of a revision with these tags that its rules may bear others; none if it says so already.
pub fn unsettled(tags: &Tags) -> Option<String> {
    let listed = tags.get(LABELS).map(String::as_str).unwrap_or_default();
    (!listed.ends_with(UNSETTLED)).then(|| format!("{listed}{UNSETTLED}"))
}

/// What must be written to a resource's tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagChanges {
    /// Tags to set: missing ones and those with another value.
    pub set: Tags,
    /// Keys to remove: labels that were written from the manifest and are no longer in it.
    pub remove: Vec<String>,
}

impl TagChanges {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

/// Compares the tags of a resource of ours with what they should be. Tags of others are no difference.
pub fn changes(wanted: &Tags, live: &Tags) -> TagChanges {
    let set = wanted.iter().filter(|(key, value)| live.get(*key) != Some(value));
    let listed = live.get(LABELS).map(String::as_str).unwrap_or_default();
    let marks: BTreeSet<&[u8]> = listed.as_bytes().chunks(LABEL_MARK).collect();
    let gone = |key: &&String| {
        !wanted.contains_key(*key)
            && (*key == LABELS || (!key.starts_with(OURS) && marks.contains(label_mark(key).as_bytes())))
    };
    TagChanges {
        set: set.map(|(key, value)| (key.clone(), value.clone())).collect(),
        remove: live.keys().filter(gone).cloned().collect(),
    }
}

/// Where a tag on a resource of ours comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// From the manifest.
    FromManifest,
    /// From somebody else, unless somebody else took it off [`LABELS`].
    ByOthers,
    /// From the manifest once; somebody took it away.
    Lost,
    /// From nobody: it is not there, and the manifest had none.
    Never,
}

/// Where the tag `key` comes from.
pub fn written(tags: &Tags, key: &str) -> Written {
    let listed = tags.get(LABELS).map(String::as_str).unwrap_or_default();
    let is_listed = listed.as_bytes().chunks(LABEL_MARK).any(|mark| mark == label_mark(key).as_bytes());
    match (tags.contains_key(key), is_listed) {
        (true, true) => Written::FromManifest,
        (true, false) => Written::ByOthers,
        (false, true) => Written::Lost,
        (false, false) => Written::Never,
    }
}

/// The version of a spec tag that this build did not write: `v2` of `v2:…`. None for our own version, and for what is no
/// spec tag at all, which says nothing.
pub fn foreign_spec_version(tag: &str) -> Option<&str> {
    let (version, _) = tag.split_once(':')?;
    let digits = version.strip_prefix('v')?;
    let is_version = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    (is_version && version != SPEC_VERSION).then_some(version)
}
