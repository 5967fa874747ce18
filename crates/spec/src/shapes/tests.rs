use serde_json::{Value, json};

use super::{TaskDefinition, events};

fn read(yaml: &str) -> Result<TaskDefinition, String> {
    let deserializer = serde_yaml::Deserializer::from_str(yaml);
    serde_path_to_error::deserialize(deserializer).map_err(|e| format!("{}: {}", e.path(), e.inner()))
}

fn check_refused(yaml: &str, path: &str, why: &str) {
    let error = read(yaml).expect_err(yaml);
    assert!(error.starts_with(&format!("{path}: ")), "{error}");
    assert!(error.contains(why), "{error}");
}

#[test]
fn absent_false_zero_and_empty_stay_apart() {
    let yaml = "containerDefinitions: [{name: '', cpu: 0, essential: false, command: [], dockerLabels: {}}]";
    let written = serde_json::to_value(read(yaml).unwrap()).unwrap();
    let container = json!({"name": "", "cpu": 0, "essential": false, "command": [], "dockerLabels": {}});
    assert_eq!(written, json!({ "containerDefinitions": [container] }));
}

#[test]
fn a_text_is_not_a_number_nor_null() {
    let in_command = |value: &str| format!("containerDefinitions: [{{command: [a, {value}]}}]");
    let path = "containerDefinitions[0].command[1]";
    check_refused(&in_command("2018"), path, "invalid type: integer `2018`, expected a string (write it in quotes)");
    check_refused(&in_command("1.50"), path, "expected a string (write it in quotes)");
    check_refused(&in_command("true"), path, "expected a string (write it in quotes)");
    check_refused(&in_command("null"), path, "expected a string");
    check_refused(&in_command("~"), path, "expected a string");
    check_refused("taskRoleArn:", "taskRoleArn", "expected a string");
    check_refused("containerDefinitions: [{dockerLabels: {a: 1}}]", "containerDefinitions[0].dockerLabels.a", "quotes");
}

#[test]
fn an_integer_takes_neither_text_nor_fraction_nor_more_than_32_bits() {
    let path = "containerDefinitions[0].stopTimeout";
    for value in ["'5'", "5.0", "true", "null", "4294967296", "-4294967296"] {
        let yaml = format!("containerDefinitions: [{{stopTimeout: {value}}}]");
        check_refused(&yaml, path, "integer");
    }
}

#[test]
fn a_truth_is_not_a_word() {
    for value in ["'true'", "yes", "1", "null"] {
        let yaml = format!("enableFaultInjection: {value}");
        check_refused(&yaml, "enableFaultInjection", "expected true or false");
    }
}

#[test]
fn a_structure_is_no_list_and_a_list_no_structure() {
    let expected = "expected a map (HealthCheck)";
    check_refused("containerDefinitions: [{healthCheck: [[CMD]]}]", "containerDefinitions[0].healthCheck", expected);
    check_refused("containerDefinitions: [{healthCheck: }]", "containerDefinitions[0].healthCheck", expected);
    check_refused("containerDefinitions: {name: a}", "containerDefinitions", "expected a list");
    check_refused("containerDefinitions:", "containerDefinitions", "expected a list");
}

#[test]
fn an_unknown_member_is_named() {
    check_refused("containerDefinitions: [{entrypoint: []}]", "containerDefinitions[0].entrypoint", "unknown field");
}

#[test]
fn sizes_are_taken_as_aws_takes_them() {
    let yaml =
        "{cpu: 512, memory: 1 GB, containerDefinitions: [{cpu: .5 vCPU, memory: '512', memoryReservation: 1GB}]}";
    let container = json!({"cpu": 512, "memory": 512, "memoryReservation": 1024});
    let expected = json!({"cpu": "512", "memory": "1 GB", "containerDefinitions": [container]});
    assert_eq!(serde_json::to_value(read(yaml).unwrap()).unwrap(), expected);
    check_refused("cpu: 0.5", "cpu", "expected CPU units such as");
    check_refused("cpu: -1", "cpu", "expected CPU units such as");
    check_refused("containerDefinitions: [{memory: lots}]", "containerDefinitions[0].memory", "expected MiB such as");
}

#[test]
fn a_target_is_written_with_the_casing_of_the_wire() {
    let target = json!({
        "Id": "ecs-etl",
        "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/analytics",
        "EcsParameters": {
            "TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:1",
            "EnableECSManagedTags": false,
            "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "DISABLED"}},
            "CapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 0, "base": 0}],
            "PlacementConstraints": [{"type": "distinctInstance"}],
            "PlacementStrategy": [{"type": "spread", "field": "host"}],
            "Tags": [{"Key": "a", "Value": ""}],
        },
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    });
    let read: events::Target = serde_json::from_value(target.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), target);
}

#[test]
fn the_json_schema_names_types_without_null_and_known_values() {
    let schema = serde_json::to_value(schemars::schema_for!(TaskDefinition)).unwrap();
    assert_eq!(schema["properties"]["networkMode"]["type"], "string");
    assert_eq!(schema["properties"]["networkMode"]["enum"], json!(["bridge", "host", "awsvpc", "none"]));
    assert_eq!(schema["properties"]["requiresCompatibilities"]["items"]["enum"][1], "FARGATE");
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    assert_eq!(schema["$defs"]["ContainerDefinition"]["properties"]["stopTimeout"]["type"], "integer");
    assert_eq!(schema["$defs"]["NvidiaMpsAllocation"]["properties"]["maxComputePercent"]["maximum"], 100);
}
