//! A task as RunTask, StopTask and DescribeTasks give it back.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::{items, tags, text};
use super::launch::group;
use super::{Life, Phase, arn, desired_status};
use crate::context::Context;
use crate::place::Place;
use crate::state::Task;

/// How moments are written: one way in answers, another in events.
type Moment = fn(Timestamp) -> Value;

/// What a container exits with that was told to stop.
pub(super) const TOLD_TO_STOP: i32 = 143;

/// The launch type of a task; one that a capacity provider runs shows that of the provider.
pub(super) fn launch_type(task: &Task) -> Option<&str> {
    match (task.given.get("launchType").and_then(Value::as_str), provider(task)) {
        (Some(launch_type), _) => Some(launch_type),
        (None, Some(provider)) if provider.starts_with("FARGATE") => Some("FARGATE"),
        (None, _) => Some("EC2"),
    }
}

/// The capacity provider of a task: the one with the most weight, since nothing is known of the others' tasks.
fn provider(task: &Task) -> Option<&str> {
    let strategy = task.given.get("capacityProviderStrategy").and_then(Value::as_array)?;
    let weight = |item: &&Value| item.get("weight").and_then(Value::as_i64).unwrap_or(0);
    // Of equals the first one.
    strategy.iter().rev().max_by_key(weight).and_then(|item| text(item, "capacityProvider"))
}

pub(super) fn cluster_arn(place: &Place, task: &Task) -> String {
    place.arn("ecs", format_args!("cluster/{}", task.cluster))
}

pub(super) fn group_of(task: &Task) -> String {
    group(&task.given, &task.blueprint.family)
}

/// The whole task.
pub(super) fn task(context: &Context<'_>, id: &str, task: &Task, with_tags: bool, moment: Moment) -> Value {
    let (place, now) = (&context.place, context.now);
    let life = Life::of(task, context.settings);
    let phase = life.phase(now);
    let task_arn = arn(place, &task.cluster, id);
    let mut shown = task.blueprint.members.clone();
    let given = &task.given;
    for member in ["startedBy", "enableExecuteCommand"] {
        if let Some(value) = given.get(member) {
            shown.insert(member.to_owned(), value.clone());
        }
    }
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("taskArn", json!(task_arn));
    put("clusterArn", json!(cluster_arn(place, task)));
    put("taskDefinitionArn", json!(task.blueprint.arn));
    put("group", json!(group_of(task)));
    put("availabilityZone", json!(format!("{}a", place.region)));
    put("lastStatus", json!(phase.as_str()));
    put("desiredStatus", json!(desired_status(&life, now)));
    put("healthStatus", json!("UNKNOWN"));
    put("overrides", overrides(task));
    put("containers", containers(context, task, &life, phase, &task_arn));
    put("attachments", attachments(task, phase, id));
    put("attributes", json!([]));
    put("createdAt", moment(task.created_at));
    put("version", json!(version(phase)));
    put("launchType", json!(launch_type(task)));
    if let Some(provider) = provider(task) {
        put("capacityProviderName", json!(provider));
    }
    if launch_type(task) == Some("FARGATE") {
        put("platformVersion", json!(platform_version(task)));
        put("platformFamily", json!("Linux"));
    }
    if let Some(at) = life.started_at.filter(|at| *at <= now) {
        for member in ["connectivityAt", "pullStartedAt", "pullStoppedAt"] {
            put(member, moment(at));
        }
        put("connectivity", json!("CONNECTED"));
        put("startedAt", moment(at));
    }
    if life.stopping_at <= now {
        put("stoppingAt", moment(life.stopping_at));
        let fails_to_start = task.script.as_ref().and_then(|script| script.fails_to_start.as_deref());
        let (code, reason) = match (&task.stop, fails_to_start) {
            (Some(stop), _) => ("UserInitiated", stop.reason.as_str()),
            (None, Some(reason)) => ("TaskFailedToStart", reason),
            (None, None) => ("EssentialContainerExited", "Essential container in task exited"),
        };
        put("stopCode", json!(code));
        put("stoppedReason", json!(reason));
    }
    if life.stopped_at <= now {
        put("stoppedAt", moment(life.stopped_at));
        put("executionStoppedAt", moment(life.stopped_at));
    }
    put("tags", if with_tags { tags::shown(&task.tags) } else { json!([]) });
    Value::Object(shown)
}

/// The overrides asked for, with an entry for every container, as ECS gives them back (docs/aws.md, Tasks).
fn overrides(task: &Task) -> Value {
    let mut overrides = task.overrides.as_object().cloned().unwrap_or_default();
    let mut given = overrides.remove("containerOverrides").and_then(|given| match given {
        Value::Array(given) => Some(given),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
    });
    let mut all = given.take().unwrap_or_default();
    for container in &task.blueprint.containers {
        let name = container.get("name");
        if !all.iter().any(|given| given.get("name") == name) {
            all.push(json!({"name": name}));
        }
    }
    overrides.insert("containerOverrides".to_owned(), Value::Array(all));
    overrides.entry("inferenceAcceleratorOverrides").or_insert_with(|| json!([]));
    Value::Object(overrides)
}

fn containers(context: &Context<'_>, task: &Task, life: &Life, phase: Phase, task_arn: &str) -> Value {
    let Place { account, region } = &context.place;
    let status = match phase {
        Phase::Provisioning | Phase::Pending => "PENDING",
        Phase::Running | Phase::Stopping => "RUNNING",
        Phase::Stopped => "STOPPED",
    };
    let shown = |(index, container): (usize, &Map<String, Value>)| {
        let mut shown = container.clone();
        // Numbers of a container are texts in a task.
        for number in ["cpu", "memory", "memoryReservation"] {
            if let Some(value) = shown.get(number).and_then(Value::as_i64) {
                shown.insert(number.to_owned(), json!(value.to_string()));
            }
        }
        let task_path = task_arn.rsplit(":task/").next().unwrap_or_default();
        let partition = context.place.partition();
        let container_arn = format!("arn:{partition}:ecs:{region}:{account}:container/{task_path}/{index}");
        shown.insert("containerArn".to_owned(), json!(container_arn));
        shown.insert("taskArn".to_owned(), json!(task_arn));
        shown.insert("lastStatus".to_owned(), json!(status));
        shown.insert("healthStatus".to_owned(), json!("UNKNOWN"));
        shown.insert("networkInterfaces".to_owned(), json!([]));
        // A container that never started has no exit code (docs/aws.md, Tasks).
        if let Some(started_at) = life.started_at.filter(|_| phase == Phase::Stopped) {
            let usual = context.settings.task_runs_for;
            let exit_code = match (&task.stop, &task.script) {
                (Some(_), _) => TOLD_TO_STOP,
                (None, Some(script)) => script.exit_code(index, life.stopped_at.duration_since(started_at), usual),
                (None, None) => 0,
            };
            shown.insert("exitCode".to_owned(), json!(exit_code));
        }
        Value::Object(shown)
    };
    task.blueprint.containers.iter().enumerate().map(shown).collect()
}

/// The network interface of a task that has one of its own.
fn attachments(task: &Task, phase: Phase, id: &str) -> Value {
    if task.blueprint.network_mode != "awsvpc" {
        return json!([]);
    }
    let status = match phase {
        Phase::Provisioning => "PRECREATED",
        Phase::Pending => "ATTACHING",
        Phase::Running | Phase::Stopping => "ATTACHED",
        Phase::Stopped => "DELETED",
    };
    let network = task.given.get("networkConfiguration").and_then(|network| network.get("awsvpcConfiguration"));
    let subnet = network.and_then(|network| items(network, "subnets").first()).cloned().unwrap_or_default();
    json!([{
        "id": id,
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [{"name": "subnetId", "value": subnet}],
    }])
}

fn platform_version(task: &Task) -> &str {
    let given = task.given.get("platformVersion").and_then(Value::as_str);
    given.filter(|version| *version != "LATEST").unwrap_or("1.4.0")
}

/// It counts the changes that an event would tell of.
fn version(phase: Phase) -> u32 {
    match phase {
        Phase::Provisioning => 1,
        Phase::Pending => 2,
        Phase::Running => 3,
        Phase::Stopping => 4,
        Phase::Stopped => 5,
    }
}
