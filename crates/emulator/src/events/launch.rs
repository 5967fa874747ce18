//! The RunTask that EventBridge makes of a target, of a rule or of a schedule (docs/aws.md, When a rule fires, and with what).

use serde_json::{Map, Value, json};

use super::items;
use crate::ecs::Launch;
use crate::model::{self, Model};
use crate::place::Place;
use crate::reply::Refusal;
use crate::request::Service;

/// The longest `startedBy` of a task that a rule or a schedule started.
const LONGEST_STARTED_BY: usize = 36;

/// The RunTask that a target stands for, less its input.
pub(crate) fn launch(place: &Place, started_by: &str, target: &Value, parameters: &Value) -> Result<Launch, Refusal> {
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
    let started_by: String = started_by.chars().take(LONGEST_STARTED_BY).collect();
    put("startedBy", Some(&json!(started_by)));

    let body = Value::Object(body);
    let body = match Model::of(Service::Ecs) {
        Some(model) => model::cast(model, "RunTaskRequest", body)?,
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
