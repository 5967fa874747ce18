//! The whole state as JSON, for tests that compare what a run left behind.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::place::Place;
use crate::state::State;

/// The rows of one Region, by kind and name.
type Kinds = BTreeMap<&'static str, Map<String, Value>>;

/// Account, then Region, then kind, then name; every map in the order of its keys.
pub(crate) fn of(state: &State) -> Value {
    let mut accounts: BTreeMap<String, BTreeMap<String, Kinds>> = BTreeMap::new();
    let mut put = |place: &Place, kind: &'static str, name: String, value: Value| {
        let regions = accounts.entry(place.account.clone()).or_default();
        regions.entry(place.region.clone()).or_default().entry(kind).or_default().insert(name, value);
    };
    for ((place, name), family) in state.families.iter() {
        put(place, "families", name.clone(), row(family));
    }
    for ((place, family, number), revision) in state.revisions.iter() {
        put(place, "revisions", format!("{family}:{number}"), row(revision));
    }
    for ((place, name), cluster) in state.clusters.iter() {
        put(place, "clusters", name.clone(), row(cluster));
    }
    for ((place, name), rule) in state.rules.iter() {
        put(place, "rules", name.clone(), row(rule));
    }
    for ((place, id), task) in state.tasks.iter() {
        put(place, "tasks", id.clone(), row(task));
    }
    for ((place, name), formers) in state.formers.iter() {
        put(place, "formers", name.clone(), row(formers));
    }
    for ((place, name), group) in state.groups.iter() {
        put(place, "schedule-groups", name.clone(), row(group));
    }
    for ((place, name), schedule) in state.schedules.iter() {
        put(place, "schedules", name.clone(), row(schedule));
    }
    for ((place, name), queue) in state.queues.iter() {
        put(place, "queues", name.clone(), row(queue));
    }
    for ((place, key), message) in state.messages.iter() {
        put(place, "messages", key.clone(), row(message));
    }
    for ((place, name), retry) in state.retries.iter() {
        put(place, "retries", name.clone(), row(retry));
    }
    row(&accounts)
}

fn row(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
