//! Findings of one document, before file names and the job's name are put to them.

use crate::diagnostic::{Diagnostic, Severity};
use crate::yaml::{Mark, printable};

/// What was found in a document.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

/// One finding, its place still an index of a file.
#[derive(Debug)]
struct Finding {
    at: Mark,
    severity: Severity,
    path: String,
    message: String,
    help: Option<String>,
}

impl Findings {
    /// The document cannot be used.
    pub fn error(&mut self, at: Mark, path: impl Into<String>, message: impl Into<String>, help: Option<String>) {
        self.push(at, Severity::Error, path.into(), message.into(), help);
    }

    /// Probably a mistake.
    pub fn warning(&mut self, at: Mark, path: impl Into<String>, message: impl Into<String>, help: Option<String>) {
        self.push(at, Severity::Warning, path.into(), message.into(), help);
    }

    /// Worth knowing.
    pub fn note(&mut self, at: Mark, path: impl Into<String>, message: impl Into<String>, help: Option<String>) {
        self.push(at, Severity::Note, path.into(), message.into(), help);
    }

    fn push(&mut self, at: Mark, severity: Severity, path: String, message: String, help: Option<String>) {
        let (path, message, help) = (printable(path), printable(message), help.map(printable));
        self.list.push(Finding { at, severity, path, message, help });
    }

    /// Whether the document can still be used.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether there are errors about `path` or what is below it.
    pub fn has_errors_below(&self, path: &str) -> bool {
        let below =
            |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.list.iter().any(|finding| finding.severity == Severity::Error && below(&finding.path))
    }

    /// Whether there are errors about anything but `path`.
    pub fn has_errors_but(&self, path: &str) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error && finding.path != path)
    }

    /// The first error in a sentence, and how many more there are.
    pub fn summary(&self) -> Option<String> {
        let errors = self.list.iter().filter(|finding| finding.severity == Severity::Error);
        let count = errors.clone().count();
        let first = errors.min_by_key(|finding| finding.at)?;
        let mut text = String::new();
        if !first.path.is_empty() {
            text.push_str(&first.path);
            text.push_str(": ");
        }
        text.push_str(&first.message);
        if let Some(help) = &first.help {
            text.push_str(&format!(" ({help})"));
        }
        if count > 1 {
            text.push_str(&format!("; and {} more", count - 1));
        }
        Some(text)
    }

    /// The findings as diagnostics.
    pub fn into_diagnostics<'f>(
        self,
        job: Option<&'f str>,
        file: impl Fn(u32) -> String + 'f,
    ) -> impl Iterator<Item = Diagnostic> + 'f {
        self.list.into_iter().map(move |finding| Diagnostic {
            file: file(finding.at.file),
            line: finding.at.line,
            column: finding.at.column,
            severity: finding.severity,
            path: finding.path,
            message: finding.message,
            help: finding.help,
            job: job.map(str::to_owned),
        })
    }
}
