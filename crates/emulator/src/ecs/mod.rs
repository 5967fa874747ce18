//! Amazon ECS: task definitions, clusters and their tags.

mod clusters;
mod revisions;
mod tags;
mod task_definition;
mod tasks;

use jiff::Timestamp;
use serde_json::Value;

use crate::context::Context;
use crate::emulator::Input;
use crate::model;
use crate::page::BadToken;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::request::Operation;
use crate::settings::Settings;
use crate::state::{Due, State};

pub(crate) use tasks::{Launch, Starter, overrides, start, tell_phase, visible_for, watch};

/// Answers one operation (docs/aws.md, On the wire).
pub(crate) fn answer(state: &mut State, context: &Context<'_>, operation: &Operation, input: &Input<'_>) -> Answer {
    let body = input.body;
    // What is missing altogether, ECS words itself.
    let broken: Vec<_> = input.broken.iter().filter(|violation| !violation.missing).cloned().collect();
    if !broken.is_empty() {
        return Err(client(model::message(&broken)));
    }
    match operation.name.as_str() {
        "RegisterTaskDefinition" => task_definition::register(state, context, body),
        "DescribeTaskDefinition" => revisions::describe(state, context, body),
        "ListTaskDefinitions" => revisions::list(state, context, body),
        "ListTaskDefinitionFamilies" => revisions::list_families(state, context, body),
        "DeregisterTaskDefinition" => revisions::deregister(state, context, body),
        "DeleteTaskDefinitions" => revisions::delete(state, context, body),
        "CreateCluster" => clusters::create(state, context, body),
        "DescribeClusters" => clusters::describe(state, context, body),
        "ListClusters" => clusters::list(state, context, body),
        "DeleteCluster" => clusters::delete(state, context, body),
        "RunTask" => tasks::run(state, context, body),
        "StopTask" => tasks::stop(state, context, body),
        "ListTasks" => tasks::list(state, context, body),
        "DescribeTasks" => tasks::describe(state, context, body),
        "TagResource" => tags::tag(state, context, body),
        "UntagResource" => tags::untag(state, context, body),
        "ListTagsForResource" => tags::list(state, context, body),
        _ => Err(Refusal::unknown(operation)),
    }
}

/// Ends a deletion in progress whose time has come.
pub(crate) fn expire_revision(state: &mut State, settings: &Settings, key: &(Place, String, u32), when: Timestamp) {
    revisions::expire(state, settings, key, when);
}

/// Ends the afterlife of a stopped task whose time has come.
pub(crate) fn expire_task(state: &mut State, key: &(Place, String)) {
    tasks::expire(state, key);
}

/// What time will end in a state that was just read: what [`expire_revision`] and [`expire_task`] are to be called for.
pub(crate) fn agenda(state: &State, settings: &Settings) -> Vec<(Timestamp, Due)> {
    let revisions = state
        .revisions
        .iter()
        .filter_map(|(key, revision)| Some((revisions::gone_at(revision, settings)?, Due::Revision(key.clone()))));
    let tasks = state.tasks.iter().map(|(key, task)| (tasks::Life::of(task, settings).gone_at, Due::Task(key.clone())));
    revisions.chain(tasks).collect()
}

/// ECS's two words for a request that makes no sense (docs/aws.md, On the wire).
fn client(message: impl Into<String>) -> Refusal {
    Refusal::new("ClientException", message)
}

/// The other (docs/aws.md, On the wire).
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// A string member, if it was given.
fn text<'a>(body: &'a Value, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

/// The items of a list member; none when it was not given.
fn items<'a>(body: &'a Value, member: &str) -> &'a [Value] {
    body.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The page size asked for, from 1 to 100 (docs/aws.md, Revision lifecycle).
fn max_results(body: &Value) -> Result<usize, Refusal> {
    match body.get("maxResults").and_then(Value::as_i64) {
        None => Ok(100),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|asked| (1..=100).contains(asked))
            .ok_or_else(|| invalid("maxResults must be between 1 and 100.")),
    }
}

/// Follows docs/aws.md, On the wire.
fn bad_token(_: BadToken) -> Refusal {
    invalid("Invalid token.")
}
