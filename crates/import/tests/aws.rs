//! Live rules of every kind, and what becomes of each.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its own facts should stop")]

use std::collections::BTreeMap;

use ecs_etl_import::aws::{Facts, Live, read};
use ecs_etl_import::{Found, Kind, Takeover};
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{LiveRevision, LiveRule, RevisionArn, RuleState};
use ecs_etl_spec::name::{Region, RuleName};
use serde_json::{Value as Json, json};

const REVISION: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/load:3";

fn rule(name: &str) -> LiveRule {
    LiveRule {
        name: RuleName::new(name).unwrap(),
        arn: format!("arn:aws:events:eu-west-1:123456789012:rule/{name}"),
        expression: Some("rate(1 hour)".to_owned()),
        event_pattern: None,
        timing: None,
        state: RuleState::Enabled,
        description: None,
        role_arn: None,
        managed_by: None,
    }
}

fn task(id: &str) -> Json {
    json!({"Id": id, "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/main", "RoleArn": "arn:aws:iam::123456789012:role/events",
        "EcsParameters": {"TaskDefinitionArn": REVISION, "TaskCount": 1}})
}

fn found(rule: LiveRule, tags: &[(&str, &str)], targets: &[Json]) -> Found {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let targets = targets.iter().map(|target| serde_json::from_value(target.clone()).unwrap()).collect();
    let shape =
        serde_json::from_value(json!({"containerDefinitions": [{"name": "load", "image": "load:1", "memory": 64}]}));
    let revision = LiveRevision {
        arn: RevisionArn::parse(REVISION).unwrap(),
        normal: normalise::task_definition(&shape.unwrap()),
        tags: BTreeMap::from([("aws:x".to_owned(), "y".to_owned()), ("team".to_owned(), "data".to_owned())]),
    };
    read(&Facts {
        region: Region::new("eu-west-1").unwrap(),
        rules: vec![Live { rule, tags, targets }],
        revisions: BTreeMap::from([(REVISION.to_owned(), revision)]),
    })
}

#[test]
fn a_rule_with_one_task_is_taken_over_under_its_name() {
    let found = found(rule("Load"), &[], &[task("a"), json!({"Id": "b", "Arn": "arn:aws:sns:eu-west-1:1:topic"})]);
    let run = &found.runs[0];
    assert_eq!(run.takeover, Takeover::Adopt { rule: "Load".to_owned() });
    assert_eq!(run.family.as_deref(), Some("load"));
    assert_eq!(run.labels, BTreeMap::from([("team".to_owned(), "data".to_owned())]));
    assert_eq!(run.task_definition.as_ref().unwrap()["containerDefinitions"][0]["image"], "load:1");
    let left: Vec<&str> = run.findings.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(left, ["target b"]);
}

#[test]
fn what_cannot_be_taken_over_is_never_to_run_beside_it() {
    let several = found(rule("Load"), &[], &[task("a"), task("b")]);
    let of_stack = found(rule("Load"), &[("aws:cloudformation:stack-name", "etl")], &[task("a")]);
    for (found, runs) in [(several, 2), (of_stack, 1)] {
        assert_eq!(found.runs.len(), runs);
        assert!(found.runs.iter().all(|run| matches!(run.takeover, Takeover::Beside { .. })));
    }
}

#[test]
fn what_others_manage_is_told_and_left() {
    let managed = LiveRule { managed_by: Some("ecs.amazonaws.com".to_owned()), ..rule("Load") };
    let on_events = LiveRule { expression: None, event_pattern: Some("{}".to_owned()), ..rule("Load") };
    let ours = found(rule("Load"), &[("ecs-etl/controller", "default")], &[task("a")]);
    for found in [found(managed, &[], &[task("a")]), found(on_events, &[], &[task("a")]), ours] {
        assert!(found.runs.is_empty());
        assert_eq!(found.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [Kind::NotCarriedOver]);
    }
}

#[test]
fn a_disabled_rule_is_suspended_and_one_without_tasks_is_no_job() {
    let disabled = LiveRule { state: RuleState::Disabled, ..rule("Load") };
    assert_eq!(found(disabled, &[], &[task("a")]).runs[0].suspend, json!(true));
    let lambda = found(rule("Load"), &[], &[json!({"Id": "f", "Arn": "arn:aws:lambda:eu-west-1:1:function:f"})]);
    assert!(lambda.runs.is_empty() && lambda.findings.is_empty());
}

#[test]
fn a_task_definition_that_is_gone_is_asked_for() {
    let mut gone = task("a");
    gone["EcsParameters"]["TaskDefinitionArn"] = json!("arn:aws:ecs:eu-west-1:123456789012:task-definition/gone:1");
    let found = found(rule("Load"), &[], &[gone]);
    assert_eq!((found.runs[0].family.as_deref(), &found.runs[0].task_definition), (Some("gone"), &None));
    assert_eq!(found.runs[0].findings[0].kind, Kind::FillIn);
}
