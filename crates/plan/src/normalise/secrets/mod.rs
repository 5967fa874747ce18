//! What looks secret is not shown: in environments, options, command lines and overrides.
//!
//! Masking errs on the side of hiding. A `valueFrom` names a secret without being one, and is shown.

mod text;

use serde_json::{Map, Value};

use super::template;
pub use text::mask_text;
use text::{is_secret_flag, secret_text};

/// What is shown in place of a secret.
pub const MASK: &str = "******";

/// Parts of a name, in lower case, that promise a secret.
const WORDS: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "_pwd",
    "token",
    "key",
    "credential",
    "private",
    "connection_string",
];

/// Members that map names which users choose to values which users choose.
const MAPS: &[&str] = &["options", "driverOpts", "dockerLabels", "labels"];

/// Members that hold a command line.
const COMMANDS: &[&str] = &["command", "entryPoint"];

/// Members that point to a secret.
const POINTERS: &[&str] = &["valueFrom", "credentialsParameter"];

/// Whether the value of an environment variable or option should not be shown.
pub fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (secret_name(name) || secret_text(value))
}

fn secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Masks what looks secret in a value that stands at `path` of a task definition, a target or a run.
pub fn mask(path: &str, value: &Value) -> Value {
    let (parent, member) = path.rsplit_once('.').unwrap_or(("", path));
    let named = |entry: &str| entry.strip_suffix(']').and_then(|e| e.rsplit_once('[')).map(|(_, name)| name.to_owned());
    match value {
        Value::String(text) => {
            // `environment[NAME].value`, or an entry of a map such as `options[name]`: a name may hold dots itself.
            let name = if member.eq_ignore_ascii_case("value") { named(parent) } else { named(path) };
            match name {
                Some(name) if is_secret(&name, text) => MASK.into(),
                Some(_) | None if POINTERS.contains(&member) => value.clone(),
                Some(_) | None => mask_text(text).into(),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => inside(member, value),
    }
}

/// Masks within the value of `member`.
fn inside(member: &str, value: &Value) -> Value {
    match value {
        Value::Object(object) => structure(member, object),
        Value::Array(entries) if COMMANDS.contains(&member) => arguments(entries),
        Value::Array(entries) => entries.iter().map(|entry| inside(member, entry)).collect(),
        Value::String(text) if !POINTERS.contains(&member) => mask_text(text).into(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn structure(member: &str, object: &Map<String, Value>) -> Value {
    let named = ["name", "Key"].iter().find_map(|key| object.get(*key)?.as_str());
    let entry = |(key, value): (&String, &Value)| {
        let name = match (key.as_str(), named) {
            ("value" | "Value", Some(name)) => Some(name),
            _ if MAPS.contains(&member) => Some(key.as_str()),
            _ => None,
        };
        let secret = match (name, value.as_str()) {
            (Some(name), Some(text)) => is_secret(name, text),
            _ => false,
        };
        (key.clone(), if secret { MASK.into() } else { inside(key, value) })
    };
    Value::Object(object.iter().map(entry).collect())
}

/// A command line: `--password` hides the argument after it.
fn arguments(entries: &[Value]) -> Value {
    let mut after_flag = false;
    let argument = |entry: &Value| {
        let Some(text) = entry.as_str() else { return entry.clone() };
        let hidden = after_flag && !text.starts_with("--") && !text.is_empty();
        after_flag = is_secret_flag(text);
        if hidden { MASK.into() } else { mask_text(text).into() }
    };
    entries.iter().map(argument).collect()
}

/// JSON in a text, such as the input of a target; none if the text is something else or hides nothing.
fn mask_json(text: &str) -> Option<String> {
    let parsed = template::parse(text).filter(|parsed| parsed.is_object() || parsed.is_array())?;
    let masked = by_key(inside("", &parsed));
    (masked != parsed).then(|| masked.to_string())
}

/// JSON of anybody's making: a text under a key that promises a secret is one.
fn by_key(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let entry = |(key, value): (String, Value)| {
                let secret = value.as_str().is_some_and(|text| is_secret(&key, text));
                let masked = if secret && !POINTERS.contains(&key.as_str()) { MASK.into() } else { by_key(value) };
                (key, masked)
            };
            Value::Object(object.into_iter().map(entry).collect())
        }
        Value::Array(entries) => entries.into_iter().map(by_key).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests;
