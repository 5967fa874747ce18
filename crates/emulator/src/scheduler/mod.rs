//! Amazon EventBridge Scheduler: schedules in groups, each with one target (docs/aws.md, Scheduler).

mod alarms;
mod check;
mod errand;
mod groups;
mod route;
mod schedules;
mod tags;
mod timetable;

use serde_json::{Map, Value};

pub(crate) use alarms::{Alarm, fire, resume, retry};
pub(crate) use route::{input, route};

use crate::context::Context;
use crate::emulator::Input;
use crate::model;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::request::Operation;
use crate::state::State;

/// The group of schedules that name none; it is always there.
const DEFAULT: &str = "default";

/// Answers one operation (docs/aws.md, Scheduler).
pub(crate) fn answer(state: &mut State, context: &Context<'_>, operation: &Operation, input: &Input<'_>) -> Answer {
    let body = input.body;
    if !input.broken.is_empty() {
        return Err(validation(model::message(&input.broken)));
    }
    match operation.name.as_str() {
        "CreateSchedule" => schedules::create(state, context, body),
        "GetSchedule" => schedules::get(state, context, body),
        "UpdateSchedule" => schedules::update(state, context, body),
        "DeleteSchedule" => schedules::delete(state, context, body),
        "ListSchedules" => schedules::list(state, context, body),
        "CreateScheduleGroup" => groups::create(state, context, body),
        "GetScheduleGroup" => groups::get(state, context, body),
        "DeleteScheduleGroup" => groups::delete(state, context, body),
        "ListScheduleGroups" => groups::list(state, context, body),
        "TagResource" => tags::tag(state, context, body),
        "UntagResource" => tags::untag(state, context, body),
        "ListTagsForResource" => tags::list(state, context, body),
        _ => Err(Refusal::unknown(operation)),
    }
}

/// The key of a schedule in its table.
fn key(place: &Place, group: &str, name: &str) -> (Place, String) {
    (place.clone(), format!("{group}/{name}"))
}

fn schedule_arn(place: &Place, group: &str, name: &str) -> String {
    place.arn("scheduler", format_args!("schedule/{group}/{name}"))
}

fn group_arn(place: &Place, group: &str) -> String {
    place.arn("scheduler", format_args!("schedule-group/{group}"))
}

/// Follows docs/aws.md, Scheduler.
fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationException", message)
}

/// Follows docs/aws.md, Scheduler.
fn not_found(message: String) -> Refusal {
    Refusal { status: 404, ..Refusal::new("ResourceNotFoundException", message) }
}

fn no_group(name: &str) -> Refusal {
    not_found(format!("Schedule Group {name} does not exist."))
}

/// Follows docs/aws.md, Scheduler.
fn conflict(message: String) -> Refusal {
    Refusal { status: 409, ..Refusal::new("ConflictException", message) }
}

/// Whether schedules can be in a group of this name.
fn has_group(state: &State, place: &Place, group: &str) -> bool {
    group == DEFAULT || state.groups.get(&(place.clone(), group.to_owned())).is_some()
}

/// A string member, if it was given.
fn text<'a>(body: &'a Value, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

/// How many entries a page is to have; the model holds it to 1..100.
fn page_size(body: &Value) -> usize {
    let asked = body.get("MaxResults").and_then(Value::as_u64).and_then(|asked| usize::try_from(asked).ok());
    asked.unwrap_or(100)
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
