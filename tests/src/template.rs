//! CloudFormation templates as data: intrinsic functions in their short form become what they are applied to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::tools;

/// A template.
#[derive(Debug, Clone)]
pub struct Template(Value);

impl Template {
    /// Reads the template at a path below the root of the repository.
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(tools::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let yaml: serde_yaml::Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self(plain(yaml))
    }

    /// What stands at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Value {
        self.0.pointer(pointer).cloned().unwrap_or_else(|| panic!("the template has no {pointer}"))
    }

    /// The actions that a policy allows.
    pub fn allowed_by(&self, policy: &str) -> BTreeSet<String> {
        self.statements(policy).iter().flat_map(|statement| texts(&statement["Action"])).collect()
    }

    /// The actions that a policy allows on every resource.
    pub fn allowed_everywhere(&self, policy: &str) -> BTreeSet<String> {
        let everywhere = self.statements(policy).into_iter().filter(|statement| statement["Resource"] == "*");
        everywhere.flat_map(|statement| texts(&statement["Action"])).collect()
    }

    fn statements(&self, policy: &str) -> Vec<Value> {
        let statements = self.at(&format!("/Resources/{policy}/Properties/PolicyDocument/Statement"));
        let statements = statements.as_array().cloned().expect("a list of statements");
        // `!If [CONDITION, STATEMENT, !Ref AWS::NoValue]`: what may be allowed counts as allowed.
        let inside = |statement: Value| match statement.as_array() {
            Some(branches) => branches.iter().filter(|branch| branch.is_object()).cloned().collect(),
            None => vec![statement],
        };
        let statements: Vec<Value> = statements.into_iter().flat_map(inside).collect();
        assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"), "{policy} denies something");
        statements
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn plain(yaml: serde_yaml::Value) -> Value {
    match yaml {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::Number(number) => serde_json::to_value(number).expect("a number that JSON has"),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Sequence(items) => Value::Array(items.into_iter().map(plain).collect()),
        serde_yaml::Value::Mapping(members) => {
            let pairs =
                members.into_iter().map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), plain(value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        serde_yaml::Value::Tagged(tagged) => plain(tagged.value),
    }
}
