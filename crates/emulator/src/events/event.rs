//! The event of a tick, and what a target's input makes of it (docs/aws.md, When a rule fires, and with what).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::delivery::Event;
use super::{rule_arn, text};

/// How the input of a target follows from the event.
#[derive(Debug)]
pub(super) enum Input {
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
    /// The input for one event, as JSON if the template is.
    pub(super) fn make(&self, event: &Event<'_>) -> String {
        match self {
            Self::Path(path) => at(event, path).map_or_else(|| "\"\"".to_owned(), |value| value.to_string()),
            Self::Template(template) => template.fill(event),
        }
    }
}

/// The members of a Scheduled Event.
const MEMBERS: [&str; 9] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"];

/// The whole Scheduled Event of a tick.
fn body(event: &Event<'_>) -> Value {
    MEMBERS.iter().filter_map(|name| Some(((*name).to_owned(), member(event, name)?))).collect()
}

/// One member of it.
fn member(event: &Event<'_>, name: &str) -> Option<Value> {
    let Event { place, rule, target: _, due: _, at } = event;
    let member = match name {
        "version" => json!("0"),
        "id" => json!(id(event)),
        "detail-type" => json!("Scheduled Event"),
        "source" => json!("aws.events"),
        "account" => json!(place.account),
        // When EventBridge made the event, some seconds after the minute that the schedule names.
        "time" => json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        "region" => json!(place.region),
        "resources" => json!([rule_arn(place, rule)]),
        "detail" => json!({}),
        _ => return None,
    };
    Some(member)
}

/// The event's id, which is the same for all targets of the rule.
fn id(event: &Event<'_>) -> String {
    let Event { place, rule, target: _, due, at: _ } = event;
    let digest = Sha256::digest(format!("event/{}/{}/{rule}/{}", place.account, place.region, due.as_millisecond()));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// What is at a path in the event: names between dots, numbers in brackets.
fn at(event: &Event<'_>, path: &str) -> Option<Value> {
    let mut steps = path.strip_prefix('$')?.split(['.', '[']).filter(|step| !step.is_empty());
    let Some(first) = steps.next() else { return Some(body(event)) };
    let value = member(event, first)?;
    let found = steps.try_fold(&value, |value, step| match step.strip_suffix(']') {
        Some(index) => value.get(index.parse::<usize>().ok()?),
        None => value.get(step),
    });
    found.cloned()
}

impl Template {
    /// Cuts a transformer that PutTargets has accepted.
    pub(super) fn of(transformer: &Value) -> Self {
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
            "aws.events.event.ingestion-time" => member(event, "time").unwrap_or_default(),
            "aws.events.event" | "aws.events.event.json" => body(event),
            _ => self.paths.get(name).and_then(|path| at(event, path)).unwrap_or_else(|| json!("")),
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
            && let Some(name) = super::template::placeholder(rest)
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
