//! From bytes of a source to trees, within the same budgets as manifests.

use ecs_etl_spec::yaml::{Entry, Limits, Mark, Node, Tags, Value, read_with};
use serde_json::Value as Json;

use crate::template::{self, Template, TemplateError};

/// A file of a source.
#[derive(Debug, Clone, Copy)]
pub struct File<'f> {
    /// What it is called in findings.
    pub name: &'f str,
    /// What it holds.
    pub bytes: &'f [u8],
}

/// Why a source cannot be imported at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is neither YAML nor JSON, or more than is read.
    #[error("{file}:{line}: {message}")]
    Unreadable {
        /// The file.
        file: String,
        /// Line, counted from 1; 0 for the whole file.
        line: u32,
        /// What is wrong.
        message: String,
    },
    /// Its templates cannot be replaced.
    #[error("{file}: the templates of this file cannot be replaced")]
    Template {
        /// The file.
        file: String,
        /// What is wrong.
        source: TemplateError,
    },
    /// It is something else than what was asked for.
    #[error("{file} holds no {expected}")]
    Other {
        /// The file.
        file: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// JSON up to this size is read as YAML, which knows lines; beyond it the scanner would look too far ahead.
const JSON_AS_YAML: usize = 128 << 10;

/// What a tool writes may be large; a state of Terraform has one document for everything.
const LARGEST_JSON: usize = 64 << 20;

/// The documents of a file without templates.
///
/// # Errors
///
/// It is neither YAML nor JSON, says something twice, or is more than is read.
pub fn documents(file: &File<'_>, tags: Tags) -> Result<Vec<Node>, ImportError> {
    if file.bytes.len() > JSON_AS_YAML && file.bytes.trim_ascii_start().starts_with(b"{") {
        return json(file).map(|node| vec![node]);
    }
    let unreadable =
        |at: Mark, message: String| ImportError::Unreadable { file: file.name.to_owned(), line: at.line, message };
    let stream = read_with(0, file.bytes, Limits::default(), tags);
    if let Some(fault) = stream.fault {
        return Err(unreadable(fault.at, fault.message));
    }
    let mut nodes = Vec::new();
    for document in stream.documents {
        if let Some(problem) = document.problems.into_iter().next() {
            return Err(unreadable(problem.at, problem.message));
        }
        nodes.push(document.root);
    }
    Ok(nodes)
}

/// The one document of a file whose templates were replaced, and what they were.
///
/// # Errors
///
/// As [`documents`]; or a template is no value, or there is not one document.
pub fn templated(file: &File<'_>, expected: &'static str) -> Result<(Node, Vec<Template>), ImportError> {
    let text = String::from_utf8_lossy(file.bytes);
    let (text, templates) =
        template::replace(&text).map_err(|source| ImportError::Template { file: file.name.to_owned(), source })?;
    let expanded = File { name: file.name, bytes: text.as_bytes() };
    let mut nodes = documents(&expanded, Tags::Refused)?.into_iter();
    match (nodes.next(), nodes.next()) {
        (Some(node), None) => Ok((node, templates)),
        (_, _) => Err(ImportError::Other { file: file.name.to_owned(), expected }),
    }
}

fn json(file: &File<'_>) -> Result<Node, ImportError> {
    let unreadable = |line: usize, message: String| ImportError::Unreadable {
        file: file.name.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        message,
    };
    if file.bytes.len() > LARGEST_JSON {
        return Err(unreadable(0, format!("the file has {} bytes; at most {LARGEST_JSON} are read", file.bytes.len())));
    }
    match serde_json::from_slice(file.bytes) {
        Ok(value) => Ok(node(value, Mark::default())),
        Err(error) => Err(unreadable(error.line(), format!("not JSON: {error}"))),
    }
}

/// JSON as a tree, every value of it at one place.
pub fn node(value: Json, at: Mark) -> Node {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::String(number.to_string()),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Sequence(items.into_iter().map(|item| node(item, at)).collect()),
        Json::Object(map) => {
            let entry = |(key, value)| (key, Entry { key_at: at, node: node(value, at) });
            Value::Mapping(map.into_iter().map(entry).collect())
        }
    };
    Node { at, value }
}
