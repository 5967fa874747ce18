//! A document as YAML that a person would like to read, with comments at the fields they are about.

use std::collections::BTreeMap;

use ecs_etl_spec::yaml;
use serde_json::{Map, Value as Json, json};

/// Comments by the path of the field they stand before; the empty path is the document.
pub type Comments = BTreeMap<String, Vec<String>>;

/// Keys that come first, in this order, wherever they are; the others follow by name.
const FIRST: [&str; 27] = [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "name",
    "image",
    "cluster",
    "region",
    "schedule",
    "allowOverlap",
    "timeZone",
    "startDate",
    "endDate",
    "flexibleTimeWindowMinutes",
    "suspend",
    "startingDeadlineSeconds",
    "maximumRetryAttempts",
    "deadLetterQueueArn",
    "roleArn",
    "adopt",
    "endpoint",
    "taskDefinition",
    "cpu",
    "memory",
    "entryPoint",
    "command",
    "environment",
];

/// Columns of a comment's text.
const WIDTH: usize = 110;

/// Writes a document.
pub fn document(value: &Json, comments: &Comments) -> String {
    let mut writer = Writer { out: String::new(), comments };
    writer.comment("", 0);
    writer.value(value, "", 0);
    writer.out
}

/// The path of `key` below `path`, as findings and diagnostics write it.
pub fn below(path: &str, key: &str) -> String {
    let simple = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    match (simple, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[\"{key}\"]"),
    }
}

struct Writer<'c> {
    out: String,
    comments: &'c Comments,
}

impl Writer<'_> {
    /// Writes a map or list as a block, each line `indent` deep.
    fn value(&mut self, value: &Json, path: &str, indent: usize) {
        match value {
            Json::Object(map) => self.map(map, path, indent, false),
            Json::Array(items) => self.list(items, path, indent),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => self.lines(&yaml::emit(value), indent),
        }
    }

    /// Writes a map; `inline` if its first key goes on a line that was begun.
    fn map(&mut self, map: &Map<String, Json>, path: &str, indent: usize, inline: bool) {
        for (index, (key, value)) in ordered(map).into_iter().enumerate() {
            let at = below(path, key);
            let begun = inline && index == 0;
            if !begun {
                self.comment(&at, indent);
            }
            if holds_something(value) {
                if !begun {
                    self.out.push_str(&" ".repeat(indent));
                }
                self.out.push_str(&format!("{}:\n", yaml::emit(&json!(key)).trim_end()));
                self.value(value, &at, indent + 2);
            } else {
                let entry = entry(key, value);
                if begun { self.begun(&entry, indent) } else { self.lines(&entry, indent) }
            }
        }
    }

    fn list(&mut self, items: &[Json], path: &str, indent: usize) {
        for (index, item) in items.iter().enumerate() {
            let at = format!("{path}[{index}]");
            self.comment(&at, indent);
            match item {
                Json::Object(map) if !map.is_empty() => {
                    // What the first key has to say comes before the dash.
                    if let Some((key, _)) = ordered(map).first() {
                        self.comment(&below(&at, key), indent);
                    }
                    self.out.push_str(&format!("{}- ", " ".repeat(indent)));
                    self.map(map, &at, indent + 2, true);
                }
                Json::Array(inner) if !inner.is_empty() => {
                    self.out.push_str(&format!("{}-\n", " ".repeat(indent)));
                    self.list(inner, &at, indent + 2);
                }
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                    self.lines(&element(item), indent)
                }
            }
        }
    }

    fn comment(&mut self, path: &str, indent: usize) {
        for comment in self.comments.get(path).into_iter().flatten() {
            let mut line = String::new();
            for word in yaml::printable(comment.clone()).split_whitespace() {
                if !line.is_empty() && line.chars().count() + word.chars().count() > WIDTH {
                    self.lines(&format!("# {line}\n"), indent);
                    line.clear();
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            self.lines(&format!("# {line}\n"), indent);
        }
    }

    fn lines(&mut self, text: &str, indent: usize) {
        for line in text.lines() {
            if !line.is_empty() {
                self.out.push_str(&" ".repeat(indent));
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// Lines of which the first goes on where the writer stands.
    fn begun(&mut self, text: &str, indent: usize) {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        self.out.push_str(first);
        self.out.push('\n');
        self.lines(rest, indent);
    }
}

/// `key: value` on one line, or with a block of text below it.
fn entry(key: &str, value: &Json) -> String {
    let lines = yaml::emit(&json!({ key: value }));
    // What YAML's writers do not agree on comes back as JSON, which is no line of a block.
    if lines.starts_with('{') { format!("{}: {}\n", json!(key), json_text(value)) } else { lines }
}

/// `- value`.
fn element(value: &Json) -> String {
    let lines = yaml::emit(&json!([value]));
    if lines.starts_with('[') { format!("- {}\n", json_text(value)) } else { lines }
}

/// JSON with everything escaped that is no plain character: YAML reads it as it stands.
fn json_text(value: &Json) -> String {
    let text = yaml::emit(&json!([value]));
    let inner = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.map_or_else(|| value.to_string(), str::to_owned)
}

fn holds_something(value: &Json) -> bool {
    match value {
        Json::Object(map) => !map.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

fn ordered(map: &Map<String, Json>) -> Vec<(&String, &Json)> {
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut entries: Vec<(&String, &Json)> = map.iter().collect();
    entries.sort_by_key(|(key, _)| (rank(key), key.as_str()));
    entries
}

#[cfg(test)]
mod tests {
    use ecs_etl_spec::yaml::{Limits, Node, Value, read};

    use super::*;

    fn json_of(node: &Node) -> Json {
        match &node.value {
            Value::Null => Json::Null,
            Value::Bool(value) => json!(value),
            Value::Int(value) => json!(value),
            Value::Float(value) => json!(value),
            Value::String(text) | Value::Open { shown: text, .. } => json!(text),
            Value::Sequence(items) => items.iter().map(json_of).collect(),
            Value::Mapping(map) => map.iter().map(|(key, entry)| (key.clone(), json_of(&entry.node))).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_back_the_same_with_comments_everywhere() {
        let value = json!({
            "kind": "x",
            "spec": {
                "command": ["a b", "", "- x", "# y", "line\nline\n", "\u{85}", "1.10", "true", "FILL_IN(x)"],
                "containers": [
                    {"name": "script", "zeta": "first\n  second\n\nlast", "empty": {}, "none": [], "labels": {"a.b/c": "d", "\u{2028}": "e"}},
                    {"image": {"deep": [[1, 2], []]}},
                    {"zeta": "multi\nline"},
                    {}
                ],
                "number": 1.5, "big": u64::MAX / 4, "null": null, "yes": "yes", "": "empty key"
            }
        });
        let mut comments = Comments::new();
        for path in [
            "",
            "spec",
            "spec.command[1]",
            "spec.containers[0].name",
            "spec.containers[0].zeta",
            "spec.containers[2].zeta",
            "spec.yes",
        ] {
            comments.insert(path.to_owned(), vec!["word ".repeat(60), "second: - [{".to_owned()]);
        }
        let written = document(&value, &comments);
        let stream = read(0, written.as_bytes(), Limits::default());
        assert_eq!(stream.fault, None, "{written}");
        assert_eq!(json_of(&stream.documents[0].root), value, "{written}");
        assert_eq!(written.matches("second: - [{").count(), comments.len());
    }
}
