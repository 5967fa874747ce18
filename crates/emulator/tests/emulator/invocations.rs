//! What a tick makes of a target: a RunTask, member by member (docs/aws.md, Rules and schedules).

use ecs_etl_emulator::Settings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, fargate_task, with};
use crate::firing::{outcome, pass, punctual, put_target, scheduled};
use crate::tasks::{describe, listed, run};

#[test]
fn a_rule_starts_tasks_in_a_cluster_that_nobody_created() {
    let (mut aws, revision) = punctual();
    let not_found = "ClusterNotFoundException: Cluster not found.".to_owned();
    assert_eq!(aws.ecs("ListTasks", json!({"cluster": "main"})), Err(not_found.clone()));
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    assert_eq!(outcome(&pass(&mut aws, 60)[0]), "1 of etl-a:1 as family:etl-a");
    // What a rule names is there for other requests, too.
    assert_eq!(listed(&mut aws, json!({"startedBy": "events-rule/a"})), 1);
    run(&mut aws, json!({})).unwrap();
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["job"]})).unwrap();
    assert_eq!(listed(&mut aws, json!({})), 2);
    assert_eq!(run(&mut aws, json!({"cluster": "other"})), Err(not_found));
}

#[test]
fn a_rule_starts_no_task_in_a_cluster_that_was_deleted() {
    let (mut aws, revision) = punctual();
    aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    aws.ecs("DeleteCluster", json!({"cluster": "main"})).unwrap();
    scheduled(&mut aws, "a", "cron(0 * * * ? *)", &revision);
    // Nor when it is no longer described.
    for firing in pass(&mut aws, 3 * 3600) {
        assert_eq!(outcome(&firing), "ClusterNotFoundException: Cluster not found.");
    }
    aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    assert_eq!(outcome(&pass(&mut aws, 3600)[0]), "1 of etl-a:1 as family:etl-a");
}

#[test]
fn a_target_becomes_a_run_task_member_by_member() {
    let mut aws = Aws::with(Settings { fires_within: SignedDuration::ZERO, ..Settings::default() });
    aws.ecs("RegisterTaskDefinition", fargate_task("etl-f")).unwrap();
    let rule = "a-rule-whose-name-is-longer-than-ecs-likes";
    let family = aws.arn("ecs", "task-definition/etl-f");
    scheduled(&mut aws, rule, "cron(* * * * ? *)", &family);
    let parameters = json!({
        "TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-f:1"),
        "TaskCount": 2,
        "LaunchType": "FARGATE",
        "PlatformVersion": "1.4.0",
        "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"], "AssignPublicIp": "ENABLED"}},
        "Group": "nightly",
        "EnableExecuteCommand": true,
        "Tags": [{"Key": "a", "Value": "b"}],
    });
    let input = json!({"containerOverrides": [{"name": "main", "environment": [{"name": "K", "value": "V"}]}]});
    put_target(&mut aws, rule, "job", json!({"EcsParameters": parameters, "Input": input.to_string()}));
    assert_eq!(outcome(&pass(&mut aws, 60)[0]), "2 of etl-f:1 as nightly");
    let arns =
        aws.ecs("ListTasks", json!({"cluster": "main", "startedBy": "events-rule/a-rule-whose-name-is-lon"})).unwrap();
    let task = describe(&mut aws, arns["taskArns"][0].as_str().unwrap());
    assert_eq!(task["overrides"]["containerOverrides"], input["containerOverrides"]);
    assert_eq!((&task["launchType"], &task["platformVersion"]), (&json!("FARGATE"), &json!("1.4.0")));
    assert_eq!((&task["tags"], &task["enableExecuteCommand"]), (&json!([{"key": "a", "value": "b"}]), &json!(true)));
    assert_eq!(task["attachments"][0]["details"], json!([{"name": "subnetId", "value": "subnet-1"}]));
}

#[test]
fn an_input_is_made_from_the_event() {
    let (mut aws, revision) = punctual();
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    let mut made = |over: Value| {
        put_target(&mut aws, "a", "job", with(json!({"EcsParameters": {"TaskDefinitionArn": revision}}), over));
        let firing = pass(&mut aws, 60).remove(0);
        assert_eq!(outcome(&firing), "1 of etl-a:1 as family:etl-a");
        let arns = aws.ecs("ListTasks", json!({"cluster": "main"})).unwrap();
        // Only the newest has not ended.
        describe(&mut aws, arns["taskArns"][0].as_str().unwrap())["overrides"]["containerOverrides"].clone()
    };
    let transformer =
        |paths: Value, template: &str| json!({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}});
    let environment = r#"{"containerOverrides": [{"name": "main", "environment": [{"name": "AT", "value": <t>}]}]}"#;
    assert_eq!(
        made(transformer(json!({"t": "$.time"}), environment)),
        json!([{"name": "main", "environment": [{"name": "AT", "value": "2026-01-02T03:05:00Z"}]}])
    );
    let command = r#"{"containerOverrides": [{"name": "main", "command": ["at \"<t>\" of <rule>", <none>, <r>, "<a>-<d>", "a < b"]}]}"#;
    let paths = json!({"t": "$.time", "rule": "$.resources[0]", "none": "$.detail.nothing", "r": "$.region", "a": "$.account", "d": "$.detail"});
    let rule = "arn:aws:events:eu-west-1:123456789012:rule/a";
    assert_eq!(
        made(transformer(paths, command)),
        json!([{"name": "main", "command": [format!("at \"2026-01-02T03:06:00Z\" of {rule}"), "", "eu-west-1", "123456789012-{}", "a < b"]}])
    );
    let known = r#"{"containerOverrides": [{"name": "main", "command": [<aws.events.rule-name>, <aws.events.rule-arn>, <aws.events.event.ingestion-time>]}]}"#;
    assert_eq!(
        made(transformer(json!({}), known)),
        json!([{"name": "main", "command": ["a", rule, "2026-01-02T03:07:00Z"]}])
    );
    assert_eq!(made(json!({"InputPath": "$.detail"})), json!([{"name": "main"}]));
}

#[test]
fn an_input_that_makes_no_override_is_a_failed_invocation() {
    let (mut aws, revision) = punctual();
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    let template = r#"{"containerOverrides": [{"name": "main", "environment": [{"name": "N", "value": <n>}]}]}"#;
    let transformer = json!({"InputPathsMap": {"n": "$.detail"}, "InputTemplate": template});
    put_target(
        &mut aws,
        "a",
        "job",
        json!({"EcsParameters": {"TaskDefinitionArn": revision}, "InputTransformer": transformer}),
    );
    assert_eq!(
        outcome(&pass(&mut aws, 60)[0]),
        "SerializationException: Start of structure or map found where not expected."
    );
    put_target(&mut aws, "a", "job", json!({"EcsParameters": {"TaskDefinitionArn": revision}, "InputPath": "$.time"}));
    assert!(outcome(&pass(&mut aws, 60)[0]).starts_with("SerializationException: "));
}
