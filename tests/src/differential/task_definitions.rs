//! Task definitions, such as AWS takes and such as it refuses.

use serde_json::{Value, json};

use super::content::{role, tags};
use crate::random::Random;
use crate::raw::REGION;

/// An image by its digest.
const BY_DIGEST: &str =
    "registry.example/team/etl@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A RegisterTaskDefinition that AWS takes.
pub fn task_definition(random: &mut Random, family: &str) -> Value {
    let fargate = random.one_in(2);
    let mut body = json!({"family": family, "executionRoleArn": role("execution")});
    if fargate {
        body["requiresCompatibilities"] = json!(["FARGATE"]);
        body["networkMode"] = "awsvpc".into();
        let (cpu, memory) =
            random.pick(&[&("256", "512"), &("1 vCPU", "2 GB"), &("1024", "4096"), &(".5 vcpu", "1GB")]);
        body["cpu"] = (*cpu).into();
        body["memory"] = (*memory).into();
    } else {
        if let Some(mode) = random.pick(&[&None, &Some("bridge"), &Some("host"), &Some("awsvpc"), &Some("none")]) {
            body["networkMode"] = (*mode).into();
        }
        if random.one_in(3) {
            body["requiresCompatibilities"] = json!(["EC2"]);
        }
    }
    let ports = fargate || body["networkMode"] != "none";
    let mut containers = vec![container(random, "main", fargate, ports.then_some(80))];
    if random.one_in(3) {
        let mut second = container(random, "aside", fargate, ports.then_some(8080));
        second["essential"] = false.into();
        if random.one_in(2) {
            containers[0]["dependsOn"] =
                json!([{"containerName": "aside", "condition": random.pick(&["START", "COMPLETE"])}]);
        }
        containers.insert(random.below(2), second);
    }
    if random.one_in(3) {
        body["volumes"] = match random.below(3) {
            0 => json!([{"name": "data"}]),
            1 => json!([{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678"}}]),
            _ => json!([{"name": "data", "efsVolumeConfiguration": {
                "fileSystemId": "fs-12345678", "rootDirectory": "/etl", "transitEncryption": "ENABLED",
            }}]),
        };
        containers[0]["mountPoints"] = json!([{"sourceVolume": "data", "containerPath": "/data"}]);
    }
    body["containerDefinitions"] = containers.into();
    if random.one_in(3) {
        body["tags"] = tags(random, "key", "value");
    }
    if random.one_in(4) {
        body["taskRoleArn"] = role("task").into();
    }
    if random.one_in(5) {
        body["runtimePlatform"] =
            json!({"cpuArchitecture": random.pick(&["X86_64", "ARM64"]), "operatingSystemFamily": "LINUX"});
    }
    if fargate && random.one_in(5) {
        body["ephemeralStorage"] = json!({"sizeInGiB": random.between(21, 200)});
    }
    if random.one_in(6) {
        body["enableFaultInjection"] = random.one_in(2).into();
    }
    body
}

fn container(random: &mut Random, name: &str, fargate: bool, port: Option<u16>) -> Value {
    let mut container = json!({"name": name, "image": random.pick(&["busybox:1", BY_DIGEST])});
    if !fargate || random.one_in(3) {
        container["memory"] = 64.into();
        if random.one_in(3) {
            container["memoryReservation"] = 32.into();
        }
    }
    let mut set = |chance: usize, member: &str, value: Value| {
        if random.one_in(chance) {
            container[member] = value;
        }
    };
    set(3, "cpu", 10.into());
    set(4, "essential", true.into());
    set(3, "command", json!(["sh", "-c", "b; a"]));
    set(6, "entryPoint", json!(["/init"]));
    set(3, "environment", json!([{"name": "Z", "value": "1"}, {"name": "A", "value": "2"}]));
    set(8, "environment", json!([]));
    set(4, "secrets", json!([{"name": "PASSWORD", "valueFrom": "/etl/password"}]));
    set(5, "healthCheck", json!({"command": ["CMD", "true"]}));
    set(6, "healthCheck", json!({"command": ["CMD", "true"], "interval": 10, "startPeriod": 5}));
    set(6, "ulimits", json!([{"name": "nofile", "softLimit": 10, "hardLimit": 20}]));
    set(6, "dockerLabels", json!({"b": "2", "a": "1"}));
    set(6, "stopTimeout", 30.into());
    set(6, "user", "1000:1000".into());
    set(6, "workingDirectory", "/etl".into());
    set(6, "readonlyRootFilesystem", true.into());
    set(6, "linuxParameters", json!({"initProcessEnabled": true}));
    let options = json!({"awslogs-group": "etl", "awslogs-region": REGION, "awslogs-stream-prefix": "etl"});
    set(5, "logConfiguration", json!({"logDriver": "awslogs", "options": options}));
    if let Some(port) = port {
        set(4, "portMappings", json!([{"containerPort": port}]));
        set(6, "portMappings", json!([{"containerPort": port, "hostPort": port, "protocol": "udp"}]));
    }
    container
}

/// A RegisterTaskDefinition that AWS refuses (docs/aws.md, Sizes and names).
pub fn refused(random: &mut Random, family: &str) -> Value {
    let main = json!({"name": "main", "image": "busybox:1", "memory": 64});
    let plain = json!({"family": family, "containerDefinitions": [main]});
    let fargate = |cpu: &str, memory: &str| {
        json!({
            "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "cpu": cpu, "memory": memory, "containerDefinitions": [main],
        })
    };
    let with = |member: &str, value: Value| {
        let mut body = plain.clone();
        body[member] = value;
        body
    };
    let containing = |member: &str, value: Value| {
        let mut body = plain.clone();
        body["containerDefinitions"][0][member] = value;
        body
    };
    match random.below(16) {
        0 => with("family", format!("{family} x").into()),
        1 => with("containerDefinitions", json!([])),
        2 => with("containerDefinitions", json!([main, main])),
        3 => with("containerDefinitions", json!([{"name": "main", "image": "busybox:1"}])),
        4 => containing("essential", false.into()),
        5 => containing("memoryReservation", 128.into()),
        6 => with("requiresCompatibilities", json!(["FARGATE"])),
        7 => fargate("256", "4096"),
        8 => fargate("a lot", "512"),
        9 => with("tags", json!([])),
        10 => containing("mountPoints", json!([{"sourceVolume": "nowhere", "containerPath": "/x"}])),
        11 => containing("dependsOn", json!([{"containerName": "nowhere", "condition": "START"}])),
        12 => with("networkMode", "wireless".into()),
        13 => containing("image", Value::Null),
        14 => with("tags", json!([{"key": "aws:mine", "value": "1"}])),
        _ => with("containerDefinitions", "none".into()),
    }
}
