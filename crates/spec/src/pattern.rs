//! Event patterns, as EventBridge takes them.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::name::canonical_text;

/// The longest pattern of a rule, in characters, unless AWS was asked for more (docs/aws.md, Throttles and quotas).
pub const MAX_LENGTH: usize = 2048;

/// An event pattern in one fixed form: keys sorted, no blanks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPattern(String);

impl EventPattern {
    /// The pattern of a JSON object. [`crate::check::event_pattern`] says whether EventBridge takes it.
    pub fn of(pattern: &Map<String, Value>) -> Self {
        Self(canonical_text(&Value::Object(pattern.clone())))
    }

    /// The pattern as JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a pattern that AWS gave back says the same, however it is written.
    pub fn is_same_as(&self, live: &str) -> bool {
        self.0 == live || serde_json::from_str(live).is_ok_and(|live: Value| canonical_text(&live) == self.0)
    }
}

impl Serialize for EventPattern {
    /// As the object it is.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<Value>(&self.0).unwrap_or_default().serialize(serializer)
    }
}
