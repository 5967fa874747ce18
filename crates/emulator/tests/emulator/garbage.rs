//! Any input is answered: nothing that arrives can end the emulator.

use ecs_etl_emulator::{Request, Settings};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

use crate::client::{Aws, fargate_task, signed, task, with};

const OPERATIONS: [&str; 46] = [
    "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition",
    "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition",
    "AmazonEC2ContainerServiceV20141113.ListTaskDefinitions",
    "AmazonEC2ContainerServiceV20141113.ListTaskDefinitionFamilies",
    "AmazonEC2ContainerServiceV20141113.DeregisterTaskDefinition",
    "AmazonEC2ContainerServiceV20141113.DeleteTaskDefinitions",
    "AmazonEC2ContainerServiceV20141113.CreateCluster",
    "AmazonEC2ContainerServiceV20141113.DescribeClusters",
    "AmazonEC2ContainerServiceV20141113.ListClusters",
    "AmazonEC2ContainerServiceV20141113.DeleteCluster",
    "AmazonEC2ContainerServiceV20141113.RunTask",
    "AmazonEC2ContainerServiceV20141113.StopTask",
    "AmazonEC2ContainerServiceV20141113.ListTasks",
    "AmazonEC2ContainerServiceV20141113.DescribeTasks",
    "AmazonEC2ContainerServiceV20141113.TagResource",
    "AmazonEC2ContainerServiceV20141113.UntagResource",
    "AmazonEC2ContainerServiceV20141113.ListTagsForResource",
    "AWSEvents.PutRule",
    "AWSEvents.DeleteRule",
    "AWSEvents.DescribeRule",
    "AWSEvents.EnableRule",
    "AWSEvents.DisableRule",
    "AWSEvents.ListRules",
    "AWSEvents.ListRuleNamesByTarget",
    "AWSEvents.PutTargets",
    "AWSEvents.RemoveTargets",
    "AWSEvents.ListTargetsByRule",
    "AWSEvents.TagResource",
    "AWSEvents.UntagResource",
    "AWSEvents.ListTagsForResource",
    "AWSEvents.DescribeEventBus",
    "AWSEvents.ListEventBuses",
    "AWSEvents.TestEventPattern",
    "AWSEvents.PutEvents",
    "AmazonSQS.CreateQueue",
    "AmazonSQS.DeleteQueue",
    "AmazonSQS.GetQueueUrl",
    "AmazonSQS.GetQueueAttributes",
    "AmazonSQS.ListQueues",
    "AmazonSQS.PurgeQueue",
    "AmazonSQS.SendMessage",
    "AmazonSQS.ReceiveMessage",
    "AmazonSQS.DeleteMessage",
    "ResourceGroupsTaggingAPI_20170126.GetResources",
    "ResourceGroupsTaggingAPI_20170126.GetTagKeys",
    "ResourceGroupsTaggingAPI_20170126.GetTagValues",
];

const RUN_TASK: &str = "AmazonEC2ContainerServiceV20141113.RunTask";

/// Words that mean something somewhere, beside arbitrary ones.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "family",
        "etl-a",
        "etl-a:1",
        "containerDefinitions",
        "name",
        "image",
        "memory",
        "cpu",
        "environment",
        "tags",
        "key",
        "value",
        "taskDefinition",
        "status",
        "ACTIVE",
        "nextToken",
        "maxResults",
        "Name",
        "Rule",
        "Targets",
        "Id",
        "Arn",
        "Ids",
        "ScheduleExpression",
        "rate(1 day)",
        "cron(0 0 * * ? *)",
        "Tags",
        "Key",
        "Value",
        "ResourceARN",
        "EcsParameters",
        "Input",
        "InputTransformer",
        "InputTemplate",
        "EventPattern",
        "{}",
        "resourceArn",
        "FARGATE",
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:1",
        "arn:aws:events:eu-west-1:123456789012:rule/a",
        "arn:aws:iam::123456789012:role/r",
        "portMappings",
        "containerPort",
        "volumes",
        "dependsOn",
        "healthCheck",
        "cluster",
        "count",
        "overrides",
        "containerOverrides",
        "clientToken",
        "capacityProviderStrategy",
        "networkConfiguration",
        "awsvpcConfiguration",
        "arn:aws:ecs:eu-west-1:123456789012:cluster/main",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-1..1100_i64).prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(word(), inner, 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn answered(aws: &mut Aws, request: &Request) -> Result<(), TestCaseError> {
    let reply = aws.send(request);
    // Scheduler has a status of its own for what is not there, and for what is there already.
    prop_assert!(matches!(reply.status, 200 | 400 | 404 | 409), "{}", reply.status);
    prop_assert!(reply.header("x-amzn-requestid").is_some());
    Ok(())
}

fn lived_in() -> Aws {
    let mut aws = Aws::with(Settings::default());
    aws.register("etl-a");
    aws.rule("a");
    aws
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_requests_are_answered(
        method in "GET|POST|[A-Z]{0,8}",
        path in any::<String>(),
        headers in vec((prop_oneof![Just("x-amz-target".to_owned()), Just("authorization".to_owned()), any::<String>()], any::<String>()), 0..4),
        body in vec(any::<u8>(), 0..200),
    ) {
        answered(&mut lived_in(), &Request { method, path, headers, body })?;
    }

    #[test]
    fn arbitrary_bytes_are_answered(operation in prop::sample::select(&OPERATIONS[..]), body in vec(any::<u8>(), 0..200)) {
        answered(&mut lived_in(), &signed(operation, body, "AKIA", "eu-west-1"))?;
    }

    #[test]
    fn arbitrary_json_is_answered(operation in prop::sample::select(&OPERATIONS[..]), body in json()) {
        answered(&mut lived_in(), &signed(operation, body.to_string().into_bytes(), "AKIA", "eu-west-1"))?;
    }

    #[test]
    fn almost_good_task_definitions_are_answered(over in json(), inside in json(), fargate in any::<bool>()) {
        let base = if fargate { fargate_task("etl-a") } else { task("etl-a") };
        let mut body = with(base, if over.is_object() { over } else { Value::Null });
        if let Some(container) = body.pointer_mut("/containerDefinitions/0") {
            *container = with(container.take(), inside);
        }
        let request = signed(OPERATIONS[0], body.to_string().into_bytes(), "AKIA", "eu-west-1");
        answered(&mut lived_in(), &request)?;
    }

    #[test]
    fn almost_good_tasks_and_targets_are_answered_and_fire(over in json(), parameters in json(), template in any::<String>()) {
        let mut aws = lived_in();
        aws.ecs("CreateCluster", serde_json::json!({"clusterName": "main"})).unwrap();
        let run = serde_json::json!({"cluster": "main", "taskDefinition": "etl-a"});
        let run = if over.is_object() { with(run, over.clone()) } else { run };
        answered(&mut aws, &signed(RUN_TASK, run.to_string().into_bytes(), "AKIA", "eu-west-1"))?;
        let task_definition = aws.arn("ecs", "task-definition/etl-a");
        let target = serde_json::json!({
            "Id": "job",
            "Arn": aws.arn("ecs", "cluster/main"),
            "RoleArn": "arn:aws:iam::123456789012:role/events",
            "EcsParameters": {"TaskDefinitionArn": task_definition},
            "InputTransformer": {"InputPathsMap": {"t": "$.time", "d": "$.detail[0].x"}, "InputTemplate": format!("{template}<t>\"<d>")},
        });
        let target = with(target, serde_json::json!({"EcsParameters": if parameters.is_object() { parameters } else { Value::Object(serde_json::Map::new()) }}));
        let targets = serde_json::json!({"Rule": "a", "Targets": [target]});
        answered(&mut aws, &signed("AWSEvents.PutTargets", targets.to_string().into_bytes(), "AKIA", "eu-west-1"))?;
        aws.sleep(3600);
        aws.emulator.advance(aws.now);
    }

    #[test]
    fn arbitrary_patterns_and_events_are_answered(pattern in json(), detail in json()) {
        let mut aws = lived_in();
        let pattern = serde_json::json!({"detail": pattern}).to_string();
        let rule = serde_json::json!({"Name": "a", "EventPattern": pattern}).to_string();
        answered(&mut aws, &signed("AWSEvents.PutRule", rule.into_bytes(), "AKIA", "eu-west-1"))?;
        let topic = serde_json::json!({"Id": "t", "Arn": "arn:aws:sns:eu-west-1:123456789012:t"});
        aws.events("PutTargets", serde_json::json!({"Rule": "a", "Targets": [topic]})).unwrap();
        let detail = serde_json::json!({"x": detail.clone(), "y": [detail]}).to_string();
        let entry = serde_json::json!({"Source": "shop", "DetailType": "d", "Detail": detail});
        let events = serde_json::json!({"Entries": [entry]}).to_string();
        answered(&mut aws, &signed("AWSEvents.PutEvents", events.into_bytes(), "AKIA", "eu-west-1"))?;
    }

    #[test]
    fn almost_good_schedules_are_answered_and_fire(
        over in json(),
        expression in "(cron|rate|at)\\([0-9A-Z ?*,/#LWT:-]{0,30}\\)|rate\\(1 minute\\)|cron\\(\\* \\* \\* \\* \\? \\*\\)",
        window in -1..1500_i64,
        start in any::<f64>(),
    ) {
        let mut aws = lived_in();
        let target = serde_json::json!({
            "Arn": aws.arn("ecs", "cluster/main"),
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
            "EcsParameters": {"TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-a")},
        });
        let schedule = serde_json::json!({
            "ScheduleExpression": expression,
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": window},
            "StartDate": start,
            "Target": target,
        });
        let schedule = if over.is_object() { with(schedule, over) } else { schedule };
        let request = aws.rest("POST", "/schedules/s", &schedule);
        answered(&mut aws, &request)?;
        aws.sleep(3600);
        aws.emulator.advance(aws.now);
        let request = aws.rest("GET", "/schedules/s", &Value::Null);
        answered(&mut aws, &request)?;
    }

    #[test]
    fn arbitrary_schedules_are_answered(expression in "(cron|rate)\\([0-9A-Z ?*,/#LW-]{0,40}\\)") {
        let body = serde_json::json!({"Name": "a", "ScheduleExpression": expression});
        answered(&mut lived_in(), &signed("AWSEvents.PutRule", body.to_string().into_bytes(), "AKIA", "eu-west-1"))?;
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let body = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let mut aws = lived_in();
    assert_eq!(aws.send(&signed("AWSEvents.PutRule", body, "AKIA", "eu-west-1")).status, 400);
}
