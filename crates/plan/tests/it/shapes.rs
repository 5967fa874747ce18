//! Any value of AWS's shapes: every member may be there, with the values that defaults and sizes turn on.

use ecs_etl_spec::shapes::members::{EVENT_MEMBERS, Kind, MEMBERS, Member};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Texts that some rule or other takes for a default, a size or neither.
const TEXTS: &[&str] = &["", "a", "b", "/", "enabled", "1 vCPU", "1024", "2 GB", "0.3 GB"];

const NUMBERS: &[i64] = &[0, 1, 3, 5, 30, 80, 300];

/// Any value of an ECS structure.
pub fn of_ecs(structure: &'static str) -> BoxedStrategy<Value> {
    any_structure(MEMBERS, structure)
}

/// Any value of an EventBridge structure.
#[allow(dead_code, reason = "only the tests of normal forms ask for these")]
pub fn of_events(structure: &'static str) -> BoxedStrategy<Value> {
    any_structure(EVENT_MEMBERS, structure)
}

fn any_structure(table: &'static [Member], name: &'static str) -> BoxedStrategy<Value> {
    let members: Vec<_> = table.iter().filter(|m| m.structure == name).map(|m| any_member(table, m)).collect();
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect::<Map<_, _>>())).boxed()
}

fn any_member(table: &'static [Member], member: &'static Member) -> BoxedStrategy<Option<(String, Value)>> {
    let value = any_value(table, member.kind, member.values);
    prop_oneof![2 => Just(None), 1 => value.prop_map(|value| Some((member.member.to_owned(), value)))].boxed()
}

fn any_value(table: &'static [Member], kind: Kind, values: &'static [&'static str]) -> BoxedStrategy<Value> {
    match kind {
        Kind::String if values.is_empty() => prop::sample::select(TEXTS).prop_map(Value::from).boxed(),
        Kind::String => prop::sample::select(values).prop_map(Value::from).boxed(),
        Kind::Integer => prop::sample::select(NUMBERS).prop_map(Value::from).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Structure(name) => any_structure(table, name),
        Kind::List(inner) => {
            prop::collection::vec(any_value(table, *inner, values), 0..3).prop_map(Value::Array).boxed()
        }
        Kind::Map(inner) => {
            let entries = prop::collection::btree_map("[ab]", any_value(table, *inner, values), 0..3);
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect())).boxed()
        }
    }
}
