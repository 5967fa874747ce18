//! `${…}` in defaults and in overrides.
//!
//! In a cluster's defaults `${job}`, `${region}` and `${account}` stand for the job they are merged under; in a job's
//! own text they stand for nothing and stay as they are. In `overrides` the variables of [`run_variable`] become what
//! only a run knows, such as its time. How that is said to AWS is the plan's to know, so there they stay, and so does
//! the `$${` that stands for a literal `${`.

mod run;

use crate::name::{JobName, Region};
use crate::yaml::{Node, Value};

pub use run::{AFTER, Form, RunVariable, Source, run_variable};

/// The variable that every run knows.
pub const SCHEDULED_TIME: &str = "scheduledTime";

const JOB: &str = "job";
const REGION: &str = "region";
const ACCOUNT: &str = "account";

/// Variables of defaults.
pub const IN_DEFAULTS: [&str; 3] = [JOB, REGION, ACCOUNT];

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text as it is.
    Text(&'t str),
    /// `$${`.
    Escape,
    /// `${name}`.
    Variable(&'t str),
}

/// Takes a text apart. A `${` without `}` is text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(before), Piece::Escape]);
            rest = from.get(2..).unwrap_or_default();
            continue;
        }
        let inner = from.get(2..).unwrap_or_default();
        let Some((name, after)) = inner.split_once('}') else { break };
        pieces.extend([Piece::Text(before), Piece::Variable(name)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The names of the variables in a text.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Text(_) | Piece::Escape => None,
    })
}

/// What to write instead of an unknown variable.
pub(crate) fn suggest(name: &str, known: &[&str]) -> String {
    let near = crate::suggest::nearest(name, known.iter().copied()).map(|near| format!("did you mean `${{{near}}}`?"));
    let near = near.unwrap_or_else(|| {
        let all: Vec<String> = known.iter().map(|name| format!("`${{{name}}}`")).collect();
        format!("known here: {};", all.join(", "))
    });
    format!("{near} `$${{` is a literal `${{`")
}

/// Fills `${account}` into a template of [`Value::Open`].
pub fn close(template: &str, account: &str, overrides: bool) -> String {
    let mut out = String::new();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Escape => out.push_str(if overrides { "$${" } else { "${" }),
            Piece::Variable(ACCOUNT) => out.push_str(account),
            Piece::Variable(name) => push_variable(&mut out, name),
        }
    }
    out
}

fn push_variable(out: &mut String, name: &str) {
    out.push_str("${");
    out.push_str(name);
    out.push('}');
}

/// What a job's defaults are filled in with.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// `${job}`.
    pub job: &'s JobName,
    /// `${region}`.
    pub region: &'s Region,
}

impl Scope<'_> {
    /// Fills in every text below `node`, a part of the defaults; `overrides` keeps what the run fills in.
    pub fn fill(&self, node: &mut Node, overrides: bool) {
        match &mut node.value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Open { .. } => {}
            Value::String(text) => {
                if text.contains("${") {
                    node.value = self.filled(text, overrides);
                }
            }
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.fill(item, overrides)),
            Value::Mapping(map) => {
                for (key, entry) in map.iter_mut() {
                    self.fill(&mut entry.node, overrides || key == "overrides");
                }
            }
        }
    }

    fn filled(&self, text: &str, overrides: bool) -> Value {
        let (mut shown, mut template, mut open) = (String::new(), String::new(), false);
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => {
                    shown.push_str(text);
                    template.push_str(text);
                }
                Piece::Escape => {
                    shown.push_str(if overrides { "$${" } else { "${" });
                    template.push_str("$${");
                }
                Piece::Variable(JOB) => {
                    shown.push_str(self.job.as_str());
                    template.push_str(self.job.as_str());
                }
                Piece::Variable(REGION) => {
                    shown.push_str(self.region.as_str());
                    template.push_str(self.region.as_str());
                }
                Piece::Variable(name) => {
                    open |= name == ACCOUNT;
                    push_variable(&mut shown, name);
                    push_variable(&mut template, name);
                }
            }
        }
        if open { Value::Open { shown, template } } else { Value::String(shown) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart_at_its_variables() {
        use Piece::{Escape, Text, Variable};
        let cases: [(&str, &[Piece<'_>]); 6] = [
            ("plain", &[Text("plain")]),
            ("a-${job}-b", &[Text("a-"), Variable("job"), Text("-b")]),
            ("$${job}", &[Text(""), Escape, Text("job}")]),
            ("${a}$${b}${c}", &[Text(""), Variable("a"), Text(""), Escape, Text("b}"), Variable("c"), Text("")]),
            ("${open", &[Text("${open")]),
            ("$ { } $x", &[Text("$ { } $x")]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn only_the_account_is_filled_in_at_the_end() {
        assert_eq!(close("arn:${account}:$${account}", "123456789012", false), "arn:123456789012:${account}");
        assert_eq!(close("${account} ${scheduledTime} $${x}", "1", true), "1 ${scheduledTime} $${x}");
    }
}
