//! Rules (docs/aws.md, Rules and schedules).

use serde_json::{Value, json};

use crate::client::Aws;

fn put(aws: &mut Aws, body: Value) -> Result<Value, String> {
    aws.events("PutRule", body)
}

fn describe(aws: &mut Aws, name: &str) -> Value {
    aws.events("DescribeRule", json!({"Name": name})).unwrap()
}

#[test]
fn a_put_replaces_the_whole_rule_and_enables_it_but_keeps_its_tags() {
    let mut aws = Aws::new();
    let full = json!({
        "Name": "etl-a", "ScheduleExpression": "cron(0 2 * * ? *)", "State": "DISABLED", "Description": "nightly",
        "RoleArn": "arn:aws:iam::123456789012:role/r", "Tags": [{"Key": "team", "Value": "data"}],
    });
    assert_eq!(put(&mut aws, full), Ok(json!({"RuleArn": aws.arn("events", "rule/etl-a")})));
    assert_eq!(
        describe(&mut aws, "etl-a"),
        json!({
            "Name": "etl-a", "Arn": aws.arn("events", "rule/etl-a"), "EventBusName": "default", "State": "DISABLED",
            "ScheduleExpression": "cron(0 2 * * ? *)", "Description": "nightly",
            "RoleArn": "arn:aws:iam::123456789012:role/r", "CreatedBy": "123456789012",
        })
    );
    let again =
        json!({"Name": "etl-a", "ScheduleExpression": "rate(1 hour)", "Tags": [{"Key": "team", "Value": "ops"}]});
    put(&mut aws, again).unwrap();
    assert_eq!(
        describe(&mut aws, "etl-a"),
        json!({
            "Name": "etl-a", "Arn": aws.arn("events", "rule/etl-a"), "EventBusName": "default", "State": "ENABLED",
            "ScheduleExpression": "rate(1 hour)", "CreatedBy": "123456789012",
        })
    );
    let tags = aws.events("ListTagsForResource", json!({"ResourceARN": aws.arn("events", "rule/etl-a")})).unwrap();
    assert_eq!(tags, json!({"Tags": [{"Key": "team", "Value": "data"}]}));
}

#[test]
fn a_put_keeps_the_targets() {
    let mut aws = Aws::new();
    aws.rule("etl-a");
    let target = json!({"Id": "1", "Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f"});
    aws.events("PutTargets", json!({"Rule": "etl-a", "Targets": [target]})).unwrap();
    put(&mut aws, json!({"Name": "etl-a", "ScheduleExpression": "rate(2 days)"})).unwrap();
    let targets = aws.events("ListTargetsByRule", json!({"Rule": "etl-a"})).unwrap();
    assert_eq!(targets, json!({"Targets": [target]}));
}

#[test]
fn what_is_no_rule_is_refused() {
    let mut aws = Aws::new();
    let mut check = |body: Value, expected: &str| assert_eq!(put(&mut aws, body), Err(expected.to_owned()));
    check(
        json!({"Name": "a"}),
        "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified.",
    );
    check(
        json!({"Name": "a", "ScheduleExpression": "rate(1 minutes)"}),
        "ValidationException: Parameter ScheduleExpression is not valid.",
    );
    check(
        json!({"Name": "a b", "ScheduleExpression": "rate(1 minute)"}),
        "ValidationException: 1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
    );
    check(
        json!({"Name": "a".repeat(65), "ScheduleExpression": "rate(1 minute)"}),
        &format!(
            "ValidationException: 1 validation error detected: Value '{}' at 'name' failed to satisfy constraint: \
             Member must have length less than or equal to 64",
            "a".repeat(65)
        ),
    );
    check(
        json!({"Name": "a", "ScheduleExpression": "rate(1 minute)", "State": "PAUSED"}),
        "ValidationException: 1 validation error detected: Value 'PAUSED' at 'state' failed to satisfy constraint: \
         Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]",
    );
    check(
        json!({"Name": "a", "ScheduleExpression": "rate(1 minute)", "RoleArn": "invoke"}),
        "ValidationException: Parameter invoke is not valid. Reason: Provided Arn is not in correct format.",
    );
    check(
        json!({"Name": "a", "ScheduleExpression": "rate(1 minute)", "EventBusName": "mine"}),
        "ResourceNotFoundException: Event bus mine does not exist.",
    );
    check(
        json!({"Name": "a", "EventPattern": "{}"}),
        "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified.",
    );
    check(
        json!({"Name": "a", "EventPattern": format!(r#"{{"source": ["{}"]}}"#, "x".repeat(2048))}),
        "ValidationException: Parameter EventPattern for rule a exceeds limit of 2048.",
    );
    for pattern in ["x", "[]", r#"{"a": {}}"#, r#"{"source": "a"}"#, r#"{"source": []}"#] {
        let refusal = put(&mut aws, json!({"Name": "a", "EventPattern": pattern})).unwrap_err();
        assert!(refusal.starts_with("InvalidEventPatternException: Event pattern is not valid."), "{refusal}");
    }
    assert_eq!(aws.events("ListRules", json!({})).unwrap(), json!({"Rules": []}));
}

#[test]
fn the_default_bus_may_be_named_or_given_by_arn() {
    let mut aws = Aws::new();
    for bus in ["default".to_owned(), aws.arn("events", "event-bus/default")] {
        put(&mut aws, json!({"Name": "a", "EventBusName": bus, "EventPattern": "{\"source\": [\"x\"]}"})).unwrap();
    }
    let buses = aws.events("ListEventBuses", json!({})).unwrap();
    assert_eq!(buses["EventBuses"][0], aws.events("DescribeEventBus", json!({})).unwrap());
}

#[test]
fn a_rule_is_enabled_and_disabled_by_itself() {
    let mut aws = Aws::new();
    put(&mut aws, json!({"Name": "a", "ScheduleExpression": "rate(1 minute)", "Description": "d"})).unwrap();
    aws.events("DisableRule", json!({"Name": "a"})).unwrap();
    let rule = describe(&mut aws, "a");
    assert_eq!((&rule["State"], &rule["Description"]), (&json!("DISABLED"), &json!("d")));
    aws.events("EnableRule", json!({"Name": "a"})).unwrap();
    assert_eq!(describe(&mut aws, "a")["State"], json!("ENABLED"));
}

#[test]
fn a_rule_that_is_not_there_is_deleted_already_and_otherwise_missed() {
    let mut aws = Aws::new();
    assert_eq!(aws.events("DeleteRule", json!({"Name": "a"})), Ok(json!({})));
    let missing = Err("ResourceNotFoundException: Rule a does not exist on EventBus default.".to_owned());
    assert_eq!(aws.events("DescribeRule", json!({"Name": "a"})), missing);
    assert_eq!(aws.events("EnableRule", json!({"Name": "a"})), missing);
    assert_eq!(aws.events("DisableRule", json!({"Name": "a"})), missing);
    assert_eq!(aws.events("ListTargetsByRule", json!({"Rule": "a"})), missing);
    assert_eq!(aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["1"]})), missing);
    let arn = json!({"ResourceARN": aws.arn("events", "rule/a"), "Tags": [], "TagKeys": []});
    for operation in ["TagResource", "UntagResource", "ListTagsForResource"] {
        assert_eq!(aws.events(operation, arn.clone()), missing);
    }
}

#[test]
fn a_rule_with_targets_is_not_deleted() {
    let mut aws = Aws::new();
    aws.rule("a");
    let target = json!({"Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"});
    aws.events("PutTargets", json!({"Rule": "a", "Targets": [target]})).unwrap();
    let refused = Err("ValidationException: Rule can't be deleted since it has targets.".to_owned());
    assert_eq!(aws.events("DeleteRule", json!({"Name": "a"})), refused);
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["1"]})).unwrap();
    assert_eq!(aws.events("DeleteRule", json!({"Name": "a"})), Ok(json!({})));
    assert_eq!(aws.events("ListRules", json!({})).unwrap(), json!({"Rules": []}));
}

#[test]
fn a_bus_holds_three_hundred_rules_and_those_can_still_be_changed() {
    let mut aws = Aws::new();
    for n in 0..300 {
        aws.rule(&format!("r{n:03}"));
    }
    let one_more = put(&mut aws, json!({"Name": "x", "ScheduleExpression": "rate(1 minute)"}));
    assert_eq!(
        one_more,
        Err("LimitExceededException: The requested resource exceeds the maximum number allowed.".to_owned())
    );
    put(&mut aws, json!({"Name": "r000", "ScheduleExpression": "rate(1 minute)"})).unwrap();
    aws.region = "us-east-1";
    aws.rule("x");
}

#[test]
fn tags_of_rules_are_changed_apart() {
    let mut aws = Aws::new();
    aws.rule("a");
    let arn = aws.arn("events", "rule/a");
    let tags = json!([{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]);
    aws.events("TagResource", json!({"ResourceARN": arn, "Tags": tags})).unwrap();
    aws.events("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "x", "Value": "3"}]})).unwrap();
    aws.events("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["y", "z"]})).unwrap();
    let listed = aws.events("ListTagsForResource", json!({"ResourceARN": arn})).unwrap();
    assert_eq!(listed, json!({"Tags": [{"Key": "x", "Value": "3"}]}));
    let system = aws.events("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "aws:x", "Value": ""}]}));
    assert!(system.unwrap_err().starts_with("ValidationException"));
}

#[test]
fn a_managed_rule_is_only_its_services_to_change() {
    let mut aws = Aws::new();
    let mut request = aws.request("AWSEvents.PutRule", &json!({"Name": "a", "ScheduleExpression": "rate(1 minute)"}));
    request.headers.push(("x-embedded-aws-acts-as".to_owned(), "batch.amazonaws.com".to_owned()));
    assert_eq!(aws.send(&request).status, 200);
    assert_eq!(describe(&mut aws, "a")["ManagedBy"], json!("batch.amazonaws.com"));
    let arn = aws.arn("events", "rule/a");
    let target = json!({"Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"});
    for (operation, body) in [
        ("PutRule", json!({"Name": "a", "ScheduleExpression": "rate(2 minutes)"})),
        ("DisableRule", json!({"Name": "a"})),
        ("PutTargets", json!({"Rule": "a", "Targets": [target]})),
        ("RemoveTargets", json!({"Rule": "a", "Ids": ["1"]})),
        ("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "b"}]})),
        ("DeleteRule", json!({"Name": "a"})),
    ] {
        let refusal = aws.events(operation, body).unwrap_err();
        assert!(refusal.starts_with("ManagedRuleException: "), "{operation}: {refusal}");
    }
    assert_eq!(aws.events("DeleteRule", json!({"Name": "a", "Force": true})), Ok(json!({})));
}
