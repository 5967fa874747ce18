//! The bounds of a service model, and the words in which AWS's front end reports what breaks them (docs/aws.md, On the wire).

use std::fmt;

use serde_json::Value;

use super::pattern::matches;
use super::{Bounds, Index, Model, Shape, Words};

/// A constraint that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Whether it is a member of the request itself that is missing.
    pub missing: bool,
    words: String,
}

/// Every constraint that `value`, once cast, breaks; in the order of the model.
pub(crate) fn violations(model: &Model, shape: &str, value: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    walk(model, model.index(shape), value, &Path::Input, &mut found);
    found
}

/// Where a value is in the input; put into words only when there is something to say of it.
#[derive(Clone, Copy)]
enum Path<'a> {
    Input,
    Member(&'a Path<'a>, &'a str),
    Entry(&'a Path<'a>, usize),
    Value(&'a Path<'a>, &'a str),
}

impl fmt::Display for Path<'_> {
    /// As AWS writes it: `targets.1.member.arn`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |path: &Self, f: &mut fmt::Formatter<'_>| match path {
            Self::Input => Ok(()),
            Self::Member(..) | Self::Entry(..) | Self::Value(..) => write!(f, "{path}."),
        };
        match self {
            Self::Input => Ok(()),
            Self::Member(of, name) => {
                within(of, f)?;
                f.write_str(&lower_camel(name))
            }
            Self::Entry(of, index) => {
                within(of, f)?;
                write!(f, "{}.member", index + 1)
            }
            Self::Value(of, key) => {
                within(of, f)?;
                write!(f, "{key}.member")
            }
        }
    }
}

/// The message over a list of violations, as AWS words it.
pub(crate) fn message(violations: &[Violation]) -> String {
    let words: Vec<&str> = violations.iter().map(|violation| violation.words.as_str()).collect();
    let plural = if violations.len() == 1 { "error" } else { "errors" };
    format!("{} validation {plural} detected: {}", violations.len(), words.join("; "))
}

fn walk(model: &Model, shape: Index, value: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let Some(shape) = model.shape(shape) else { return };
    match (shape, value) {
        (Shape::Structure(members), Value::Object(given)) => {
            for member in members.given_or_required(given) {
                let path = Path::Member(path, member.name);
                match given.get(member.name) {
                    Some(value) => walk(model, member.shape, value, &path, found),
                    None => found.push(broken("null", &path.to_string(), "Member must not be null")),
                }
            }
        }
        (Shape::List { member, bounds }, Value::Array(items)) => {
            size(bounds, items.len(), || "'[...]'".to_owned(), path, found);
            for (index, item) in items.iter().enumerate() {
                walk(model, *member, item, &Path::Entry(path, index), found);
            }
        }
        (Shape::Map { key, value: target, bounds }, Value::Object(entries)) => {
            size(bounds, entries.len(), || "'{...}'".to_owned(), path, found);
            for (name, item) in entries {
                walk(model, *key, &Value::String(name.clone()), path, found);
                walk(model, *target, item, &Path::Value(path, name), found);
            }
        }
        (Shape::String { bounds, words }, Value::String(text)) => {
            let value = || format!("'{text}'");
            size(bounds, text.chars().count(), value, path, found);
            match words {
                Words::Any => {}
                Words::OneOf(allowed) if allowed.contains(&text.as_str()) => {}
                Words::OneOf(allowed) => {
                    let rule = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
                    found.push(broken(&value(), &path.to_string(), &rule));
                }
                Words::Pattern(pattern) if matches(pattern, text) => {}
                Words::Pattern(pattern) => {
                    let rule = format!("Member must satisfy regular expression pattern: {pattern}");
                    found.push(broken(&value(), &path.to_string(), &rule));
                }
            }
        }
        (Shape::Integer { bounds }, Value::Number(number)) => {
            let (number, value) = (number.as_i64().unwrap_or_default(), || format!("'{number}'"));
            if let Some(min) = bounds.min.filter(|min| number < *min) {
                let rule = format!("Member must have value greater than or equal to {min}");
                found.push(broken(&value(), &path.to_string(), &rule));
            }
            if let Some(max) = bounds.max.filter(|max| number > *max) {
                let rule = format!("Member must have value less than or equal to {max}");
                found.push(broken(&value(), &path.to_string(), &rule));
            }
        }
        // The cast before has refused every other pairing.
        _ => {}
    }
}

fn size(bounds: &Bounds, length: usize, value: impl Fn() -> String, path: &Path<'_>, found: &mut Vec<Violation>) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if let Some(min) = bounds.min.filter(|min| length < *min) {
        let rule = format!("Member must have length greater than or equal to {min}");
        found.push(broken(&value(), &path.to_string(), &rule));
    }
    if let Some(max) = bounds.max.filter(|max| length > *max) {
        let rule = format!("Member must have length less than or equal to {max}");
        found.push(broken(&value(), &path.to_string(), &rule));
    }
}

/// The violation of `rule` by the member at `path`, with its value as AWS shows it.
pub(crate) fn broken(value: &str, path: &str, rule: &str) -> Violation {
    let words = format!("Value {value} at '{path}' failed to satisfy constraint: {rule}");
    Violation { missing: value == "null" && !path.contains('.'), words }
}

/// AWS reports `Targets` as `targets`.
fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Service;

    fn check(shape: &str, body: Value, expected: &[&str]) {
        let found = violations(Model::of(Service::Events).unwrap(), shape, &body);
        let words: Vec<&str> = found.iter().map(|violation| violation.words.as_str()).collect();
        assert_eq!(words, expected, "{body}");
    }

    #[test]
    fn broken_bounds_are_reported_in_the_words_of_aws() {
        check("PutRuleRequest", json!({"Name": "etl-daily.a_b"}), &[]);
        check(
            "PutRuleRequest",
            json!({}),
            &["Value null at 'name' failed to satisfy constraint: Member must not be null"],
        );
        check(
            "PutRuleRequest",
            json!({"Name": "a b"}),
            &[
                "Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
            ],
        );
        check(
            "ListRulesRequest",
            json!({"Limit": 101}),
            &["Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"],
        );
        check(
            "PutTargetsRequest",
            json!({"Rule": "r", "Targets": [{"Id": "1", "Arn": "a", "EcsParameters": {"TaskDefinitionArn": "t", "LaunchType": "LAMBDA"}}]}),
            &[
                "Value 'LAMBDA' at 'targets.1.member.ecsParameters.launchType' failed to satisfy constraint: Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL]",
            ],
        );
        check(
            "PutTargetsRequest",
            json!({"Rule": "r", "Targets": []}),
            &[
                "Value '[...]' at 'targets' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ],
        );
    }

    #[test]
    fn several_broken_bounds_make_one_message() {
        let violation = |words: &str| Violation { missing: false, words: words.to_owned() };
        assert_eq!(message(&[violation("a")]), "1 validation error detected: a");
        assert_eq!(message(&[violation("a"), violation("b")]), "2 validation errors detected: a; b");
    }
}
