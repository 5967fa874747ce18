//! Normal forms: what is equal in AWS's eyes is equal here.
//!
//! AWS answers a task definition, a rule or a target in other words than it was asked: it fills in defaults, returns
//! empty lists for absent ones, reorders what has no order, and turns sizes into numbers (docs/aws.md, Normalisation).
//! Both sides of a comparison go through the same table, so neither form counts as the right one. What equals its
//! default is left out: a member that AWS adds one day does not change the digest of anything that does not use it.

mod diff;
mod rule;
pub mod secrets;
mod table;
mod template;

use std::fmt;
use std::sync::Arc;

use ecs_etl_spec::name::{Digest, canonical_text};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events;
use serde::Serialize;
use serde_json::Value;

pub use diff::{FieldChange, diff};
use rule::{Network, Tables};

/// A value in normal form; made only by normalising. Clones share the value, which is kept as text: ten thousand of them are
/// remembered for comparison, and few of them differ from what they are compared with.
#[derive(Clone, PartialEq)]
pub struct Normal {
    subject: Subject,
    text: Arc<str>,
}

/// What a normal form is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    TaskDefinition,
    Rule,
    Target,
}

impl Subject {
    fn tables(self) -> &'static Tables {
        match self {
            Self::TaskDefinition => &table::ECS,
            Self::Rule | Self::Target => &table::EVENTS,
        }
    }

    fn structure(self) -> &'static str {
        match self {
            Self::TaskDefinition => "TaskDefinition",
            Self::Rule => "Rule",
            Self::Target => "Target",
        }
    }

    fn normal(self, value: Value) -> Normal {
        let network = Network::of(&value);
        // Equal values are equal texts.
        let text = canonical_text(&self.tables().structure(self.structure(), value, network));
        Normal { subject: self, text: text.into() }
    }
}

/// A task definition in normal form: what was desired, or what Register or Describe answered.
pub fn task_definition(shape: &TaskDefinition) -> Normal {
    Subject::TaskDefinition.normal(json(shape))
}

/// A rule in normal form.
pub fn rule(shape: &events::Rule) -> Normal {
    Subject::Rule.normal(json(shape))
}

/// A target in normal form; an `Input` that is JSON is compared as JSON.
pub fn target(shape: &events::Target) -> Normal {
    Subject::Target.normal(json(shape))
}

impl Normal {
    /// The value, with keys sorted.
    pub fn value(&self) -> Value {
        // It was written by the same library.
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Digest of the value: equal exactly for equal normal forms.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }
}

/// Prints the value without what looks secret.
impl fmt::Debug for Normal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.subject.structure(), secrets::mask("", &self.value()))
    }
}

/// Shapes are texts, integers, truths, and lists and maps of these under text keys: nothing that JSON cannot say.
fn json(shape: &impl Serialize) -> Value {
    serde_json::to_value(shape).unwrap_or_default()
}

#[cfg(test)]
mod tests;
