//! What RegisterTaskDefinition refuses on the level of the task, in ECS's words as far as they are on record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{client, invalid, items, text};
use super::{container, fargate, is_true, number, size};
use crate::reply::Refusal;

/// The size of a whole task definition (docs/aws.md, Throttles and quotas).
const MOST_BYTES: usize = 64 * 1024;

/// Containers in a task definition (docs/aws.md, Throttles and quotas).
const MOST_CONTAINERS: usize = 10;

/// Placement constraints in a task definition (docs/aws.md, Throttles and quotas).
const MOST_CONSTRAINTS: usize = 10;

/// The longest family, container name and volume name (docs/aws.md, Names).
const LONGEST_NAME: usize = 255;

/// Refuses a task definition that ECS would refuse (docs/aws.md, Containers).
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    family(text(body, "family").unwrap_or_default())?;
    let containers = items(body, "containerDefinitions");
    if containers.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    if containers.len() > MOST_CONTAINERS {
        return Err(client("Too many containers."));
    }
    let length = body.to_string().len();
    if length > MOST_BYTES {
        return Err(client(format!("Actual length: '{length}'. Max allowed length is '{MOST_BYTES}' bytes.")));
    }
    let cpu = text(body, "cpu").map(size::cpu_units).transpose()?;
    let memory = text(body, "memory").map(size::memory_mebibytes).transpose()?;
    roles(body)?;
    volumes(body)?;
    for definition in containers {
        container::check(body, definition)?;
    }
    containers_together(containers)?;
    proxy(body)?;
    firelens(containers)?;
    sums(containers, cpu, memory)?;
    if !items(body, "inferenceAccelerators").is_empty() {
        return Err(client("Unsupported field 'inferenceAccelerators'."));
    }
    if items(body, "placementConstraints").len() > MOST_CONSTRAINTS {
        return Err(invalid("Too many placement constraints: at most 10 are allowed in a task definition."));
    }
    ephemeral_storage(body)?;
    if asks_for_fargate(body) {
        fargate::check(body, cpu, memory)?;
    }
    Ok(())
}

/// Whether the task definition is to be checked against Fargate.
fn asks_for_fargate(body: &Value) -> bool {
    items(body, "requiresCompatibilities").iter().any(|compatibility| compatibility == "FARGATE")
}

/// Follows docs/aws.md, Names.
fn family(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(client("Family should not be null or empty."));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(client("Family is too long."));
    }
    if !is_name(name) {
        return Err(client("Family contains invalid characters."));
    }
    Ok(())
}

/// Letters, digits, hyphens and underscores.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// A role is named by its ARN or its short name (docs/aws.md, Names).
fn roles(body: &Value) -> Result<(), Refusal> {
    let role = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-/".contains(character);
    for member in ["taskRoleArn", "executionRoleArn"] {
        let Some(given) = text(body, member) else { continue };
        let name = match given.strip_prefix("arn:") {
            None => Some(given),
            Some(rest) => {
                rest.split_once(":iam::").and_then(|(_, rest)| rest.split_once(":role/")).map(|(_, name)| name)
            }
        };
        if !name.is_some_and(|name| !name.is_empty() && name.chars().all(role)) {
            return Err(client("Role is not valid"));
        }
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn volumes(body: &Value) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    for volume in items(body, "volumes") {
        let name = text(volume, "name").unwrap_or_default();
        if name.is_empty() {
            return Err(client("Volume name should not be null or empty."));
        }
        if !is_name(name) {
            return Err(client("Volume name contains invalid characters."));
        }
        if !names.insert(name) {
            return Err(client(format!("Duplicate volume name '{name}'.")));
        }
        let kinds = [
            "host",
            "dockerVolumeConfiguration",
            "efsVolumeConfiguration",
            "fsxWindowsFileServerVolumeConfiguration",
            "s3filesVolumeConfiguration",
        ];
        if kinds.iter().filter(|kind| volume.get(**kind).is_some()).count() > 1 {
            return Err(client("Volume configuration is invalid: only one volume type can be specified."));
        }
        efs_volume(volume.get("efsVolumeConfiguration").unwrap_or(&Value::Null))?;
        if is_true(volume, "configuredAtLaunch") && !is_mounted(body, name) {
            return Err(client(format!("Volumes [{name}] are not referenced by any of the containers.")));
        }
    }
    Ok(())
}

fn is_mounted(body: &Value, volume: &str) -> bool {
    let mut mounts = items(body, "containerDefinitions").iter().flat_map(|definition| items(definition, "mountPoints"));
    mounts.any(|mount| text(mount, "sourceVolume") == Some(volume))
}

/// Authorisation needs encryption, and an access point brings its own root (docs/aws.md, Containers).
fn efs_volume(efs: &Value) -> Result<(), Refusal> {
    let authorization = efs.get("authorizationConfig").unwrap_or(&Value::Null);
    let access_point = text(authorization, "accessPointId");
    if access_point.is_some() && !matches!(text(efs, "rootDirectory"), None | Some("/" | "")) {
        return Err(client(
            "When using an EFS access point, the root directory must either be set to \"/\" or be omitted.",
        ));
    }
    if text(efs, "transitEncryption") == Some("ENABLED") {
        return Ok(());
    }
    if text(authorization, "iam") == Some("ENABLED") {
        return Err(client("EFS IAM authorization requires TransitEncryption to be enabled."));
    }
    if access_point.is_some() {
        return Err(client("EFS access point requires TransitEncryption to be enabled."));
    }
    if efs.get("transitEncryptionPort").is_some() {
        return Err(client("TransitEncryptionPort requires that TransitEncryption is enabled."));
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn containers_together(containers: &[Value]) -> Result<(), Refusal> {
    let (mut names, mut ports, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for definition in containers {
        if !text(definition, "name").is_none_or(|name| names.insert(name)) {
            return Err(client("Container names must be unique within a task definition."));
        }
        host_ports(definition, &mut taken)?;
        let mut port_names = items(definition, "portMappings").iter().filter_map(|mapping| text(mapping, "name"));
        if !port_names.all(|name| ports.insert(name)) {
            return Err(client("port mapping name is already used"));
        }
    }
    if containers.iter().all(|definition| definition.get("essential") == Some(&Value::Bool(false))) {
        return Err(client("Task definition doesn't have any essential container"));
    }
    container::dependencies(containers)
}

/// A port of the host is taken once for each protocol; 0 stands for any that is free (docs/aws.md, Containers).
fn host_ports(definition: &Value, taken: &mut BTreeSet<(String, i64)>) -> Result<(), Refusal> {
    for mapping in items(definition, "portMappings") {
        let protocol = text(mapping, "protocol").unwrap_or("tcp").to_ascii_uppercase();
        let Some(port) = number(mapping, "hostPort").filter(|port| *port != 0) else { continue };
        if !taken.insert((protocol.clone(), port)) {
            return Err(client(format!("{protocol} host port '{port}' is mapped multiple times in task.")));
        }
    }
    Ok(())
}

/// A proxy runs in one of the containers, and needs a network of the task's own (docs/aws.md, Containers).
fn proxy(body: &Value) -> Result<(), Refusal> {
    let Some(proxy) = body.get("proxyConfiguration") else { return Ok(()) };
    if text(body, "networkMode") != Some("awsvpc") {
        return Err(client("APPMESH proxy configuration is only supported in networkMode=awsvpc."));
    }
    let name = text(proxy, "containerName").unwrap_or_default();
    if !items(body, "containerDefinitions").iter().any(|definition| text(definition, "name") == Some(name)) {
        return Err(client(format!("Proxy container [{name}] does not exist.")));
    }
    Ok(())
}

/// Logs go to FireLens only where a container is one (docs/aws.md, Containers).
fn firelens(containers: &[Value]) -> Result<(), Refusal> {
    let driver = |definition: &Value| {
        definition.get("logConfiguration").and_then(|log| text(log, "logDriver")) == Some("awsfirelens")
    };
    let router = |definition: &Value| definition.get("firelensConfiguration").is_some();
    if containers.iter().any(driver) && !containers.iter().any(router) {
        return Err(client(
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be specified.",
        ));
    }
    Ok(())
}

/// Containers share what the task has (docs/aws.md, Sizes of tasks).
fn sums(containers: &[Value], cpu: Option<i64>, memory: Option<i64>) -> Result<(), Refusal> {
    let sum = |member: &str| containers.iter().filter_map(|definition| number(definition, member)).sum::<i64>();
    if cpu.is_some_and(|cpu| sum("cpu") > cpu) {
        return Err(client(
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ));
    }
    let Some(memory) = memory else { return Ok(()) };
    if let Some(definition) = containers.iter().find(|definition| number(definition, "memory") > Some(memory)) {
        let name = text(definition, "name").unwrap_or_default();
        return Err(client(format!("The 'memory' setting for container '{name}' is greater than for the task.")));
    }
    // What counts is what is reserved: the soft limit where there is one.
    let reserved =
        |definition: &Value| number(definition, "memoryReservation").or_else(|| number(definition, "memory"));
    if containers.iter().filter_map(reserved).sum::<i64>() > memory {
        return Err(client(
            "The sum of all container 'memory' values cannot be greater than the value of the task 'memory'.",
        ));
    }
    Ok(())
}

/// Storage beyond the 20 GiB that every Fargate task has (docs/aws.md, Sizes of tasks).
fn ephemeral_storage(body: &Value) -> Result<(), Refusal> {
    let Some(size) = body.get("ephemeralStorage").and_then(|storage| number(storage, "sizeInGiB")) else {
        return Ok(());
    };
    if !items(body, "requiresCompatibilities").is_empty() && !asks_for_fargate(body) {
        return Err(client("Tasks using the EC2 launch type do not support EphemeralStorage."));
    }
    match size {
        ..21 => Err(client("EphemeralStorage size should be at least 21.")),
        21..=200 => Ok(()),
        201.. => Err(client("EphemeralStorage size should be at most 200.")),
    }
}
