use aws_sdk_ecs::types;
use ecs_etl_spec::shapes::members::{EVENT_MEMBERS, Kind, MEMBERS, Member};
use ecs_etl_spec::shapes::{TaskDefinition, events};
use serde_json::{Map, Value, json};

use super::{FromSdk, ToSdk, ecs};

/// A value with every member set, two entries in every list, and each text its own.
fn maximal(table: &[Member], structure: &str, count: &mut i64) -> Value {
    let members = table.iter().filter(|m| m.structure == structure);
    let mut object = Map::new();
    for member in members {
        object.insert(member.member.to_owned(), value(table, member.kind, member.values, count));
    }
    assert!(!object.is_empty(), "{structure} is in no table");
    Value::Object(object)
}

fn value(table: &[Member], kind: Kind, values: &[&str], count: &mut i64) -> Value {
    *count += 1;
    match kind {
        Kind::String => match values {
            [] => json!(format!("text {count}")),
            [.., last] => json!(last),
        },
        Kind::Integer => json!(*count),
        Kind::Boolean => json!(*count % 2 == 0),
        Kind::Structure(name) => maximal(table, name, count),
        Kind::List(inner) => json!([value(table, *inner, values, count), value(table, *inner, values, count)]),
        Kind::Map(inner) => {
            json!({ "b": value(table, *inner, values, count), "a": value(table, *inner, values, count) })
        }
    }
}

/// The same value with every truth false, every number 0 and every text empty.
fn minimal(value: Value) -> Value {
    match value {
        Value::Bool(_) => json!(false),
        Value::Number(_) => json!(0),
        Value::String(_) => json!(""),
        Value::Array(entries) => entries.into_iter().map(minimal).collect(),
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, minimal(value))).collect(),
        Value::Null => Value::Null,
    }
}

fn through_register(shape: &TaskDefinition) -> Result<TaskDefinition, super::ConvertError> {
    let config =
        aws_sdk_ecs::Config::builder().behavior_version(aws_sdk_ecs::config::BehaviorVersion::latest()).build();
    let request = aws_sdk_ecs::Client::from_conf(config).register_task_definition();
    let input = ecs::register(request, shape)?.as_input().clone().build().unwrap();
    // What AWS answers has the fields of what was asked.
    #[expect(deprecated, reason = "a task definition registered long ago still has inference accelerators")]
    let answer = types::TaskDefinition::builder()
        .set_task_role_arn(input.task_role_arn)
        .set_execution_role_arn(input.execution_role_arn)
        .set_network_mode(input.network_mode)
        .set_container_definitions(input.container_definitions)
        .set_volumes(input.volumes)
        .set_placement_constraints(input.placement_constraints)
        .set_requires_compatibilities(input.requires_compatibilities)
        .set_cpu(input.cpu)
        .set_memory(input.memory)
        .set_pid_mode(input.pid_mode)
        .set_ipc_mode(input.ipc_mode)
        .set_proxy_configuration(input.proxy_configuration)
        .set_inference_accelerators(input.inference_accelerators)
        .set_ephemeral_storage(input.ephemeral_storage)
        .set_runtime_platform(input.runtime_platform)
        .set_enable_fault_injection(input.enable_fault_injection)
        .build();
    Ok(TaskDefinition::from_sdk(answer))
}

/// All of a task definition that the SDK can say.
fn task_definition() -> Value {
    let mut value = maximal(MEMBERS, "TaskDefinition", &mut 0);
    for member in ecs::UNMODELLED {
        let name = member.strip_prefix("TaskDefinition.").expect("only top-level members are unmodelled");
        value.as_object_mut().unwrap().remove(name).expect(name);
    }
    value
}

#[test]
fn a_task_definition_with_every_member_set_comes_back_whole() {
    for value in [task_definition(), minimal(task_definition())] {
        let shape: TaskDefinition = serde_json::from_value(value.clone()).unwrap();
        let back = through_register(&shape).unwrap();
        assert_eq!(serde_json::to_value(back).unwrap(), value);
    }
}

#[test]
fn a_target_with_every_member_set_comes_back_whole() {
    let full = maximal(EVENT_MEMBERS, "Target", &mut 0);
    for value in [full.clone(), minimal(full)] {
        let shape: events::Target = serde_json::from_value(value.clone()).unwrap();
        let back = events::Target::from_sdk(shape.to_sdk().unwrap());
        assert_eq!(serde_json::to_value(back).unwrap(), value);
    }
}

#[test]
fn empty_lists_and_maps_stay_apart_from_absent_ones() {
    let value = json!({"containerDefinitions": [{"cpu": 0, "command": [], "dockerLabels": {}}], "volumes": []});
    let shape: TaskDefinition = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(through_register(&shape).unwrap()).unwrap(), value);
}

#[test]
fn a_missing_member_that_aws_requires_is_an_error_with_its_path() {
    let check = |value: Value, message: &str| {
        let shape: TaskDefinition = serde_json::from_value(value).unwrap();
        assert_eq!(through_register(&shape).unwrap_err().to_string(), message);
    };
    check(json!({}), "`containerDefinitions` is required");
    let ulimits = json!([{"name": "core", "softLimit": 0, "hardLimit": 0}, {"name": "core", "hardLimit": 0}]);
    let container = json!({ "ulimits": ulimits });
    check(
        json!({ "containerDefinitions": [{}, container] }),
        "`containerDefinitions[1].ulimits[1].softLimit` is required",
    );
    let gpu = json!({"type": "GPU", "sharingStrategy": {}});
    check(
        json!({ "containerDefinitions": [{"resourceRequirements": [gpu]}] }),
        "`containerDefinitions[0].resourceRequirements[0].sharingStrategy.nvidiaMps` is required",
    );

    let target: events::Target = serde_json::from_value(json!({"Id": "a", "Arn": "b", "EcsParameters": {}})).unwrap();
    assert_eq!(target.to_sdk().unwrap_err().to_string(), "`EcsParameters.TaskDefinitionArn` is required");
}
