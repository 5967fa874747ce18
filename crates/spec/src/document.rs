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
    /// Its YAML is beyond doubt: no key twice, no odd key or tag. Otherwise it has two readings, and one may be of another
    /// job.
    pub clear: bool,
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
    if root.mapping().is_none() {
        let found = root.value.kind();
        let message = format!("expected a mapping with apiVersion, kind, metadata and spec, found {found}");
        findings.error(root.at, "", message, None);
        return Sorted::Unclear(findings);
    }
    if !claims_version(&root, &mut findings) {
        return Sorted::Foreign(findings);
    }
    let kind = claimed_kind(&root, &mut findings);
    let settled = !findings.has_errors();
    let clear = problems.is_empty();
    let mut ambiguous = false;
    for problem in problems {
        ambiguous |= matches!(problem.path.as_str(), "metadata" | "metadata.name" | "kind" | "apiVersion");
        findings.error(problem.at, problem.path, problem.message, problem.help);
    }
    unknown_keys(&root, &mut findings);
    let name = root.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text);
    let name = name.filter(|_| !ambiguous).map(str::to_owned);
    match kind {
        Some(kind) => Sorted::Ours(Document { kind, name, root, settled, clear, findings }),
        None => Sorted::Unclear(findings),
    }
}

/// Whether a document is, or was meant to be, of our version. A kind of ours makes any other version a near miss.
fn claims_version(root: &Node, findings: &mut Findings) -> bool {
    const FIELD: &str = "apiVersion";
    let write = || Some(format!("write `apiVersion: {API_VERSION}`"));
    let kind = root.get("kind").and_then(Node::text);
    let our_kind = kind.is_some_and(|text| kind_of(text).is_some());
    match root.get(FIELD).map(|node| (node, node.text())) {
        Some((_, Some(API_VERSION))) => true,
        Some((node, Some(text))) if our_kind || near_version(text) => {
            let help = format!("did you mean `{API_VERSION}`?");
            findings.error(node.at, FIELD, format!("unknown apiVersion `{}`", shown(text)), Some(help));
            true
        }
        Some((node, Some(text))) => {
            let message = format!("passed over: apiVersion `{}` is not {API_VERSION}", shown(text));
            findings.note(node.at, FIELD, message, None);
            false
        }
        Some((node, None)) => {
            let message = format!("expected a string, found {}", node.value.kind());
            findings.error(node.at, FIELD, message, write());
            true
        }
        None => {
            let near_kind = kind.is_some_and(|text| near_kind(text).is_some());
            let misspelt = root.mapping().into_iter().flatten().find(|(key, _)| is_near(key, FIELD));
            let near_value = |node: &Node| node.text().is_some_and(near_version);
            match misspelt {
                Some((key, entry)) if near_kind || near_value(&entry.node) => {
                    let message = format!("unknown field `{}`", shown(key));
                    findings.error(entry.key_at, key_path(key), message, Some(format!("did you mean `{FIELD}`?")));
                    true
                }
                Some(_) | None if near_kind => {
                    findings.error(root.at, "", format!("missing field `{FIELD}`"), write());
                    true
                }
                Some(_) | None => {
                    findings.note(root.at, "", format!("passed over: the document has no {FIELD}"), None);
                    false
                }
            }
        }
    }
}

/// The kind that a document names, or most likely means.
fn claimed_kind(root: &Node, findings: &mut Findings) -> Option<Kind> {
    let names = Kind::ALL.iter().map(|kind| kind.name());
    let Some(node) = root.get("kind") else {
        findings.error(root.at, "", "missing field `kind`", suggest::among("", names));
        return None;
    };
    let Some(text) = node.text() else {
        let message = format!("expected a string, found {}", node.value.kind());
        findings.error(node.at, "kind", message, suggest::among("", names));
        return None;
    };
    kind_of(text).or_else(|| {
        let message = format!("unknown kind `{}`", shown(text));
        findings.error(node.at, "kind", message, suggest::among(text, names));
        near_kind(text)
    })
}

fn unknown_keys(root: &Node, findings: &mut Findings) {
    for (key, entry) in root.mapping().into_iter().flatten() {
        let is_version = root.get("apiVersion").is_none() && is_near(key, "apiVersion");
        if !KEYS.contains(&key.as_str()) && !is_version {
            let help = suggest::among(key, KEYS.into_iter());
            findings.error(entry.key_at, key_path(key), format!("unknown field `{}`", shown(key)), help);
        }
    }
}

/// The path of a document's own key, fit to be shown.
fn key_path(key: &str) -> String {
    let mut path = String::new();
    path::push_key(&mut path, key);
    path
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

fn is_near(written: &str, name: &str) -> bool {
    suggest::nearest(written, std::iter::once(name)).is_some()
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
