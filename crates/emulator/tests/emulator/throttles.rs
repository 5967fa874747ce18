//! AWS's token buckets, on request (docs/aws.md, Throttles and quotas).

use ecs_etl_emulator::Settings;
use serde_json::json;

use crate::client::{Aws, task};

#[test]
fn buckets_are_only_enforced_when_asked_for() {
    let mut aws = Aws::new();
    for _ in 0..100 {
        aws.register("etl-a");
    }
}

#[test]
fn an_empty_bucket_answers_with_a_throttle_and_no_effect() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    for _ in 0..20 {
        aws.register("etl-a");
    }
    let throttled = Err("ThrottlingException: Rate exceeded".to_owned());
    assert_eq!(aws.ecs("RegisterTaskDefinition", task("etl-a")), throttled);
    assert_eq!(aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})), throttled);
    aws.sleep(1);
    assert!(aws.register("etl-a").ends_with(":21"));
    assert_eq!(aws.ecs("RegisterTaskDefinition", task("etl-a")), throttled);
    // Reading has a bucket of its own.
    aws.ecs("ListTaskDefinitions", json!({})).unwrap();
}

#[test]
fn all_of_eventbridge_shares_one_bucket() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    aws.rule("a");
    for n in 0..49 {
        let operation = ["DescribeRule", "EnableRule"][n % 2];
        aws.events(operation, json!({"Name": "a"})).unwrap();
    }
    assert_eq!(aws.events("ListRules", json!({})), Err("ThrottlingException: Rate exceeded".to_owned()));
    assert_eq!(aws.tag("GetResources", json!({})).map(drop), Ok(()));
}
