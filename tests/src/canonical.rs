//! The form in which answers of two servers are compared: what cannot be equal is masked, what has no order is sorted.

use serde_json::{Map, Value};

use crate::raw::ApiError;

/// Members whose values are the server's own: times, people, tokens, and phases that pass with the time.
const MASKED: &[&str] = &[
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
    "createdAt",
    "startedAt",
    "stoppingAt",
    "stoppedAt",
    "connectivityAt",
    "pullStartedAt",
    "pullStoppedAt",
    "executionStoppedAt",
    "NextToken",
    "nextToken",
    "PaginationToken",
    "ErrorMessage",
    "reason",
    "CreatedBy",
    "CreationDate",
    "LastModificationDate",
    "containerArn",
];

/// Members that say nothing about what was asked: they change with the time, or AWS computes them from what it can do
/// today.
const DROPPED: &[&str] = &[
    "requiresAttributes",
    "compatibilities",
    "lastStatus",
    "healthStatus",
    "connectivity",
    "runningTasksCount",
    "pendingTasksCount",
];

/// Members that AWS gives back empty at times and leaves out at others (docs/aws.md, Empty and absent); an empty token
/// is none.
const EMPTY_AT_TIMES: &[&str] = &["host", "secretOptions", "tags", "NextToken", "nextToken", "PaginationToken"];

/// Lists whose order says something (docs/aws.md, Normalisation and Revision lifecycle).
const ORDERED: &[&str] = &[
    "command",
    "entryPoint",
    "environmentFiles",
    "dnsServers",
    "dnsSearchDomains",
    "extraHosts",
    "mountOptions",
    "placementStrategy",
    "PlacementStrategy",
    "taskDefinitionArns",
];

/// What a call came to, in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Answered(Value),
    /// It was refused; the wording is kept for a person and not compared.
    Refused {
        /// AWS's code.
        code: String,
        /// The words.
        message: String,
    },
}

impl Outcome {
    /// The canonical form of an answer.
    ///
    /// `known` are ids that the server made up, each with the name that stands for it; all others become `*`.
    pub fn of(answer: Result<Value, ApiError>, known: &[(String, String)]) -> Self {
        match answer {
            Ok(value) => Self::Answered(canonical("", &value, known)),
            Err(ApiError { code, message }) => Self::Refused { code, message },
        }
    }
}

fn canonical(name: &str, value: &Value, known: &[(String, String)]) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, value)| !value.is_null() && !DROPPED.contains(&name.as_str()))
                .filter(|(name, value)| !is_empty(value) || !EMPTY_AT_TIMES.contains(&name.as_str()))
                .map(|(name, value)| match MASKED.contains(&name.as_str()) {
                    true => (name.clone(), "*".into()),
                    false => (name.clone(), canonical(name, value, known)),
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| canonical(name, item, known)).collect();
            if !ORDERED.contains(&name) {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::String(text) => Value::String(without_ids(text, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A text with the ids in it masked: 32 hexadecimal digits, or a UUID.
fn without_ids(text: &str, known: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (id, name) in known {
        text = text.replace(id.as_str(), name);
    }
    let parts = text.split('/').map(|part| {
        let digits = part.chars().filter(|digit| *digit != '-').count();
        let is_id = digits == 32 && part.chars().all(|digit| digit == '-' || digit.is_ascii_hexdigit());
        if is_id { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}
