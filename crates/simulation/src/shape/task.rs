//! The rarer members of a task definition beside its containers.

use fastrand::Rng;
use serde_json::{Value, json};

use super::more::{Frame, once_in};
use super::pick;
use crate::sketch::set;

/// Adds what the dice say to a task definition.
pub(super) fn add(rng: &mut Rng, frame: &mut Frame, definition: &mut Value) {
    if !frame.execution_role && once_in(rng, 6) {
        set(definition, "executionRoleArn", Some(json!("arn:aws:iam::123456789012:role/pull")));
        frame.execution_role = true;
    }
    if frame.fargate {
        on_fargate(rng, frame, definition);
    } else {
        on_instances(rng, definition);
    }
    if once_in(rng, 16) {
        set(definition, "trustedExecutionConfiguration", Some(json!({"isolationMode": "SHARED"})));
    }
    add_volumes(rng, frame, definition);
}

fn on_fargate(rng: &mut Rng, frame: &Frame, definition: &mut Value) {
    if once_in(rng, 6) {
        set(definition, "ephemeralStorage", Some(json!({"sizeInGiB": rng.u8(21..=200)})));
    }
    if once_in(rng, 12) {
        set(definition, "pidMode", Some(json!("task")));
    }
    if once_in(rng, 10) {
        let properties = json!([
            {"name": "ProxyIngressPort", "value": "15000"},
            {"name": "IgnoredUID", "value": "1337"},
            {"name": "EgressIgnoredIPs", "value": "169.254.170.2,169.254.169.254"},
            {"name": "AppPorts", "value": "8080"},
        ]);
        let proxy = json!({"type": "APPMESH", "containerName": frame.main, "properties": properties});
        set(definition, "proxyConfiguration", Some(proxy));
    }
}

fn on_instances(rng: &mut Rng, definition: &mut Value) {
    if once_in(rng, 10) {
        set(definition, "pidMode", Some(json!(*pick(rng, &["host", "task"]))));
    }
    if once_in(rng, 10) {
        set(definition, "ipcMode", Some(json!(*pick(rng, &["host", "task", "none"]))));
    }
    if once_in(rng, 6) {
        let of = |expression: &str| json!({"type": "memberOf", "expression": expression});
        let all = [of("attribute:ecs.instance-type =~ t3.*"), of("attribute:ecs.availability-zone == eu-central-1a")];
        let count = rng.usize(1..=all.len());
        set(definition, "placementConstraints", Some(all.into_iter().take(count).collect()));
    }
}

/// Volumes of every kind that a run can have without being told more.
fn add_volumes(rng: &mut Rng, frame: &Frame, definition: &mut Value) {
    let encrypted = json!({
        "fileSystemId": "fs-87654321", "transitEncryption": "ENABLED", "transitEncryptionPort": 2049,
        "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
    });
    let rooted = json!({"fileSystemId": "fs-87654321", "rootDirectory": "/exports/etl"});
    let mut kinds = vec![
        json!({"name": "bare"}),
        json!({"name": "shared", "efsVolumeConfiguration": encrypted}),
        json!({"name": "rooted", "efsVolumeConfiguration": rooted}),
    ];
    let files = json!({
        "fileSystemArn": "arn:aws:s3files:eu-central-1:123456789012:file-system/fs-0123456789abcdef0",
        "rootDirectory": "/etl",
    });
    kinds.push(json!({"name": "files", "s3filesVolumeConfiguration": files}));
    if !frame.fargate {
        let docker = json!({
            "scope": "shared", "autoprovision": true, "driver": "local",
            "driverOpts": {"type": "nfs", "device": ":/"}, "labels": {"team": "data"},
        });
        kinds.push(json!({"name": "on-host", "host": {"sourcePath": "/var/etl"}}));
        kinds.push(json!({"name": "by-docker", "dockerVolumeConfiguration": docker}));
    }
    let drawn: Vec<Value> = kinds.into_iter().filter(|_| once_in(rng, 8)).collect();
    if drawn.is_empty() {
        return;
    }
    match definition.get_mut("volumes").and_then(Value::as_array_mut) {
        Some(volumes) => volumes.extend(drawn),
        None => set(definition, "volumes", Some(Value::Array(drawn))),
    }
}
