//! Every kind of drift is repaired, with no more writes than it takes.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_plan::condition::Reason;
use serde_json::{Value, json};

use crate::lab::{Lab, counts, job, reason};

const ARN: &str = "arn:aws:events:eu-central-1:123456789012:rule/etl-a";
const REVISION: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition/etl-a:1";

async fn converged() -> Lab {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    lab
}

/// Drifts by these calls, applies, and compares the writes it took and the end state.
async fn check<const N: usize>(drift: &[(&str, Value)], repair: [(&str, u64); N]) {
    let lab = converged().await;
    let before = lab.schedules().await;
    for (operation, body) in drift {
        match operation.strip_prefix("ecs:") {
            Some(operation) => lab.ecs(operation, body.clone()).await,
            None => lab.events(operation, body.clone()).await,
        };
    }
    lab.calls();
    lab.apply().await;
    assert_eq!(lab.writes(), counts(repair), "{drift:?}");
    assert_eq!(lab.schedules().await, before, "{drift:?}");
    lab.calls();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]), "silence after {drift:?}");
}

fn target() -> Value {
    json!({"Id": "copy", "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/main",
        "RoleArn": "arn:aws:iam::123456789012:role/events", "EcsParameters": {"TaskDefinitionArn": REVISION}})
}

#[tokio::test(start_paused = true)]
async fn a_disabled_rule_is_enabled() {
    check(&[("DisableRule", json!({"Name": "etl-a"}))], [("events:EnableRule", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_expression_is_put_back() {
    let drift = json!({"Name": "etl-a", "ScheduleExpression": "rate(1 day)", "State": "ENABLED"});
    check(&[("PutRule", drift)], [("events:PutRule", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_rule_is_created_again_on_the_same_revision() {
    let drift =
        [("RemoveTargets", json!({"Rule": "etl-a", "Ids": ["ecs-etl"]})), ("DeleteRule", json!({"Name": "etl-a"}))];
    check(&drift, [("events:PutRule", 1), ("events:PutTargets", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_target_is_put_again() {
    let drift = json!({"Rule": "etl-a", "Ids": ["ecs-etl"]});
    check(&[("RemoveTargets", drift)], [("events:PutTargets", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn an_edited_target_is_put_back() {
    let mut edited = target();
    edited["Id"] = json!("ecs-etl");
    edited["EcsParameters"]["TaskCount"] = json!(3);
    check(&[("PutTargets", json!({"Rule": "etl-a", "Targets": [edited]}))], [("events:PutTargets", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_target_of_ours_is_removed() {
    let drift = json!({"Rule": "etl-a", "Targets": [target()]});
    check(&[("PutTargets", drift)], [("events:RemoveTargets", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_revision_is_replaced() {
    let repair = [("ecs:RegisterTaskDefinition", 1), ("events:PutTargets", 1)];
    check(&[("ecs:DeregisterTaskDefinition", json!({"taskDefinition": REVISION}))], repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_tag_is_set_back() {
    let drift = json!({"ResourceARN": ARN, "Tags": [{"Key": "ecs-etl/policy", "Value": "Retain"}]});
    check(&[("TagResource", drift)], [("events:TagResource", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_and_a_tag_of_others_stay() {
    let lab = converged().await;
    let queue = json!({"Id": "theirs", "Arn": "arn:aws:sqs:eu-central-1:123456789012:theirs"});
    lab.events("PutTargets", json!({"Rule": "etl-a", "Targets": [queue]})).await;
    lab.events("TagResource", json!({"ResourceARN": ARN, "Tags": [{"Key": "cost", "Value": "42"}]})).await;
    lab.calls();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn what_is_pinned_again_loses_the_mark_of_what_was_replaced() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    // Another replica, which took it for replaced, after this one had read its tags.
    let mark = json!([{"key": "ecs-etl/retired-at", "value": "2026-11-20T00:00:00Z"}]);
    lab.ecs("TagResource", json!({"resourceArn": REVISION, "tags": mark})).await;
    lab.events("RemoveTargets", json!({"Rule": "etl-a", "Ids": ["ecs-etl"]})).await;
    lab.run(&mut engine, Duration::from_secs(70 * 60)).await;
    let request = json!({"taskDefinition": REVISION, "include": ["TAGS"]});
    let described = lab.ecs("DescribeTaskDefinition", request).await;
    assert_eq!(described["taskDefinition"]["status"], json!("ACTIVE"));
    assert!(!described["tags"].to_string().contains("retired-at"), "{described}");
    let targets = lab.events("ListTargetsByRule", json!({"Rule": "etl-a"})).await;
    assert_eq!(targets["Targets"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_by_hand_before_an_edit_is_put_right_with_it_although_the_lists_do_not_show_it() {
    let ours = job("a", "img:1", "0 2 * * *");
    let left_alone = ours.replace("{name: a}", "{name: a, annotations: {ecs-etl/reconcile: disabled}}");
    let blocked = ours.replace("cluster: main", "cluster: nowhere");
    assert!(left_alone != ours && blocked != ours);
    for meanwhile in [Some(left_alone), Some(blocked), None] {
        let lab = Lab::new(&[("a", ours.clone()), ("b", job("b", "img:1", "0 3 * * *"))]);
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(30)).await;
        match &meanwhile {
            Some(text) => lab.write("a.yaml", text),
            None => lab.remove("a.yaml"),
        }
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(10)).await;
        lab.events("DisableRule", json!({"Name": "etl-a"})).await;
        lab.write("a.yaml", &ours);
        engine.take_manifests(lab.manifests(), "none");
        lab.calls();
        lab.run(&mut engine, Duration::from_secs(5)).await;
        let calls = lab.calls();
        assert_eq!(calls.get("events:EnableRule"), Some(&1), "{meanwhile:?}: {calls:?}");
        assert!(calls.values().sum::<u64>() <= 6, "{calls:?}");
        assert_eq!(lab.schedules().await["etl-a"]["state"], "ENABLED", "{meanwhile:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_was_missing_before_a_restart_is_missing_after_it() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    let arn = lab.events("DescribeRule", json!({"Name": "etl-a"})).await["Arn"].clone();
    let marks = ["ecs-etl/controller", "ecs-etl/job"];
    lab.events("UntagResource", json!({"ResourceARN": arn, "TagKeys": marks})).await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "a"), Reason::NotOwned);

    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    let mut engine = lab.engine_resuming(Mode::Daemon, engine).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "a"), Reason::NotOwned, "it is taken for granted of jobs alone that were ready");
}
