//! From documents to what the rest of the program works on: checked, with defaults merged in.

mod adopt;
mod arn;
mod cluster;
mod controller;
mod job;
mod merge;
mod metadata;
mod roles;
mod scheduler;
mod schedules;
mod spec;
mod templates;
mod triggers;

pub use arn::role_arn;
pub use cluster::{Known, cluster};
pub use controller::controller;
pub use job::{Context, Refused, job};

use crate::check;
use crate::diagnostic::Severity;
use crate::fill_in;
use crate::finding::Findings;
use crate::path;
use crate::yaml::{Mark, Node};

/// Findings about fields of one document, whose places its tree knows.
struct Fields<'d> {
    root: &'d Node,
    findings: &'d mut Findings,
}

impl<'d> Fields<'d> {
    fn new(root: &'d Node, findings: &'d mut Findings) -> Self {
        Self { root, findings }
    }

    /// Where a field stands, or the innermost part of its path that is there.
    fn at(&self, path: &str) -> Mark {
        path::nearest(self.root, &path::parse(path)).0.at
    }

    fn has(&self, path: &str) -> bool {
        path::nearest(self.root, &path::parse(path)).1
    }

    /// Whether a value is still to be filled in: that was reported, and what else is wrong with it says nothing.
    fn is_open(&self, path: &str) -> bool {
        let (node, exists) = path::nearest(self.root, &path::parse(path));
        exists && node.text().is_some_and(fill_in::is_open)
    }

    fn error(&mut self, path: &str, message: impl Into<String>, help: Option<String>) {
        if self.is_open(path) {
            return;
        }
        self.findings.error(self.at(path), path, message, help);
    }

    fn warning(&mut self, path: &str, message: impl Into<String>, help: Option<String>) {
        self.findings.warning(self.at(path), path, message, help);
    }

    /// Reports that a field is missing, unless it is there and was refused already.
    fn missing(&mut self, path: &str, help: &str) {
        let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
        // The near miss was reported as an unknown field: that is the one thing to mend.
        let misspelt = |key: &String| crate::suggest::nearest(key, std::iter::once(field)).is_some();
        let siblings = path::nearest(self.root, &path::parse(parent)).0.mapping();
        if !self.has(path) && !siblings.is_some_and(|map| map.keys().any(misspelt)) {
            let message = format!("missing field `{field}`");
            self.findings.error(self.at(path), parent, message, Some(help.to_owned()));
        }
    }

    /// A number within bounds, or its default.
    fn number(&mut self, path: &str, value: Option<i32>, range: std::ops::RangeInclusive<u32>, default: u32) -> u32 {
        let Some(value) = value else { return default };
        match u32::try_from(value).ok().filter(|value| range.contains(value)) {
            Some(value) => value,
            None => {
                let message = format!("expected a number from {} to {}, found {value}", range.start(), range.end());
                self.error(path, message, None);
                default
            }
        }
    }

    /// What the checks of a part found, its paths put below `path`.
    fn problems(&mut self, path: &str, problems: Vec<check::Problem>) {
        for problem in problems {
            let inner = &problem.path;
            let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
            let path = format!("{path}{dot}{inner}");
            match problem.severity {
                Severity::Error => self.error(&path, problem.message, problem.help),
                Severity::Warning => self.warning(&path, problem.message, problem.help),
                Severity::Note => self.findings.note(self.at(&path), path, problem.message, problem.help),
            }
        }
    }

    /// A value checked by its newtype.
    fn name<T>(&mut self, path: &str, result: Result<T, crate::name::NameError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.error(path, error.to_string(), None);
                None
            }
        }
    }
}
