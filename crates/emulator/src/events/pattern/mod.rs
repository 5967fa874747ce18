//! Event patterns: what a rule asks of an event (docs/aws.md, Event patterns).

mod cidr;
mod leaves;
mod numeric;
mod read;
mod test;
mod wildcard;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub(super) use leaves::Leaves;
use leaves::{Step, Steps};
use serde_json::Value;
use test::Test;

use crate::reply::Refusal;

/// An event pattern, ready to be held against events.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    fields: Vec<Field>,
    /// Any of these is enough: the fields that must hold together, by their place in `fields`, in the order of paths.
    alternatives: Vec<Vec<usize>>,
}

/// What is asked of the values at one path, of which any one is enough.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    /// Names from the top down, with dots between them.
    path: String,
    tests: Vec<Test>,
}

impl Pattern {
    /// Reads the JSON of a pattern (docs/aws.md, Event patterns).
    ///
    /// # Errors
    ///
    /// `InvalidEventPatternException` in EventBridge's words where they are known.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        read::pattern(text).map_err(|reason| {
            let message = format!("Event pattern is not valid. Reason: {reason}");
            Refusal::new("InvalidEventPatternException", message)
        })
    }

    /// The paths it asks for.
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.path.as_str())
    }

    /// Whether an event of which no more than these values are known may be what the pattern asks for.
    pub(super) fn may_match(&self, known: &Leaves<'_>) -> bool {
        self.alternatives.iter().any(|fields| {
            let mut fields = fields.iter().filter_map(|field| self.fields.get(*field));
            fields.all(|field| {
                let leaves = known.at(&field.path);
                leaves.is_empty() || leaves.iter().any(|leaf| field.passes(leaf.value))
            })
        })
    }

    /// Whether an event is what the pattern asks for; the values have been looked for at its paths too.
    pub(super) fn matches(&self, event: &Leaves<'_>) -> bool {
        self.alternatives.iter().any(|fields| {
            let fields = fields.iter().filter_map(|field| self.fields.get(*field));
            let places: Option<Vec<Vec<Steps>>> = fields.map(|field| field.places(event)).collect();
            places.is_some_and(|places| together(&places))
        })
    }
}

impl Field {
    fn passes(&self, value: &Value) -> bool {
        self.tests.iter().any(|test| test.passes(value))
    }

    /// Through which elements of arrays there is a value that passes; `None` if there is none at all.
    fn places(&self, event: &Leaves<'_>) -> Option<Vec<Steps>> {
        let leaves = event.at(&self.path);
        let passing = leaves.iter().filter(|leaf| self.passes(leaf.value));
        let mut places: BTreeSet<Steps> = passing.map(|leaf| leaf.steps.clone()).collect();
        if leaves.is_empty() && self.tests.contains(&Test::Exists(false)) {
            places.insert(Steps::new());
        }
        (!places.is_empty()).then(|| places.into_iter().collect())
    }
}

/// Whether one place of each field can be chosen so that no two lie in different elements of one array.
///
/// Fields come in the order of paths, so those of one array stand side by side, and what was chosen for an array counts
/// no more once its last field is behind. What led nowhere once is not tried again with the same elements.
fn together(places: &[Vec<Steps>]) -> bool {
    let mut arrays_from: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); places.len() + 1];
    for (at, choices) in places.iter().enumerate().rev() {
        let (before, behind) = arrays_from.split_at_mut(at + 1);
        if let (Some(these), Some(later)) = (before.last_mut(), behind.first()) {
            these.extend(later.iter().copied());
            these.extend(choices.iter().flatten().map(|step| step.array));
        }
    }
    choose(places, &arrays_from, &mut Vec::new(), &mut BTreeSet::new())
}

/// Goes on with the first of `places`, given the elements that were `chosen` for the fields before.
fn choose(
    places: &[Vec<Steps>],
    arrays_from: &[BTreeSet<usize>],
    chosen: &mut Vec<Step>,
    hopeless: &mut BTreeSet<(usize, Vec<Step>)>,
) -> bool {
    let (Some((choices, rest)), Some((arrays, arrays_rest))) = (places.split_first(), arrays_from.split_first()) else {
        return true;
    };
    let binding: Vec<Step> = chosen.iter().filter(|step| arrays.contains(&step.array)).copied().collect();
    let state = (places.len(), binding);
    if hopeless.contains(&state) {
        return false;
    }
    for steps in choices {
        let agrees =
            |step: &Step| state.1.iter().all(|other| other.array != step.array || other.element == step.element);
        if !steps.iter().all(agrees) {
            continue;
        }
        let length = chosen.len();
        chosen.extend(steps.iter().filter(|step| !state.1.contains(step)));
        if choose(rest, arrays_rest, chosen, hopeless) {
            return true;
        }
        chosen.truncate(length);
    }
    hopeless.insert(state);
    false
}
