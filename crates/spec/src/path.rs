//! Field paths as errors show them: `spec.taskDefinition.containerDefinitions[0].image`.

use crate::yaml::{Node, Value, shown};

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A key of a mapping.
    Key(String),
    /// An index of a list, counted from 0.
    Index(usize),
}

/// Adds a key to a path; a key that would read as several is quoted.
pub fn push_key(path: &mut String, key: &str) {
    let simple =
        (1..=60).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !simple {
        path.push_str(&format!("[\"{}\"]", shown(key)));
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
    }
}

/// The path in words.
pub fn display(segments: &[Segment]) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Key(key) => push_key(&mut path, key),
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// Takes a path apart again; what it cannot read ends it.
pub fn parse(path: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let Some((key, after)) = after.split_once("\"]") else { break };
            segments.push(Segment::Key(key.to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((index, after)) = after.split_once(']') else { break };
            let Ok(index) = index.parse() else { break };
            segments.push(Segment::Index(index));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            segments.push(Segment::Key(key.to_owned()));
            rest = after;
        }
    }
    segments
}

/// The innermost value on the way of a path that exists, and whether it is the path's own.
pub fn nearest<'n>(root: &'n Node, segments: &[Segment]) -> (&'n Node, bool) {
    let mut node = root;
    for segment in segments {
        let next = match (segment, &node.value) {
            (Segment::Key(key), _) => node.get(key),
            (Segment::Index(index), Value::Sequence(items)) => items.get(*index),
            (Segment::Index(_), _) => None,
        };
        match next {
            Some(next) => node = next,
            None => return (node, false),
        }
    }
    (node, true)
}
