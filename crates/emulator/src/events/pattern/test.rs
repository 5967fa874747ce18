//! What one value must be (docs/aws.md, Event patterns).

use serde_json::Value;

use super::cidr::Block;
use super::numeric::Range;
use super::wildcard::Wildcard;

/// One of the comparisons that a pattern knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Prefix(Part),
    Suffix(Part),
    EqualsIgnoreCase(String),
    Wildcard(Wildcard),
    Numeric(Range),
    Cidr(Block),
    /// Any value, of any type, that passes none of these.
    AnythingBut(Vec<Self>),
    /// Whether there is a value. That there is none is for the field to say.
    Exists(bool),
}

/// How a text must begin or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Exactly(String),
    /// In lower case.
    InAnyCase(String),
}

impl Test {
    pub(super) fn passes(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Null => value.is_null(),
            Self::Bool(expected) => value.as_bool() == Some(*expected),
            // Numbers are compared by their worth: 300 is 300.0.
            Self::Number(expected) => value.as_f64() == Some(*expected),
            Self::Text(expected) => text == Some(expected),
            Self::Prefix(Part::Exactly(part)) => text.is_some_and(|text| text.starts_with(part)),
            Self::Prefix(Part::InAnyCase(part)) => text.is_some_and(|text| text.to_lowercase().starts_with(part)),
            Self::Suffix(Part::Exactly(part)) => text.is_some_and(|text| text.ends_with(part)),
            Self::Suffix(Part::InAnyCase(part)) => text.is_some_and(|text| text.to_lowercase().ends_with(part)),
            Self::EqualsIgnoreCase(expected) => text.is_some_and(|text| text.to_lowercase() == *expected),
            Self::Wildcard(wildcard) => text.is_some_and(|text| wildcard.matches(text)),
            Self::Numeric(range) => value.as_f64().is_some_and(|number| range.contains(number)),
            Self::Cidr(block) => text.is_some_and(|text| block.contains(text)),
            Self::AnythingBut(excluded) => !excluded.iter().any(|test| test.passes(value)),
            Self::Exists(expected) => *expected,
        }
    }
}
