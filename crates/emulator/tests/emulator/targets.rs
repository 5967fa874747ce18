//! Targets (docs/aws.md, Rules and schedules).

use serde_json::{Value, json};

use crate::client::{Aws, with};

fn target() -> Value {
    json!({
        "Id": "ecs-etl",
        "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/main",
        "RoleArn": "arn:aws:iam::123456789012:role/invoke",
        "EcsParameters": {
            "TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:3",
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"]}},
        },
    })
}

fn put(aws: &mut Aws, targets: &[Value]) -> Result<Value, String> {
    aws.events("PutTargets", json!({"Rule": "a", "Targets": targets}))
}

fn listed(aws: &mut Aws) -> Value {
    aws.events("ListTargetsByRule", json!({"Rule": "a"})).unwrap()["Targets"].clone()
}

fn aws() -> Aws {
    let mut aws = Aws::new();
    aws.rule("a");
    aws
}

#[test]
fn a_target_is_listed_as_it_was_put_without_defaults() {
    let mut aws = aws();
    assert_eq!(put(&mut aws, &[target()]), Ok(json!({"FailedEntryCount": 0, "FailedEntries": []})));
    assert_eq!(listed(&mut aws), json!([target()]));
    let retried = with(target(), json!({"RetryPolicy": {"MaximumRetryAttempts": 0}}));
    put(&mut aws, std::slice::from_ref(&retried)).unwrap();
    assert_eq!(listed(&mut aws), json!([retried]));
}

#[test]
fn a_put_replaces_targets_of_the_same_id_whole_and_leaves_others_alone() {
    let mut aws = aws();
    let stranger = json!({"Id": "stranger", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q", "Input": "{}"});
    put(&mut aws, &[stranger.clone(), with(target(), json!({"Input": "{\"a\":1}"}))]).unwrap();
    put(&mut aws, &[target()]).unwrap();
    assert_eq!(listed(&mut aws), json!([target(), stranger]));
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["ecs-etl", "nosuch"]})).unwrap();
    assert_eq!(listed(&mut aws), json!([stranger]));
}

#[test]
fn a_rule_has_five_targets_at_most() {
    let mut aws = aws();
    let targets: Vec<Value> =
        (0..6).map(|n| json!({"Id": format!("t{n}"), "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"})).collect();
    let refused = Err("LimitExceededException: The requested resource exceeds the maximum number allowed.".to_owned());
    assert_eq!(put(&mut aws, &targets), refused);
    assert_eq!(listed(&mut aws), json!([]));
    put(&mut aws, &targets[..5]).unwrap();
    assert_eq!(put(&mut aws, &targets[5..]), refused);
    put(&mut aws, &targets[..1]).unwrap();
}

#[test]
fn rules_are_found_by_the_arn_of_a_target() {
    let mut aws = aws();
    aws.rule("b");
    put(&mut aws, &[target()]).unwrap();
    let ask = json!({"TargetArn": target()["Arn"]});
    assert_eq!(aws.events("ListRuleNamesByTarget", ask).unwrap(), json!({"RuleNames": ["a"]}));
}

#[test]
fn what_is_no_target_is_refused_and_nothing_of_its_request_stays() {
    let mut aws = aws();
    let mut check = |over: Value, expected: &str| {
        let good = with(target(), json!({"Id": "good"}));
        let outcome = put(&mut aws, &[good, with(target(), over.clone())]);
        assert_eq!(outcome, Err(format!("ValidationException: {expected}")), "{over}");
        assert_eq!(listed(&mut aws), json!([]));
    };
    check(
        json!({"Input": "{}", "InputPath": "$.detail"}),
        "Only one of Input, InputPath, or InputTransformer must be provided for target ecs-etl.",
    );
    check(json!({"Input": "{not json"}), "JSON syntax error in input for target ecs-etl.");
    check(
        json!({"InputTransformer": {"InputPathsMap": {"t": "$.time"}, "InputTemplate": "{\"a\": <u>}"}}),
        "InputTemplate for target ecs-etl contains invalid placeholder u.",
    );
    check(json!({"RoleArn": null}), "RoleArn is required for target arn:aws:ecs:eu-west-1:123456789012:cluster/main.");
    check(
        json!({"RoleArn": "arn:aws:iam::123456789012:user/x"}),
        "Parameter arn:aws:iam::123456789012:user/x is not valid. Reason: Provided Arn is not in correct format.",
    );
    check(
        json!({"Arn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:3"}),
        "Parameter arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:3 is not valid. \
         Reason: Provided Arn is not in correct format.",
    );
    check(json!({"Arn": "main"}), "Parameter main is not valid. Reason: Provided Arn is not in correct format.");
    check(json!({"EcsParameters": null}), "Parameter(s) EcsParameters must be specified for target: ecs-etl.");
    check(
        json!({"EcsParameters": {"TaskDefinitionArn": "etl-a"}}),
        "Parameter etl-a is not valid. Reason: Provided Arn is not in correct format.",
    );
    check(
        json!({"EcsParameters": {"NetworkConfiguration": null}}),
        "Parameter NetworkConfiguration must be specified for target ecs-etl when launch type is FARGATE.",
    );
    check(json!({"EcsParameters": {"TaskCount": 11}}), "Parameter(s) TaskCount not valid for target: ecs-etl.");
    check(
        json!({"EcsParameters": {"LaunchType": "EC2", "PlatformVersion": "LATEST"}}),
        "Parameter PlatformVersion for target ecs-etl is not supported when launch type is EC2.",
    );
    check(
        json!({"EcsParameters": {"NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": []}}}}),
        "Parameter Subnets is not valid. Reason: size must be in between 1 and 16.",
    );
    check(
        json!({"EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/etl-a:3"}}),
        "Region of arn:aws:ecs:eu-west-1:123456789012:cluster/main does not match region of \
         arn:aws:ecs:us-east-1:123456789012:task-definition/etl-a:3.",
    );
    check(
        json!({"Id": "good"}),
        "Parameter targets is not valid. Reason: More than one target with Id 'good' is provided.",
    );
    check(json!({"InputPath": "$.detail['a']"}), "InputPath for target ecs-etl is invalid.");
    check(
        json!({"InputTransformer": {"InputTemplate": "[<aws.events.event.json>]"}}),
        "InputTemplate for target ecs-etl contains placeholder aws.events.event.json valid only for JSON template.",
    );
    check(
        json!({"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:q.fifo"}}),
        "SQS FIFO is not supported by Dead Letter Queues.",
    );
    check(
        json!({"EcsParameters": {"LaunchType": "LAMBDA"}}),
        "1 validation error detected: Value 'LAMBDA' at 'targets.2.member.ecsParameters.launchType' failed to satisfy \
         constraint: Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL]",
    );
    check(
        json!({"EcsParameters": {"TaskCount": 0}}),
        "1 validation error detected: Value '0' at 'targets.2.member.ecsParameters.taskCount' failed to satisfy \
         constraint: Member must have value greater than or equal to 1",
    );
    check(
        json!({"RetryPolicy": {"MaximumRetryAttempts": 186, "MaximumEventAgeInSeconds": 59}}),
        "2 validation errors detected: Value '186' at 'targets.2.member.retryPolicy.maximumRetryAttempts' failed to \
         satisfy constraint: Member must have value less than or equal to 185; Value '59' at \
         'targets.2.member.retryPolicy.maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value \
         greater than or equal to 60",
    );
    check(
        json!({"DeadLetterConfig": {"Arn": "arn:aws:sns:eu-west-1:123456789012:t"}}),
        "sns is not supported as a dead letter resource.",
    );
}

#[test]
fn a_target_may_name_a_family_alone_and_a_transformer_its_paths() {
    let mut aws = aws();
    let family =
        json!({"EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a"}});
    let transformer = json!({"InputTransformer": {
        "InputPathsMap": {"at": "$.time"},
        "InputTemplate": "{\"containerOverrides\":[{\"name\":\"main\",\"environment\":[{\"name\":\"AT\",\"value\":<at>}]}]}",
    }});
    let given = with(with(target(), family), transformer);
    put(&mut aws, std::slice::from_ref(&given)).unwrap();
    assert_eq!(listed(&mut aws), json!([given]));
}

#[test]
fn parameters_belong_to_the_targets_of_their_service() {
    let mut aws = aws();
    let mut refused = |target: Value, expected: &str| {
        let outcome = aws.events("PutTargets", json!({"Rule": "nosuch", "Targets": [target]}));
        assert_eq!(outcome, Err(format!("ValidationException: {expected}")));
    };
    refused(
        with(target(), json!({"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f"})),
        "Parameter(s) EcsParameters not supported for target: ecs-etl.",
    );
    // Targets are looked at before the rule is looked for.
    refused(
        json!({"Id": "q", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q.fifo"}),
        "Parameter(s) SqsParameters must be specified for target: q.",
    );
    let missing = aws.events("PutTargets", json!({"Rule": "nosuch", "Targets": [target()]}));
    assert_eq!(missing, Err("ResourceNotFoundException: Rule nosuch does not exist on EventBus default.".to_owned()));
}

#[test]
fn a_strategy_beside_a_launch_type_is_left_for_the_run_to_refuse() {
    let mut aws = aws();
    let strategy = json!({"EcsParameters": {"CapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}});
    put(&mut aws, &[with(target(), strategy)]).unwrap();
}
