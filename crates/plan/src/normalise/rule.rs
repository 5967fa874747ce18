//! The rules of the tables, and how each brings a value into normal form.

use std::collections::BTreeMap;

use ecs_etl_spec::shapes::members::{Kind, Member};
use ecs_etl_spec::shapes::size;
use serde_json::{Map, Value, json};

use super::table::{self, Row};

/// When two values of a member are equal in AWS's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// When they are equal to the letter.
    Verbatim,
    /// Absent means this, and so does an empty text.
    Default(Scalar),
    /// A structure or map: member by member; an empty one is absent.
    Inner,
    /// A structure whose presence says something, even when it is empty.
    Present,
    /// A list whose order counts; an empty one is absent.
    InOrder,
    /// A list whose order does not count; an empty one is absent.
    AnyOrder,
    /// The same, of entries that this member tells apart.
    By(&'static str),
    /// The same, of texts; absent means all of these.
    AllOf(&'static [&'static str]),
    /// A task's CPU in units or vCPU.
    Cpu,
    /// A task's memory in MiB or GB.
    Memory,
    /// A port on the host: what AWS chooses, or must choose, is absent.
    HostPort,
    /// JSON in a text: equal as JSON, and as this ECS structure where it is one.
    Json(Option<&'static str>),
}

/// A value in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(&'static str),
}

impl PartialEq<Value> for Scalar {
    fn eq(&self, value: &Value) -> bool {
        match *self {
            Self::Truth(truth) => value.as_bool() == Some(truth),
            Self::Number(number) => value.as_i64() == Some(number),
            Self::Text(text) => value.as_str().is_some_and(|value| value.is_empty() || value == text),
        }
    }
}

/// The tables of one service.
#[derive(Debug)]
pub(super) struct Tables {
    /// When two values are equal.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the tests, which go through them row by row"))]
    pub(super) rows: &'static [&'static [Row]],
    structures: BTreeMap<&'static str, Structure>,
}

/// What the tables say of one structure.
#[derive(Debug)]
struct Structure {
    /// In the model's order.
    members: Vec<&'static Member>,
    /// Type of each member's value, and the rule that it follows.
    rules: BTreeMap<&'static str, (Kind, Option<Rule>)>,
}

impl Tables {
    pub(super) fn new(members: &'static [Member], rows: &'static [&'static [Row]]) -> Self {
        let rule = |member: &Member| {
            let mut rows = rows.iter().copied().flatten();
            rows.find(|row| row.structure == member.structure && row.members.contains(&member.member))
        };
        let mut structures: BTreeMap<&str, Structure> = BTreeMap::new();
        for member in members {
            let structure = structures.entry(member.structure).or_insert_with(Structure::empty);
            structure.members.push(member);
            structure.rules.insert(member.member, (member.kind, rule(member).map(|row| row.rule)));
        }
        Self { rows, structures }
    }

    /// Members of a structure in the model's order.
    pub(super) fn members(&self, structure: &str) -> impl Iterator<Item = &'static Member> {
        self.structures.get(structure).into_iter().flat_map(|structure| structure.members.iter().copied())
    }

    /// Type of a member's value; text for one that no model knows, which only JSON from elsewhere can hold.
    pub(super) fn kind(&self, structure: &str, member: &str) -> Kind {
        self.structures.get(structure).map_or(Kind::String, |structure| structure.of(member).0)
    }

    /// The rule of a member; none for one that no table knows.
    pub(super) fn rule(&self, structure: &str, member: &str) -> Option<Rule> {
        self.structures.get(structure)?.of(member).1
    }

    /// A structure in normal form: what is absent or default is gone.
    pub(super) fn structure(&self, name: &str, value: Value, network: Network) -> Value {
        let Value::Object(object) = value else { return value };
        let container_port = object.get("containerPort").cloned();
        let structure = self.structures.get(name);
        let mut normal = Vec::with_capacity(object.len());
        for (member, value) in object {
            let (kind, rule) = structure.map_or((Kind::String, None), |structure| structure.of(&member));
            let rule = rule.unwrap_or(Rule::Verbatim);
            let value = match rule {
                Rule::HostPort => network.host_port(value, container_port.as_ref()),
                Rule::Verbatim
                | Rule::Default(_)
                | Rule::Inner
                | Rule::Present
                | Rule::InOrder
                | Rule::AnyOrder
                | Rule::By(_)
                | Rule::AllOf(_)
                | Rule::Cpu
                | Rule::Memory
                | Rule::Json(_) => self.value(rule, kind, value, network),
            };
            normal.extend(value.map(|value| (member, value)));
        }
        normal.sort_by(|(one, _), (other, _)| one.cmp(other));
        Value::Object(normal.into_iter().collect())
    }

    fn value(&self, rule: Rule, kind: Kind, value: Value, network: Network) -> Option<Value> {
        match rule {
            Rule::Verbatim | Rule::HostPort => Some(value),
            Rule::Default(default) => (default != value).then_some(value),
            Rule::Inner => Some(self.inner(kind, value, network)).filter(|value| !is_empty(value)),
            Rule::Present => Some(self.inner(kind, value, network)),
            Rule::InOrder => self.list(kind, value, network),
            Rule::AnyOrder => self.list(kind, value, network).map(|list| sorted(list, |entry| entry.to_string())),
            Rule::By(key) => {
                let list = self.list(kind, value, network);
                list.map(|list| sorted(list, |entry| (entry[key].to_string(), entry.to_string())))
            }
            Rule::AllOf(all) => {
                let list = sorted(self.list(kind, value, network)?, |entry| entry.to_string());
                (list != sorted(json!(all), |entry| entry.to_string())).then_some(list)
            }
            Rule::Cpu => Some(units(value, size::cpu_units)),
            Rule::Memory => Some(units(value, size::memory_mib)),
            Rule::Json(structure) => Some(json_in_text(value, structure)),
        }
    }

    fn inner(&self, kind: Kind, value: Value, network: Network) -> Value {
        match kind {
            Kind::Structure(name) => self.structure(name, value, network),
            Kind::Map(_) => by_key(value),
            Kind::List(_) | Kind::String | Kind::Integer | Kind::Boolean => value,
        }
    }

    fn list(&self, kind: Kind, value: Value, network: Network) -> Option<Value> {
        let (of, entries) = match (kind, value) {
            (Kind::List(of), Value::Array(entries)) => (of, entries),
            (_, value) => return Some(value),
        };
        let entries = entries.into_iter().map(|entry| self.inner(*of, entry, network));
        Some(entries.collect::<Value>()).filter(|value| !is_empty(value))
    }
}

impl Structure {
    fn empty() -> Self {
        Self { members: Vec::new(), rules: BTreeMap::new() }
    }

    /// Type and rule of a member; a text without a rule is one that no model knows.
    fn of(&self, member: &str) -> (Kind, Option<Rule>) {
        self.rules.get(member).copied().unwrap_or((Kind::String, None))
    }
}

/// How the containers of a task reach the network, as far as host ports depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// `awsvpc` and `host`: the host's port is the container's.
    Shared,
    /// `bridge`, the default: no port, or 0, is one that AWS chooses.
    Mapped,
}

impl Network {
    /// The network of a task definition.
    pub(super) fn of(task_definition: &Value) -> Self {
        match task_definition["networkMode"].as_str() {
            Some("awsvpc" | "host") => Self::Shared,
            Some(_) | None => Self::Mapped,
        }
    }

    fn host_port(self, value: Value, container_port: Option<&Value>) -> Option<Value> {
        let chosen = value.as_i64() == Some(0) || (self == Self::Shared && Some(&value) == container_port);
        (!chosen).then_some(value)
    }
}

/// An empty list, map or structure.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(entries) => entries.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn sorted<K: Ord>(list: Value, key: impl Fn(&Value) -> K) -> Value {
    match list {
        Value::Array(mut entries) => {
            entries.sort_by_cached_key(key);
            Value::Array(entries)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => list,
    }
}

/// All maps within, sorted: the order of keys never says anything.
fn by_key(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().map(|(k, v)| (k, by_key(v))).collect();
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(entries) => entries.into_iter().map(by_key).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// What is no size stays as it is written: it is for AWS, or for the checks, to refuse.
fn units(value: Value, parse: fn(&str) -> Option<u32>) -> Value {
    match value.as_str().and_then(parse) {
        Some(units) => json!(units),
        None => value,
    }
}

/// JSON that is a map or list, parsed; any other text as it is, so that a text and a JSON text never meet.
fn json_in_text(value: Value, structure: Option<&str>) -> Value {
    let parsed = value.as_str().and_then(super::template::parse);
    let Some(parsed) = parsed.filter(|parsed| parsed.is_object() || parsed.is_array()) else { return value };
    match structure {
        Some(name) => by_key(table::ECS.structure(name, parsed, Network::Mapped)),
        None => by_key(parsed),
    }
}
