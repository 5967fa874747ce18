//! What ECS makes of a task definition before it gives it back (docs/aws.md, Normalisation).

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::{items, text};
use super::{number, size};
use crate::reply::Refusal;
use crate::settings::Settings;

/// Lists of a container that come back in an order of ECS's own.
const UNORDERED: [&str; 5] = ["environment", "secrets", "mountPoints", "volumesFrom", "portMappings"];

/// The task definition as ECS stores it: defaults filled in, sizes as numbers, request-only members left out.
/// The rule is in docs/aws.md, Defaults.
pub(super) fn filled_in(body: &Value) -> Result<Map<String, Value>, Refusal> {
    let mut definition = body.as_object().cloned().unwrap_or_default();
    definition.remove("tags");
    if let Some(cpu) = text(body, "cpu") {
        definition.insert("cpu".to_owned(), json!(size::cpu_units(cpu)?.to_string()));
    }
    if let Some(memory) = text(body, "memory") {
        definition.insert("memory".to_owned(), json!(size::memory_mebibytes(memory)?.to_string()));
    }
    // Windows has a network mode of its own, which the API does not name.
    if !is_windows(body) {
        default(&mut definition, "networkMode", json!("bridge"));
    }
    default(&mut definition, "enableFaultInjection", json!(false));
    default(&mut definition, "placementConstraints", json!([]));
    if items(body, "requiresCompatibilities").is_empty() {
        definition.remove("requiresCompatibilities");
    }
    let network = text(&Value::Object(definition.clone()), "networkMode").map(str::to_owned);
    let containers = items(body, "containerDefinitions").iter().map(|given| container(given, network.as_deref()));
    definition.insert("containerDefinitions".to_owned(), containers.collect());
    definition.insert("volumes".to_owned(), items(body, "volumes").iter().map(volume).collect());
    Ok(definition)
}

/// Follows docs/aws.md, Empty and absent.
fn container(given: &Value, network: Option<&str>) -> Value {
    let mut container = given.as_object().cloned().unwrap_or_default();
    default(&mut container, "cpu", json!(0));
    default(&mut container, "essential", json!(true));
    for list in ["environment", "mountPoints", "volumesFrom", "systemControls"] {
        default(&mut container, list, json!([]));
    }
    let ports = items(given, "portMappings").iter().map(|mapping| port_mapping(mapping, network));
    container.insert("portMappings".to_owned(), ports.collect());
    if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
        default(check, "interval", json!(30));
        default(check, "timeout", json!(5));
        default(check, "retries", json!(3));
    }
    if let Some(Value::Object(log)) = container.get_mut("logConfiguration") {
        default(log, "secretOptions", json!([]));
    }
    Value::Object(container)
}

/// The host's port is the container's own where they share a network, and any free one (0) on a bridge.
/// The rule is in docs/aws.md, Ports.
fn port_mapping(given: &Value, network: Option<&str>) -> Value {
    let mut mapping = given.as_object().cloned().unwrap_or_default();
    default(&mut mapping, "protocol", json!("tcp"));
    let (container, host) = (number(given, "containerPort"), number(given, "hostPort"));
    if let Some(port) = container {
        match network {
            Some("awsvpc" | "host") => mapping.insert("hostPort".to_owned(), json!(port)),
            _ => mapping.insert("hostPort".to_owned(), json!(host.unwrap_or(0))),
        };
    }
    Value::Object(mapping)
}

fn volume(given: &Value) -> Value {
    let mut volume = given.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(efs)) = volume.get_mut("efsVolumeConfiguration") {
        if efs.get("rootDirectory").is_none_or(|root| root == "") {
            efs.insert("rootDirectory".to_owned(), json!("/"));
        }
    } else if volume.len() == 1 {
        volume.insert("host".to_owned(), json!({}));
    }
    Value::Object(volume)
}

/// Gives lists without an order back in another order than they came: ECS keeps none.
///
/// The order follows from the items themselves, so equal content comes back alike, as from a hash table.
pub(super) fn reorder(definition: &mut Map<String, Value>, settings: &Settings) {
    if let Some(Value::Array(containers)) = definition.get_mut("containerDefinitions") {
        for container in containers.iter_mut() {
            for list in UNORDERED {
                shuffle(container.get_mut(list));
            }
        }
    }
    shuffle(definition.get_mut("volumes"));
    if settings.reorder_containers {
        shuffle(definition.get_mut("containerDefinitions"));
    }
}

fn shuffle(list: Option<&mut Value>) {
    if let Some(Value::Array(list)) = list {
        list.sort_by_cached_key(|item| Sha256::digest(item.to_string()).to_vec());
    }
}

fn is_windows(body: &Value) -> bool {
    body.get("runtimePlatform")
        .and_then(|platform| text(platform, "operatingSystemFamily"))
        .is_some_and(|family| family.starts_with("WINDOWS"))
}

fn default(members: &mut Map<String, Value>, name: &str, value: Value) {
    members.entry(name).or_insert(value);
}
