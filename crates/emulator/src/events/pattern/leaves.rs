//! An event cut into its values, each with the path to it and the elements of arrays it lies in.

use std::collections::HashMap;

use serde_json::Value;

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

/// All values of an event by their paths.
///
/// A name with dots in it is the same as a way through objects (docs/aws.md, Event patterns).
#[derive(Debug, Default)]
pub(in crate::events) struct Leaves<'a> {
    by_path: HashMap<String, Vec<Leaf<'a>>>,
    arrays: usize,
}

impl<'a> Leaves<'a> {
    pub(in crate::events) fn of(event: &'a Value) -> Self {
        let mut leaves = Self::default();
        leaves.add(event, &mut String::new(), &mut Steps::new());
        leaves
    }

    /// The values at a path.
    pub(super) fn at(&self, path: &str) -> &[Leaf<'a>] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, value: &'a Value, path: &mut String, steps: &mut Steps) {
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
                let leaf = Leaf { value, steps: steps.clone() };
                self.by_path.entry(path.clone()).or_default().push(leaf);
            }
        }
    }
}
