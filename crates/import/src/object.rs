//! Reading a map of a source so that nothing in it is passed over in silence.

use std::collections::BTreeSet;

use ecs_etl_spec::yaml::{Entry, Node, Value};
use serde_json::{Value as Json, json};

/// A field that nobody asked for, or whose value is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Path of the field in the source.
    pub field: String,
    /// Line it stands at; 0 where none is known.
    pub line: u32,
    /// Why it was left.
    pub why: String,
}

/// A map that knows which of its keys were asked for.
#[derive(Debug)]
pub struct Object<'n> {
    node: &'n Node,
    path: String,
    asked: BTreeSet<String>,
    left: Vec<Left>,
}

impl<'n> Object<'n> {
    /// A map that stands at `path`. What is no map has no keys, and is left as a whole.
    pub fn new(node: &'n Node, path: &str) -> Self {
        let mut object = Self { node, path: path.to_owned(), asked: BTreeSet::new(), left: Vec::new() };
        if node.mapping().is_none() && !node.is_null() {
            object.leave_at(path.to_owned(), node, format!("expected a map, found {}", node.value.kind()));
        }
        object
    }

    /// The value under `key`; null counts as absent.
    pub fn get(&mut self, key: &str) -> Option<&'n Node> {
        self.asked.insert(key.to_owned());
        self.node.get(key).filter(|node| !node.is_null())
    }

    /// The value under the first of these keys that is there.
    pub fn any(&mut self, keys: &[&str]) -> Option<&'n Node> {
        let found: Vec<Option<&Node>> = keys.iter().map(|key| self.get(key)).collect();
        found.into_iter().flatten().next()
    }

    /// Counts keys as asked for: they say nothing that a manifest would miss.
    pub fn ignore(&mut self, keys: &[&str]) {
        self.asked.extend(keys.iter().map(|key| (*key).to_owned()));
    }

    /// A scalar as text, as it was most likely written.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        let text = scalar(node);
        if text.is_none() {
            self.leave(key, node, format!("expected a text, found {}", node.value.kind()));
        }
        text
    }

    /// A list; a single value stands for a list of one.
    pub fn list(&mut self, key: &str) -> &'n [Node] {
        let Some(node) = self.get(key) else { return &[] };
        node.sequence().unwrap_or(std::slice::from_ref(node))
    }

    /// The path of a field of this map.
    pub fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Leaves the value of a field that was asked for.
    pub fn leave(&mut self, key: &str, node: &Node, why: impl Into<String>) {
        self.leave_at(self.at(key), node, why.into());
    }

    /// Takes over what was left below.
    pub fn leave_all(&mut self, left: Vec<Left>) {
        self.left.extend(left);
    }

    fn leave_at(&mut self, field: String, node: &Node, why: String) {
        self.left.push(Left { field, line: node.at.line, why });
    }

    /// Everything that was left: what nobody asked for too.
    pub fn finish(mut self) -> Vec<Left> {
        let unknown = |(key, entry): &(&String, &Entry)| !self.asked.contains(*key) && !is_empty(&entry.node);
        let rest: Vec<Left> = (self.node.mapping().into_iter().flatten())
            .filter(unknown)
            .map(|(key, entry)| Left {
                field: self.at(key),
                line: entry.key_at.line,
                why: "a manifest has nothing like it".to_owned(),
            })
            .collect();
        self.left.extend(rest);
        self.left
    }
}

/// Whether a value says nothing: null, an empty text, an empty list or map.
pub fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(map) => map.is_empty(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Open { .. } => false,
    }
}

/// A truth, also one in quotes; any other text stays, for a person to look at.
pub fn truth(node: &Node) -> Json {
    match scalar(node) {
        Some(text) => text.to_ascii_lowercase().parse::<bool>().map_or_else(|_other| json!(text), |truth| json!(truth)),
        None => json!(false),
    }
}

/// A scalar as text; none for null, a list or a map.
pub fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) | Value::Open { shown: text, .. } => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}
