//! Which documents are ours, and what the near misses among the others are.

use crate::finding::Findings;
use crate::manifest::{API_VERSION, Kind};
use crate::path::{self, Segment};
use crate::suggest;
use crate::yaml::{self, Mark, Node, shown};

/// A document of ours, not yet typed.
#[derive(Debug)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// `metadata.name`, if it is text and written once.
    pub name: Option<String>,
    /// The whole document.
    pub root: Node,
    /// Kind and version are what they must be. Otherwise the rest says nothing: another version has other fields.
    pub settled: bool,
    /// What was found so far.
    pub findings: Findings,
}

/// What a document turned out to be.
#[derive(Debug)]
pub enum Sorted {
    /// One of ours.
    Ours(Document),
    /// Somebody else's: passed over.
    Foreign(Findings),
    /// Meant to be ours, as it seems, but of a kind or version that cannot be told.
    Unclear(Findings),
}

const KEYS: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// Tells what a document is.
pub fn sort(document: yaml::Document) -> Sorted {
    let yaml::Document { root, problems } = document;
    let mut findings = Findings::default();
    let Some(map) = root.mapping() else {
        let message =
            format!("expected a mapping with apiVersion, kind, metadata and spec, found {}", root.value.kind());
        findings.error(root.at, "", message, None);
        return Sorted::Unclear(findings);
    };
    let version = root.get("apiVersion");
    let kind = root.get("kind");
    match version.map(|node| (node, node.text())) {
        Some((_, Some(API_VERSION))) => {}
        Some((node, Some(text))) => {
            if !near_version(text) {
                let message = format!("passed over: apiVersion `{}` is not {API_VERSION}", shown(text));
                findings.note(node.at, "apiVersion", message, None);
                return Sorted::Foreign(findings);
            }
            let message = format!("unknown apiVersion `{}`", shown(text));
            findings.error(node.at, "apiVersion", message, Some(format!("did you mean `{API_VERSION}`?")));
        }
        Some((node, None)) => {
            let message = format!("expected a string, found {}", node.value.kind());
            findings.error(node.at, "apiVersion", message, Some(format!("write `apiVersion: {API_VERSION}`")));
        }
        None => {
            let misspelt = map.iter().find(|(key, _)| suggest::nearest(key, std::iter::once("apiVersion")).is_some());
            let ours =
                kind.and_then(Node::text).is_some_and(|text| kind_of(text).is_some() || near_kind(text).is_some());
            match misspelt {
                Some((key, entry))
                    if ours || entry.node.text().is_some_and(|text| text == API_VERSION || near_version(text)) =>
                {
                    let message = format!("unknown field `{}`", shown(key));
                    findings.error(entry.key_at, key.as_str(), message, Some("did you mean `apiVersion`?".to_owned()));
                }
                _ if ours => {
                    findings.error(
                        root.at,
                        "",
                        "missing field `apiVersion`",
                        Some(format!("write `apiVersion: {API_VERSION}`")),
                    );
                }
                _ => {
                    findings.note(root.at, "", "passed over: the document has no apiVersion", None);
                    return Sorted::Foreign(findings);
                }
            }
        }
    }
    let kind = match kind.map(|node| (node, node.text())) {
        Some((node, Some(text))) => match kind_of(text) {
            Some(kind) => Some(kind),
            None => {
                let help = suggest::among(text, Kind::ALL.iter().map(|kind| kind.name()));
                findings.error(node.at, "kind", format!("unknown kind `{}`", shown(text)), help);
                near_kind(text)
            }
        },
        Some((node, None)) => {
            findings.error(node.at, "kind", format!("expected a string, found {}", node.value.kind()), None);
            None
        }
        None => {
            let help = suggest::among("", Kind::ALL.iter().map(|kind| kind.name()));
            findings.error(root.at, "", "missing field `kind`", help);
            None
        }
    };
    let settled = !findings.has_errors();
    let mut ambiguous = false;
    for problem in problems {
        ambiguous |= matches!(problem.path.as_str(), "metadata" | "metadata.name" | "kind" | "apiVersion");
        findings.error(problem.at, problem.path, problem.message, problem.help);
    }
    for (key, entry) in map {
        let reported = suggest::nearest(key, std::iter::once("apiVersion")).is_some() && version.is_none();
        if !KEYS.contains(&key.as_str()) && !reported {
            let mut at = String::new();
            path::push_key(&mut at, key);
            findings.error(
                entry.key_at,
                at,
                format!("unknown field `{}`", shown(key)),
                suggest::among(key, KEYS.into_iter()),
            );
        }
    }
    let name = root.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text);
    let name = name.filter(|_| !ambiguous).map(str::to_owned);
    match kind {
        Some(kind) => Sorted::Ours(Document { kind, name, root, settled, findings }),
        None => Sorted::Unclear(findings),
    }
}

impl Document {
    /// Where the document begins.
    pub fn at(&self) -> Mark {
        self.root.at
    }

    /// Where the value under these keys stands, or the innermost of them that is there.
    pub fn at_path(&self, keys: &[&str]) -> Mark {
        let segments: Vec<Segment> = keys.iter().map(|key| Segment::Key((*key).to_owned())).collect();
        path::nearest(&self.root, &segments).0.at
    }
}

fn kind_of(text: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == text)
}

fn near_kind(text: &str) -> Option<Kind> {
    suggest::nearest(text, Kind::ALL.iter().map(|kind| kind.name())).and_then(kind_of)
}

/// Whether somebody who wrote this most likely meant our version, or had not finished writing it.
fn near_version(text: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric() || *c == '/').flat_map(char::to_lowercase).collect()
    };
    let (written, ours) = (plain(text), plain(API_VERSION));
    let (group, our_group) = (written.split('/').next().unwrap_or_default(), "ecsetl");
    let far = written.len() > 40;
    !far && (text.is_empty()
        || (API_VERSION.starts_with(text) && text.len() > 2)
        || strsim::osa_distance(group, our_group) <= 1
        || group.ends_with("ecsetl")
        || group.starts_with("ecsetl")
        || strsim::osa_distance(&written, &ours) <= 2)
}
