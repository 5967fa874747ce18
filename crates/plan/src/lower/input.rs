//! What a target passes to the run: the overrides as plain JSON, or as a template where they name what only the run knows.

use std::collections::BTreeMap;

use ecs_etl_spec::shapes::TaskOverride;
use ecs_etl_spec::shapes::events::{InputTransformer, Target};
use ecs_etl_spec::variables::{self, Form, RunVariable, run_variable};
use serde_json::Value;

/// Sets what `target` passes on: nothing, an `Input`, or an `InputTransformer`, which exclude each other.
pub(super) fn set(target: &mut Target, overrides: Option<&TaskOverride>) {
    let Some(overrides) = overrides.filter(|overrides| **overrides != TaskOverride::default()) else { return };
    let value = serde_json::to_value(overrides).unwrap_or_default();
    let mut slots = Slots::default();
    slots.collect(&value);
    if slots.0.is_empty() {
        target.input = Some(slots.write(&value));
    } else {
        target.input_transformer =
            Some(InputTransformer { input_template: Some(slots.write(&value)), input_paths_map: Some(slots.paths()) });
    }
}

/// Sets what the target of a schedule of EventBridge Scheduler passes on: an `Input` with Scheduler's own attributes in it
/// (docs/aws.md, Scheduler). What only another run or an event could say is an empty text, as on a rule.
pub(super) fn set_scheduled(target: &mut Target, overrides: Option<&TaskOverride>) {
    let Some(overrides) = overrides.filter(|overrides| **overrides != TaskOverride::default()) else { return };
    target.input = Some(scheduled(&serde_json::to_value(overrides).unwrap_or_default()));
}

fn scheduled(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let pieces = variables::pieces(text);
            let pieces = pieces.into_iter().map(|piece| match piece {
                variables::Piece::Text(literal) => scheduled_literal(literal),
                variables::Piece::Escape => "${".to_owned(),
                variables::Piece::Variable(variables::SCHEDULED_TIME) => "<aws.scheduler.scheduled-time>".to_owned(),
                variables::Piece::Variable(name) if run_variable(name).is_some() => String::new(),
                variables::Piece::Variable(name) => scheduled_literal(&format!("${{{name}}}")),
            });
            format!("\"{}\"", pieces.collect::<String>())
        }
        Value::Array(items) => format!("[{}]", items.iter().map(scheduled).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}:{}", quoted(key), scheduled(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The inside of a JSON text in which nothing looks like an attribute of Scheduler's.
fn scheduled_literal(text: &str) -> String {
    let escaped = quoted(text);
    escaped.get(1..escaped.len() - 1).unwrap_or_default().replace("<aws.", "\\u003caws.")
}

/// The placeholders of a template, by the path of the value that each stands for.
#[derive(Default)]
struct Slots(BTreeMap<String, String>);

impl Slots {
    /// Gives every variable below `value` a placeholder.
    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                for name in variables::names(text) {
                    if let Some(RunVariable { path, .. }) = run_variable(name) {
                        self.add(name, path);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(members) => members.values().for_each(|member| self.collect(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A placeholder has letters, digits, `_` and `-` (docs/aws.md, When a rule fires, and with what).
    fn add(&mut self, name: &str, path: String) {
        if self.0.contains_key(&path) {
            return;
        }
        let name = name.strip_suffix(":number").unwrap_or(name);
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let base: String = name.chars().map(plain).collect();
        let mut placeholder = base.clone();
        let mut count = 2;
        while self.0.values().any(|taken| *taken == placeholder) {
            placeholder = format!("{base}_{count}");
            count += 1;
        }
        self.0.insert(path, placeholder);
    }

    fn paths(self) -> BTreeMap<String, String> {
        self.0.into_iter().map(|(path, placeholder)| (placeholder, path)).collect()
    }

    fn write(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.write(item)).collect();
                format!("[{}]", items.join(","))
            }
            Value::Object(members) => {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("{}:{}", quoted(key), self.write(value))).collect();
                format!("{{{}}}", members.join(","))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        }
    }

    fn text(&self, text: &str) -> String {
        let pieces = variables::pieces(text);
        if let [variables::Piece::Text(""), variables::Piece::Variable(name), variables::Piece::Text("")] =
            pieces.as_slice()
            && let Some((placeholder, Form::Free)) = self.slot(name)
        {
            // A value of its own: EventBridge puts the quotes around it and escapes what is in it.
            return format!("<{placeholder}>");
        }
        let mut json = String::from("\"");
        for piece in pieces {
            match piece {
                variables::Piece::Text(literal) => json.push_str(&self.literal(literal)),
                variables::Piece::Escape => json.push_str("${"),
                variables::Piece::Variable(name) => match self.slot(name) {
                    Some((placeholder, _)) => json.push_str(&format!("<{placeholder}>")),
                    None => json.push_str(&self.literal(&format!("${{{name}}}"))),
                },
            }
        }
        json.push('"');
        json
    }

    fn slot(&self, name: &str) -> Option<(&str, Form)> {
        let RunVariable { path, form, .. } = run_variable(name)?;
        Some((self.0.get(&path)?, form))
    }

    /// The inside of a JSON text. In a template a `<` would open a placeholder; JSON can write it without the character.
    fn literal(&self, text: &str) -> String {
        let escaped = quoted(text);
        let inner = escaped.get(1..escaped.len() - 1).unwrap_or_default();
        if self.0.is_empty() { inner.to_owned() } else { inner.replace('<', "\\u003c").replace('>', "\\u003e") }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
