//! What the service model alone says of every member: whether it is required, its limits, and its known values.

use serde::Serialize;
use serde_json::Value;

use super::problem::Problems;
use crate::shapes::members::{self, Kind, Member};
use crate::yaml::shown;

/// Checks `shape`, a `structure` of the ECS model, member by member.
pub(super) fn check(problems: &mut Problems, structure: &str, shape: &impl Serialize) {
    // A shape is made of maps with text keys, lists and scalars, none of which JSON refuses.
    if let Ok(value) = serde_json::to_value(shape) {
        check_structure(problems, structure, &value, &mut String::new());
    }
}

/// `path` is longer while a value within is looked at, and as it was afterwards.
fn check_structure(problems: &mut Problems, structure: &str, value: &Value, path: &mut String) {
    let length = path.len();
    for member in members::of(structure) {
        match value.get(member.member) {
            Some(value) => {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(member.member);
                check_limits(problems, member, value, path);
                check_value(problems, member, member.kind, value, path);
                path.truncate(length);
            }
            None if member.required => {
                let field = member.member;
                problems.error(path.as_str(), format!("missing field `{field}`"));
            }
            None => {}
        }
    }
}

fn check_value(problems: &mut Problems, member: &Member, kind: Kind, value: &Value, path: &mut String) {
    let length = path.len();
    match (kind, value) {
        (Kind::Structure(name), value) => check_structure(problems, name, value, path),
        (Kind::List(inner), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                check_value(problems, member, *inner, item, path);
                path.truncate(length);
            }
        }
        (Kind::Map(inner), Value::Object(entries)) => {
            for (key, entry) in entries {
                path.push('.');
                path.push_str(key);
                check_value(problems, member, *inner, entry, path);
                path.truncate(length);
            }
        }
        (Kind::String, Value::String(text)) if !member.values.is_empty() => check_text(problems, member, text, path),
        (Kind::String | Kind::Integer | Kind::Boolean | Kind::List(_) | Kind::Map(_), _) => {}
    }
}

/// AWS adds values over time: one that looks like a slip of a known one is an error, any other a warning.
fn check_text(problems: &mut Problems, member: &Member, text: &str, path: &str) {
    if member.values.contains(&text) || text.contains("${") {
        return;
    }
    let near = member.values.iter().find(|known| is_slip(text, known));
    let message = format!("`{}` is not a known {}", shown(text), member.member);
    match near {
        Some(near) => problems.error(path, message).help(format!("did you mean `{near}`?")),
        None => problems.warning(path, message).help(format!("AWS knows {}", listed(member.values))),
    }
}

fn is_slip(text: &str, known: &str) -> bool {
    let (text, known) = (text.to_ascii_lowercase().replace('_', "-"), known.to_ascii_lowercase().replace('_', "-"));
    text.len() <= 100 && strsim::osa_distance(&text, &known) <= (known.len() / 4).min(2)
}

fn listed(values: &[&str]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

fn check_limits(problems: &mut Problems, member: &Member, value: &Value, path: &str) {
    let (size, what) = match value {
        Value::Number(number) => (number.as_i64(), ""),
        Value::String(text) => (i64::try_from(text.chars().count()).ok(), " characters"),
        Value::Array(items) => (i64::try_from(items.len()).ok(), " entries"),
        Value::Object(entries) => (i64::try_from(entries.len()).ok(), " entries"),
        Value::Null | Value::Bool(_) => (None, ""),
    };
    let Some(size) = size else { return };
    if let Some(min) = member.min.filter(|min| size < *min) {
        problems.error(path, format!("{size}{what}; AWS takes at least {min}"));
    }
    if let Some(max) = member.max.filter(|max| size > *max) {
        problems.error(path, format!("{size}{what}; AWS takes at most {max}"));
    }
}
