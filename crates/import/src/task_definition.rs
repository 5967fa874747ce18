//! Task definitions in the words of ECS's API.

use std::collections::BTreeMap;

use ecs_etl_spec::yaml::{Entry, Node, Value};
use serde_json::{Map, Value as Json};

use crate::object::{Left, scalar};
use crate::shape::{self, Empty};

/// What DescribeTaskDefinition answers of a revision beyond what was registered (docs/aws.md, Normalisation).
const OF_REVISIONS: [&str; 9] = [
    "compatibilities",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
    "deleteRequestedAt",
];

/// A task definition, taken apart.
#[derive(Debug, Clone, Default)]
pub struct TaskDefinition {
    /// Its family.
    pub family: Option<String>,
    /// Its tags.
    pub labels: BTreeMap<String, String>,
    /// The rest, in the shape of RegisterTaskDefinition.
    pub definition: Map<String, Json>,
    /// What has no place in it.
    pub left: Vec<Left>,
}

/// Reads what RegisterTaskDefinition takes or DescribeTaskDefinition answers.
pub fn of_api(node: &Node) -> TaskDefinition {
    let mut rest = node.clone();
    let mut family = None;
    let mut labels = BTreeMap::new();
    if let Some(map) = rest.mapping_mut() {
        family = map.remove("family").and_then(|entry| scalar(&entry.node));
        labels = map.remove("tags").map(|entry| tags(&entry.node)).unwrap_or_default();
        OF_REVISIONS.iter().for_each(|key| drop(map.remove(*key)));
    }
    let (definition, left) = shape::structure(&rest, "TaskDefinition", "", Empty::Kept);
    TaskDefinition { family, labels, definition, left }
}

/// Tags as a list of keys and values, in any case, or as a map.
pub fn tags(node: &Node) -> BTreeMap<String, String> {
    let pair = |item: &Node| {
        let text = |names: [&str; 2]| names.iter().find_map(|name| item.get(name)).and_then(scalar);
        Some((text(["key", "Key"])?, text(["value", "Value"]).unwrap_or_default()))
    };
    match &node.value {
        Value::Sequence(items) => items.iter().filter_map(pair).collect(),
        Value::Mapping(map) => {
            let entry = |(key, entry): (&String, &Entry)| Some((key.clone(), scalar(&entry.node)?));
            map.iter().filter_map(entry).collect()
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Open { .. } => {
            BTreeMap::new()
        }
    }
}
