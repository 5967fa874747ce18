//! What ECS fills in, rewrites and reorders (docs/aws.md, Normalisation).

use ecs_etl_emulator::Settings;
use serde_json::{Value, json};

use crate::client::{Aws, fargate_task, task, with};

fn registered(body: Value) -> Value {
    Aws::new().ecs("RegisterTaskDefinition", body).unwrap()["taskDefinition"].clone()
}

#[test]
fn the_least_task_definition_comes_back_filled_in() {
    let mut given = registered(task("etl-a"));
    given["requiresAttributes"] = Value::Null;
    assert_eq!(
        given,
        json!({
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:1",
            "family": "etl-a",
            "revision": 1,
            "status": "ACTIVE",
            "networkMode": "bridge",
            "compatibilities": ["EXTERNAL", "EC2"],
            "containerDefinitions": [{
                "name": "main", "image": "busybox", "memory": 64, "cpu": 0, "essential": true,
                "environment": [], "mountPoints": [], "volumesFrom": [], "portMappings": [], "systemControls": [],
            }],
            "volumes": [],
            "placementConstraints": [],
            "enableFaultInjection": false,
            "registeredAt": 1_767_323_045,
            "registeredBy": "arn:aws:iam::123456789012:user/embedded",
            "requiresAttributes": null,
        })
    );
}

#[test]
fn what_describe_says_is_what_register_said() {
    let mut aws = Aws::new();
    let given = aws.ecs("RegisterTaskDefinition", fargate_task("etl-a")).unwrap();
    let described = aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    assert_eq!(given["taskDefinition"], described["taskDefinition"]);
}

#[test]
fn members_get_their_defaults() {
    let check = |over: Value, pointer: &str, expected: Value| {
        let answer = registered(with(task("etl-a"), over.clone()));
        assert_eq!(answer.pointer(pointer), Some(&expected), "{over} at {pointer}");
    };
    let container = |over: Value| json!({"containerDefinitions": [with(json!({"name": "main", "image": "busybox", "memory": 64}), over)]});
    let port = json!({"portMappings": [{"containerPort": 80}]});
    check(container(port.clone()), "/containerDefinitions/0/portMappings/0/protocol", json!("tcp"));
    check(container(port.clone()), "/containerDefinitions/0/portMappings/0/hostPort", json!(0));
    for mode in ["awsvpc", "host"] {
        let over = with(container(port.clone()), json!({"networkMode": mode}));
        check(over, "/containerDefinitions/0/portMappings/0/hostPort", json!(80));
    }
    let health = json!({"healthCheck": {"command": ["CMD", "true"], "retries": 1}});
    check(
        container(health),
        "/containerDefinitions/0/healthCheck",
        json!({"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 1}),
    );
    let log = json!({"logConfiguration": {"logDriver": "json-file"}});
    check(container(log), "/containerDefinitions/0/logConfiguration/secretOptions", json!([]));
    check(json!({"cpu": "1 vCPU"}), "/cpu", json!("1024"));
    check(json!({"memory": "2 GB"}), "/memory", json!("2048"));
    check(json!({"volumes": [{"name": "scratch"}]}), "/volumes/0", json!({"name": "scratch", "host": {}}));
    check(
        json!({"volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]}),
        "/volumes/0/efsVolumeConfiguration",
        json!({"fileSystemId": "fs-1", "rootDirectory": "/"}),
    );
}

#[test]
fn what_was_given_is_not_overwritten() {
    let container = json!({
        "name": "main", "image": "busybox", "memory": 64, "cpu": 10, "essential": false,
        "portMappings": [{"containerPort": 80, "hostPort": 8080, "protocol": "udp"}],
        "environment": [{"name": "EMPTY", "value": ""}], "readonlyRootFilesystem": false, "stopTimeout": 0,
    });
    let other = json!({"name": "other", "image": "busybox", "memory": 64});
    let body = with(task("etl-a"), json!({"containerDefinitions": [container, other], "enableFaultInjection": true}));
    let answer = registered(body);
    let expected = with(container, json!({"mountPoints": [], "volumesFrom": [], "systemControls": []}));
    assert_eq!(answer["containerDefinitions"][0], expected);
    assert_eq!(answer["enableFaultInjection"], json!(true));
}

#[test]
fn unset_members_are_absent_and_never_null() {
    fn nulls(value: &Value) -> usize {
        match value {
            Value::Null => 1,
            Value::Array(items) => items.iter().map(nulls).sum(),
            Value::Object(members) => members.values().map(nulls).sum(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    assert_eq!(nulls(&registered(with(fargate_task("etl-a"), json!({"taskRoleArn": null, "volumes": []})))), 0);
}

#[test]
fn lists_without_an_order_come_back_in_another_one_and_always_in_the_same() {
    let names: Vec<String> = (0..12).map(|n| format!("V{n:02}")).collect();
    let environment: Vec<Value> = names.iter().map(|name| json!({"name": name, "value": "x"})).collect();
    let command = json!(names);
    let container = json!({"name": "main", "image": "i", "memory": 64, "environment": environment, "command": command});
    let body = with(task("etl-a"), json!({"containerDefinitions": [container]}));
    let order = |answer: &Value| -> Vec<String> {
        let environment = answer["containerDefinitions"][0]["environment"].as_array().unwrap().clone();
        environment.iter().map(|variable| variable["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = registered(body.clone());
    assert_ne!(order(&first), names);
    assert_eq!(first["containerDefinitions"][0]["command"], command);
    let mut sorted = order(&first);
    sorted.sort();
    assert_eq!(sorted, names);
    assert_eq!(order(&registered(body)), order(&first));
}

#[test]
fn containers_keep_their_order_unless_a_test_wants_the_worst() {
    let containers: Vec<Value> = (0..8).map(|n| json!({"name": format!("c{n}"), "image": "i", "memory": 64})).collect();
    let body = with(task("etl-a"), json!({"containerDefinitions": containers}));
    let order = |settings: Settings| -> Vec<Value> {
        let answer = Aws::with(settings).ecs("RegisterTaskDefinition", body.clone()).unwrap();
        let containers = answer["taskDefinition"]["containerDefinitions"].as_array().unwrap().clone();
        containers.iter().map(|container| container["name"].clone()).collect()
    };
    let sent: Vec<Value> = (0..8).map(|n| json!(format!("c{n}"))).collect();
    assert_eq!(order(Settings::default()), sent);
    assert_ne!(order(Settings { reorder_containers: true, ..Settings::default() }), sent);
}

#[test]
fn compatibilities_follow_from_what_the_task_asks_for() {
    let check = |body: Value, expected: Value| assert_eq!(registered(body)["compatibilities"], expected);
    check(fargate_task("etl-a"), json!(["EC2", "FARGATE", "MANAGED_INSTANCES"]));
    check(with(task("etl-a"), json!({"networkMode": "awsvpc"})), json!(["EC2", "MANAGED_INSTANCES"]));
    check(with(task("etl-a"), json!({"networkMode": "none"})), json!(["EXTERNAL", "EC2"]));
}
