//! The EtlController.

use super::Fields;
use crate::document::Document;
use crate::finding::Findings;
use crate::job::{Controller, Origin, Prune};
use crate::manifest::{ControllerSpec, Metadata};
use crate::name::{ControllerName, Digest, Prefix};
use crate::path::Segment;
use crate::typed;

/// How long a source mark may be: it is the value of a tag.
const LONGEST_SOURCE: usize = 256;

const DAY: u32 = 86_400;

impl Default for Controller {
    fn default() -> Self {
        Self {
            // Both are constants that their own checks accept; the test below holds that.
            name: ControllerName::constant("default"),
            origin: None,
            endpoint: None,
            prefix: Prefix::constant("etl-"),
            source: None,
            prune: Prune { grace_seconds: 300, max_deletions: 10 },
            max_changes: None,
            keep_revisions: 5,
            resync_seconds: 600,
            approved: None,
        }
    }
}

/// Checks the EtlController; what is wrong goes to the document's findings.
pub fn controller(document: &mut Document, origin: Origin) -> Option<Controller> {
    let defaults = Controller::default();
    let Document { root, findings, .. } = document;
    let metadata: Metadata = section(root, "metadata", findings).unwrap_or_default();
    let spec: ControllerSpec = section(root, "spec", findings).unwrap_or_default();
    let mut fields = Fields::new(root, findings);
    if metadata.name.is_none() {
        fields.missing("metadata.name", "the controller's identity, the mark on everything it owns");
    }
    let name = metadata.name.and_then(|name| fields.name("metadata.name", ControllerName::new(name)));
    let prefix = match spec.prefix {
        Some(prefix) => fields.name("spec.prefix", Prefix::new(prefix)),
        None => Some(defaults.prefix),
    };
    if let Some(endpoint) = &spec.endpoint
        && !endpoint_ok(endpoint)
    {
        let message = "expected `embedded`, `aws` or a URL such as `http://127.0.0.1:4566`";
        fields.error("spec.endpoint", message, None);
    }
    if let Some(source) = &spec.source {
        let length = source.chars().count();
        let allowed = |c: char| c.is_alphanumeric() || "_.:/=+-@ ".contains(c);
        if length == 0 || length > LONGEST_SOURCE || !source.chars().all(allowed) {
            let message = "expected 1 to 256 letters, digits, spaces and `_ . : / = + - @`: it is the value of a tag";
            fields.error("spec.source", message, None);
        }
    }
    let prune = spec.prune.unwrap_or_default();
    let default = defaults.prune;
    let prune = Prune {
        grace_seconds: fields.number(
            "spec.prune.graceSeconds",
            prune.grace_seconds,
            0..=7 * DAY,
            default.grace_seconds,
        ),
        max_deletions: fields.number("spec.prune.maxDeletions", prune.max_deletions, 0..=10_000, default.max_deletions),
    };
    let max_changes = spec.max_changes.map(|n| fields.number("spec.maxChanges", Some(n), 0..=100_000, 0));
    let keep_revisions = fields.number("spec.keepRevisions", spec.keep_revisions, 0..=100, defaults.keep_revisions);
    let resync_seconds = fields.number("spec.resyncSeconds", spec.resync_seconds, 30..=DAY, defaults.resync_seconds);
    let approved = spec.approved.and_then(|digest| fields.name("spec.approved", Digest::parse(&digest)));
    if fields.findings.has_errors() {
        return None;
    }
    Some(Controller {
        name: name?,
        origin: Some(origin),
        endpoint: spec.endpoint,
        prefix: prefix?,
        source: spec.source,
        prune,
        max_changes,
        keep_revisions,
        resync_seconds,
        approved,
    })
}

fn endpoint_ok(endpoint: &str) -> bool {
    let url = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    let host = url.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    matches!(endpoint, "embedded" | "aws")
        || host.is_some_and(|host| !host.is_empty() && endpoint.chars().all(|c| c.is_ascii_graphic()))
}

/// Reads a section of a document that may be absent.
fn section<T: serde::de::DeserializeOwned>(root: &crate::yaml::Node, key: &str, findings: &mut Findings) -> Option<T> {
    root.get(key).and_then(|node| typed::read(node, &[Segment::Key(key.to_owned())], findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_names() {
        let defaults = Controller::default();
        assert!(ControllerName::new(defaults.name.as_str()).is_ok());
        assert!(Prefix::new(defaults.prefix.as_str()).is_ok());
    }

    #[test]
    fn an_endpoint_is_a_word_or_a_url() {
        for (endpoint, expected) in [
            ("embedded", true),
            ("aws", true),
            ("http://127.0.0.1:4566", true),
            ("https://localhost/path", true),
            ("127.0.0.1:4566", false),
            ("http://", false),
            ("AWS", false),
            ("ftp://x", false),
        ] {
            assert_eq!(endpoint_ok(endpoint), expected, "{endpoint}");
        }
    }
}
