//! Where two answers differ.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::canonical::Outcome;

/// Members that name an entry of a list: entries are compared with those of the same name.
const NAMES: &[&str] = &[
    "name",
    "Name",
    "Id",
    "TargetId",
    "key",
    "Key",
    "taskArn",
    "taskDefinitionArn",
    "clusterArn",
    "ResourceARN",
    "arn",
    "containerPort",
];

/// One difference between what our emulator and another server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// JSON pointer into the answer, with `*` for every entry of a list; empty when only one of the two was refused, or
    /// with another code.
    pub path: String,
    /// What the emulator says there; null when nothing.
    pub ours: Value,
    /// What the other says there.
    pub theirs: Value,
    /// The emulator's words, if it refused.
    pub says: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the answer" } else { &self.path };
        write!(f, "{path}: ours {}, theirs {}", self.ours, self.theirs)?;
        if self.says.is_empty() { Ok(()) } else { write!(f, " (ours says: {})", self.says) }
    }
}

/// All differences; entries of lists that speak of what is `spoiled` are left out.
pub fn compare(ours: &Outcome, theirs: &Outcome, spoiled: &BTreeSet<&str>) -> Vec<Difference> {
    let mut found = Vec::new();
    match (ours, theirs) {
        (Outcome::Answered(ours), Outcome::Answered(theirs)) => {
            let (ours, theirs) = (without(ours, spoiled), without(theirs, spoiled));
            values(String::new(), Some(&ours), Some(&theirs), &mut found);
        }
        (ours, theirs) if code(ours) == code(theirs) => {}
        (ours, theirs) => {
            let says = match ours {
                Outcome::Refused { message, .. } => message.clone(),
                Outcome::Answered(_) => String::new(),
            };
            found.push(Difference { path: String::new(), ours: code(ours), theirs: code(theirs), says });
        }
    }
    found
}

fn code(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Answered(_) => "answered".into(),
        Outcome::Refused { code, .. } => serde_json::json!({"refused": code}),
    }
}

/// The value without entries of lists that speak of what is spoiled, by its name between other marks.
fn without(value: &Value, spoiled: &BTreeSet<&str>) -> Value {
    let speaks = |item: &Value| {
        let text = item.to_string();
        let mut words = text.split(|mark: char| !mark.is_ascii_alphanumeric() && !"-._".contains(mark));
        words.any(|word| spoiled.contains(word))
    };
    match value {
        Value::Array(items) => items.iter().filter(|item| !speaks(item)).map(|item| without(item, spoiled)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), without(value, spoiled))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn values(path: String, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<Difference>) {
    match (ours, theirs) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                values(format!("{path}/{name}"), left.get(name), right.get(name), found);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => lists(&path, left, right, found),
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => found.push(Difference {
            path,
            ours: ours.cloned().unwrap_or_default(),
            theirs: theirs.cloned().unwrap_or_default(),
            says: String::new(),
        }),
    }
}

fn lists(path: &str, left: &[Value], right: &[Value], found: &mut Vec<Difference>) {
    let path = format!("{path}/*");
    let mut rest: Vec<&Value> = right.iter().collect();
    let mut unmatched = Vec::new();
    for item in left {
        match rest.iter().position(|other| *other == item) {
            Some(at) => drop(rest.remove(at)),
            None => unmatched.push(item),
        }
    }
    if unmatched.is_empty() && rest.is_empty() && left != right {
        let (ours, theirs) = (Value::from(left.to_vec()), Value::from(right.to_vec()));
        found.push(Difference { path: format!("{path}/order"), ours, theirs, says: String::new() });
    }
    for item in unmatched {
        let same = name(item).and_then(|wanted| rest.iter().position(|other| name(other) == Some(wanted)));
        let other = same.map(|at| rest.remove(at));
        values(path.clone(), Some(item), other, found);
    }
    for item in rest {
        values(path.clone(), None, Some(item), found);
    }
}

/// The name of an entry.
fn name(item: &Value) -> Option<&Value> {
    NAMES.iter().find_map(|member| item.get(member))
}
