//! What RegisterTaskDefinition refuses in a container (docs/aws.md, Containers).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{client, invalid, items, text};
use super::validate::is_name;
use super::{is_true, number};
use crate::reply::Refusal;

/// The least memory of a container, in MiB (docs/aws.md, Sizes of tasks).
const LEAST_MEMORY: i64 = 6;

/// Files of environment variables per container (docs/aws.md, Containers).
const MOST_ENVIRONMENT_FILES: usize = 10;

/// Exit codes that a restart policy may ignore (docs/aws.md, Containers).
const MOST_EXIT_CODES: usize = 50;

/// Refuses a container that ECS would refuse in this task definition (docs/aws.md, Containers).
pub(super) fn check(body: &Value, definition: &Value) -> Result<(), Refusal> {
    let name = text(definition, "name").unwrap_or_default();
    if name.is_empty() {
        return Err(client("Container.name should not be null or empty."));
    }
    if !is_name(name) {
        return Err(client("Container.name contains invalid characters."));
    }
    image(text(definition, "image").unwrap_or_default())?;
    memory(body, name, definition)?;
    if number(definition, "cpu").is_some_and(|cpu| cpu < 0) {
        return Err(client(format!("Invalid 'cpu' setting for container '{name}'.")));
    }
    ports(body, name, definition)?;
    environment(body, definition)?;
    mounts(body, definition)?;
    logging(definition)?;
    health_check(name, definition)?;
    if definition.get("repositoryCredentials").is_some() && text(body, "executionRoleArn").is_none() {
        return Err(client(
            "Private repository authentication requires that the task definition specify a value for executionRoleArn.",
        ));
    }
    if text(body, "networkMode") == Some("awsvpc") {
        network_of_the_task(definition)?;
    }
    restart_policy(name, definition)
}

/// Containers that share the task's own network interface have nothing of it to themselves (docs/aws.md, Containers).
fn network_of_the_task(definition: &Value) -> Result<(), Refusal> {
    if !items(definition, "links").is_empty() {
        return Err(client("Links are not supported when networkMode=awsvpc."));
    }
    let unsupported = |what: &str| Err(client(format!("{what} not supported on container when networkMode=awsvpc.")));
    if text(definition, "hostname").is_some_and(|hostname| !hostname.is_empty()) {
        return unsupported("hostname is");
    }
    if is_true(definition, "disableNetworking") {
        return unsupported("Disable Networking is");
    }
    for (list, what) in [
        ("dnsServers", "DNS servers are"),
        ("dnsSearchDomains", "DNS search domains are"),
        ("extraHosts", "Extra hosts are"),
    ] {
        if !items(definition, list).is_empty() {
            return unsupported(what);
        }
    }
    Ok(())
}

/// An image name in Docker's characters (docs/aws.md, Containers).
fn image(image: &str) -> Result<(), Refusal> {
    if image.is_empty() {
        return Err(client("Container.image should not be null or empty."));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./:@#".contains(c);
    let name = image.split('@').next().unwrap_or_default();
    if name.chars().count() > 255 || !image.chars().all(allowed) {
        return Err(client("Container.image contains invalid characters."));
    }
    Ok(())
}

/// Follows docs/aws.md, Sizes of tasks.
fn memory(body: &Value, name: &str, definition: &Value) -> Result<(), Refusal> {
    let (hard, soft) = (number(definition, "memory"), number(definition, "memoryReservation"));
    if hard.is_none() && soft.is_none() && text(body, "memory").is_none() {
        return Err(client(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
    for (member, value) in [("memory", hard), ("memoryReservation", soft)] {
        if value.is_some_and(|value| value < LEAST_MEMORY) {
            return Err(client(format!(
                "Invalid '{member}' setting for container '{name}'. The minimum allowed value is {LEAST_MEMORY} MiB."
            )));
        }
    }
    // AWS's guide once said "greater than"; it was put right to "greater than or equal to".
    if let (Some(hard), Some(soft)) = (hard, soft)
        && hard < soft
    {
        return Err(client(format!(
            "Invalid setting for container '{name}'. 'memory' must be greater than or equal to 'memoryReservation'."
        )));
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn ports(body: &Value, name: &str, definition: &Value) -> Result<(), Refusal> {
    let own_network = matches!(text(body, "networkMode"), Some("awsvpc" | "host"));
    for mapping in items(definition, "portMappings") {
        let (container, host) = (number(mapping, "containerPort"), number(mapping, "hostPort"));
        let range = text(mapping, "containerPortRange");
        match (container.or(host), range) {
            (Some(_), Some(_)) => return Err(client("cannot specify both single port and port range")),
            (None, Some(range)) if !is_port_range(range) => {
                return Err(client(format!("Invalid 'containerPortRange' setting for container '{name}'.")));
            }
            (None, Some(_)) => {}
            (_, None) if container.is_some_and(|port| (1..=65_535).contains(&port)) => {}
            (_, None) => return Err(client(format!("Invalid 'containerPort' setting for container '{name}'."))),
        }
        if host.is_some_and(|port| !(0..=65_535).contains(&port)) {
            return Err(client(format!("Invalid 'hostPort' setting for container '{name}'.")));
        }
        if own_network && host.is_some_and(|host| host != 0 && Some(host) != container) {
            let mode = text(body, "networkMode").unwrap_or_default();
            return Err(client(format!(
                "When networkMode={mode}, the host ports and container ports in port mappings must match."
            )));
        }
        if let Some(port_name) = text(mapping, "name") {
            let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
            let begins = port_name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
            if !begins || port_name.len() > 64 || !port_name.chars().all(lower) {
                return Err(client("PortMapping.name contains invalid characters."));
            }
        }
    }
    Ok(())
}

fn is_port_range(range: &str) -> bool {
    let Some((from, to)) = range.split_once('-') else { return false };
    match (from.parse::<u16>(), to.parse::<u16>()) {
        (Ok(from), Ok(to)) => 0 < from && from < to,
        _ => false,
    }
}

/// Environment variables and secrets share one name space (docs/aws.md, Containers).
fn environment(body: &Value, definition: &Value) -> Result<(), Refusal> {
    let names = |member: &str| -> BTreeSet<String> {
        items(definition, member).iter().filter_map(|item| text(item, "name")).map(str::to_owned).collect()
    };
    let (environment, secrets) = (names("environment"), names("secrets"));
    if secrets.len() < items(definition, "secrets").len() {
        return Err(client(
            "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'name'.",
        ));
    }
    if let Some(shared) = environment.intersection(&secrets).next() {
        return Err(client(format!(
            "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '{shared}'."
        )));
    }
    let log_secrets = definition.get("logConfiguration").map_or(0, |log| items(log, "secretOptions").len());
    if (!secrets.is_empty() || log_secrets > 0) && text(body, "executionRoleArn").is_none() {
        return Err(client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    let files = items(definition, "environmentFiles");
    if files.len() > MOST_ENVIRONMENT_FILES {
        return Err(client("The maximum number of environment files was exceeded. Specify ten or less and try again."));
    }
    for file in files {
        let value = text(file, "value").unwrap_or_default();
        if !(value.starts_with("arn:") && value.contains(":s3:::") && value.ends_with(".env")) {
            return Err(client("Environment file must be the ARN of an Amazon S3 object with the .env extension."));
        }
    }
    if !files.is_empty() && text(body, "executionRoleArn").is_none() {
        return Err(client(
            "When you are specifying environment files, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn mounts(body: &Value, definition: &Value) -> Result<(), Refusal> {
    let volumes: BTreeSet<&str> = items(body, "volumes").iter().filter_map(|volume| text(volume, "name")).collect();
    for mount in items(definition, "mountPoints") {
        let source = text(mount, "sourceVolume").unwrap_or_default();
        if !volumes.contains(source) {
            return Err(client(format!("Unknown volume '{source}'.")));
        }
        if text(mount, "containerPath").unwrap_or_default().is_empty() {
            return Err(client("MountPoint.containerPath should not be null or empty."));
        }
    }
    let siblings: BTreeSet<&str> =
        items(body, "containerDefinitions").iter().filter_map(|sibling| text(sibling, "name")).collect();
    for from in items(definition, "volumesFrom") {
        let source = text(from, "sourceContainer").unwrap_or_default();
        if !siblings.contains(source) || Some(source) == text(definition, "name") {
            return Err(client(format!("Invalid 'volumesFrom' setting. Unknown container: '{source}'.")));
        }
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn logging(definition: &Value) -> Result<(), Refusal> {
    let Some(log) = definition.get("logConfiguration") else { return Ok(()) };
    let has = |option: &str| log.get("options").is_some_and(|options| options.get(option).is_some());
    if text(log, "logDriver") == Some("awslogs") {
        let missing: Vec<&str> =
            ["awslogs-region", "awslogs-group"].into_iter().filter(|option| !has(option)).collect();
        if !missing.is_empty() {
            return Err(client(format!("Log driver awslogs requires options: {}", missing.join(", "))));
        }
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn health_check(name: &str, definition: &Value) -> Result<(), Refusal> {
    let Some(check) = definition.get("healthCheck") else { return Ok(()) };
    if items(check, "command").is_empty() {
        return Err(client(format!("Health check command for container '{name}' must not be empty.")));
    }
    for (member, allowed) in [("interval", 5..=300), ("timeout", 2..=60), ("retries", 1..=10), ("startPeriod", 0..=300)]
    {
        if number(check, member).is_some_and(|value| !allowed.contains(&value)) {
            return Err(client(format!(
                "Health check '{member}' for container '{name}' must be between {} and {}.",
                allowed.start(),
                allowed.end()
            )));
        }
    }
    Ok(())
}

/// Follows docs/aws.md, Containers.
fn restart_policy(name: &str, definition: &Value) -> Result<(), Refusal> {
    let Some(policy) = definition.get("restartPolicy") else { return Ok(()) };
    let (period, ignored) = (number(policy, "restartAttemptPeriod"), items(policy, "ignoredExitCodes").len());
    match period {
        Some(seconds) if !(60..=1800).contains(&seconds) => Err(client(format!(
            "the 'restartAttemptPeriod' setting for container '{name}' must be between 60 and 1800"
        ))),
        Some(_) | None if ignored > MOST_EXIT_CODES => {
            Err(client(format!("At most {MOST_EXIT_CODES} ignored exit codes are allowed for container '{name}'.")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Containers wait only for siblings, not in a circle, and not for the end of an essential one.
/// The rule is in docs/aws.md, Containers.
pub(super) fn dependencies(containers: &[Value]) -> Result<(), Refusal> {
    let by_name: BTreeMap<&str, &Value> =
        containers.iter().filter_map(|definition| Some((text(definition, "name")?, definition))).collect();
    let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, definition) in &by_name {
        for dependency in items(definition, "dependsOn") {
            let on = text(dependency, "containerName").unwrap_or_default();
            let Some((on, target)) = by_name.get_key_value(on) else {
                return Err(client(format!("Cannot depend on container {on} because it does not exist.")));
            };
            let condition = text(dependency, "condition").unwrap_or_default();
            let essential = target.get("essential") != Some(&Value::Bool(false));
            if essential && matches!(condition, "SUCCESS" | "COMPLETE") {
                return Err(client(
                    "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
                ));
            }
            if condition == "HEALTHY" && target.get("healthCheck").is_none() {
                return Err(client("A dependency container with HEALTHY condition must have health check configured"));
            }
            waits.entry(name).or_default().insert(on);
        }
    }
    // Take away whoever waits for nobody left, until nobody is left or all that are left wait in circles.
    while !waits.is_empty() {
        let waiting: BTreeSet<&str> = waits.keys().copied().collect();
        let before = waits.len();
        waits.retain(|_, on| on.iter().any(|on| waiting.contains(on)));
        if waits.len() == before {
            return Err(invalid("Container dependencies contain a cycle."));
        }
    }
    Ok(())
}
