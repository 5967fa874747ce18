//! Normal forms: what is equal in AWS's eyes is equal here.

use serde_json::Value;

/// A value in normal form; made only by normalising.
#[derive(Debug, Clone, PartialEq)]
pub struct Normal(Value);

impl Normal {
    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Path such as `containerDefinitions[main].image`.
    pub path: String,
    /// What is live; none if absent.
    pub live: Option<Value>,
    /// What is desired; none if absent.
    pub desired: Option<Value>,
}
