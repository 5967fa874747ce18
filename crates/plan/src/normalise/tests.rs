#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use std::path::Path;

use ecs_etl_spec::shapes::{TaskDefinition, events};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

/// Any shape, as the tests of decisions have them.
#[path = "../../tests/it/shapes.rs"]
mod shapes;

/// A case of `tests/data/normalise`: what was asked, what AWS answered, and which fields differ all the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    asked: TaskDefinition,
    answered: TaskDefinition,
    differs: Vec<String>,
}

#[test]
fn what_aws_answers_differs_from_what_was_asked_only_where_it_means_something_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/normalise");
    let mut cases = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let case: Case = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let (live, desired) = (task_definition(&case.answered), task_definition(&case.asked));
        let paths: Vec<String> = diff(&live, &desired).into_iter().map(|change| change.path).collect();
        assert_eq!(paths, case.differs, "{}: {}", path.display(), case.about);
        assert_eq!(live.digest() == desired.digest(), case.differs.is_empty(), "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 15, "only {cases} cases found");
}

fn read_target(value: Value) -> Normal {
    target(&serde_json::from_value::<events::Target>(value).unwrap())
}

fn check_target(live: Value, desired: Value, differs: &[&str]) {
    let changes = diff(&read_target(live), &read_target(desired));
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, differs);
}

#[test]
fn a_target_is_equal_when_only_defaults_and_orders_differ() {
    let network = |subnets: Value, rest: Value| {
        let mut vpc = json!({ "Subnets": subnets });
        vpc.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "awsvpcConfiguration": vpc })
    };
    let live = json!({
        "Id": "ecs-etl",
        "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400},
        "EcsParameters": {
            "TaskDefinitionArn": "arn:1", "TaskCount": 1, "EnableECSManagedTags": false, "EnableExecuteCommand": false,
            "NetworkConfiguration": network(json!(["b", "a"]), json!({"SecurityGroups": [], "AssignPublicIp": "DISABLED"})),
            "CapacityProviderStrategy": [{"capacityProvider": "B", "weight": 1, "base": 0}, {"capacityProvider": "A"}],
            "PlatformVersion": "LATEST", "PlacementConstraints": [], "PlacementStrategy": [],
            "Tags": [{"Key": "b", "Value": ""}, {"Key": "a", "Value": ""}],
        },
    });
    let desired = json!({
        "Id": "ecs-etl",
        "EcsParameters": {
            "TaskDefinitionArn": "arn:1",
            "NetworkConfiguration": network(json!(["a", "b"]), json!({})),
            "CapacityProviderStrategy": [{"capacityProvider": "A", "weight": 0}, {"capacityProvider": "B", "weight": 1}],
            "Tags": [{"Key": "a", "Value": ""}, {"Key": "b", "Value": ""}],
        },
    });
    check_target(live, desired, &[]);
}

#[test]
fn a_target_differs_down_to_the_field() {
    let with = |parameters: Value| json!({ "Id": "ecs-etl", "EcsParameters": parameters });
    let strategy = |weight: i32| json!({ "CapacityProviderStrategy": [{"capacityProvider": "A", "weight": weight}] });
    check_target(with(strategy(1)), with(strategy(2)), &["EcsParameters.CapacityProviderStrategy[A].weight"]);
    let on = json!({ "EnableExecuteCommand": true });
    check_target(with(json!({})), with(on), &["EcsParameters.EnableExecuteCommand"]);
    let network =
        json!({"NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["a"], "AssignPublicIp": "ENABLED"}}});
    let path = "EcsParameters.NetworkConfiguration.awsvpcConfiguration";
    check_target(with(network), with(json!({})), &[&format!("{path}.Subnets"), &format!("{path}.AssignPublicIp")]);
    check_target(json!({"SqsParameters": {}}), json!({}), &["SqsParameters"]);
}

#[test]
fn the_input_of_a_target_is_compared_as_the_override_it_is() {
    let input = |text: &str| json!({ "Input": text });
    let asked = r#"{"containerOverrides":[{"name":"main","command":["a"],"environment":[{"name":"A","value":"1"}]}]}"#;
    let spaced = r#"{ "containerOverrides": [ {"environment": [{"value": "1", "name": "A"}], "command": ["a"], "name": "main"} ] }"#;
    check_target(input(spaced), input(asked), &[]);
    check_target(
        input(asked),
        input(&asked.replace("\"1\"", "\"2\"")),
        &["Input.containerOverrides[main].environment[A].value"],
    );
    check_target(input(asked), json!({}), &["Input"]);
    check_target(input("\"text\""), input("text"), &["Input"]);

    let template = |text: &str| json!({"InputTransformer": {"InputPathsMap": {"t": "$.time"}, "InputTemplate": text}});
    check_target(template(r#"{"at": <t>}"#), template(r#"{ "at": "<t>" }"#), &[]);
    check_target(template(r#"{"at": <t>}"#), template(r#"{"at": <u>}"#), &["InputTransformer.InputTemplate.at"]);
}

#[test]
fn a_rule_without_state_is_enabled() {
    let rule_of = |value: Value| rule(&serde_json::from_value::<events::Rule>(value).unwrap());
    let live = rule_of(json!({"Name": "a", "State": "ENABLED", "EventBusName": "default"}));
    let desired = rule_of(json!({"Name": "a", "Description": ""}));
    assert_eq!(diff(&live, &desired), []);
    let off = rule_of(json!({"Name": "a", "State": "DISABLED"}));
    assert_eq!(diff(&off, &desired)[0].to_string(), r#"State: "DISABLED" -> absent"#);
}

#[test]
fn a_change_is_never_shown_with_its_secret() {
    let with = |value: &str| -> TaskDefinition {
        let environment = json!([{"name": "API_TOKEN", "value": value}, {"name": "MODE", "value": value}]);
        serde_json::from_value(json!({"containerDefinitions": [{"name": "main", "environment": environment}]})).unwrap()
    };
    let changes = diff(&task_definition(&with("old")), &task_definition(&with("new")));
    let [token, mode] = changes.as_slice() else { unreachable!("{changes:?}") };
    let path = "containerDefinitions[main].environment";
    assert_eq!(token.to_string(), format!(r#"{path}[API_TOKEN].value: "******" -> "******""#));
    assert_eq!(mode.to_string(), format!(r#"{path}[MODE].value: "old" -> "new""#));
    assert_eq!(format!("{token:?}"), token.to_string());
    assert_eq!(serde_json::to_value(token).unwrap()["desired"], json!("******"));
    assert_eq!(token.desired, Some(json!("new")), "the change itself still knows");
    assert!(!format!("{:?}", task_definition(&with("tell-tale"))).contains("\"API_TOKEN\",\"value\":\"tell"));
}

#[test]
fn a_digest_is_the_same_in_every_version() {
    let container = json!({"name": "main", "image": "a:1", "environment": [{"name": "A", "value": "1"}]});
    let value = json!({"containerDefinitions": [container], "networkMode": "awsvpc", "cpu": "256", "memory": "512"});
    let digest = task_definition(&serde_json::from_value(value).unwrap()).digest();
    // Revisions in AWS carry it in their tags: another value here makes every job look changed after an upgrade.
    assert_eq!(digest.short(12), "6393a756cca5");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_normal_form_is_its_own_normal_form(value in shapes::of_ecs("TaskDefinition")) {
        let once = task_definition(&serde_json::from_value(value).unwrap());
        let again = task_definition(&serde_json::from_value(once.value().clone()).unwrap());
        prop_assert_eq!(diff(&once, &again), vec![]);
        prop_assert_eq!(once.digest(), again.digest());
    }

    #[test]
    fn two_normal_forms_are_equal_exactly_when_nothing_differs(
        one in shapes::of_ecs("TaskDefinition"),
        other in shapes::of_ecs("TaskDefinition"),
    ) {
        let normal = |value| task_definition(&serde_json::from_value(value).unwrap());
        let (one, other) = (normal(one), normal(other));
        prop_assert_eq!(one == other, diff(&one, &other).is_empty());
        prop_assert_eq!(one == other, one.digest() == other.digest());
        prop_assert_eq!(diff(&one, &other).len(), diff(&other, &one).len());
    }

    #[test]
    fn a_normal_target_and_a_normal_rule_are_their_own_normal_forms(
        one in shapes::of_events("Target"),
        other in shapes::of_events("Rule"),
        input in prop::option::of(shapes::of_ecs("TaskOverride")),
    ) {
        let mut one: events::Target = serde_json::from_value(one).unwrap();
        one.input = input.map(|input| input.to_string()).or(one.input);
        let once = target(&one);
        let again = target(&serde_json::from_value(worded(once.value().clone())).unwrap());
        prop_assert_eq!(diff(&once, &again), vec![]);
        prop_assert_eq!(once.digest(), again.digest());
        let once = rule(&serde_json::from_value(other).unwrap());
        let again = rule(&serde_json::from_value(once.value().clone()).unwrap());
        prop_assert_eq!(diff(&once, &again), vec![]);
    }

    #[test]
    fn an_order_that_means_nothing_is_not_in_the_digest(value in shapes::of_ecs("TaskDefinition"), turn in 0..7_usize) {
        let mut turned = value.clone();
        for list in ["containerDefinitions", "volumes", "placementConstraints", "requiresCompatibilities"] {
            turn_list(&mut turned, list, turn);
        }
        for container in turned.get_mut("containerDefinitions").and_then(Value::as_array_mut).into_iter().flatten() {
            for list in ["environment", "secrets", "portMappings", "ulimits", "dependsOn", "mountPoints"] {
                turn_list(container, list, turn);
            }
        }
        let normal = |value| task_definition(&serde_json::from_value(value).unwrap());
        prop_assert_eq!(normal(turned).digest(), normal(value).digest());
    }
}

/// A normal target with its JSON texts as texts again.
fn worded(mut value: Value) -> Value {
    for path in ["/Input", "/InputTransformer/InputTemplate"] {
        if let Some(inner) = value.pointer_mut(path).filter(|inner| !inner.is_string()) {
            *inner = Value::from(inner.to_string());
        }
    }
    value
}

/// Lets a list of an object begin at another entry.
fn turn_list(object: &mut Value, list: &str, turn: usize) {
    if let Some(Value::Array(entries)) = object.get_mut(list) {
        let by = turn % entries.len().max(1);
        entries.rotate_left(by);
    }
}
