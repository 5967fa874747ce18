//! Tasks: run, stopped, listed, described (docs/aws.md, Tasks).

mod answer;
mod launch;
mod life;
mod script;
mod shown;
mod start;
mod told;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub(crate) use launch::{Launch, overrides};
pub(crate) use life::{Life, Phase, visible_for};
pub(crate) use start::{Starter, start};
pub(crate) use told::{tell_phase, watch};

use super::{bad_token, client, clusters, invalid, items, max_results, text};
use crate::context::{Context, epoch_seconds};
use crate::page::{self, Ask};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::settings::Settings;
use crate::state::{Due, State, Stop, Task, Token, tasks_at};

/// How many tasks one DescribeTasks takes.
const DESCRIBE_AT_ONCE: usize = 100;

/// The words for a task definition that a task cannot be started from, since there is none (docs/aws.md, Tasks).
fn no_task_definition() -> Refusal {
    client("TaskDefinition not found.")
}

/// RunTask: the same token with the same request starts nothing anew (docs/aws.md, Tasks).
pub(super) fn run(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let starters = |c: char| c.is_ascii_alphanumeric() || "_-/".contains(c);
    if text(body, "startedBy").is_some_and(|word| word.len() > 128 || !word.chars().all(starters)) {
        return Err(invalid(
            "startedBy can have up to 128 letters, numbers, hyphens, forward slashes and underscores.",
        ));
    }
    let mut launch = Launch::read(&context.place, body)?;
    launch.token = token(body)?;
    let known = launch.token.as_ref().map(|token| under_token(state, context, &launch, token)).transpose()?;
    let (ids, failure) = match known.filter(|ids| !ids.is_empty()) {
        Some(ids) => (ids, None),
        None => {
            let started = start(state, context, &launch, Starter::Request)?;
            (started.ids, started.failure)
        }
    };
    let failures = failure.map(|reason| json!({ "reason": reason }));
    Ok(answer("tasks", shown_all(state, context, &ids, true), failures.into_iter().collect()))
}

/// The client token, with a digest of all that was asked for with it (docs/aws.md, Tasks).
fn token(body: &Value) -> Result<Option<Token>, Refusal> {
    let Some(token) = text(body, "clientToken") else { return Ok(None) };
    if token.len() > 64 || !token.bytes().all(|byte| (33..=126).contains(&byte)) {
        return Err(invalid("clientToken can have up to 64 characters in the range of 33-126."));
    }
    let request: String = Sha256::digest(body.to_string()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(Token { text: token.to_owned(), request }))
}

/// The tasks that a token started already; it counts for its cluster, for a day, and as long as its tasks are shown.
/// The rule is in docs/aws.md, Tasks.
fn under_token(state: &State, context: &Context<'_>, launch: &Launch, token: &Token) -> Result<Vec<String>, Refusal> {
    let day = jiff::SignedDuration::from_hours(24);
    let with_token = tasks_at(state, &context.place).filter(|(_, task)| {
        let same = task.token.as_ref().is_some_and(|theirs| theirs.text == token.text);
        same && Some(&task.cluster) == launch.cluster.as_ref() && context.now.duration_since(task.created_at) < day
    });
    let with_token: Vec<_> = with_token.collect();
    if with_token.iter().any(|(_, task)| task.token.as_ref() != Some(token)) {
        return Err(Refusal::new("ConflictException", "The clientToken was used before with other parameters."));
    }
    Ok(with_token.into_iter().map(|(id, _)| id.to_owned()).collect())
}

/// StopTask: the task is told to, and takes a moment; one that has stopped is given back as it is (docs/aws.md, Tasks).
pub(super) fn stop(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let cluster = cluster(state, context, body)?;
    let given = text(body, "task").unwrap_or_default();
    let not_there = || invalid("The referenced task was not found.");
    let id = id_in(&context.place, &cluster, given).ok_or_else(not_there)?;
    let key = (context.place.clone(), id.to_owned());
    let task = state.tasks.get(&key).filter(|task| task.cluster == cluster).ok_or_else(not_there)?;
    let before = Life::of(task, context.settings);
    if context.now < before.stopping_at {
        let reason = text(body, "reason").unwrap_or("Task stopped by user").to_owned();
        let after = state.tasks.update(&key, |task| {
            task.stop = Some(Stop { at: context.now, reason });
            // Tags go with the wish, not with the end.
            task.tags.clear();
            Life::of(task, context.settings)
        });
        state.forget_reminder(Some(before.gone_at), Due::Task(key.clone()));
        if let Some(after) = after {
            told::watch_instead(state, &key, &before, &after, context.now);
            state.remind(Some(after.gone_at), Due::Task(key.clone()));
        }
    }
    let shown = state.tasks.get(&key).map(|task| shown::task(context, &key.1, task, true, epoch_seconds));
    let mut answer = Map::new();
    answer.insert("task".to_owned(), shown.unwrap_or_default());
    Ok(answer)
}

/// ListTasks: those that are to run, unless those that are to be stopped are asked for (docs/aws.md, Tasks).
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let cluster = cluster(state, context, body)?;
    if text(body, "serviceName").is_some() {
        return Err(Refusal::new("ServiceNotFoundException", "Service not found."));
    }
    let (family, started_by) = (text(body, "family"), text(body, "startedBy"));
    let (launch_type, status) = (text(body, "launchType"), text(body, "desiredStatus").unwrap_or("RUNNING"));
    // No task runs on an instance of anybody's, and none is a daemon's.
    let nowhere = text(body, "containerInstance").is_some() || text(body, "daemonName").is_some();
    let wanted = |(_, task): &(&str, &Task)| {
        !nowhere
            && task.cluster == cluster
            && desired_status(&Life::of(task, context.settings), context.now) == status
            && family.is_none_or(|family| family == task.blueprint.family)
            && started_by.is_none_or(|by| task.given.get("startedBy").and_then(Value::as_str) == Some(by))
            && launch_type.is_none_or(|wanted| shown::launch_type(task) == Some(wanted))
    };
    let listing = format!(
        "tasks/{cluster}/{status}/{}/{}/{}",
        family.unwrap_or_default(),
        started_by.unwrap_or_default(),
        launch_type.unwrap_or_default()
    );
    let tasks = tasks_at(state, &context.place).map(|(id, task)| ((id, 0), (id, task)));
    let ask = Ask { listing: &listing, token: text(body, "nextToken"), limit: max_results(body)?, descending: false };
    let page = page::cut(tasks, ask, wanted).map_err(bad_token)?;
    let arns: Vec<_> = page.items.iter().map(|(id, task)| arn(&context.place, &task.cluster, id)).collect();
    Ok(page::members(("taskArns", json!(arns)), ("nextToken", page.next)))
}

/// DescribeTasks: what is not there is a failure of its own in a 200 (docs/aws.md, Tasks).
pub(super) fn describe(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let cluster = cluster(state, context, body)?;
    let asked: Vec<&str> = items(body, "tasks").iter().filter_map(Value::as_str).collect();
    if asked.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if asked.len() > DESCRIBE_AT_ONCE {
        return Err(invalid("Tasks can not have more than 100 elements."));
    }
    let with_tags = items(body, "include").iter().any(|field| field == "TAGS");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for given in asked {
        let id = id_in(&context.place, &cluster, given).map(str::to_owned);
        let known = id.filter(|id| {
            let task = state.tasks.get(&(context.place.clone(), id.clone()));
            task.is_some_and(|task| task.cluster == cluster)
        });
        match known {
            Some(id) => found.push(id),
            None => {
                let arn =
                    if given.starts_with("arn:") { given.to_owned() } else { arn(&context.place, &cluster, given) };
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(answer("tasks", shown_all(state, context, &found, with_tags), failures))
}

/// The name of the cluster that a request names, if tasks can be in it.
fn cluster(state: &State, context: &Context<'_>, body: &Value) -> Result<String, Refusal> {
    let given = text(body, "cluster").unwrap_or(clusters::DEFAULT_CLUSTER);
    let name = clusters::short_name(&context.place, given).ok_or_else(clusters::not_found)?;
    clusters::usable(state, &context.place, name, false)?;
    Ok(name.to_owned())
}

/// The ARN of a task.
pub(crate) fn arn(place: &Place, cluster: &str, id: &str) -> String {
    place.arn("ecs", format_args!("task/{cluster}/{id}"))
}

/// The id of a task of this cluster, from the id or an ARN of either length.
fn id_in<'a>(place: &Place, cluster: &str, given: &'a str) -> Option<&'a str> {
    if !given.starts_with("arn:") {
        return Some(given);
    }
    let name = given.strip_prefix(&place.arn("ecs", "task/"))?;
    match name.split_once('/') {
        Some((of, id)) => (of == cluster).then_some(id),
        None => Some(name),
    }
}

fn desired_status(life: &Life, now: Timestamp) -> &'static str {
    if now >= life.stopping_at { "STOPPED" } else { "RUNNING" }
}

fn shown_all(state: &State, context: &Context<'_>, ids: &[String], with_tags: bool) -> Vec<Value> {
    ids.iter()
        .filter_map(|id| {
            let task = state.tasks.get(&(context.place.clone(), id.clone()))?;
            Some(shown::task(context, id, task, with_tags, epoch_seconds))
        })
        .collect()
}

fn answer(name: &str, shown: Vec<Value>, failures: Vec<Value>) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert(name.to_owned(), Value::Array(shown));
    answer.insert("failures".to_owned(), Value::Array(failures));
    answer
}

/// How many tasks of a cluster run, and how many are about to.
pub(super) fn count(state: &State, context: &Context<'_>, cluster: &str) -> (usize, usize) {
    let (mut running, mut pending) = (0, 0);
    for (_, task) in tasks_at(state, &context.place).filter(|(_, task)| task.cluster == cluster) {
        match Life::of(task, context.settings).phase(context.now) {
            Phase::Provisioning | Phase::Pending => pending += 1,
            Phase::Running | Phase::Stopping => running += 1,
            Phase::Stopped => {}
        }
    }
    (running, pending)
}

/// When the last task of a revision ends that has not ended by `now`.
pub(super) fn last_end(
    state: &State,
    settings: &Settings,
    key: &(Place, String, u32),
    now: Timestamp,
) -> Option<Timestamp> {
    let (place, family, revision) = key;
    tasks_at(state, place)
        .filter(|(_, task)| task.blueprint.family == *family && task.blueprint.revision == *revision)
        .map(|(_, task)| Life::of(task, settings).stopped_at)
        .filter(|end| *end > now)
        .max()
}

/// A stopped task that had its time is no longer shown.
pub(super) fn expire(state: &mut State, key: &(Place, String)) {
    state.tasks.wither(key);
}
