//! What a target's input makes of an event (docs/aws.md, When a rule fires, and with what).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::event::{Event, to_the_second};
use super::{rule_arn, template, text};

/// How the input of a target follows from the event.
#[derive(Debug)]
pub(super) enum Input {
    /// It is the event.
    Whole,
    /// It is this, whatever the event.
    Fixed(String),
    /// A part of it.
    Path(String),
    /// A text with parts of it.
    Template(Template),
}

/// An input transformer, cut into its pieces.
#[derive(Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    paths: BTreeMap<String, String>,
}

/// A stretch of a template.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A placeholder, and whether it stands inside a JSON text.
    Place {
        name: String,
        quoted: bool,
    },
}

impl Input {
    /// Reads how a target was put.
    pub(super) fn of(target: &Value) -> Self {
        match (text(target, "InputPath"), target.get("InputTransformer"), text(target, "Input")) {
            (_, Some(transformer), _) => Self::Template(Template::of(transformer)),
            (Some(path), None, _) => Self::Path(path.to_owned()),
            (None, None, Some(input)) if !input.is_empty() => Self::Fixed(input.to_owned()),
            (None, None, _) => Self::Whole,
        }
    }

    /// The input for one event, as JSON if the template is.
    pub(super) fn make(&self, event: &Event<'_>) -> String {
        match self {
            Self::Whole => event.body().to_string(),
            Self::Fixed(input) => input.clone(),
            Self::Path(path) => event.at_path(path).map_or_else(|| "\"\"".to_owned(), |value| value.to_string()),
            Self::Template(template) => template.fill(event),
        }
    }
}

impl Template {
    /// Cuts a transformer that PutTargets has accepted.
    fn of(transformer: &Value) -> Self {
        let paths = transformer.get("InputPathsMap").and_then(Value::as_object);
        let paths = paths.into_iter().flatten();
        Self {
            pieces: pieces(text(transformer, "InputTemplate").unwrap_or_default()),
            paths: paths.filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned()))).collect(),
        }
    }

    fn fill(&self, event: &Event<'_>) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Place { name, quoted } => match (self.value(name, event), quoted) {
                    // Inside a text, texts are put in as they are: nothing is escaped.
                    (Value::String(text), true) => filled.push_str(&text),
                    (value, true | false) => filled.push_str(&value.to_string()),
                },
            }
        }
        filled
    }

    /// What a placeholder stands for; a path that leads nowhere gives an empty text.
    fn value(&self, name: &str, event: &Event<'_>) -> Value {
        match name {
            "aws.events.rule-arn" => json!(rule_arn(event.place, event.rule)),
            "aws.events.rule-name" => json!(event.rule),
            "aws.events.event.ingestion-time" => json!(to_the_second(event.at)),
            "aws.events.event" | "aws.events.event.json" => event.body(),
            _ => self.paths.get(name).and_then(|path| event.at_path(path)).unwrap_or_else(|| json!("")),
        }
    }
}

/// A template as text and placeholders; a bracket that opens no name is text.
fn pieces(template: &str) -> Vec<Piece> {
    let (mut pieces, mut text) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(letter) = rest.chars().next() {
        if letter == '<'
            && let Some(name) = template::placeholder(rest)
        {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Place { name: name.to_owned(), quoted });
            rest = rest.get(name.len() + 2..).unwrap_or_default();
            continue;
        }
        (quoted, escaped) = match letter {
            _ if escaped => (quoted, false),
            '\\' => (quoted, true),
            '"' => (!quoted, false),
            _ => (quoted, false),
        };
        text.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    pieces.push(Piece::Text(text));
    pieces
}
