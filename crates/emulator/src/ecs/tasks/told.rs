//! What the event bus hears of tasks: an event for each change of a task's `lastStatus` (docs/aws.md, Task state changes).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::life::Life;
use super::{arn, shown};
use crate::context::{Context, iso};
use crate::events::{self, Told};
use crate::place::Place;
use crate::settings::Settings;
use crate::state::{Due, State, Task, tasks_at};

/// How much later than the change its event comes; so a circle of rules and tasks takes time, whatever the settings.
pub(super) const TAKES: SignedDuration = SignedDuration::from_secs(1);

const SOURCE: &str = "aws.ecs";
const DETAIL_TYPE: &str = "ECS Task State Change";

/// Has the bus hear of the tasks that there are, from their first change on that it would hear of after `at`.
pub(crate) fn watch(state: &mut State, settings: &Settings, place: &Place, at: Timestamp) {
    let heard = before(at);
    let coming: Vec<_> = tasks_at(state, place)
        .filter_map(|(id, task)| Some((next(&Life::of(task, settings), heard)?, id.to_owned())))
        .collect();
    for (when, id) in coming {
        state.remind(Some(when), Due::Phase((place.clone(), id)));
    }
}

/// Has the bus hear of a task that was just started.
pub(super) fn watch_new(state: &mut State, key: &(Place, String), life: &Life) {
    if state.listens(&key.0) {
        let first = life.changes().first().map(|(at, _)| later(*at));
        state.remind(first, Due::Phase(key.clone()));
    }
}

/// Has the bus hear of another future of a task than it would have heard of.
pub(super) fn watch_instead(state: &mut State, key: &(Place, String), was: &Life, is: &Life, now: Timestamp) {
    let heard = before(now);
    state.forget_reminder(next(was, heard), Due::Phase(key.clone()));
    if state.listens(&key.0) {
        state.remind(next(is, heard), Due::Phase(key.clone()));
    }
}

/// Tells the bus of the change that it is to hear of `when`.
pub(crate) fn tell_phase(state: &mut State, settings: &Settings, key: &(Place, String), when: Timestamp) {
    let (place, id) = key;
    let changed_at = before(when);
    let Some(task) = state.tasks.get(key).filter(|_| state.listens(place)) else { return };
    let life = Life::of(task, settings);
    let next = next(&life, changed_at);
    let context = Context::of_time(changed_at, place, settings);
    let event = events::may_concern(state, place, &known(&context, task, &life)).then(|| event(&context, id, task));
    state.remind(next, Due::Phase(key.clone()));
    if let Some(event) = event {
        events::publish(state, &Context::of_time(when, place, settings), &event);
    }
}

/// What rules ask for most of the event of a task.
fn known(context: &Context<'_>, task: &Task, life: &Life) -> Value {
    json!({
        "source": SOURCE,
        "detail-type": DETAIL_TYPE,
        "detail": {
            "clusterArn": shown::cluster_arn(&context.place, task),
            "group": shown::group_of(task),
            "lastStatus": life.phase(context.now).as_str(),
        },
    })
}

/// The event of a task as it was at the moment of the context.
fn event(context: &Context<'_>, id: &str, task: &Task) -> Value {
    let mut detail = shown::task(context, id, task, false, iso);
    let version = detail.get("version").cloned().unwrap_or_default();
    if let Value::Object(members) = &mut detail {
        members.remove("tags");
        members.insert("updatedAt".to_owned(), iso(context.now));
        for attachment in members.get_mut("attachments").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(attachment) = attachment {
                attachment.insert("type".to_owned(), json!("eni"));
            }
        }
    }
    let task_arn = arn(&context.place, &task.cluster, id);
    let told =
        Told { source: SOURCE, detail_type: DETAIL_TYPE, time: context.now, resources: json!([task_arn]), detail };
    events::event(context, &format!("task/{task_arn}/{version}"), told)
}

/// When the bus hears of the first change after `heard`.
fn next(life: &Life, heard: Timestamp) -> Option<Timestamp> {
    life.changes().into_iter().map(|(at, _)| at).find(|at| *at > heard).map(later)
}

fn later(at: Timestamp) -> Timestamp {
    at.checked_add(TAKES).unwrap_or(Timestamp::MAX)
}

fn before(at: Timestamp) -> Timestamp {
    at.checked_sub(TAKES).unwrap_or(Timestamp::MIN)
}
