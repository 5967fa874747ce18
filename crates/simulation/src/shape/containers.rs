//! The rarer members of containers, and what containers have of each other.

use fastrand::Rng;
use serde_json::{Value, json};

use super::more::{Frame, once_in};
use super::pick;
use crate::sketch::set;

/// A parameter that an agent with a role of its own may read.
const PARAMETER: &str = "arn:aws:ssm:eu-central-1:123456789012:parameter/etl";

/// Adds what the dice say to the containers of a task definition.
pub(super) fn add(rng: &mut Rng, frame: &Frame, definition: &mut Value) {
    let volumes = names(definition.get("volumes"));
    let Some(containers) = definition.get_mut("containerDefinitions").and_then(Value::as_array_mut) else { return };
    if let Some(main) = containers.first_mut() {
        alone(rng, frame, main);
        if frame.fargate {
            on_fargate(rng, main);
        } else {
            on_instances(rng, frame, main);
        }
        with_a_role(rng, frame, main);
    }
    for container in containers.iter_mut() {
        mount(rng, &volumes, container);
    }
    if frame.sidecar {
        together(rng, frame, containers);
    }
}

fn names(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(item.get("name")?.as_str()?.to_owned())).collect()
}

/// Sets a member that is not there yet, one time in eight.
fn some(rng: &mut Rng, container: &mut Value, member: &str, value: Value) {
    if once_in(rng, 8) && container.get(member).is_none() {
        set(container, member, Some(value));
    }
}

/// What a container may have wherever it runs.
fn alone(rng: &mut Rng, frame: &Frame, main: &mut Value) {
    let mut some = |member: &str, value: Value| some(rng, main, member, value);
    some("cpu", json!(128));
    some("memoryReservation", json!(32));
    some("memory", Value::Null);
    some("startTimeout", json!(90));
    some("pseudoTerminal", json!(true));
    some("versionConsistency", json!("disabled"));
    some("versionConsistency", json!("enabled"));
    some("healthCheck", json!({"command": ["CMD-SHELL", "test -f /ok"], "timeout": 10, "startPeriod": 60}));
    some("portMappings", json!([{"containerPort": 8080, "name": "web", "appProtocol": "http2"}]));
    some("portMappings", json!([{"containerPortRange": "9000-9005"}, {"containerPort": 53, "protocol": "tcp"}]));
    if frame.mode != "host" {
        some("systemControls", json!([{"namespace": "net.core.somaxconn", "value": "1024"}]));
    }
    if main.get("memory").is_some_and(Value::is_null) && main.get("memoryReservation").is_none() {
        // Without the cluster's default nothing would tell the least memory, where the task has none.
        set(main, "memoryReservation", Some(json!(48)));
    }
}

fn on_fargate(rng: &mut Rng, main: &mut Value) {
    let splunk = json!({"logDriver": "splunk", "options": {"splunk-url": "https://splunk.example:8088"}});
    some(rng, main, "logConfiguration", splunk);
    some(rng, main, "linuxParameters", json!({"capabilities": {"add": ["SYS_PTRACE"]}, "initProcessEnabled": false}));
}

fn on_instances(rng: &mut Rng, frame: &Frame, main: &mut Value) {
    let mut some = |member: &str, value: Value| some(rng, main, member, value);
    some("privileged", json!(true));
    some("dnsSearchDomains", json!(["etl.internal", "example"]));
    some("dockerSecurityOptions", json!(["no-new-privileges"]));
    some("resourceRequirements", json!([{"type": "GPU", "value": "1"}]));
    some("credentialSpecs", json!(["credentialspec:arn:aws:s3:::specs/etl.json"]));
    some(
        "linuxParameters",
        json!({
            "devices": [{"hostPath": "/dev/fuse", "containerPath": "/dev/fuse", "permissions": ["read", "write"]}],
            "sharedMemorySize": 128, "maxSwap": 256, "swappiness": 10,
            "tmpfs": [{"containerPath": "/scratch", "size": 64, "mountOptions": ["rw", "noexec"]}],
        }),
    );
    if frame.mode == "bridge" {
        some("hostname", json!("etl"));
        some("disableNetworking", json!(false));
    }
}

/// What the agent fetches for a container, under a role of its own.
fn with_a_role(rng: &mut Rng, frame: &Frame, main: &mut Value) {
    if !frame.execution_role {
        return;
    }
    let mut some = |member: &str, value: Value| some(rng, main, member, value);
    let file = |name: &str| json!({"type": "s3", "value": format!("arn:aws:s3:::etl-config/{name}.env")});
    some("environmentFiles", json!([file("common"), file("nightly")]));
    let credentials = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:registry";
    some("repositoryCredentials", json!({"credentialsParameter": credentials}));
    some("secrets", json!([{"name": "TOKEN", "valueFrom": "/etl/token"}, {"name": "KEY", "valueFrom": PARAMETER}]));
    some(
        "logConfiguration",
        json!({
            "logDriver": "splunk", "options": {"splunk-url": "https://splunk.example:8088"},
            "secretOptions": [{"name": "splunk-token", "valueFrom": PARAMETER}],
        }),
    );
}

fn mount(rng: &mut Rng, volumes: &[String], container: &mut Value) {
    let mut points = Vec::new();
    for volume in volumes {
        if rng.bool() {
            let mut point = json!({"sourceVolume": volume, "containerPath": format!("/mnt/{volume}")});
            match rng.u8(..3) {
                0 => set(&mut point, "readOnly", Some(json!(true))),
                1 => set(&mut point, "readOnly", Some(json!(false))),
                _ => {}
            }
            points.push(point);
        }
    }
    set(container, "mountPoints", (!points.is_empty()).then_some(Value::Array(points)));
}

/// Order, links, volumes and logs among containers. The first one waits for the others, never the other way round.
fn together(rng: &mut Rng, frame: &Frame, containers: &mut Vec<Value>) {
    let mut waits = Vec::new();
    if rng.bool() {
        let condition = *pick(rng, &["START", "COMPLETE", "SUCCESS", "HEALTHY"]);
        waits.push(json!({"containerName": "sidecar", "condition": condition}));
        let health = json!({"command": ["CMD", "true"]});
        if let Some(sidecar) = containers.get_mut(1).filter(|_| condition == "HEALTHY") {
            set(sidecar, "healthCheck", Some(health));
        }
    }
    if once_in(rng, 3) {
        let before = json!([{"containerName": "sidecar", "condition": "START"}]);
        containers.push(json!({"name": "seed", "image": "seed:1", "essential": false, "dependsOn": before}));
        waits.push(json!({"containerName": "seed", "condition": "SUCCESS"}));
    }
    let is_routed = once_in(rng, 3);
    if is_routed {
        let options = json!({"enable-ecs-log-metadata": "true"});
        let firelens = json!({"type": *pick(rng, &["fluentbit", "fluentd"]), "options": options});
        containers.push(json!({"name": "router", "image": "router:1", "firelensConfiguration": firelens}));
    }
    let Some(main) = containers.first_mut() else { return };
    if is_routed {
        let options = json!({"Name": "firehose", "region": "eu-central-1", "delivery_stream": "etl"});
        set(main, "logConfiguration", Some(json!({"logDriver": "awsfirelens", "options": options})));
    }
    set(main, "dependsOn", (!waits.is_empty()).then_some(Value::Array(waits)));
    if once_in(rng, 3) {
        let read_only = rng.bool();
        set(main, "volumesFrom", Some(json!([{"sourceContainer": "sidecar", "readOnly": read_only}])));
    }
    if frame.mode == "bridge" && once_in(rng, 3) {
        set(main, "links", Some(json!([*pick(rng, &["sidecar", "sidecar:side"])])));
    }
}
