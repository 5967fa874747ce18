//! The shape of a job's task definition and of how it is started, drawn from a number: whatever the spec can say.

mod containers;
mod more;
mod run;
mod task;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::sketch::set;

pub use more::add;

/// A secret that must be in no byte of output. Every job has one.
pub const CANARY: &str = "canary-5f1d7c";

/// The spec of a job less what [`crate::sketch::Job`] says of it, and less its rarer members, which [`add`] adds. Equal arguments give
/// equal specs.
pub fn spec(job: &str, shape: u64, version: u32) -> Value {
    let mut rng = Rng::with_seed(shape);
    let launch = *pick(&mut rng, &[Launch::Bridge, Launch::Bridge, Launch::Host, Launch::Fargate]);
    let sidecar = rng.u8(..4) == 0;
    let mut containers = vec![main(&mut rng, launch, job, version, sidecar)];
    if sidecar {
        containers.push(json!({"name": "sidecar", "image": "sidecar:1", "essential": false, "memory": 32}));
    }
    let mut task = launch.task(&mut rng);
    for (member, value) in task_members(&mut rng) {
        set(&mut task, member, Some(value));
    }
    set(&mut task, "containerDefinitions", Some(Value::Array(containers)));
    let mut spec = json!({"taskDefinition": task});
    if let Some(run) = run_task(&mut rng, launch, job) {
        set(&mut spec, "runTask", Some(run));
    }
    if rng.bool() {
        set(&mut spec, "startingDeadlineSeconds", Some(json!(rng.u32(60..7200))));
    }
    if rng.u8(..4) == 0 {
        set(&mut spec, "maximumRetryAttempts", Some(json!(rng.u32(..186))));
    }
    spec
}

/// One of `choices`; there is always one.
pub(crate) fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    let index = rng.usize(..choices.len().max(1));
    #[expect(clippy::indexing_slicing, reason = "the index is below the length, and no list here is empty")]
    &choices[index]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Launch {
    Bridge,
    Host,
    Fargate,
}

impl Launch {
    fn task(self, rng: &mut Rng) -> Value {
        match self {
            Self::Bridge if rng.bool() => json!({}),
            Self::Bridge => json!({"networkMode": "bridge", "cpu": "1 vCPU", "memory": "2 GB"}),
            Self::Host => json!({"networkMode": "host", "requiresCompatibilities": ["EC2"]}),
            Self::Fargate => {
                let (cpu, memory) = *pick(rng, &[("256", "512"), ("0.5 vCPU", "1 GB"), ("1024", "4096")]);
                json!({
                    "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": cpu, "memory": memory,
                    "executionRoleArn": "pull",
                })
            }
        }
    }
}

fn main(rng: &mut Rng, launch: Launch, job: &str, version: u32, sidecar: bool) -> Value {
    let mut environment = vec![
        json!({"name": "DB_PASSWORD", "value": format!("{CANARY}-{job}")}),
        json!({"name": "MODE", "value": *pick(rng, &["", "full", "delta"])}),
    ];
    if rng.bool() {
        environment.reverse();
    }
    let mut main = json!({"image": format!("registry.example/etl:v{version}"), "environment": environment});
    if sidecar {
        set(&mut main, "name", Some(json!("main")));
    }
    let mut some = |member: &str, value: Value| {
        if rng.u8(..4) == 0 {
            set(&mut main, member, Some(value));
        }
    };
    some("command", json!(["--from", "2018-01-01", ""]));
    some("entryPoint", json!(["/bin/bash", "/opt/launch.sh"]));
    some("essential", json!(true));
    some("stopTimeout", json!(60));
    some("user", json!("1000:1000"));
    some("workingDirectory", json!("/data"));
    some("readonlyRootFilesystem", json!(false));
    some("interactive", json!(false));
    some("dockerLabels", json!({"b": "2", "a": "1", "c": "", "d": "4"}));
    some("ulimits", json!([{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}]));
    some("healthCheck", json!({"command": ["CMD", "true"]}));
    some("healthCheck", json!({"command": ["CMD", "true"], "interval": 30, "retries": 3}));
    some("portMappings", json!([{"containerPort": 8080}, {"containerPort": 53, "protocol": "udp"}]));
    some("systemControls", json!([]));
    some("restartPolicy", json!({"enabled": true, "ignoredExitCodes": [0, 143], "restartAttemptPeriod": 120}));
    if launch != Launch::Fargate {
        some(
            "linuxParameters",
            json!({"initProcessEnabled": true, "capabilities": {"add": ["SYS_PTRACE"], "drop": []}}),
        );
        some("dnsServers", json!(["10.0.0.2"]));
        some("logConfiguration", json!({"logDriver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}));
        some("extraHosts", json!([{"hostname": "db", "ipAddress": "10.0.0.1"}]));
    } else {
        some(
            "logConfiguration",
            json!({"logDriver": "awslogs", "options": {"awslogs-group": "/etl", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "etl"}}),
        );
        some(
            "secrets",
            json!([{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/token"}]),
        );
    }
    main
}

fn task_members(rng: &mut Rng) -> Vec<(&'static str, Value)> {
    let members = [
        ("taskRoleArn", json!("etl")),
        (
            "volumes",
            json!([{"name": "scratch"}, {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678"}}]),
        ),
        ("enableFaultInjection", json!(false)),
        ("runtimePlatform", json!({"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"})),
    ];
    members.into_iter().filter(|_| rng.u8(..3) == 0).collect()
}

fn run_task(rng: &mut Rng, launch: Launch, job: &str) -> Option<Value> {
    let mut run = match launch {
        Launch::Fargate => json!({
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0b", "subnet-0a"]}},
        }),
        Launch::Bridge | Launch::Host if rng.bool() => json!({"launchType": "EC2"}),
        Launch::Bridge | Launch::Host if rng.bool() => json!({}),
        Launch::Bridge | Launch::Host => return None,
    };
    if rng.u8(..3) == 0 {
        set(&mut run, "group", Some(json!(format!("etl.{job}"))));
    }
    if rng.u8(..3) == 0 {
        set(&mut run, "propagateTags", Some(json!("TASK_DEFINITION")));
    }
    if rng.u8(..4) == 0 {
        set(&mut run, "tags", Some(json!([{"key": "run", "value": "scheduled"}])));
    }
    Some(run)
}
