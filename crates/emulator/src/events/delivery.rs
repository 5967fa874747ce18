//! What a tick does to a target: the RunTask that EventBridge makes of it (docs/aws.md, When a rule fires, and with what).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{event, items, text};
use crate::context::Context;
use crate::ecs::{self, Launch, Starter};
use crate::firing::Outcome;
use crate::model::{self, Model};
use crate::place::Place;
use crate::reply::Refusal;
use crate::request::Service;
use crate::state::State;

/// The longest `startedBy` of a task that a rule started.
const LONGEST_STARTED_BY: usize = 36;

/// A target, ready to be called.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It is of a service that is not emulated.
    NotEmulated,
    /// No RunTask can be made of it.
    Broken(Refusal),
    /// The same RunTask each time.
    Fixed(Launch),
    /// A RunTask whose overrides are made from the event.
    Made(Launch, event::Input),
}

/// One tick on its way to one target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    pub place: &'a Place,
    pub rule: &'a str,
    pub target: &'a str,
    pub due: Timestamp,
    pub at: Timestamp,
}

impl Delivery {
    /// Reads a target as it was put.
    pub(super) fn of(place: &Place, rule: &str, target: &Value) -> Self {
        let Some(parameters) = target.get("EcsParameters") else { return Self::NotEmulated };
        let launch = match launch(place, rule, target, parameters) {
            Ok(launch) => launch,
            Err(refusal) => return Self::Broken(refusal),
        };
        let made = match (text(target, "InputPath"), target.get("InputTransformer"), text(target, "Input")) {
            (_, Some(transformer), _) => Some(event::Input::Template(event::Template::of(transformer))),
            (Some(path), None, _) => Some(event::Input::Path(path.to_owned())),
            (None, None, Some(input)) if !input.is_empty() => {
                let told = ecs::overrides(input).map(|overrides| Launch { overrides: Arc::new(overrides), ..launch });
                return told.map_or_else(Self::Broken, Self::Fixed);
            }
            (None, None, _) => None,
        };
        match made {
            Some(input) => Self::Made(launch, input),
            None => Self::Fixed(launch),
        }
    }

    /// Starts the tasks of one tick.
    pub(super) fn deliver(&self, state: &mut State, context: &Context<'_>, event: &Event<'_>) -> Outcome {
        let started = match self {
            Self::NotEmulated => return Outcome::NotEmulated,
            Self::Broken(refusal) => Err(refusal.clone()),
            Self::Fixed(launch) => start(state, context, launch, event),
            Self::Made(launch, input) => ecs::overrides(&input.make(event)).and_then(|overrides| {
                let launch = Launch { overrides: Arc::new(overrides), ..launch.clone() };
                start(state, context, &launch, event)
            }),
        };
        started.unwrap_or_else(|refusal| Outcome::Refused { code: refusal.code.to_owned(), message: refusal.message })
    }
}

fn start(state: &mut State, context: &Context<'_>, launch: &Launch, event: &Event<'_>) -> Result<Outcome, Refusal> {
    let Event { place, rule, target, due, at: _ } = event;
    let seed = format!("{}/{}/{rule}/{target}/{}", place.account, place.region, due.as_millisecond());
    let started = ecs::start(state, context, launch, Starter::Tick(&seed))?;
    let cluster = launch.cluster.as_deref().unwrap_or_default();
    Ok(Outcome::Started {
        task_definition: started.task_definition,
        tasks: started.ids.iter().map(|id| ecs::task_arn(place, cluster, id)).collect(),
        group: launch.group(),
    })
}

/// The RunTask that a target stands for, less its input.
fn launch(place: &Place, rule: &str, target: &Value, parameters: &Value) -> Result<Launch, Refusal> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<&Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.clone());
        }
    };
    put("cluster", target.get("Arn"));
    put("taskDefinition", parameters.get("TaskDefinitionArn"));
    put("count", parameters.get("TaskCount"));
    for (theirs, ours) in [
        ("LaunchType", "launchType"),
        ("PlatformVersion", "platformVersion"),
        ("Group", "group"),
        ("CapacityProviderStrategy", "capacityProviderStrategy"),
        ("EnableECSManagedTags", "enableECSManagedTags"),
        ("EnableExecuteCommand", "enableExecuteCommand"),
        ("PlacementConstraints", "placementConstraints"),
        ("PlacementStrategy", "placementStrategy"),
        ("PropagateTags", "propagateTags"),
        ("ReferenceId", "referenceId"),
    ] {
        put(ours, parameters.get(theirs));
    }
    let network = parameters.get("NetworkConfiguration").and_then(|network| network.get("awsvpcConfiguration"));
    put("networkConfiguration", network.map(awsvpc).as_ref());
    let tags = items(parameters, "Tags").iter().map(|tag| json!({"key": tag.get("Key"), "value": tag.get("Value")}));
    put("tags", Some(&tags.collect()));
    // Names are cut here (docs/aws.md, Tasks).
    let started_by: String = format!("events-rule/{rule}").chars().take(LONGEST_STARTED_BY).collect();
    put("startedBy", Some(&json!(started_by)));

    let body = Value::Object(body);
    let body = match Model::of(Service::Ecs) {
        Some(model) => model::cast(model, "RunTaskRequest", &body)?,
        None => body,
    };
    Launch::read(place, &body)
}

/// The same network as RunTask spells it.
fn awsvpc(network: &Value) -> Value {
    let mut spelt = Map::new();
    for (theirs, ours) in
        [("Subnets", "subnets"), ("SecurityGroups", "securityGroups"), ("AssignPublicIp", "assignPublicIp")]
    {
        if let Some(value) = network.get(theirs) {
            spelt.insert(ours.to_owned(), value.clone());
        }
    }
    json!({"awsvpcConfiguration": spelt})
}
