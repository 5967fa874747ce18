//! Events that are put: which come in, and which rules they reach (docs/aws.md, Events).

use ecs_etl_emulator::Settings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, with};
use crate::firing::{outcome, pass, put_target};

/// A rule for events of a source `shop`, with one ECS target and members laid over that.
pub fn listening(aws: &mut Aws, rule: &str, pattern: Value, task_definition: &str, over: Value) {
    aws.events("PutRule", json!({"Name": rule, "EventPattern": pattern.to_string()})).unwrap();
    let target = json!({"EcsParameters": {"TaskDefinitionArn": task_definition}});
    put_target(aws, rule, "job", with(target, over));
}

fn entry(over: Value) -> Value {
    with(json!({"Source": "shop", "DetailType": "Order", "Detail": r#"{"id": 7, "name": "x"}"#}), over)
}

fn put(aws: &mut Aws, entries: Value) -> Value {
    aws.events("PutEvents", json!({"Entries": entries})).unwrap()
}

/// What came of the entries that were just put.
fn outcomes(aws: &mut Aws) -> Vec<String> {
    aws.emulator.take_firings().iter().map(|firing| format!("{}: {}", firing.rule, outcome(firing))).collect()
}

#[test]
fn an_event_starts_the_tasks_of_every_rule_that_it_matches() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    listening(
        &mut aws,
        "b",
        json!({"source": ["shop"], "detail": {"id": [{"numeric": [">", 5]}]}}),
        &revision,
        json!({}),
    );
    listening(&mut aws, "a", json!({"source": ["shop"]}), &revision, json!({}));
    listening(&mut aws, "c", json!({"source": ["bank"]}), &revision, json!({}));
    let answer = put(&mut aws, json!([entry(json!({})), entry(json!({"Detail": r#"{"id": 5}"#}))]));
    assert_eq!(answer["FailedEntryCount"], json!(0));
    let ids: Vec<_> = answer["Entries"].as_array().unwrap().iter().map(|entry| entry["EventId"].clone()).collect();
    assert!(ids.iter().all(Value::is_string) && ids[0] != ids[1], "{ids:?}");
    let ran = "1 of etl-a:1 as family:etl-a";
    assert_eq!(outcomes(&mut aws), [format!("a: {ran}"), format!("b: {ran}"), format!("a: {ran}")]);
    let listed = aws.ecs("ListTasks", json!({"cluster": "main", "startedBy": "events-rule/a"})).unwrap();
    assert_eq!(listed["taskArns"].as_array().unwrap().len(), 2);
}

#[test]
fn a_disabled_rule_and_one_without_targets_hear_nothing() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    listening(&mut aws, "a", json!({"source": ["shop"]}), &revision, json!({}));
    aws.events("DisableRule", json!({"Name": "a"})).unwrap();
    aws.events("PutRule", json!({"Name": "b", "EventPattern": r#"{"source": ["shop"]}"#})).unwrap();
    put(&mut aws, json!([entry(json!({}))]));
    assert_eq!(outcomes(&mut aws), <[&str; 0]>::default());
    aws.events("EnableRule", json!({"Name": "a"})).unwrap();
    put(&mut aws, json!([entry(json!({}))]));
    assert_eq!(outcomes(&mut aws), ["a: 1 of etl-a:1 as family:etl-a"]);
}

#[test]
fn an_input_is_made_of_the_event() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    let template = r#"{"containerOverrides": [{"name": "main", "command": [<name>, "<id> at <t>", <all>]}]}"#;
    let paths = json!({"name": "$.detail.name", "id": "$.detail.id", "t": "$.time", "all": "$.detail.none"});
    let over = json!({"InputTransformer": {"InputTemplate": template, "InputPathsMap": paths}});
    listening(&mut aws, "a", json!({"source": ["shop"]}), &revision, over);
    put(&mut aws, json!([entry(json!({"Time": 1_767_225_600}))]));
    let arns = aws.ecs("ListTasks", json!({"cluster": "main"})).unwrap()["taskArns"].clone();
    let tasks = aws.ecs("DescribeTasks", json!({"cluster": "main", "tasks": arns})).unwrap();
    let command = &tasks["tasks"][0]["overrides"]["containerOverrides"][0]["command"];
    assert_eq!(*command, json!(["x", "7 at 2026-01-01T00:00:00Z", ""]));
}

#[test]
fn a_target_without_an_input_is_given_the_whole_event() {
    let mut aws = Aws::new();
    aws.events("PutRule", json!({"Name": "a", "EventPattern": r#"{"source": ["shop"]}"#})).unwrap();
    let topic = json!({"Id": "t", "Arn": "arn:aws:sns:eu-west-1:123456789012:topic"});
    aws.events("PutTargets", json!({"Rule": "a", "Targets": [topic]})).unwrap();
    let answer = put(&mut aws, json!([entry(json!({"Resources": ["r"]}))]));
    let event = json!({
        "version": "0", "id": answer["Entries"][0]["EventId"], "detail-type": "Order", "source": "shop",
        "account": "123456789012", "time": "2026-01-02T03:04:05Z", "region": "eu-west-1", "resources": ["r"],
        "detail": {"id": 7, "name": "x"},
    });
    let told = outcomes(&mut aws);
    let input = told[0].strip_prefix("a: ").and_then(|told| told.strip_suffix(" for topic")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(input).unwrap(), event);
}

#[test]
fn each_entry_fails_for_itself() {
    let mut aws = Aws::new();
    let check = |aws: &mut Aws, over: Value, code: &str, message: &str| {
        let answer = put(aws, json!([entry(json!({})), entry(over.clone())]));
        assert_eq!(answer["FailedEntryCount"], json!(1), "{over}");
        assert!(answer["Entries"][0]["EventId"].is_string());
        assert_eq!(answer["Entries"][1], json!({"ErrorCode": code, "ErrorMessage": message}));
    };
    for member in ["Source", "DetailType", "Detail"] {
        let message = format!("Parameter {member} is not valid. Reason: {member} is a required argument.");
        check(&mut aws, json!({member: null}), "InvalidArgument", &message);
    }
    check(&mut aws, json!({"Detail": "no JSON"}), "MalformedDetail", "Detail is malformed.");
    check(&mut aws, json!({"Detail": "[]"}), "MalformedDetail", "Detail is malformed.");
    let message = "Not authorized for the source.";
    check(&mut aws, json!({"Source": "aws.ecs"}), "NotAuthorizedForSourceException", message);
}

#[test]
fn entries_have_a_number_and_a_size() {
    let mut aws = Aws::new();
    let refusal =
        |aws: &mut Aws, entries: Vec<Value>| aws.events("PutEvents", json!({"Entries": entries})).unwrap_err();
    let eleven = refusal(&mut aws, vec![entry(json!({})); 11]);
    assert!(eleven.contains("Member must have length less than or equal to 10"), "{eleven}");
    let large = entry(json!({"Detail": format!(r#"{{"x": "{}"}}"#, "x".repeat(300_000))}));
    assert_eq!(
        refusal(&mut aws, vec![large; 4]),
        "ValidationException: Total size of the entries in the request is over the limit."
    );
}

#[test]
fn a_bus_that_is_not_there_swallows_what_it_is_given() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    listening(&mut aws, "a", json!({"source": ["shop"]}), &revision, json!({}));
    let answer = put(&mut aws, json!([entry(json!({"EventBusName": "nosuch"}))]));
    assert_eq!(answer["FailedEntryCount"], json!(0));
    assert_eq!(outcomes(&mut aws), <[&str; 0]>::default());
    let default = aws.arn("events", "event-bus/default");
    put(&mut aws, json!([entry(json!({ "EventBusName": default }))]));
    assert_eq!(outcomes(&mut aws).len(), 1);
}

#[test]
fn a_change_of_a_pattern_takes_a_while() {
    let mut aws = Aws::with(Settings { changes_take: SignedDuration::from_secs(30), ..Settings::default() });
    let revision = aws.register("etl-a");
    listening(&mut aws, "a", json!({"source": ["shop"]}), &revision, json!({}));
    let heard = |aws: &mut Aws, source: &str| {
        put(aws, json!([entry(json!({ "Source": source }))]));
        outcomes(aws).len()
    };
    assert_eq!(heard(&mut aws, "shop"), 0);
    assert_eq!(pass(&mut aws, 31), []);
    assert_eq!(heard(&mut aws, "shop"), 1);
    aws.events("PutRule", json!({"Name": "a", "EventPattern": r#"{"source": ["bank"]}"#})).unwrap();
    assert_eq!((heard(&mut aws, "shop"), heard(&mut aws, "bank")), (1, 0));
    assert_eq!(pass(&mut aws, 31), []);
    assert_eq!((heard(&mut aws, "shop"), heard(&mut aws, "bank")), (0, 1));
}
