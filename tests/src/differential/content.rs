//! What the calls of a sequence carry: task definitions, rules, targets and runs, both such as AWS takes and such as it refuses.

use serde_json::{Value, json};

use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Expressions that AWS takes (docs/aws.md, Schedule expressions).
const SCHEDULES: &[&str] = &[
    "rate(1 day)",
    "rate(5 minutes)",
    "cron(0 2 * * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0 2 ? * SAT#3 *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(15 10 ? * 6L 2002-2005)",
];

/// Expressions that AWS refuses.
const REFUSED_SCHEDULES: &[&str] = &[
    "rate(1 minutes)",
    "rate(10 minute)",
    "rate(0 minutes)",
    "rate(10 seconds)",
    "rate( 10 minutes )",
    "rate(10 MINUTES)",
    "rate()",
    "cron(0 1 * * * *)",
    "cron(71 8 1 * ? *)",
    "cron(7 20 * * NOT *)",
    "cron(INVALID)",
    "at(2030-01-01T00:00:00)",
    "every day",
];

/// The cluster of all targets. No call is about it: that targets make a cluster is a leniency of the emulator (docs/emulator.md).
pub const TARGETED: &str = "fleet";

/// The ARN of a cluster.
pub fn cluster_arn(name: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}")
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

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
            _ => {
                json!([{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678", "rootDirectory": "/etl", "transitEncryption": "ENABLED"}}])
            }
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
    let mut container = json!({"name": name, "image": random.pick(&["busybox:1", "registry.example/team/etl@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])});
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
    set(
        5,
        "logConfiguration",
        json!({"logDriver": "awslogs", "options": {"awslogs-group": "etl", "awslogs-region": REGION, "awslogs-stream-prefix": "etl"}}),
    );
    if let Some(port) = port {
        set(4, "portMappings", json!([{"containerPort": port}]));
        set(6, "portMappings", json!([{"containerPort": port, "hostPort": port, "protocol": "udp"}]));
    }
    container
}

/// A RegisterTaskDefinition that AWS refuses (docs/aws.md, Sizes and names).
pub fn refused_task_definition(random: &mut Random, family: &str) -> Value {
    let main = json!({"name": "main", "image": "busybox:1", "memory": 64});
    let plain = json!({"family": family, "containerDefinitions": [main]});
    let fargate = |cpu: &str, memory: &str| json!({"family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": cpu, "memory": memory, "containerDefinitions": [main]});
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

/// A PutRule that AWS takes.
pub fn rule(random: &mut Random, name: &str) -> Value {
    let mut body = json!({"Name": name, "ScheduleExpression": random.pick(SCHEDULES)});
    if random.one_in(6) {
        body["EventPattern"] =
            json!({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}).to_string().into();
    }
    if random.one_in(3) {
        body["State"] = random.pick(&["ENABLED", "DISABLED"]).into();
    }
    if random.one_in(3) {
        body["Description"] = random.pick(&["nightly", "weekly"]).into();
    }
    if random.one_in(4) {
        body["RoleArn"] = role("events").into();
    }
    if random.one_in(3) {
        body["Tags"] = tags(random, "Key", "Value");
    }
    body
}

/// A PutRule that AWS refuses.
pub fn refused_rule(random: &mut Random, name: &str) -> Value {
    let nightly = "cron(0 2 * * ? *)";
    match random.below(12) {
        0 => json!({"Name": name}),
        1 => json!({"Name": format!("{name} x"), "ScheduleExpression": nightly}),
        2 => json!({"Name": name, "EventPattern": "{"}),
        3 => json!({"Name": name, "ScheduleExpression": nightly, "State": "ON"}),
        4 => json!({"Name": name, "ScheduleExpression": nightly, "Description": "x".repeat(513)}),
        5 => json!({"ScheduleExpression": nightly}),
        _ => json!({"Name": name, "ScheduleExpression": random.pick(REFUSED_SCHEDULES)}),
    }
}

/// A target that AWS takes.
pub fn target(random: &mut Random, id: &str) -> Value {
    if random.one_in(4) {
        return json!({"Id": id, "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:queue")});
    }
    let family = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/elsewhere");
    let network = json!({"awsvpcConfiguration": {"Subnets": ["subnet-b", "subnet-a"], "AssignPublicIp": "DISABLED"}});
    let mut parameters = json!({"TaskDefinitionArn": random.pick(&[&family, &format!("{family}:7")])});
    if random.one_in(2) {
        parameters["LaunchType"] = "FARGATE".into();
        parameters["NetworkConfiguration"] = network;
    }
    if random.one_in(3) {
        parameters["TaskCount"] = random.between(1, 3).into();
    }
    if random.one_in(4) {
        parameters["Group"] = "nightly".into();
    }
    if random.one_in(4) {
        parameters["EnableECSManagedTags"] = true.into();
        parameters["PropagateTags"] = "TASK_DEFINITION".into();
    }
    let mut target =
        json!({"Id": id, "Arn": cluster_arn(TARGETED), "RoleArn": role("events"), "EcsParameters": parameters});
    match random.below(5) {
        0 => target["Input"] = json!({"containerOverrides": [{"name": "main", "command": ["x"]}]}).to_string().into(),
        1 => target["InputPath"] = "$.detail".into(),
        2 => {
            let template = r#"{"containerOverrides":[{"name":"main","environment":[{"name":"AT","value":<at>}]}]}"#;
            target["InputTransformer"] = json!({"InputPathsMap": {"at": "$.time"}, "InputTemplate": template});
        }
        _ => {}
    }
    if random.one_in(4) {
        target["RetryPolicy"] = json!({"MaximumRetryAttempts": random.below(5)});
    }
    if random.one_in(6) {
        target["DeadLetterConfig"] = json!({"Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:dead")});
    }
    target
}

/// A PutTargets that AWS refuses.
pub fn refused_targets(random: &mut Random, rule: &str) -> Value {
    let good = target(random, "bad");
    let mut bad = json!({"Id": "bad", "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:queue")});
    let ecs = json!({"Id": "bad", "Arn": cluster_arn(TARGETED), "RoleArn": role("events"), "EcsParameters": {"TaskDefinitionArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/elsewhere")}});
    match random.below(8) {
        0 => (bad["Input"], bad["InputPath"]) = ("{}".into(), "$.time".into()),
        1 => bad["Input"] = "no JSON".into(),
        2 => bad["Id"] = "b a d".into(),
        3 => bad["Arn"] = "queue".into(),
        4 => (bad, bad["EcsParameters"]) = (ecs.clone(), Value::Null),
        5 => (bad, bad["RoleArn"]) = (ecs.clone(), Value::Null),
        6 => (bad, bad["EcsParameters"]["LaunchType"]) = (ecs.clone(), "FARGATE".into()),
        _ => return json!({"Rule": rule, "Targets": [good, good]}),
    }
    json!({"Rule": rule, "Targets": [bad]})
}

/// A RunTask, which AWS takes if cluster and task definition are there and suit it.
pub fn run(random: &mut Random, cluster: &str, task_definition: &str) -> Value {
    let mut body = json!({"cluster": cluster, "taskDefinition": task_definition, "launchType": "FARGATE"});
    if !random.one_in(6) {
        body["networkConfiguration"] = json!({"awsvpcConfiguration": {"subnets": ["subnet-a"]}});
    }
    if random.one_in(3) {
        body["count"] = 2.into();
    }
    if random.one_in(3) {
        body["startedBy"] = "differential".into();
    }
    if random.one_in(4) {
        body["group"] = "nightly".into();
    }
    if random.one_in(4) {
        let name = random.pick(&["main", "main", "nowhere"]);
        body["overrides"] = json!({"containerOverrides": [{"name": name, "command": ["x"]}]});
    }
    if random.one_in(5) {
        body["tags"] = tags(random, "key", "value");
    }
    body
}

fn tags(random: &mut Random, key: &str, value: &str) -> Value {
    let mut tags = vec![json!({key: "team", value: random.pick(&["sales", "ops"])})];
    if random.one_in(2) {
        tags.push(json!({key: "stage", value: "test"}));
    }
    tags.into()
}
