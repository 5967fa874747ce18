//! From the YAML tree to typed structures, with every problem found instead of the first.
//!
//! serde stops at its first error. Here the offending part is reported, cut out of the tree, and the rest is read
//! again, until nothing is wrong any more: since every member of our structures may be absent, what is left still types.

mod de;

use serde::de::DeserializeOwned;

use crate::finding::Findings;
use crate::path::{self, Segment};
use crate::yaml::Node;
use de::{Cause, Error};

/// Errors reported per structure; after that the document has had its say.
const MOST_ERRORS: usize = 25;

/// Reads `node`, which stands at `base`, as a `T`. What does not fit is reported and left out; `None` if nothing is left.
pub fn read<T: DeserializeOwned>(node: &Node, base: &[Segment], findings: &mut Findings) -> Option<T> {
    let mut pruned: Option<Node> = None;
    for _ in 0..MOST_ERRORS {
        let tree = pruned.as_ref().unwrap_or(node);
        let error = match T::deserialize(de::NodeDeserializer::new(tree)) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let inner: Vec<Segment> = error.path.iter().rev().cloned().collect();
        report(&error, tree, base, &inner, findings);
        let mut rest = pruned.take().unwrap_or_else(|| node.clone());
        if !cut(&mut rest, &inner) {
            return None;
        }
        pruned = Some(rest);
    }
    None
}

fn report(error: &Error, tree: &Node, base: &[Segment], inner: &[Segment], findings: &mut Findings) {
    // What is still to be filled in was reported as that.
    if let (node, true) = path::nearest(tree, inner)
        && node.text().is_some_and(crate::fill_in::is_open)
    {
        return;
    }
    let at = error.at.unwrap_or(tree.at);
    let (message, help) = match &error.cause {
        Cause::UnknownField { field, expected } => {
            let message = format!("unknown field `{}`", crate::yaml::shown(field));
            (message, crate::suggest::field(field, expected.iter().copied()))
        }
        Cause::UnknownVariant { variant, expected } => {
            let message = format!("unknown value `{}`", crate::yaml::shown(variant));
            (message, crate::suggest::among(variant, expected.iter().copied()))
        }
        Cause::Type { found, expected } => {
            let message = format!("expected {expected}, found {found}");
            let text = match path::nearest(tree, inner) {
                (node, true) => node.text(),
                (_, false) => None,
            };
            (message, text.and_then(|text| bare(text, expected)))
        }
        Cause::Missing { field } => (format!("missing field `{field}`"), None),
        Cause::Other { message } => (message.clone(), None),
    };
    let segments: Vec<Segment> = base.iter().chain(inner).cloned().collect();
    findings.error(at, path::display(&segments), message, help);
}

/// What to write instead of a text that was meant as a boolean or a number.
fn bare(text: &str, expected: &str) -> Option<String> {
    let boolean = match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => Some("true"),
        "no" | "off" | "n" | "false" => Some("false"),
        _ => None,
    };
    match (expected, boolean) {
        ("true or false", Some(value)) => Some(format!("write `{value}`, without quotes")),
        _ if expected.contains("integer") && text.parse::<i64>().is_ok() => Some("remove the quotes".to_owned()),
        _ => None,
    }
}

/// Cuts out the innermost mapping entry on the path; `false` if there is none.
fn cut(root: &mut Node, segments: &[Segment]) -> bool {
    let Some(last) = segments.iter().rposition(|segment| matches!(segment, Segment::Key(_))) else { return false };
    let mut node = root;
    for segment in segments.get(..last).unwrap_or_default() {
        let next = match segment {
            Segment::Key(key) => node.get_mut(key),
            Segment::Index(index) => node.sequence_mut().and_then(|items| items.get_mut(*index)),
        };
        match next {
            Some(next) => node = next,
            None => return false,
        }
    }
    match (segments.get(last), node.mapping_mut()) {
        (Some(Segment::Key(key)), Some(map)) => map.remove(key).is_some(),
        (Some(Segment::Key(_) | Segment::Index(_)) | None, _) => false,
    }
}
