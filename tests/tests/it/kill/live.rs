//! What is there, in a form in which two AWS can be compared: without numbers of revisions and times.

use std::collections::BTreeMap;

use ecs_etl_tests::raw::Aws;
use serde_json::{Value, json};

/// Id of the target that somebody else has on the anchor's rule.
pub const GUEST: &str = "guest";

/// Every rule under our prefix with its tags and targets, revisions in place of their ARNs.
pub fn schedules(aws: &Aws) -> BTreeMap<String, Value> {
    aws.rule_names("etl-").into_iter().filter_map(|name| Some((name.clone(), schedule(aws, &name)?))).collect()
}

/// One of them; `None` if it goes meanwhile.
fn schedule(aws: &Aws, name: &str) -> Option<Value> {
    let rule = aws.rule(name)?;
    let answer = aws.try_call("events", "ListTargetsByRule", &json!({"Rule": name})).ok()?;
    let mut targets = answer["Targets"].as_array().cloned().unwrap_or_default();
    targets.retain(|target| target["Id"] != GUEST);
    for target in &mut targets {
        if let Some(pinned) = target.pointer_mut("/EcsParameters/TaskDefinitionArn") {
            *pinned = pinned.as_str().and_then(|arn| revision(aws, arn)).unwrap_or_default();
        }
    }
    let tags = json!({"ResourceARN": aws.rule_arn(name)});
    let mut tags = aws.try_call("events", "ListTagsForResource", &tags).ok()?["Tags"].clone();
    tags.as_array_mut()?.sort_by_key(ToString::to_string);
    Some(json!({"rule": rule, "targets": targets, "tags": tags}))
}

fn revision(aws: &Aws, arn: &str) -> Option<Value> {
    let mut revision = aws.revision(arn)?;
    let content = revision["taskDefinition"].as_object_mut()?;
    for of_its_own in ["taskDefinitionArn", "revision", "registeredAt", "registeredBy"] {
        content.remove(of_its_own);
    }
    revision["tags"].as_object_mut()?.remove("ecs-etl/retired-at");
    Some(revision)
}

/// What others have here, to the letter.
pub fn strangers(aws: &Aws) -> Value {
    let rules: Vec<Value> = ["their-rule", "etl-theirs"]
        .into_iter()
        .map(|name| json!([aws.rule(name), aws.targets(name), aws.rule_tags(name)]))
        .collect();
    json!({"rules": rules, "revision": aws.revision("etl-theirs:1")})
}

/// Makes what [`strangers`] tells of: a rule of theirs, and a rule and a family that bear our prefix.
pub fn seed_strangers(aws: &Aws) {
    let container = json!({"name": "main", "image": "theirs:1", "memory": 64});
    let body = json!({"family": "etl-theirs", "containerDefinitions": [container]});
    let registered = aws.call("ecs", "RegisterTaskDefinition", body);
    for name in ["their-rule", "etl-theirs"] {
        aws.call("events", "PutRule", json!({"Name": name, "ScheduleExpression": "rate(1 day)"}));
        let parameters = json!({"TaskDefinitionArn": registered["taskDefinition"]["taskDefinitionArn"]});
        let role = "arn:aws:iam::123456789012:role/theirs";
        let cluster = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/main";
        let target = json!({"Id": "ecs-etl", "Arn": cluster, "RoleArn": role, "EcsParameters": parameters});
        aws.call("events", "PutTargets", json!({"Rule": name, "Targets": [target]}));
    }
}

/// Puts a target of somebody else's on a rule of ours.
pub fn put_guest(aws: &Aws, rule: &str) {
    let target = json!({"Id": GUEST, "Arn": "arn:aws:sqs:ap-northeast-1:123456789012:theirs"});
    aws.call("events", "PutTargets", json!({"Rule": rule, "Targets": [target]}));
}
