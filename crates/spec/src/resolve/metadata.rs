//! `metadata`: labels that become tags, and annotations.

use super::Fields;
use crate::manifest::{MOVED_FROM, Metadata, OURS, RECONCILE};
use crate::name::JobName;
use crate::suggest;
use crate::yaml::{Node, Value, shown};

/// Tags of one resource in AWS, ours among them (docs/aws.md, Sizes and names).
const MOST_TAGS: usize = 50;

/// Tags that the controller gives a revision: controller, job, source, spec, policy, labels, retired-at. A rule has fewer.
const OUR_TAGS: usize = 7;

const STAND_IN: &str = "000000000000";

/// What the annotations of a job say.
pub struct Annotations {
    /// `ecs-etl/reconcile: disabled`.
    pub reconcile_disabled: bool,
    /// `ecs-etl/moved-from`.
    pub moved_from: Option<JobName>,
}

/// Reads the annotations; those that are not ours are free.
pub fn annotations(fields: &mut Fields<'_>, metadata: &Metadata) -> Annotations {
    let mut read = Annotations { reconcile_disabled: false, moved_from: None };
    for (key, value) in metadata.annotations.iter().flatten() {
        let mut path = "metadata.annotations".to_owned();
        crate::path::push_key(&mut path, key);
        match key.as_str() {
            RECONCILE if value == "disabled" => read.reconcile_disabled = true,
            RECONCILE => {
                let message = format!("expected `disabled`, found `{}`", shown(value));
                fields.error(&path, message, Some("remove the annotation to reconcile the job".to_owned()));
            }
            MOVED_FROM => read.moved_from = fields.name(&path, JobName::new(value.as_str())),
            _ => unknown(fields, key, &path),
        }
    }
    read
}

fn unknown(fields: &mut Fields<'_>, key: &str, path: &str) {
    let ours = key.starts_with(OURS);
    let near = suggest::nearest(key, [RECONCILE, MOVED_FROM].into_iter());
    if ours || near.is_some() {
        let help = suggest::among(key, [RECONCILE, MOVED_FROM].into_iter());
        fields.error(path, format!("unknown annotation `{}`", shown(key)), help);
    }
}

/// Checks what will be AWS tags, as written; `path` is where they stand in the document. Variables of defaults are
/// taken for twelve characters each, as an account has.
pub fn tags(fields: &mut Fields<'_>, path: &str, tags: Option<&Node>) {
    let Some(tags) = tags.and_then(Node::mapping) else { return };
    let room = MOST_TAGS - OUR_TAGS;
    if tags.len() > room {
        let message = format!("{} tags; AWS takes {MOST_TAGS}, of which the controller needs {OUR_TAGS}", tags.len());
        fields.error(path, message, None);
    }
    for (key, entry) in tags {
        // What is no text is for typing to refuse.
        let value = match &entry.node.value {
            Value::String(text) => text.replace("${job}", STAND_IN).replace("${region}", STAND_IN),
            Value::Open { template, .. } => template.clone(),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => continue,
            Value::Sequence(_) | Value::Mapping(_) => continue,
        };
        let value = value.replace("${account}", STAND_IN);
        let mut at = path.to_owned();
        crate::path::push_key(&mut at, key);
        let lower = key.to_ascii_lowercase();
        let problem = if lower.starts_with("aws:") {
            Some("tags that start with `aws:` belong to AWS")
        } else if lower.starts_with(OURS) {
            Some("tags that start with `ecs-etl/` belong to the controller")
        } else if key.is_empty() || key.chars().count() > 128 {
            Some("the key of a tag has 1 to 128 characters")
        } else if value.chars().count() > 256 {
            Some("the value of a tag has at most 256 characters")
        } else if !key.chars().chain(value.chars()).all(allowed) {
            Some("a tag may have letters, digits, spaces and `_ . : / = + - @`")
        } else {
            None
        };
        if let Some(problem) = problem {
            fields.error(&at, problem, None);
        }
    }
}

fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}
