//! What a check found.

use std::collections::BTreeSet;

use crate::diagnostic::Severity;

/// One finding of a check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Field path below what was checked, such as `containerDefinitions[0].memory`; empty for the whole of it.
    pub path: String,
    /// What is wrong, and what is allowed.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
    /// Error: AWS refuses it or no run can start. Warning: probably a mistake.
    pub severity: Severity,
}

impl Problem {
    /// Says what to write instead.
    pub(super) fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }
}

/// Findings in the making.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// AWS refuses it, or no run can start.
    pub(super) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) -> &mut Problem {
        self.push(Severity::Error, path.into(), message.into())
    }

    /// Probably a mistake.
    pub(super) fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) -> &mut Problem {
        self.push(Severity::Warning, path.into(), message.into())
    }

    fn push(&mut self, severity: Severity, path: String, message: String) -> &mut Problem {
        let last = self.0.len();
        self.0.push(Problem { path, message, help: None, severity });
        &mut self.0[last]
    }

    /// An error unless `value` lies within `range`; nothing for an absent value.
    pub(super) fn within(
        &mut self,
        path: impl Into<String>,
        value: Option<i32>,
        range: std::ops::RangeInclusive<i32>,
        unit: &str,
    ) {
        let Some(value) = value.filter(|value| !range.contains(value)) else { return };
        let (least, most) = range.into_inner();
        self.error(path, format!("{value} is out of range: {least} to {most}{unit}"));
    }

    /// Takes over what was found in a part, whose paths start at `path`.
    pub(super) fn extend_below(&mut self, path: &str, found: Self) {
        self.0.extend(found.0.into_iter().map(|mut problem| {
            let dot = if problem.path.is_empty() { "" } else { "." };
            problem.path = format!("{path}{dot}{}", problem.path);
            problem
        }));
    }

    /// By path, each once; a warning about a field that also has an error adds nothing.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort();
        self.0.dedup();
        let errors: BTreeSet<String> = self
            .0
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(|problem| problem.path.clone())
            .collect();
        let adds = |problem: &Problem| {
            problem.severity == Severity::Error || problem.path.is_empty() || !errors.contains(&problem.path)
        };
        self.0.retain(adds);
        self.0
    }
}
