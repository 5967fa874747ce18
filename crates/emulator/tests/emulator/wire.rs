//! The wire: what AWS's front end answers before any operation runs.

use serde_json::json;

use crate::client::{Aws, read, signed, task};

#[test]
fn every_reply_has_a_type_and_a_request_id_of_its_own() {
    let mut aws = Aws::new();
    let request = aws.request("AWSEvents.ListRules", &json!({}));
    let (first, second) = (aws.send(&request), aws.send(&request));
    assert_eq!(first.header("content-type"), Some("application/x-amz-json-1.1"));
    let ids = [first.header("x-amzn-requestid").unwrap(), second.header("x-amzn-requestid").unwrap()];
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 36);
}

#[test]
fn bodies_of_the_wrong_shape_are_refused_before_they_mean_anything() {
    let check = |body: &str, expected: &str| {
        let request = signed("AWSEvents.PutRule", body.as_bytes().to_vec(), "AKIA", "eu-west-1");
        let mut aws = Aws::new();
        let reply = aws.send(&request);
        assert_eq!(read(&reply), Err(format!("SerializationException: {expected}")), "{body}");
    };
    check("{", "");
    check("[]", "Unexpected field type");
    check("\"x\"", "Unexpected field type");
    check(r#"{"Name": 5}"#, "NUMBER_VALUE can not be converted to a String");
    check(r#"{"Tags": {"a": "b"}}"#, "Start of structure or map found where not expected.");
    check(r#"{"Tags": "x"}"#, "Unexpected field type");
}

#[test]
fn unknown_members_are_ignored() {
    let mut aws = Aws::new();
    let body = json!({"Name": "a", "ScheduleExpression": "rate(1 day)", "Colour": {"deep": [1]}, "State": null});
    aws.events("PutRule", body).unwrap();
    assert_eq!(aws.events("DescribeRule", json!({"Name": "a"})).unwrap()["State"], json!("ENABLED"));
}

#[test]
fn what_the_emulator_does_not_have_is_an_unknown_operation() {
    let mut aws = Aws::new();
    let refusal = aws.ecs("StartTask", json!({})).unwrap_err();
    assert_eq!(refusal, "UnknownOperationException: The embedded AWS does not have ecs:StartTask.");
    for target in ["DynamoDB_20120810.ListTables", "nonsense", ""] {
        let request = aws.request(target, &json!({}));
        assert_eq!(aws.send(&request).status, 400, "{target}");
    }
}

#[test]
fn a_reset_leaves_nothing() {
    let mut aws = Aws::new();
    let empty = aws.emulator.snapshot();
    aws.register("etl-a");
    aws.rule("a");
    assert_ne!(aws.emulator.snapshot(), empty);
    let mut reset = aws.request("", &json!({}));
    reset.path = "/moto-api/reset".to_owned();
    assert_eq!(aws.send(&reset).status, 200);
    assert_eq!(aws.emulator.snapshot(), empty);
    assert!(aws.register("etl-a").ends_with(":1"));
}

#[test]
fn equal_histories_leave_equal_snapshots_byte_for_byte() {
    let history = || {
        let mut aws = Aws::new();
        for family in ["etl-b", "etl-a"] {
            aws.register(family);
            aws.rule(family);
        }
        aws.ecs("RegisterTaskDefinition", task("etl-a")).unwrap();
        aws.emulator.snapshot().to_string()
    };
    assert_eq!(history(), history());
}
