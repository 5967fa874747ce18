//! Starting tasks: for RunTask, and for rules and schedules alike (docs/aws.md, Tasks).

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::{clusters, invalid, items, text};
use super::launch::Launch;
use super::life::Life;
use super::{script, told};
use crate::context::{Cause, Context};
use crate::firing::Outcome;
use crate::place::Place;
use crate::reply::Refusal;
use crate::retry::Attempt;
use crate::state::{Blueprint, Due, Revision, State, Status, Tags, Task};

/// Who has tasks started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter<'a> {
    /// A RunTask.
    Request,
    /// A rule or a schedule.
    Event {
        /// What makes the ids of its tasks unlike all others.
        seed: &'a str,
        attempt: Attempt,
    },
}

/// What RunTask answered.
#[derive(Debug)]
pub(crate) struct Started {
    /// The ARN of the revision that they run.
    pub task_definition: String,
    /// The last parts of their ARNs.
    pub ids: Vec<String>,
    /// Why there was no place for any.
    pub failure: Option<String>,
}

impl Started {
    /// What it means to the rule or the schedule that called.
    pub(crate) fn outcome(self, place: &Place, launch: &Launch) -> Outcome {
        let Self { task_definition, ids, failure } = self;
        if let Some(reason) = failure {
            return Outcome::NotPlaced { task_definition, reason };
        }
        let cluster = launch.cluster.as_deref().unwrap_or_default();
        let tasks = ids.iter().map(|id| super::arn(place, cluster, id)).collect();
        Outcome::Started { task_definition, tasks, group: launch.group() }
    }
}

/// Starts the tasks of a launch. What a rule or a schedule starts draws on the bucket of everybody's RunTask (docs/aws.md,
/// Throttles and quotas).
///
/// # Errors
///
/// RunTask's own refusals; nothing was started then.
pub(crate) fn start(
    state: &mut State,
    context: &Context<'_>,
    launch: &Launch,
    starter: Starter<'_>,
) -> Result<Started, Refusal> {
    let place = &context.place;
    let lenient = starter != Starter::Request;
    // A request has paid already.
    if lenient && context.settings.throttle && !state.buckets.admit_run(context.now, place) {
        return Err(Refusal::new("ThrottlingException", "Rate exceeded"));
    }
    let cluster = launch.cluster.as_deref().ok_or_else(clusters::not_found)?;
    clusters::usable(state, place, cluster, lenient)?;
    let launch = &*launch.or_strategy(clusters::default_strategy(state, place, cluster));
    let (number, revision) = resolve(state, context, launch)?;
    let blueprint = Arc::clone(revision.blueprint.get_or_init(|| Arc::new(draw(&launch.family, number, revision))));
    fits(state, context, launch, &blueprint)?;

    let tags = tags_of(launch, revision, cluster);
    let script = script::of(&revision.definition, &launch.overrides);
    if let Some(answer) = script.as_ref().and_then(|script| script.answer.as_ref()) {
        let attempt = match starter {
            Starter::Request => Attempt::first(context.now),
            Starter::Event { seed: _, attempt } => attempt,
        };
        if let Some(reason) = answer.give(attempt, context.now)? {
            let task_definition = blueprint.arn.clone();
            return Ok(Started { task_definition, ids: Vec::new(), failure: Some(reason) });
        }
    }
    let script = script.map(|script| Arc::new(script.course));
    let mut ids = Vec::with_capacity(launch.count);
    // Ids of requests are told apart by a number; those up to the count of tasks are likely taken.
    let mut attempt = match starter {
        Starter::Request => state.tasks.len(),
        Starter::Event { .. } => 0,
    };
    while ids.len() < launch.count {
        let id = match starter {
            Starter::Request => id(&format!("{}/{cluster}/{attempt}", context.now)),
            Starter::Event { seed, attempt: _ } => id(&format!("{seed}/{attempt}")),
        };
        attempt += 1;
        let key = (place.clone(), id);
        if state.tasks.get(&key).is_some() {
            continue;
        }
        let task = Task {
            cluster: cluster.to_owned(),
            blueprint: Arc::clone(&blueprint),
            given: Arc::clone(&launch.given),
            overrides: Arc::clone(&launch.overrides),
            tags: tags.clone(),
            created_at: context.now,
            token: launch.token.clone(),
            stop: None,
            script: script.clone(),
        };
        ids.push(key.1.clone());
        let life = Life::of(&task, context.settings);
        state.remind(Some(life.gone_at), Due::Task(key.clone()));
        told::watch_new(state, &key, &life);
        match context.cause {
            Cause::Request => state.tasks.insert(key, task),
            Cause::Time => state.tasks.grow(key, task),
        }
    }
    Ok(Started { task_definition: blueprint.arn.clone(), ids, failure: None })
}

/// The revision to run: the one named, or the family's latest ACTIVE one.
fn resolve<'a>(state: &'a State, context: &Context<'_>, launch: &Launch) -> Result<(u32, &'a Revision), Refusal> {
    let place = &context.place;
    let Some(number) = launch.revision else {
        return state.latest_active(place, &launch.family).ok_or_else(super::no_task_definition);
    };
    let revision = state.revisions.get(&(place.clone(), launch.family.clone(), number));
    let revision = revision.ok_or_else(super::no_task_definition)?;
    // For a while after its deregistration a revision still starts (docs/aws.md, Revision lifecycle).
    let restricted_at =
        revision.deregistered_at.and_then(|at| at.checked_add(context.settings.deregistration_takes).ok());
    let inactive = match revision.status {
        Status::Active => false,
        Status::Inactive => restricted_at.is_none_or(|at| at <= context.now),
        Status::DeleteInProgress => true,
    };
    if inactive { Err(invalid("TaskDefinition is inactive")) } else { Ok((number, revision)) }
}

/// What a task of a revision needs of it.
fn draw(family: &str, number: u32, revision: &Revision) -> Blueprint {
    let pick = |from: &Map<String, Value>, members: &[&str]| -> Map<String, Value> {
        let present = members.iter().filter_map(|name| Some(((*name).to_owned(), from.get(*name)?.clone())));
        present.collect()
    };
    let definition = &revision.definition;
    let text = |member: &str| definition.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |member: &str| definition.get(member).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Blueprint {
        arn: text("taskDefinitionArn"),
        family: family.to_owned(),
        revision: number,
        members: pick(definition, &["cpu", "memory", "ephemeralStorage"]),
        network_mode: text("networkMode"),
        compatibilities: list("compatibilities").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        containers: list("containerDefinitions")
            .iter()
            .filter_map(Value::as_object)
            .map(|container| pick(container, &["name", "image", "cpu", "memory", "memoryReservation"]))
            .collect(),
    }
}

/// Whether a launch and the task definition go together (docs/aws.md, Tasks).
fn fits(state: &State, context: &Context<'_>, launch: &Launch, blueprint: &Blueprint) -> Result<(), Refusal> {
    clusters::providers(state, context, launch)?;
    let supports = |infrastructure: &str| blueprint.compatibilities.iter().any(|word| word == infrastructure);
    let wanted = launch.text("launchType").or_else(|| launch.on_fargate().then_some("FARGATE"));
    if let Some(wanted) = wanted.filter(|wanted| !supports(wanted)) {
        return Err(invalid(format!("Task definition does not support launch_type {wanted}.")));
    }
    let has_network =
        launch.given.get("networkConfiguration").is_some_and(|network| network.get("awsvpcConfiguration").is_some());
    match (blueprint.network_mode.as_str(), has_network) {
        ("awsvpc", false) => {
            return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
        }
        ("awsvpc", true) | (_, false) => {}
        (_, true) => {
            return Err(invalid(
                "Network Configuration is not valid for the given networkMode of this task definition.",
            ));
        }
    }
    for container in items(&launch.overrides, "containerOverrides") {
        let name = text(container, "name").unwrap_or_default();
        if !blueprint.containers.iter().any(|known| known.get("name").and_then(Value::as_str) == Some(name)) {
            return Err(invalid(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
    }
    Ok(())
}

/// The tags of a task: its own, before those of its task definition, and those of ECS.
fn tags_of(launch: &Launch, revision: &Revision, cluster: &str) -> Tags {
    let mut tags = Tags::new();
    if launch.text("propagateTags") == Some("TASK_DEFINITION") {
        tags.clone_from(&revision.tags);
    }
    tags.extend(launch.tags.iter().map(|(key, value)| (key.clone(), value.clone())));
    if launch.given.get("enableECSManagedTags") == Some(&json!(true)) {
        tags.insert("aws:ecs:clusterName".to_owned(), cluster.to_owned());
    }
    tags
}

/// The id of a task: 32 hexadecimal digits that follow from `seed`.
fn id(seed: &str) -> String {
    let digest = Sha256::digest(seed);
    digest.iter().take(16).fold(String::with_capacity(32), |mut id, byte| {
        for half in [byte >> 4, byte & 15] {
            id.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        id
    })
}
