//! Rules and targets, such as AWS takes and such as it refuses.

use serde_json::{Value, json};

use super::content::{TARGETED, cluster_arn, role, tags};
use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Expressions that AWS takes (docs/aws.md, Schedule expressions).
const SCHEDULES: &[&str] = &[
    "rate(1 day)",
    "rate(5 minutes)",
    "cron(0 2 * * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0 2 ? * SAT#3 *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(15 10 ? * 6L 2002-2005)",
];

/// Expressions that AWS refuses.
const REFUSED_SCHEDULES: &[&str] = &[
    "rate(1 minutes)",
    "rate(10 minute)",
    "rate(0 minutes)",
    "rate(10 seconds)",
    "rate( 10 minutes )",
    "rate(10 MINUTES)",
    "rate()",
    "cron(0 1 * * * *)",
    "cron(71 8 1 * ? *)",
    "cron(7 20 * * NOT *)",
    "cron(INVALID)",
    "at(2030-01-01T00:00:00)",
    "every day",
];

/// A PutRule that AWS takes.
pub fn rule(random: &mut Random, name: &str) -> Value {
    let mut body = json!({"Name": name, "ScheduleExpression": random.pick(SCHEDULES)});
    if random.one_in(6) {
        body["EventPattern"] =
            json!({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}).to_string().into();
    }
    if random.one_in(3) {
        body["State"] = random.pick(&["ENABLED", "DISABLED"]).into();
    }
    if random.one_in(3) {
        body["Description"] = random.pick(&["nightly", "weekly"]).into();
    }
    if random.one_in(4) {
        body["RoleArn"] = role("events").into();
    }
    if random.one_in(3) {
        body["Tags"] = tags(random, "Key", "Value");
    }
    body
}

/// A PutRule that AWS refuses.
pub fn refused_rule(random: &mut Random, name: &str) -> Value {
    let nightly = "cron(0 2 * * ? *)";
    match random.below(12) {
        0 => json!({"Name": name}),
        1 => json!({"Name": format!("{name} x"), "ScheduleExpression": nightly}),
        2 => json!({"Name": name, "EventPattern": "{"}),
        3 => json!({"Name": name, "ScheduleExpression": nightly, "State": "ON"}),
        4 => json!({"Name": name, "ScheduleExpression": nightly, "Description": "x".repeat(513)}),
        5 => json!({"ScheduleExpression": nightly}),
        _ => json!({"Name": name, "ScheduleExpression": random.pick(REFUSED_SCHEDULES)}),
    }
}

/// A target that AWS takes.
pub fn target(random: &mut Random, id: &str) -> Value {
    if random.one_in(4) {
        return json!({"Id": id, "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:queue")});
    }
    let family = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/elsewhere");
    let network = json!({"awsvpcConfiguration": {"Subnets": ["subnet-b", "subnet-a"], "AssignPublicIp": "DISABLED"}});
    let mut parameters = json!({"TaskDefinitionArn": random.pick(&[&family, &format!("{family}:7")])});
    if random.one_in(2) {
        parameters["LaunchType"] = "FARGATE".into();
        parameters["NetworkConfiguration"] = network;
    }
    if random.one_in(3) {
        parameters["TaskCount"] = random.between(1, 3).into();
    }
    if random.one_in(4) {
        parameters["Group"] = "nightly".into();
    }
    if random.one_in(4) {
        parameters["EnableECSManagedTags"] = true.into();
        parameters["PropagateTags"] = "TASK_DEFINITION".into();
    }
    let mut target =
        json!({"Id": id, "Arn": cluster_arn(TARGETED), "RoleArn": role("events"), "EcsParameters": parameters});
    match random.below(5) {
        0 => target["Input"] = json!({"containerOverrides": [{"name": "main", "command": ["x"]}]}).to_string().into(),
        1 => target["InputPath"] = "$.detail".into(),
        2 => {
            let template = r#"{"containerOverrides":[{"name":"main","environment":[{"name":"AT","value":<at>}]}]}"#;
            target["InputTransformer"] = json!({"InputPathsMap": {"at": "$.time"}, "InputTemplate": template});
        }
        _ => {}
    }
    if random.one_in(4) {
        target["RetryPolicy"] = json!({"MaximumRetryAttempts": random.below(5)});
    }
    if random.one_in(6) {
        target["DeadLetterConfig"] = json!({"Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:dead")});
    }
    target
}

/// A PutTargets that AWS refuses.
pub fn refused_targets(random: &mut Random, rule: &str) -> Value {
    let good = target(random, "bad");
    let mut bad = json!({"Id": "bad", "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:queue")});
    let elsewhere = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/elsewhere");
    let ecs = json!({
        "Id": "bad", "Arn": cluster_arn(TARGETED), "RoleArn": role("events"),
        "EcsParameters": {"TaskDefinitionArn": elsewhere},
    });
    match random.below(8) {
        0 => (bad["Input"], bad["InputPath"]) = ("{}".into(), "$.time".into()),
        1 => bad["Input"] = "no JSON".into(),
        2 => bad["Id"] = "b a d".into(),
        3 => bad["Arn"] = "queue".into(),
        4 => (bad, bad["EcsParameters"]) = (ecs.clone(), Value::Null),
        5 => (bad, bad["RoleArn"]) = (ecs.clone(), Value::Null),
        6 => (bad, bad["EcsParameters"]["LaunchType"]) = (ecs.clone(), "FARGATE".into()),
        _ => return json!({"Rule": rule, "Targets": [good, good]}),
    }
    json!({"Rule": rule, "Targets": [bad]})
}
