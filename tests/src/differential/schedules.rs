//! Schedules and their groups, such as AWS takes and such as it refuses.

use serde_json::{Value, json};

use super::content::{TARGETED, cluster_arn, role};
use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Expressions that Scheduler takes (docs/aws.md, Scheduler).
const EXPRESSIONS: &[&str] =
    &["rate(1 day)", "rate(5 minutes)", "cron(0 2 * * ? *)", "cron(0 18 ? * MON-FRI *)", "at(2039-01-01T00:00:00)"];

/// Expressions that Scheduler refuses.
const REFUSED: &[&str] = &["cron(0 1 * * * *)", "cron(71 8 1 * ? *)", "rate(0 minutes)", "every day"];

/// A schedule that Scheduler takes, whether it is made or replaced.
pub fn schedule(random: &mut Random) -> Value {
    let mut body = json!({
        "ScheduleExpression": random.pick(EXPRESSIONS), "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target(random),
    });
    if random.one_in(3) {
        body["FlexibleTimeWindow"] = json!({"Mode": "FLEXIBLE", "MaximumWindowInMinutes": random.between(1, 60)});
    }
    if random.one_in(3) {
        body["ScheduleExpressionTimezone"] = random.pick(&["Asia/Tokyo", "Europe/Berlin", "UTC"]).into();
    }
    if random.one_in(3) {
        body["State"] = random.pick(&["ENABLED", "DISABLED"]).into();
    }
    if random.one_in(3) {
        body["Description"] = random.pick(&["nightly", "weekly"]).into();
    }
    if random.one_in(5) {
        body["ActionAfterCompletion"] = random.pick(&["NONE", "DELETE"]).into();
    }
    if random.one_in(6) {
        (body["StartDate"], body["EndDate"]) = (2_145_916_800.into(), 2_177_452_800_u64.into());
    }
    body
}

fn target(random: &mut Random) -> Value {
    if random.one_in(4) {
        return json!({"Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:queue"), "RoleArn": role("scheduler"), "Input": "{}"});
    }
    let mut parameters =
        json!({"TaskDefinitionArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/elsewhere:7")});
    if random.one_in(2) {
        parameters["LaunchType"] = "FARGATE".into();
        parameters["NetworkConfiguration"] = json!({"awsvpcConfiguration": {"Subnets": ["subnet-b", "subnet-a"]}});
    }
    if random.one_in(3) {
        parameters["Tags"] = json!([{"team": "sales"}]);
    }
    let mut target = json!({"Arn": cluster_arn(TARGETED), "RoleArn": role("scheduler"), "EcsParameters": parameters});
    if random.one_in(3) {
        target["Input"] = json!({"containerOverrides": [{"name": "main", "command": ["x"]}]}).to_string().into();
    }
    if random.one_in(4) {
        target["RetryPolicy"] = json!({"MaximumRetryAttempts": random.below(5), "MaximumEventAgeInSeconds": 3600});
    }
    if random.one_in(6) {
        target["DeadLetterConfig"] = json!({"Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:dead")});
    }
    target
}

/// A schedule that Scheduler refuses.
pub fn refused(random: &mut Random) -> Value {
    let mut body = json!({
        "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:queue"), "RoleArn": role("scheduler")},
    });
    match random.below(9) {
        0 => body["ScheduleExpressionTimezone"] = "Mars/Olympus".into(),
        1 => {
            body["ScheduleExpression"] = "cron(0 2 * * ? *)".into();
            body["StartDate"] = 1_000_000_000.into();
        }
        2 => body["FlexibleTimeWindow"] = json!({"Mode": "FLEXIBLE"}),
        3 => body["FlexibleTimeWindow"] = Value::Null,
        4 => body["Target"]["RoleArn"] = Value::Null,
        5 => body["State"] = "ON".into(),
        6 => body["Target"]["Arn"] = "queue".into(),
        _ => body["ScheduleExpression"] = random.pick(REFUSED).into(),
    }
    body
}
