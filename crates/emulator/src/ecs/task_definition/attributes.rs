//! `requiresAttributes`: what a container instance must be able to do, as ECS works out for itself.
//!
//! Read-only and of no use on Fargate; the ones here follow from the members that a task definition most often has.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::{items, text};
use super::is_true;

const CAPABILITY: &str = "com.amazonaws.ecs.capability";

/// The attributes, each once, in the order of their names.
pub(super) fn required(definition: &Map<String, Value>) -> Value {
    let body = Value::Object(definition.clone());
    let mut names = BTreeSet::new();
    if text(&body, "networkMode") == Some("awsvpc") {
        names.insert("ecs.capability.task-eni".to_owned());
    }
    if text(&body, "taskRoleArn").is_some() {
        names.insert(format!("{CAPABILITY}.task-iam-role"));
    }
    if text(&body, "pidMode").is_some() || text(&body, "ipcMode").is_some() {
        names.insert("ecs.capability.pid-ipc-namespace-sharing".to_owned());
    }
    if items(&body, "volumes").iter().any(|volume| volume.get("efsVolumeConfiguration").is_some()) {
        names.insert("ecs.capability.efs".to_owned());
    }
    let role = text(&body, "executionRoleArn").is_some();
    for container in items(&body, "containerDefinitions") {
        of_container(container, role, &mut names);
    }
    names.iter().map(|name| json!({"name": name})).collect()
}

fn of_container(container: &Value, role: bool, names: &mut BTreeSet<String>) {
    names.insert(format!("{CAPABILITY}.docker-remote-api.1.18"));
    if let Some(driver) = container.get("logConfiguration").and_then(|log| text(log, "logDriver")) {
        names.insert(format!("{CAPABILITY}.logging-driver.{driver}"));
        if driver == "awslogs" && role {
            names.insert("ecs.capability.execution-role-awslogs".to_owned());
        }
    }
    if text(container, "image").is_some_and(|image| image.contains(".dkr.ecr.")) {
        names.insert(format!("{CAPABILITY}.ecr-auth"));
        if role {
            names.insert("ecs.capability.execution-role-ecr-pull".to_owned());
        }
    }
    for secret in items(container, "secrets").iter().filter_map(|secret| text(secret, "valueFrom")) {
        let store =
            if secret.contains(":secretsmanager:") { "asm.environment-variables" } else { "ssm.environment-variables" };
        names.insert(format!("ecs.capability.secrets.{store}"));
    }
    if container.get("healthCheck").is_some() {
        names.insert("ecs.capability.container-health-check".to_owned());
    }
    if !items(container, "dependsOn").is_empty() {
        names.insert("ecs.capability.container-ordering".to_owned());
    }
    if let Some(kind) = container.get("firelensConfiguration").and_then(|firelens| text(firelens, "type")) {
        names.insert(format!("ecs.capability.firelens.{kind}"));
    }
    if is_true(container, "privileged") {
        names.insert(format!("{CAPABILITY}.privileged-container"));
    }
}
