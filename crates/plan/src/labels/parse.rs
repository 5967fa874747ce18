//! Reads a label selector, and says where one goes wrong.

use std::collections::BTreeSet;
use std::fmt;

use ecs_etl_spec::suggest::nearest;

use super::{Demand, LabelSelector, Requirement};

/// A text that is no label selector: what was expected, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorError {
    text: String,
    /// Characters before the place that is wrong.
    at: usize,
    expected: &'static str,
    near: Option<String>,
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)?;
        if let Some(near) = &self.near {
            write!(f, "; did you mean `{near}`?")?;
        }
        write!(f, "\n  {}\n  {:at$}^", self.text, "", at = self.at)
    }
}

impl std::error::Error for SelectorError {}

const KEY: &str = "a label, such as `team=data`, `team in (a,b)` or `!team`";
const VALUE: &str = "a value of letters, digits and `_./:+@-`";
const OPERATOR: &str = "`=`, `!=`, `in (…)`, `notin (…)` or a comma";
const OPEN: &str = "`(` and a list of values, such as `team in (a,b)`";
const CLOSE: &str = "`,` or `)`";
const END: &str = "a comma, or the end";

pub(super) fn parse(text: &str) -> Result<LabelSelector, SelectorError> {
    let mut reader = Reader { all: text, rest: text };
    let mut requirements = Vec::new();
    loop {
        requirements.push(requirement(&mut reader)?);
        if reader.is_at_end() {
            return Ok(LabelSelector { requirements });
        }
        if !reader.takes(",") {
            return Err(reader.expected(END));
        }
    }
}

fn requirement(reader: &mut Reader<'_>) -> Result<Requirement, SelectorError> {
    if reader.takes("!") {
        let key = reader.key()?;
        return Ok(Requirement { key, demand: Demand::Absent });
    }
    let key = reader.key()?;
    let demand = if reader.takes("!=") {
        Demand::NotIn(BTreeSet::from([reader.value()]))
    } else if reader.takes("==") || reader.takes("=") {
        Demand::In(BTreeSet::from([reader.value()]))
    } else if reader.is_at_end() || reader.begins(",") {
        Demand::Exists
    } else {
        let before = reader.clone();
        match reader.word().as_str() {
            "in" => Demand::In(values(reader)?),
            "notin" => Demand::NotIn(values(reader)?),
            other => {
                let lower = other.to_ascii_lowercase();
                let near = if lower == "not" { Some("notin") } else { nearest(&lower, ["in", "notin"].into_iter()) };
                return Err(SelectorError { near: near.map(str::to_owned), ..before.expected(OPERATOR) });
            }
        }
    };
    Ok(Requirement { key, demand })
}

fn values(reader: &mut Reader<'_>) -> Result<BTreeSet<String>, SelectorError> {
    if !reader.takes("(") {
        return Err(reader.expected(OPEN));
    }
    let mut values = BTreeSet::new();
    loop {
        reader.skip_spaces();
        let before = reader.clone();
        let value = reader.word();
        if value.is_empty() && !reader.begins(",") && !reader.begins(")") {
            return Err(before.expected(VALUE));
        }
        values.insert(value);
        if reader.takes(")") {
            return Ok(values);
        }
        if !reader.takes(",") {
            return Err(reader.expected(CLOSE));
        }
    }
}

/// A text and how far it was read.
#[derive(Debug, Clone)]
struct Reader<'a> {
    all: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn begins(&mut self, with: &str) -> bool {
        self.skip_spaces();
        self.rest.starts_with(with)
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.rest.is_empty()
    }

    /// Letters, digits and the signs that AWS takes in tags, without spaces and `=`.
    fn word(&mut self) -> String {
        self.skip_spaces();
        let part_of_it = |c: char| c.is_alphanumeric() || "_./:+@-".contains(c);
        let end = self.rest.find(|c| !part_of_it(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn key(&mut self) -> Result<String, SelectorError> {
        self.skip_spaces();
        let before = self.clone();
        let key = self.word();
        if key.is_empty() { Err(before.expected(KEY)) } else { Ok(key) }
    }

    /// A value; nothing at all is one too.
    fn value(&mut self) -> String {
        self.word()
    }

    fn expected(&self, expected: &'static str) -> SelectorError {
        let read = self.all.len() - self.rest.len();
        let at = self.all.get(..read).map_or(0, |read| read.chars().count());
        SelectorError { text: self.all.to_owned(), at, expected, near: None }
    }
}
