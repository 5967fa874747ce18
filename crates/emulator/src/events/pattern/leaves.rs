//! An event cut into its values, each with the path to it and the elements of arrays it lies in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde_json::Value;

use super::Pattern;

/// The way through the arrays of an event to a value, from the outside in.
pub(super) type Steps = Vec<Step>;

/// One element of one array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    /// Which array of the event; no two have the same number.
    pub array: usize,
    /// Which of its elements.
    pub element: usize,
}

/// A value that is neither an object nor an array.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    pub value: &'a Value,
    pub steps: Steps,
}

/// The values of an event by those of their paths that somebody asks for.
///
/// A name with dots in it is the same as a way through objects (docs/aws.md, Event patterns).
#[derive(Debug)]
pub(in crate::events) struct Leaves<'a> {
    asked: BTreeSet<&'a str>,
    by_path: BTreeMap<&'a str, Vec<Leaf<'a>>>,
    arrays: usize,
}

impl<'a> Leaves<'a> {
    /// Those that `patterns` ask for.
    pub(in crate::events) fn of(event: &'a Value, patterns: impl IntoIterator<Item = &'a Pattern>) -> Self {
        let asked = patterns.into_iter().flat_map(Pattern::paths).collect();
        let mut leaves = Self { asked, by_path: BTreeMap::new(), arrays: 0 };
        leaves.add(event, &mut String::new(), &mut Steps::new());
        leaves
    }

    /// The values at a path.
    pub(super) fn at(&self, path: &str) -> &[Leaf<'a>] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    /// The first path asked for that begins with this one.
    fn asks_within(&self, path: &str) -> Option<&'a str> {
        let mut from = self.asked.range::<str, _>((Bound::Included(path), Bound::Unbounded));
        from.next().copied().filter(|asked| asked.starts_with(path))
    }

    fn add(&mut self, value: &'a Value, path: &mut String, steps: &mut Steps) {
        let Some(asked) = self.asks_within(path) else { return };
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let length = path.len();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    self.add(value, path, steps);
                    path.truncate(length);
                }
            }
            Value::Array(elements) => {
                let array = self.arrays;
                self.arrays += 1;
                for (element, value) in elements.iter().enumerate() {
                    steps.push(Step { array, element });
                    self.add(value, path, steps);
                    steps.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                // Of the paths that begin with it, it is the first one itself.
                if asked == path {
                    self.by_path.entry(asked).or_default().push(Leaf { value, steps: steps.clone() });
                }
            }
        }
    }
}
