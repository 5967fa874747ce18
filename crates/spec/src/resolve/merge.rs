//! Merging a cluster's defaults into a job's document, so that typing reads the outcome.

use std::collections::BTreeMap;

use super::Known;
use crate::defaults;
use crate::finding::Findings;
use crate::name::JobName;
use crate::variables::Scope;
use crate::yaml::{Entry, Mark, Node, Value};

/// Where the tags of a merged document stand: a job's labels on its cluster's tags. No document has a key like this.
pub const TAGS: &str = " tags";

/// Merges defaults into `spec.taskDefinition` and `spec.runTask`, and tags and labels into [`TAGS`].
pub fn merge(root: &mut Node, findings: &mut Findings, known: Option<&Known>, name: Option<&JobName>) {
    let filled = |part: fn(&defaults::Defaults) -> &Option<Node>| {
        let known = known?;
        let mut node = part(&known.defaults).clone()?;
        if let Some(job) = name {
            Scope { job, region: &known.cluster.place.region }.fill(&mut node, false);
        }
        Some(node)
    };
    let mut nulls = Vec::new();
    merge_part(root, "taskDefinition", &mut nulls, |own| {
        let base = filled(|defaults| &defaults.task_definition);
        let mut merged = defaults::task_definition(base, filled(|defaults| &defaults.container), own)?;
        name_single_container(&mut merged, name);
        Some(merged)
    });
    merge_part(root, "runTask", &mut nulls, |own| defaults::run_task(filled(|defaults| &defaults.run_task), own));
    merge_tags(root, &mut nulls, filled(|defaults| &defaults.tags));
    if known.is_none() {
        // There may be a default in the cluster that cannot be read.
        return;
    }
    for (at, path) in nulls {
        let help = "leave the field out, or write \"\" for an empty string".to_owned();
        findings.warning(at, path, "null removes a default, but there is none here", Some(help));
    }
}

/// Replaces a part of `spec` by what `merge` makes of it. An empty part (`taskDefinition:`) removes nothing; typing
/// refuses it.
fn merge_part(
    root: &mut Node,
    key: &str,
    nulls: &mut Vec<(Mark, String)>,
    merge: impl FnOnce(Option<Node>) -> Option<Node>,
) {
    let Some(spec) = root.get_mut("spec").and_then(Node::mapping_mut) else { return };
    let own = match spec.get(key) {
        Some(entry) if entry.node.is_null() => return,
        own => own.cloned(),
    };
    let key_at = own.as_ref().map(|entry| entry.key_at);
    if let Some(mut node) = merge(own.map(|entry| entry.node)) {
        defaults::take_nulls(&mut node, &mut format!("spec.{key}"), nulls);
        spec.insert(key.to_owned(), Entry { key_at: key_at.unwrap_or(node.at), node });
    }
}

fn merge_tags(root: &mut Node, nulls: &mut Vec<(Mark, String)>, base: Option<Node>) {
    let labels = root.get_mut("metadata").and_then(|metadata| metadata.get_mut("labels"));
    let own = labels.as_deref().cloned();
    if let Some(labels) = labels {
        // A label that is null removes a tag, and is none.
        defaults::take_nulls(labels, &mut String::new(), &mut Vec::new());
    }
    let merged = match (base, own) {
        (Some(base), Some(own)) => Some(defaults::overlay(base, own)),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    };
    if let (Some(mut node), Some(map)) = (merged, root.mapping_mut()) {
        defaults::take_nulls(&mut node, &mut "metadata.labels".to_owned(), nulls);
        map.insert(TAGS.to_owned(), Entry { key_at: node.at, node });
    }
}

/// A single container needs no name of its own.
fn name_single_container(task_definition: &mut Node, name: Option<&JobName>) {
    let containers = task_definition.get_mut("containerDefinitions").and_then(Node::sequence_mut);
    if let (Some([only]), Some(name)) = (containers.map(Vec::as_mut_slice), name) {
        let at = only.at;
        if let Some(map) = only.mapping_mut() {
            let node = Node { at, value: Value::String(name.as_str().to_owned()) };
            map.entry("name".to_owned()).or_insert(Entry { key_at: at, node });
        }
    }
}

/// The texts of a merged document in which `${account}` is still open, by JSON pointer from the job.
pub fn open(root: &Node) -> BTreeMap<String, String> {
    let mut open = BTreeMap::new();
    let spec = |key: &str| root.get("spec").and_then(|spec| spec.get(key));
    let parts = [("/taskDefinition", spec("taskDefinition")), ("/runTask", spec("runTask")), ("/tags", root.get(TAGS))];
    for (pointer, node) in parts {
        if let Some(node) = node.filter(|node| node.holds(&|value| matches!(value, Value::Open { .. }))) {
            open_texts(node, &mut pointer.to_owned(), &mut open);
        }
    }
    open
}

fn open_texts(node: &Node, pointer: &mut String, open: &mut BTreeMap<String, String>) {
    let length = pointer.len();
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => {}
        Value::Open { template, .. } => {
            open.insert(pointer.clone(), template.clone());
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                open_texts(item, pointer, open);
                pointer.truncate(length);
            }
        }
        Value::Mapping(map) => {
            for (key, entry) in map {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                open_texts(&entry.node, pointer, open);
                pointer.truncate(length);
            }
        }
    }
}
