//! JSON as block YAML that a person would like to read, and that [`super::read`] reads back to the same value.

use serde_json::Value as Json;

use super::node::Value;
use super::scalar;

/// Writes a JSON value as a block of YAML, ending with a line break.
pub fn emit(value: &Json) -> String {
    let mut out = String::new();
    match value {
        Json::Object(map) if !map.is_empty() => mapping(&mut out, map, 0, false),
        Json::Array(items) if !items.is_empty() => sequence(&mut out, items, 0),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
    out
}

fn mapping(out: &mut String, map: &serde_json::Map<String, Json>, depth: usize, after_dash: bool) {
    // A name first, as a person writes it; the rest in the map's order.
    let is_name = |entry: &(&String, &Json)| entry.0 == "name";
    let entries = map.iter().filter(is_name).chain(map.iter().filter(|entry| !is_name(entry)));
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 || !after_dash {
            indent(out, depth);
        }
        out.push_str(&text(key));
        out.push(':');
        match value {
            Json::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                mapping(out, inner, depth + 1, false);
            }
            Json::Array(items) if !items.is_empty() => {
                out.push('\n');
                sequence(out, items, depth + 1);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                out.push(' ');
                out.push_str(&inline(value));
                out.push('\n');
            }
        }
    }
}

fn sequence(out: &mut String, items: &[Json], depth: usize) {
    for item in items {
        indent(out, depth);
        out.push_str("- ");
        match item {
            Json::Object(inner) if !inner.is_empty() => mapping(out, inner, depth + 1, true),
            // A list in a list is rare enough to be written as JSON, which YAML contains.
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                out.push_str(&inline(item));
                out.push('\n');
            }
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn inline(value: &Json) -> String {
    match value {
        Json::String(value) => text(value),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

/// Text as it is where nobody can mistake it, else in double quotes, whose escapes YAML shares with JSON.
fn text(value: &str) -> String {
    let plain_start = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let plain =
        value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | ':' | '@' | '+'));
    let colon_last = value.ends_with(':');
    // Other readers of the output may still speak YAML 1.1.
    let word = value.to_ascii_lowercase();
    let old_boolean = matches!(word.as_str(), "y" | "n" | "yes" | "no" | "on" | "off");
    if plain_start && plain && !colon_last && !old_boolean && matches!(scalar::resolve(value), Value::String(_)) {
        return value.to_owned();
    }
    let mut quoted = Json::String(value.to_owned()).to_string();
    // JSON leaves these as they are; YAML would fold or refuse them.
    for c in ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'] {
        if quoted.contains(c) {
            quoted = quoted.replace(c, &format!("\\u{:04x}", u32::from(c)));
        }
    }
    quoted
}
