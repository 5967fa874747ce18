//! AWS's service models, as far as requests go: which members there are, of which type, within which bounds.
//!
//! The tables are cut from AWS's own models (see `model/extract.py`). Unknown members are ignored (docs/aws.md,
//! On the wire).

mod cast;
mod constraint;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

pub(crate) use cast::cast;
pub(crate) use constraint::{Violation, broken, message, violations};
pub(crate) use pattern::tag_character;

use crate::request::Service;

static ECS: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("../../model/ecs.txt")));
static EVENTS: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("../../model/events.txt")));
static TAGGING: LazyLock<Model> =
    LazyLock::new(|| Model::parse(include_str!("../../model/resourcegroupstaggingapi.txt")));
static SCHEDULER: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("../../model/scheduler.txt")));
static SQS: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("../../model/sqs.txt")));

/// The least and the most, where AWS says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bounds {
    min: Option<i64>,
    max: Option<i64>,
}

/// What a string may say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Words {
    Any,
    OneOf(Vec<&'static str>),
    Pattern(&'static str),
}

/// Which shape of its model; none if the model has no such shape.
type Index = Option<usize>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: &'static str,
    shape: Index,
    required: bool,
}

/// The members of a structure, in the order of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Members {
    all: Vec<Member>,
    by_name: BTreeMap<&'static str, usize>,
    required: Vec<usize>,
}

impl Members {
    fn push(&mut self, member: Member) {
        self.by_name.insert(member.name, self.all.len());
        if member.required {
            self.required.push(self.all.len());
        }
        self.all.push(member);
    }

    fn get(&self, name: &str) -> Option<&Member> {
        self.all.get(*self.by_name.get(name)?)
    }

    /// Those that are given or required, in the order of the model. Of the many that there are, most are neither.
    fn given_or_required(&self, given: &Map<String, Value>) -> impl Iterator<Item = &Member> {
        let given = given.keys().filter_map(|name| self.by_name.get(name.as_str()));
        let at: BTreeSet<usize> = given.chain(&self.required).copied().collect();
        at.into_iter().filter_map(|at| self.all.get(at))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Structure(Members),
    List {
        member: Index,
        bounds: Bounds,
    },
    Map {
        key: Index,
        value: Index,
        bounds: Bounds,
    },
    String {
        bounds: Bounds,
        words: Words,
    },
    Integer {
        bounds: Bounds,
    },
    Boolean,
    /// Seconds since 1970.
    Timestamp,
    /// Bytes in base64.
    Blob,
}

/// One service's requests.
#[derive(Debug, Default)]
pub(crate) struct Model {
    inputs: BTreeMap<&'static str, &'static str>,
    shapes: Vec<Shape>,
    by_name: BTreeMap<&'static str, usize>,
}

impl Model {
    /// The model of a JSON service.
    pub(crate) fn of(service: Service) -> Option<&'static Self> {
        match service {
            Service::Ecs => Some(&ECS),
            Service::Events => Some(&EVENTS),
            Service::Tag => Some(&TAGGING),
            Service::Scheduler => Some(&SCHEDULER),
            Service::Sqs => Some(&SQS),
            Service::Sts | Service::Emulator => None,
        }
    }

    /// The input shape of an operation, if the emulator has it.
    pub(crate) fn input(&self, operation: &str) -> Option<&'static str> {
        self.inputs.get(operation).copied()
    }

    fn index(&self, name: &str) -> Index {
        self.by_name.get(name).copied()
    }

    fn shape(&self, index: Index) -> Option<&Shape> {
        self.shapes.get(index?)
    }

    /// Reads a checked-in table; a test reads each of them whole.
    fn parse(text: &'static str) -> Self {
        let mut model = Self { by_name: names(text), ..Self::default() };
        for line in text.lines() {
            if let Some(member) = line.strip_prefix("  ") {
                let (name, shape) = member.split_once(' ').unwrap_or((member, ""));
                let required = name.ends_with('!');
                let member = Member { name: name.trim_end_matches('!'), shape: model.index(shape), required };
                if let Some(Shape::Structure(members)) = model.shapes.last_mut() {
                    members.push(member);
                }
                continue;
            }
            let Some((kind, rest)) = line.split_once(' ') else { continue };
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let shape = match kind {
                "#" => continue,
                "operation" => {
                    model.inputs.insert(name, rest);
                    continue;
                }
                "structure" => Shape::Structure(Members::default()),
                "list" => {
                    let (member, bounds) = rest.split_once(' ').unwrap_or((rest, ""));
                    Shape::List { member: model.index(member), bounds: split_bounds(bounds).0 }
                }
                "map" => {
                    let (key, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                    let (value, bounds) = rest.split_once(' ').unwrap_or((rest, ""));
                    Shape::Map { key: model.index(key), value: model.index(value), bounds: split_bounds(bounds).0 }
                }
                "string" => {
                    let (bounds, rest) = split_bounds(rest);
                    let words = match rest.strip_prefix("one of ") {
                        Some(words) => Words::OneOf(words.split('|').collect()),
                        None if rest.is_empty() => Words::Any,
                        None => Words::Pattern(rest),
                    };
                    Shape::String { bounds, words }
                }
                "integer" => Shape::Integer { bounds: split_bounds(rest).0 },
                "boolean" => Shape::Boolean,
                "timestamp" => Shape::Timestamp,
                "blob" => Shape::Blob,
                _ => continue,
            };
            model.shapes.push(shape);
        }
        model
    }
}

/// The shapes that a table has, by name: each line that is no member's, no comment and no operation is one.
fn names(text: &'static str) -> BTreeMap<&'static str, usize> {
    let lines = text.lines().filter(|line| !line.starts_with([' ', '#']));
    let shapes = lines.filter_map(|line| line.split_once(' ')).filter(|(kind, _)| *kind != "operation");
    (0..).zip(shapes).map(|(index, (_, rest))| (rest.split(' ').next().unwrap_or(rest), index)).collect()
}

/// Takes `MIN MAX` off the front of the rest of a line, if it is there.
fn split_bounds(text: &'static str) -> (Bounds, &'static str) {
    let number = |word: &str| (word == "-").then_some(None).or_else(|| word.parse().ok().map(Some));
    let mut words = text.splitn(3, ' ');
    match (words.next().and_then(number), words.next().and_then(number)) {
        (Some(min), Some(max)) => (Bounds { min, max }, words.next().unwrap_or("")),
        _ => (Bounds::default(), text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_the_tables_leads_to_a_shape() {
        for service in [Service::Ecs, Service::Events, Service::Tag, Service::Scheduler, Service::Sqs] {
            let model = Model::of(service).unwrap();
            assert!(!model.inputs.is_empty());
            for input in model.inputs.values() {
                assert!(matches!(model.shape(model.index(input)), Some(Shape::Structure(_))), "{input}");
            }
            assert_eq!(model.by_name.len(), model.shapes.len());
            for (name, index) in &model.by_name {
                let shape = model.shape(Some(*index)).unwrap();
                let leads_to: Vec<Index> = match shape {
                    Shape::Structure(members) => members.all.iter().map(|member| member.shape).collect(),
                    Shape::List { member, .. } => vec![*member],
                    Shape::Map { key, value, .. } => vec![*key, *value],
                    Shape::String { .. } | Shape::Integer { .. } | Shape::Boolean | Shape::Timestamp | Shape::Blob => {
                        vec![]
                    }
                };
                for target in leads_to {
                    assert!(model.shape(target).is_some(), "{name} names a shape that there is not");
                }
            }
        }
    }

    #[test]
    fn a_line_says_bounds_and_words() {
        let model = Model::parse("string A 1 64 [a-z]+\nstring B - 5\nstring C one of X|Y\nlist L A 0 50\ninteger N\n");
        let bounds = |min, max| Bounds { min, max };
        let string = |bounds, words| Shape::String { bounds, words };
        let shape = |name: &str| model.shape(model.index(name));
        assert_eq!(shape("A"), Some(&string(bounds(Some(1), Some(64)), Words::Pattern("[a-z]+"))));
        assert_eq!(shape("B"), Some(&string(bounds(None, Some(5)), Words::Any)));
        assert_eq!(shape("C"), Some(&string(bounds(None, None), Words::OneOf(vec!["X", "Y"]))));
        assert_eq!(shape("L"), Some(&Shape::List { member: model.index("A"), bounds: bounds(Some(0), Some(50)) }));
        assert_eq!(shape("N"), Some(&Shape::Integer { bounds: bounds(None, None) }));
    }
}
