//! The bounds of a service model, and the words in which AWS's front end reports what breaks them (docs/aws.md, On the wire).

use serde_json::Value;

use super::pattern::matches;
use super::{Bounds, Model, Shape, Words};

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
    walk(model, shape, value, &mut String::new(), &mut found);
    found
}

/// The message over a list of violations, as AWS words it.
pub(crate) fn message(violations: &[Violation]) -> String {
    let words: Vec<&str> = violations.iter().map(|violation| violation.words.as_str()).collect();
    let plural = if violations.len() == 1 { "error" } else { "errors" };
    format!("{} validation {plural} detected: {}", violations.len(), words.join("; "))
}

fn walk(model: &Model, shape: &str, value: &Value, path: &mut String, found: &mut Vec<Violation>) {
    let Some(shape) = model.shape(shape) else { return };
    match (shape, value) {
        (Shape::Structure(members), Value::Object(given)) => {
            for member in members {
                let length = extend(path, &lower_camel(member.name));
                match given.get(member.name) {
                    Some(value) => walk(model, member.shape, value, path, found),
                    None if member.required => found.push(broken("null", path, "Member must not be null")),
                    None => {}
                }
                path.truncate(length);
            }
        }
        (Shape::List { member, bounds }, Value::Array(items)) => {
            size(bounds, items.len(), "[...]", path, found);
            for (index, item) in items.iter().enumerate() {
                let length = extend(path, &format!("{}.member", index + 1));
                walk(model, member, item, path, found);
                path.truncate(length);
            }
        }
        (Shape::Map { key, value: target, bounds }, Value::Object(entries)) => {
            size(bounds, entries.len(), "{...}", path, found);
            for (name, item) in entries {
                let entry = name.clone();
                walk(model, key, &Value::String(entry), path, found);
                let length = extend(path, &format!("{name}.member"));
                walk(model, target, item, path, found);
                path.truncate(length);
            }
        }
        (Shape::String { bounds, words }, Value::String(text)) => {
            let value = format!("'{text}'");
            size(bounds, text.chars().count(), &value, path, found);
            match words {
                Words::Any => {}
                Words::OneOf(allowed) if allowed.contains(&text.as_str()) => {}
                Words::OneOf(allowed) => {
                    let rule = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
                    found.push(broken(&value, path, &rule));
                }
                Words::Pattern(pattern) if matches(pattern, text) => {}
                Words::Pattern(pattern) => {
                    let rule = format!("Member must satisfy regular expression pattern: {pattern}");
                    found.push(broken(&value, path, &rule));
                }
            }
        }
        (Shape::Integer { bounds }, Value::Number(number)) => {
            let (number, value) = (number.as_i64().unwrap_or_default(), format!("'{number}'"));
            if let Some(min) = bounds.min.filter(|min| number < *min) {
                let rule = format!("Member must have value greater than or equal to {min}");
                found.push(broken(&value, path, &rule));
            }
            if let Some(max) = bounds.max.filter(|max| number > *max) {
                found.push(broken(&value, path, &format!("Member must have value less than or equal to {max}")));
            }
        }
        // The cast before has refused every other pairing.
        _ => {}
    }
}

fn size(bounds: &Bounds, length: usize, value: &str, path: &str, found: &mut Vec<Violation>) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let value = if value.starts_with('\'') { value.to_owned() } else { format!("'{value}'") };
    if let Some(min) = bounds.min.filter(|min| length < *min) {
        found.push(broken(&value, path, &format!("Member must have length greater than or equal to {min}")));
    }
    if let Some(max) = bounds.max.filter(|max| length > *max) {
        found.push(broken(&value, path, &format!("Member must have length less than or equal to {max}")));
    }
}

/// The violation of `rule` by the member at `path`, with its value as AWS shows it.
pub(crate) fn broken(value: &str, path: &str, rule: &str) -> Violation {
    let words = format!("Value {value} at '{path}' failed to satisfy constraint: {rule}");
    Violation { missing: value == "null" && !path.contains('.'), words }
}

/// Appends a step to the path and tells how long it was before.
fn extend(path: &mut String, step: &str) -> usize {
    let length = path.len();
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(step);
    length
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
