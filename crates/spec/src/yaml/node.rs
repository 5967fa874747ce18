//! The tree: YAML's values with the place each was written at.

use std::collections::BTreeMap;

/// A place in one of the files of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// Index of the file among those given to the load.
    pub file: u32,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where its first character stands.
    pub at: Mark,
    /// What it is.
    pub value: Value,
}

/// A value of the YAML 1.2 core schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`; `yes` and `on` are strings.
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// Any other number, never infinite.
    Float(f64),
    /// Text.
    String(String),
    /// Text of a cluster's defaults that still holds `${account}`.
    Open {
        /// The text with every variable but the account filled in.
        shown: String,
        /// The same with `$${` still standing for a literal `${`.
        template: String,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping with text keys; the order of keys means nothing in YAML.
    Mapping(BTreeMap<String, Entry>),
}

/// A value of a mapping, and where its key stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_at: Mark,
    /// The value.
    pub node: Node,
}

impl Value {
    /// What it is, in words for an error.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::String(_) | Value::Open { .. } => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// Whether `is` says yes to this value or one within, keys aside.
    pub fn holds(&self, is: &impl Fn(&Value) -> bool) -> bool {
        let within = match &self.value {
            Value::Sequence(items) => items.iter().any(|item| item.holds(is)),
            Value::Mapping(map) => map.values().any(|entry| entry.node.holds(is)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Open { .. } => {
                false
            }
        };
        within || is(&self.value)
    }

    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry under `key`, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.mapping().and_then(|map| map.get(key))
    }

    /// The value under `key` for change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.mapping_mut().and_then(|map| map.get_mut(key)).map(|entry| &mut entry.node)
    }

    /// The mapping, if it is one.
    pub fn mapping(&self) -> Option<&BTreeMap<String, Entry>> {
        if let Value::Mapping(map) = &self.value { Some(map) } else { None }
    }

    /// The mapping for change, if it is one.
    pub fn mapping_mut(&mut self) -> Option<&mut BTreeMap<String, Entry>> {
        if let Value::Mapping(map) = &mut self.value { Some(map) } else { None }
    }

    /// The list, if it is one.
    pub fn sequence(&self) -> Option<&[Node]> {
        if let Value::Sequence(items) = &self.value { Some(items) } else { None }
    }

    /// The list for change, if it is one.
    pub fn sequence_mut(&mut self) -> Option<&mut Vec<Node>> {
        if let Value::Sequence(items) = &mut self.value { Some(items) } else { None }
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) | Value::Open { shown: text, .. } => Some(text),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Sequence(_) | Value::Mapping(_) => {
                None
            }
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// How many values it holds, itself and keys among them.
    pub fn count(&self) -> usize {
        match &self.value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 1,
            Value::String(_) | Value::Open { .. } => 1,
            Value::Sequence(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Value::Mapping(map) => 1 + map.values().map(|entry| 1 + entry.node.count()).sum::<usize>(),
        }
    }
    /// How many bytes of text it holds, keys among them.
    pub fn text_bytes(&self) -> usize {
        match &self.value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
            Value::String(text) => text.len(),
            Value::Open { shown, template } => shown.len() + template.len(),
            Value::Sequence(items) => items.iter().map(Node::text_bytes).sum(),
            Value::Mapping(map) => map.iter().map(|(key, entry)| key.len() + entry.node.text_bytes()).sum(),
        }
    }
}
