//! `${…}` in the texts of a job.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::containers::shown;
use super::problem::Problems;

/// The one variable of `overrides`: the time of the run.
pub(super) const SCHEDULED_TIME: &str = "scheduledTime";

/// A piece of a text that may hold variables.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Text as it is; `$${` has become `${`.
    Text(&'t str),
    /// `${name}`.
    Variable(&'t str),
    /// A `${` without its `}`, and what follows it.
    Unclosed(&'t str),
}

/// Takes a text apart at its variables.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        let inner = from.get(2..).unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(before), Piece::Text("${")]);
            rest = inner;
            continue;
        }
        pieces.push(Piece::Text(before));
        let Some((name, after)) = inner.split_once('}') else {
            pieces.push(Piece::Unclosed(from));
            return pieces;
        };
        pieces.push(Piece::Variable(name));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// What is left of a text without its variables.
pub(super) fn without_variables(text: &str) -> String {
    let known = |piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Variable(_) | Piece::Unclosed(_) => None,
    };
    pieces(text).into_iter().filter_map(known).collect()
}

/// Calls `visit` with the path of every text below `shape` and the text.
pub(super) fn texts(shape: &impl Serialize, mut visit: impl FnMut(&str, &str, &str)) {
    if let Ok(value) = serde_json::to_value(shape) {
        walk(&value, &mut String::new(), &mut String::new(), &mut visit);
    }
}

/// `path` is the field path, `pointer` the JSON pointer of the same place.
fn walk(value: &Value, path: &mut String, pointer: &mut String, visit: &mut impl FnMut(&str, &str, &str)) {
    let (path_length, pointer_length) = (path.len(), pointer.len());
    match value {
        Value::String(text) => visit(path, pointer, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                pointer.push_str(&format!("/{index}"));
                walk(item, path, pointer, visit);
                path.truncate(path_length);
                pointer.truncate(pointer_length);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(key);
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                walk(entry, path, pointer, visit);
                path.truncate(path_length);
                pointer.truncate(pointer_length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Warns of each text with a `${…}` that nobody will fill in.
pub(super) fn warn_of_variables(problems: &mut Problems, definition: &impl Serialize, open: &BTreeMap<String, String>) {
    texts(definition, |path, pointer, text| {
        if open.contains_key(&format!("/taskDefinition{pointer}")) {
            return;
        }
        let variable = pieces(text).into_iter().find_map(|piece| match piece {
            Piece::Variable(name) => Some(name),
            Piece::Text(_) | Piece::Unclosed(_) => None,
        });
        let Some(name) = variable else { return };
        let help = if name == SCHEDULED_TIME {
            "only `runTask.overrides` knows the time of the run"
        } else {
            "right for a variable of the container's shell; a cluster's defaults know `${job}`, `${region}` and `${account}`"
        };
        problems.warning(path, format!("`${{{}}}` stays as it is in a task definition", shown(name))).help(help);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart_at_its_variables() {
        use Piece::{Text, Unclosed, Variable};
        let cases: [(&str, &[Piece<'_>]); 5] = [
            ("plain", &[Text("plain")]),
            ("a-${t}-b", &[Text("a-"), Variable("t"), Text("-b")]),
            ("$${t}", &[Text(""), Text("${"), Text("t}")]),
            ("${a}${b}", &[Text(""), Variable("a"), Text(""), Variable("b"), Text("")]),
            ("a ${b", &[Text("a "), Unclosed("${b")]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }
}
