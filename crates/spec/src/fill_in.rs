//! Markers of an import: `FILL_IN(what)` stands where only a person knows the value.
//!
//! A marker is plain text in every style of YAML and JSON, so it can stand where a template stood, also in the middle of a
//! text. No document with one is valid, and the error says where it is and what is wanted.

use crate::finding::Findings;
use crate::path;
use crate::yaml::{Node, Value, shown};

const OPEN: &str = "FILL_IN(";
const CLOSE: char = ')';

/// The longest description that a marker holds, in characters.
const LONGEST: usize = 80;

/// A marker that says what is wanted. Characters that could end a text in some style of YAML become `_`.
pub fn marker(what: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || " _.-/".contains(c) { c } else { '_' };
    let what: String = what.trim().chars().take(LONGEST).map(plain).collect();
    format!("{OPEN}{}{CLOSE}", what.trim())
}

/// What the markers in a text want, in order.
pub fn wanted(text: &str) -> impl Iterator<Item = &str> {
    text.split(OPEN).skip(1).filter_map(|rest| rest.split_once(CLOSE).map(|(what, _)| what))
}

/// Whether a text holds a marker.
pub fn is_open(text: &str) -> bool {
    wanted(text).next().is_some()
}

/// Reports every marker of a document.
pub(crate) fn check(root: &Node, findings: &mut Findings) {
    let has_marker = |value: &Value| match value {
        Value::String(text) | Value::Open { shown: text, .. } => text.contains(OPEN),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Sequence(_) | Value::Mapping(_) => {
            false
        }
    };
    // Where each value is costs more to tell than what it is, and hardly any document has a marker.
    if root.holds(&has_marker) {
        look(root, &mut String::new(), findings);
    }
}

fn look(node: &Node, path: &mut String, findings: &mut Findings) {
    let length = path.len();
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        Value::String(text) | Value::Open { shown: text, .. } => {
            for what in wanted(text) {
                let help = "put the value in place of `FILL_IN(…)`".to_owned();
                findings.error(node.at, path.as_str(), format!("to be filled in: {}", shown(what)), Some(help));
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                look(item, path, findings);
                path.truncate(length);
            }
        }
        Value::Mapping(map) => {
            for (key, entry) in map {
                path::push_key(path, key);
                look(&entry.node, path, findings);
                path.truncate(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn a_marker_stays_one_plain_text_wherever_it_stands() {
        let marker = marker("tfstate aws_subnet.private['az-a'].id: {x}, #y \"z\"");
        for style in [format!("a: {marker}"), format!("a: [{marker}]"), format!("{{\"a\": {{b: \"{marker}\"}}}}")] {
            let stream = yaml::read(0, style.as_bytes(), yaml::Limits::default());
            assert_eq!((stream.fault, stream.documents.len()), (None, 1), "{style}");
            let mut findings = Findings::default();
            check(&stream.documents[0].root, &mut findings);
            let summary = findings.summary().unwrap();
            assert!(summary.contains("tfstate aws_subnet.private__az-a__.id"), "{summary}");
        }
    }

    #[test]
    fn every_marker_of_a_text_is_seen_and_nothing_else_is_one() {
        let text = format!("arn:aws:iam::{}:role/{}", marker("account"), marker("role"));
        assert_eq!(wanted(&text).collect::<Vec<_>>(), ["account", "role"]);
        assert!(!is_open("FILL_IN") && !is_open("FILL_IN(never closed") && !is_open("fill_in(x)"));
    }
}
