//! What a target passes to the run: the overrides as plain JSON, or as a template where they name the run's time.

use std::collections::BTreeMap;

use ecs_etl_spec::shapes::TaskOverride;
use ecs_etl_spec::shapes::events::{InputTransformer, Target};
use serde_json::Value;

const SCHEDULED_TIME: &str = "${scheduledTime}";
const PLACEHOLDER: &str = "scheduledTime";

/// Sets what `target` passes on: nothing, an `Input`, or an `InputTransformer`, which exclude each other.
pub(super) fn set(target: &mut Target, overrides: Option<&TaskOverride>) {
    let Some(overrides) = overrides.filter(|overrides| **overrides != TaskOverride::default()) else { return };
    let value = serde_json::to_value(overrides).unwrap_or_default();
    if mentions_time(&value) {
        let path = (PLACEHOLDER.to_owned(), "$.time".to_owned());
        target.input_transformer = Some(InputTransformer {
            input_paths_map: Some(BTreeMap::from([path])),
            input_template: Some(write(&value, Form::Template)),
        });
    } else {
        target.input = Some(write(&value, Form::Plain));
    }
}

/// A piece of an override's text.
enum Piece<'a> {
    Literal(&'a str),
    Time,
}

/// Cuts a text at `${scheduledTime}`; `$${` stands for a literal `${`. Other `${…}` the manifest's checks have refused.
fn pieces(mut text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(at) = text.find('$') {
        let (before, rest) = text.split_at(at);
        pieces.push(Piece::Literal(before));
        if let Some(after) = rest.strip_prefix("$${") {
            pieces.push(Piece::Literal("${"));
            text = after;
        } else if let Some(after) = rest.strip_prefix(SCHEDULED_TIME) {
            pieces.push(Piece::Time);
            text = after;
        } else {
            pieces.push(Piece::Literal("$"));
            text = rest.get(1..).unwrap_or_default();
        }
    }
    pieces.push(Piece::Literal(text));
    pieces
}

fn mentions_time(value: &Value) -> bool {
    match value {
        Value::String(text) => pieces(text).iter().any(|piece| matches!(piece, Piece::Time)),
        Value::Array(items) => items.iter().any(mentions_time),
        Value::Object(members) => members.values().any(mentions_time),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Template,
}

fn write(value: &Value, form: Form) -> String {
    match value {
        Value::String(text) => string(text, form),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| write(item, form)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}:{}", quoted(key), write(value, form))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn string(text: &str, form: Form) -> String {
    let mut json = String::from("\"");
    for piece in pieces(text) {
        match piece {
            // A time has nothing to escape, so its slot may stand inside a longer text.
            Piece::Time => json.push_str(&format!("<{PLACEHOLDER}>")),
            Piece::Literal(literal) => {
                let escaped = quoted(literal);
                let inner = escaped.get(1..escaped.len() - 1).unwrap_or_default();
                match form {
                    Form::Plain => json.push_str(inner),
                    // A literal `<` would open a placeholder; JSON can write it without the character.
                    Form::Template => json.push_str(&inner.replace('<', "\\u003c").replace('>', "\\u003e")),
                }
            }
        }
    }
    json.push('"');
    json
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
