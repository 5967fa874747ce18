//! The worst that AWS allows itself, when a test asks for it (docs/aws.md, Consistency).

use ecs_etl_emulator::Settings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, task};

fn names(answer: &Value, list: &str) -> usize {
    answer[list].as_array().unwrap().len()
}

#[test]
fn lists_lag_and_descriptions_do_not() {
    let mut aws = Aws::with(Settings { list_lag: SignedDuration::from_secs(5), ..Settings::default() });
    aws.register("etl-a");
    aws.rule("a");
    aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": "etl-a"})).unwrap();
    aws.events("DescribeRule", json!({"Name": "a"})).unwrap();
    let seen = |aws: &mut Aws| {
        (
            names(&aws.ecs("ListTaskDefinitions", json!({})).unwrap(), "taskDefinitionArns"),
            names(&aws.ecs("ListTaskDefinitionFamilies", json!({})).unwrap(), "families"),
            names(&aws.events("ListRules", json!({})).unwrap(), "Rules"),
        )
    };
    assert_eq!(seen(&mut aws), (0, 0, 0));
    aws.sleep(4);
    assert_eq!(seen(&mut aws), (0, 0, 0));
    assert_eq!(aws.emulator.next_due(), Some(aws.now + SignedDuration::from_secs(1)));
    aws.sleep(1);
    assert_eq!(seen(&mut aws), (1, 1, 1));
    aws.events("DeleteRule", json!({"Name": "a"})).unwrap();
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    assert_eq!(seen(&mut aws), (1, 1, 1));
    aws.sleep(5);
    assert_eq!(seen(&mut aws), (0, 1, 0));
}

#[test]
fn registrations_of_one_family_at_once_are_refused() {
    let mut aws = Aws::with(Settings { registration_takes: SignedDuration::from_secs(1), ..Settings::default() });
    aws.register("etl-a");
    let refused = "ClientException: Too many concurrent attempts to create a new revision of the specified family.";
    assert_eq!(aws.ecs("RegisterTaskDefinition", task("etl-a")), Err(refused.to_owned()));
    aws.register("etl-b");
    aws.sleep(1);
    assert!(aws.register("etl-a").ends_with(":2"));
}

#[test]
fn removed_targets_keep_their_rule_for_a_while() {
    let mut aws = Aws::with(Settings { removed_targets_linger: SignedDuration::from_secs(3), ..Settings::default() });
    aws.rule("a");
    let target = json!({"Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"});
    aws.events("PutTargets", json!({"Rule": "a", "Targets": [target]})).unwrap();
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["1"]})).unwrap();
    assert_eq!(aws.events("ListTargetsByRule", json!({"Rule": "a"})).unwrap(), json!({"Targets": []}));
    let refused = "ValidationException: Rule can't be deleted since it has targets.";
    assert_eq!(aws.events("DeleteRule", json!({"Name": "a"})), Err(refused.to_owned()));
    aws.sleep(3);
    aws.events("DeleteRule", json!({"Name": "a"})).unwrap();
}
