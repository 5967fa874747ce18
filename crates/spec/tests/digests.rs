//! The digest of a job is of what is said and not of how: any style of YAML gives the same, any other content another.

#![expect(clippy::panic, reason = "a test that cannot set itself up should stop")]

mod styles;

use std::sync::Arc;

use ecs_etl_spec::directory::{Directory, File, load};
use ecs_etl_spec::job::Job;
use ecs_etl_spec::render;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use styles::Style;

const CLUSTER: &str = "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec: {region: ap-northeast-1, eventsRoleArn: events}
";

/// A container and a job with something of everything; members that are not needed may be left out.
fn whole() -> Value {
    let container = json!({
        "name": "main",
        "image": "example.com/sales:1",
        "entryPoint": ["/bin/bash", "/opt/launch.sh"],
        "command": ["2018-01-01", "true", "1e3", "", " a: b # c ", "it's \"so\"", "é\u{2028}"],
        "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": ""}],
        "secrets": [{"name": "S", "valueFrom": "parameter"}],
        "memoryReservation": 64,
        "stopTimeout": 30,
        "dockerLabels": {"a/b": "x", "c": "null"},
        "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/a", "readOnly": false}],
        "healthCheck": {"command": ["CMD-SHELL", "exit 0"], "interval": 60},
        "linuxParameters": {"initProcessEnabled": true},
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
    });
    let overrides = json!({"containerOverrides": [{"name": "main", "command": ["${scheduledTime}"]}]});
    let vpc = json!({"subnets": ["subnet-a", "subnet-b"], "assignPublicIp": "DISABLED"});
    json!({
        "apiVersion": "ecs-etl/v1",
        "kind": "EtlJob",
        "metadata": {"name": "sales", "labels": {"team": "analytics", "stage": "no"}},
        "spec": {
            "cluster": "main",
            "schedule": ["0 2 * * *", "cron(30 14 ? * MON-FRI *)"],
            "suspend": true,
            "startingDeadlineSeconds": 600,
            "maximumRetryAttempts": 3,
            "deletionPolicy": "Retain",
            "taskDefinition": {
                "taskRoleArn": "myetl",
                "executionRoleArn": "execution",
                "requiresCompatibilities": ["FARGATE"],
                "networkMode": "awsvpc",
                "cpu": "256",
                "memory": "512",
                "volumes": [{"name": "scratch"}],
                "ephemeralStorage": {"sizeInGiB": 30},
                "runtimePlatform": {"cpuArchitecture": "ARM64"},
                "containerDefinitions": [container],
            },
            "runTask": {
                "launchType": "FARGATE",
                "platformVersion": "1.4.0",
                "group": "etl",
                "count": 2,
                "enableExecuteCommand": true,
                "networkConfiguration": {"awsvpcConfiguration": vpc},
                "overrides": overrides,
            },
        },
    })
}

/// The members of an object that a choice leaves.
fn thinned(value: Value, choices: &[bool], at: &mut usize) -> Value {
    const NEEDED: [&str; 21] = [
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "spec",
        "cluster",
        "schedule",
        "taskDefinition",
        "containerDefinitions",
        "image",
        "executionRoleArn",
        "requiresCompatibilities",
        "networkMode",
        "cpu",
        "memory",
        "volumes",
        "launchType",
        "networkConfiguration",
        "awsvpcConfiguration",
        "subnets",
        "command",
    ];
    let mut keeps = |name: &str| {
        *at += 1;
        NEEDED.contains(&name) || choices[*at % choices.len()]
    };
    match value {
        Value::Object(members) => {
            let kept: Vec<_> = members.into_iter().filter(|(name, _)| keeps(name)).collect();
            let inner = |(name, value): (String, Value)| {
                // What stands in a list of names and values is whole or not there.
                let whole = ["environment", "secrets", "mountPoints", "ulimits", "healthCheck", "ephemeralStorage"];
                let entire = whole.contains(&name.as_str());
                let value = if entire { value } else { thinned(value, choices, at) };
                (name, value)
            };
            Value::Object(kept.into_iter().map(inner).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| thinned(item, choices, at)).collect(),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf,
    }
}

fn document() -> impl Strategy<Value = Value> {
    prop::collection::vec(prop::bool::weighted(0.6), 7..60).prop_map(|choices| thinned(whole(), &choices, &mut 0))
}

fn read(text: &str) -> Directory {
    let files = [("cluster.yaml", CLUSTER), ("job.yaml", text)];
    load(&files.map(|(path, text)| File { path, bytes: text.as_bytes() }), Timestamp::UNIX_EPOCH)
}

fn job(text: &str) -> Job {
    let directory = read(text);
    let job = directory.jobs.into_values().next();
    job.map(Arc::unwrap_or_clone).unwrap_or_else(|| panic!("{:#?}\n{text}", directory.diagnostics))
}

/// Paths of all texts, numbers and truths.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            leaves(value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{path}/{index}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(path.to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_style_of_yaml_gives_the_same_digest(
        document in document(), choices in prop::collection::vec(any::<u16>(), 1..200),
    ) {
        let plain = job(&document.to_string());
        let styled = Style::new(choices).document(&document);
        let again = job(&styled);
        prop_assert_eq!(&again.digest, &plain.digest, "{}", styled);
        // And it is the same job, wherever it stands.
        prop_assert_eq!(Job { origin: plain.origin.clone(), ..again }, plain);
    }

    #[test]
    fn another_content_gives_another_digest(document in document(), which in any::<prop::sample::Index>()) {
        let mut paths = Vec::new();
        leaves(&document, "", &mut paths);
        let path = which.get(&paths);
        let mut other = document.clone();
        let leaf = other.pointer_mut(path).unwrap();
        *leaf = match leaf {
            Value::Bool(truth) => json!(!*truth),
            Value::Number(number) => json!(number.as_i64().unwrap() + 1),
            Value::String(text) => json!(format!("{text}x")),
            Value::Null | Value::Array(_) | Value::Object(_) => panic!("{path} is no leaf"),
        };
        let before = job(&document.to_string());
        // What is refused is another thing, too.
        if let Some(after) = read(&other.to_string()).jobs.into_values().next() {
            prop_assert_ne!(&after.digest, &before.digest, "{}", path);
        }
    }

    #[test]
    fn what_is_rendered_of_any_job_is_that_job(document in document()) {
        let job = job(&document.to_string());
        let again = self::job(&render::yaml(&job));
        prop_assert_eq!(Job { origin: job.origin.clone(), ..again }, job);
    }
}
