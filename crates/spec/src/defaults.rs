//! A cluster's defaults under a job: maps merge, lists and scalars replace, `null` removes.
//!
//! It happens on the YAML tree, before anything is typed, so that an error in the outcome points at the file and line
//! where the value was written, be it the job's or the cluster's.

use std::collections::BTreeMap;

use crate::yaml::{Entry, Mark, Node, Value};

/// The parts of `spec.defaults`, as written.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// Under `spec.taskDefinition`.
    pub task_definition: Option<Node>,
    /// Under every container.
    pub container: Option<Node>,
    /// Under `spec.runTask`.
    pub run_task: Option<Node>,
    /// Under `metadata.labels`, as tags.
    pub tags: Option<Node>,
}

/// Puts `over` on top of `base`.
pub fn overlay(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (Value::Mapping(mut map), Value::Mapping(entries)) => {
            for (key, entry) in entries {
                put(&mut map, key, entry);
            }
            Node { at: over.at, value: Value::Mapping(map) }
        }
        (_, value) => Node { at: over.at, value },
    }
}

fn put(map: &mut BTreeMap<String, Entry>, key: String, entry: Entry) {
    match map.remove(&key) {
        // A null that has removed its default is spent; one that found none stays, and is reported.
        Some(_) if entry.node.is_null() => {}
        Some(base) => {
            let node = overlay(base.node, entry.node);
            map.insert(key, Entry { key_at: entry.key_at, node });
        }
        None => {
            map.insert(key, entry);
        }
    }
}

/// Puts a job's task definition on its defaults, and each of its containers on the container defaults.
pub fn task_definition(base: Option<Node>, container: Option<Node>, over: Option<Node>) -> Option<Node> {
    let mut merged = match (base, over) {
        (Some(base), Some(over)) => overlay(base, over),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => return None,
    };
    if let Some(container) = container
        && let Some(containers) = merged.get_mut("containerDefinitions").and_then(Node::sequence_mut)
    {
        for item in containers {
            let over = std::mem::replace(item, Node { at: item.at, value: Value::Null });
            // What is no mapping is left for typing to refuse.
            *item = if over.mapping().is_some() { overlay_container(container.clone(), over) } else { over };
        }
    }
    Some(merged)
}

/// The lists of a container that merge by name.
const BY_NAME: [&str; 2] = ["environment", "secrets"];

fn overlay_container(mut base: Node, mut over: Node) -> Node {
    // A variable is a value or a secret, never both: what the job sets in one list leaves the default of the other.
    let names: Vec<String> = BY_NAME.iter().filter_map(|list| over.get(list)).flat_map(own_names).collect();
    for list in BY_NAME {
        let theirs = base.get_mut(list).and_then(Node::sequence_mut).map(std::mem::take);
        let Some(theirs) = theirs else { continue };
        let ours = match over.get_mut(list) {
            Some(Node { value: Value::Sequence(items), .. }) => std::mem::take(items),
            // Null removes the whole list, and anything else is for typing to refuse.
            Some(_) => continue,
            None => Vec::new(),
        };
        let merged = by_name(theirs, ours, &names);
        let slot = if over.get(list).is_some() { over.get_mut(list) } else { base.get_mut(list) };
        if let Some(items) = slot.and_then(Node::sequence_mut) {
            *items = merged;
        }
    }
    overlay(base, over)
}

fn own_names(list: &Node) -> Vec<String> {
    list.sequence().unwrap_or_default().iter().filter_map(name).map(str::to_owned).collect()
}

fn name(item: &Node) -> Option<&str> {
    item.get("name").and_then(Node::text)
}

/// Defaults in their order, each replaced by the job's entry of that name, then the job's others.
fn by_name(theirs: Vec<Node>, ours: Vec<Node>, taken: &[String]) -> Vec<Node> {
    let defaulted: Vec<String> = theirs.iter().filter_map(name).map(str::to_owned).collect();
    let mut ours: Vec<Option<Node>> = ours.into_iter().map(Some).collect();
    let mut merged = Vec::new();
    for default in theirs {
        let own = ours.iter_mut().find(|own| own.as_ref().is_some_and(|own| name(own) == name(&default)));
        match own.and_then(Option::take) {
            Some(own) if removes(&own) => {}
            Some(own) => merged.push(own),
            None if name(&default).is_some_and(|name| taken.iter().any(|taken| taken == name)) => {}
            None => merged.push(default),
        }
    }
    let removed_elsewhere = |own: &Node| removes(own) && name(own).is_some_and(|n| defaulted.iter().any(|d| d == n));
    merged.extend(ours.into_iter().flatten().filter(|own| !removed_elsewhere(own)));
    merged
}

/// `{name: X, value: null}` removes the default of that name.
fn removes(item: &Node) -> bool {
    ["value", "valueFrom"].iter().any(|member| item.get(member).is_some_and(Node::is_null))
}

/// Puts a job's `runTask` on its defaults. Where runs go is said in one of two ways, and the job's way drops the other.
pub fn run_task(base: Option<Node>, over: Option<Node>) -> Option<Node> {
    const WAYS: [(&str, &str); 2] =
        [("launchType", "capacityProviderStrategy"), ("capacityProviderStrategy", "launchType")];
    match (base, over) {
        (Some(mut base), Some(over)) => {
            for (set, dropped) in WAYS {
                let is_set = over.get(set).is_some_and(|node| !node.is_null());
                if is_set
                    && over.get(dropped).is_none()
                    && let Some(map) = base.mapping_mut()
                {
                    map.remove(dropped);
                }
            }
            Some(overlay(base, over))
        }
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    }
}

/// Takes out every null of a mapping, also in `containerDefinitions`, and tells where they stood.
pub fn take_nulls(node: &mut Node, path: &mut String, found: &mut Vec<(Mark, String)>) {
    let Some(map) = node.mapping_mut() else { return };
    let length = path.len();
    map.retain(|key, entry| {
        crate::path::push_key(path, key);
        let null = entry.node.is_null();
        if null {
            found.push((entry.node.at, path.clone()));
        } else if key == "containerDefinitions" {
            for (index, item) in entry.node.sequence_mut().into_iter().flatten().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                take_nulls(item, path, found);
                path.truncate(length);
            }
        } else {
            take_nulls(&mut entry.node, path, found);
        }
        path.truncate(length);
        !null
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{self, Limits};

    fn node(text: &str) -> Option<Node> {
        yaml::read(0, text.as_bytes(), Limits::default()).documents.pop().map(|document| document.root)
    }

    /// Without the places, which differ.
    fn plain(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::String(text) | Value::Open { shown: text, .. } => text.clone(),
            Value::Sequence(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
            Value::Mapping(map) => {
                let entries = map.iter().map(|(key, entry)| format!("{key}: {}", plain(&entry.node)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn check(merged: Option<Node>, expected: &str, case: &str) {
        assert_eq!(merged.as_ref().map(plain).unwrap_or_default(), plain(&node(expected).unwrap()), "{case}");
    }

    #[test]
    fn maps_merge_and_the_rest_replaces() {
        let cases = [
            ("{a: 1, b: {c: 2, d: 3}}", "{b: {c: 4}}", "{a: 1, b: {c: 4, d: 3}}"),
            ("{a: [1, 2]}", "{a: [3]}", "{a: [3]}"),
            ("{a: [1]}", "{a: []}", "{a: []}"),
            ("{a: {b: 1}}", "{a: 2}", "{a: 2}"),
            ("{a: 1}", "{a: {b: 2}}", "{a: {b: 2}}"),
            ("{a: true, b: 5, c: x}", "{a: false, b: 0, c: ''}", "{a: false, b: 0, c: ''}"),
            ("{a: 1, b: 2}", "{a: null}", "{b: 2}"),
            ("{a: {b: 1, c: 2}}", "{a: {b: ~}}", "{a: {c: 2}}"),
            ("{a: 1}", "{b: null}", "{a: 1, b: null}"),
        ];
        for (base, over, expected) in cases {
            check(task_definition(node(base), None, node(over)), expected, over);
        }
    }

    #[test]
    fn container_defaults_go_under_every_container_and_variables_merge_by_name() {
        let cases = [
            ("{cpu: 1}", "[{name: a}, {name: b, cpu: 2}]", "[{cpu: 1, name: a}, {cpu: 2, name: b}]"),
            ("{environment: [{name: A, value: 1}]}", "[{}]", "[{environment: [{name: A, value: 1}]}]"),
            (
                "{environment: [{name: A, value: 1}, {name: B, value: 1}]}",
                "[{environment: [{name: C, value: 2}, {name: A, value: 2}]}]",
                "[{environment: [{name: A, value: 2}, {name: B, value: 1}, {name: C, value: 2}]}]",
            ),
            (
                "{environment: [{name: A, value: 1}, {name: B, value: 1}]}",
                "[{environment: [{name: A, value: null}]}]",
                "[{environment: [{name: B, value: 1}]}]",
            ),
            ("{environment: [{name: A, value: 1}]}", "[{environment: null}]", "[{}]"),
            ("{environment: [{name: A, value: 1}]}", "[{environment: []}]", "[{environment: [{name: A, value: 1}]}]"),
            (
                "{secrets: [{name: A, valueFrom: x}], environment: [{name: B, value: 1}]}",
                "[{environment: [{name: A, value: 2}], secrets: [{name: B, valueFrom: y}]}]",
                "[{environment: [{name: A, value: 2}], secrets: [{name: B, valueFrom: y}]}]",
            ),
            (
                "{environment: [{name: A, value: 1}]}",
                "[{environment: [{name: B, value: null}]}]",
                "[{environment: [{name: A, value: 1}, {name: B, value: null}]}]",
            ),
            ("{environment: [{name: A, value: 1}]}", "[{environment: {A: 1}}]", "[{environment: {A: 1}}]"),
            ("{cpu: 1}", "[text]", "[text]"),
        ];
        for (container, containers, expected) in cases {
            let over = node(&format!("{{containerDefinitions: {containers}}}"));
            let expected = format!("{{containerDefinitions: {expected}}}");
            check(task_definition(None, node(container), over), &expected, containers);
        }
    }

    #[test]
    fn a_launch_type_and_a_strategy_drop_each_other() {
        let strategy = "{capacityProviderStrategy: [{capacityProvider: X}], count: 1}";
        let cases = [
            (strategy, "{launchType: FARGATE}", "{count: 1, launchType: FARGATE}"),
            ("{launchType: EC2}", "{capacityProviderStrategy: []}", "{capacityProviderStrategy: []}"),
            (
                strategy,
                "{launchType: null}",
                "{capacityProviderStrategy: [{capacityProvider: X}], count: 1, launchType: null}",
            ),
            (strategy, "{capacityProviderStrategy: null, launchType: EC2}", "{count: 1, launchType: EC2}"),
        ];
        for (base, over, expected) in cases {
            check(run_task(node(base), node(over)), expected, over);
        }
    }
}
