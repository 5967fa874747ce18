//! The life of revisions (docs/aws.md, Revision lifecycle).

use serde_json::{Value, json};

use crate::client::{Aws, task, with};

const NOT_THERE: &str = "ClientException: Unable to describe task definition.";

fn describe(aws: &mut Aws, name: &str) -> Result<(u64, String), String> {
    let answer = aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": name}))?;
    let given = &answer["taskDefinition"];
    Ok((given["revision"].as_u64().unwrap(), given["status"].as_str().unwrap().to_owned()))
}

fn deregister(aws: &mut Aws, name: &str) -> Result<Value, String> {
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": name}))
}

fn delete(aws: &mut Aws, names: &[&str]) -> Value {
    aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": names})).unwrap()
}

#[test]
fn a_family_stands_for_its_latest_active_revision() {
    let mut aws = Aws::new();
    for _ in 0..3 {
        aws.register("etl-a");
    }
    assert_eq!(describe(&mut aws, "etl-a"), Ok((3, "ACTIVE".to_owned())));
    deregister(&mut aws, "etl-a:3").unwrap();
    assert_eq!(describe(&mut aws, "etl-a"), Ok((2, "ACTIVE".to_owned())));
    assert_eq!(describe(&mut aws, "etl-a:3"), Ok((3, "INACTIVE".to_owned())));
    deregister(&mut aws, "etl-a:2").unwrap();
    deregister(&mut aws, "etl-a:1").unwrap();
    assert_eq!(describe(&mut aws, "etl-a"), Err(NOT_THERE.to_owned()));
    assert_eq!(describe(&mut aws, "etl-a:9"), Err(NOT_THERE.to_owned()));
    assert_eq!(describe(&mut aws, "other"), Err(NOT_THERE.to_owned()));
}

#[test]
fn equal_content_registers_a_new_revision_all_the_same() {
    let mut aws = Aws::new();
    assert!(aws.register("etl-a").ends_with("etl-a:1"));
    assert!(aws.register("etl-a").ends_with("etl-a:2"));
}

#[test]
fn a_revision_is_deregistered_once_and_by_its_number() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    aws.sleep(2);
    let answer = deregister(&mut aws, "etl-a:1").unwrap();
    assert_eq!(answer["taskDefinition"]["deregisteredAt"], json!(1_767_323_047));
    assert_eq!(
        deregister(&mut aws, "etl-a:1"),
        Err("InvalidParameterException: The specified task definition is inactive. \
             You must specify an active task definition and try again."
            .to_owned())
    );
    assert_eq!(deregister(&mut aws, "etl-a"), Err("ClientException: Revision is missing.".to_owned()));
    assert_eq!(deregister(&mut aws, "etl-a:7"), Err(NOT_THERE.to_owned()));
}

#[test]
fn a_revision_that_is_no_number_is_refused() {
    let refused = Err("InvalidParameterException: Invalid revision number. Number: x".to_owned());
    assert_eq!(deregister(&mut Aws::new(), "etl-a:x"), refused);
}

#[test]
fn a_deleted_revision_is_gone_after_a_while_and_its_number_is_never_given_again() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    deregister(&mut aws, "etl-a:1").unwrap();
    assert_eq!(delete(&mut aws, &["etl-a:1"])["taskDefinitions"][0]["status"], json!("DELETE_IN_PROGRESS"));
    assert_eq!(describe(&mut aws, "etl-a:1"), Ok((1, "DELETE_IN_PROGRESS".to_owned())));
    assert_eq!(aws.emulator.next_due(), Some(aws.now + jiff::SignedDuration::from_hours(1)));
    aws.sleep(3599);
    assert_eq!(describe(&mut aws, "etl-a:1"), Ok((1, "DELETE_IN_PROGRESS".to_owned())));
    aws.sleep(1);
    assert_eq!(describe(&mut aws, "etl-a:1"), Err(NOT_THERE.to_owned()));
    assert_eq!(aws.emulator.next_due(), None);
    assert!(aws.register("etl-a").ends_with("etl-a:2"));
}

#[test]
fn deletion_fails_for_each_revision_on_its_own() {
    let mut aws = Aws::new();
    let active = aws.register("etl-a");
    aws.register("etl-a");
    deregister(&mut aws, "etl-a:2").unwrap();
    let answer = delete(&mut aws, &[&active, "etl-a:2", "etl-b:1", "etl-a"]);
    assert_eq!(answer["taskDefinitions"].as_array().unwrap().len(), 1);
    assert_eq!(
        answer["failures"],
        json!([
            {"arn": active, "reason": "The specified task definition is still in ACTIVE status. Please deregister the target and try again."},
            {"arn": "etl-b:1", "reason": "The specified task definition does not exist. Specify a valid account, family, revision and try again."},
            {"arn": "etl-a", "reason": "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."},
        ])
    );
    let eleven: Vec<String> = (1..=11).map(|n| format!("etl-a:{n}")).collect();
    let refusal = aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": eleven})).unwrap_err();
    assert!(refusal.starts_with("InvalidParameterException"), "{refusal}");
}

#[test]
fn a_family_moves_between_the_lists_of_active_and_inactive_ones() {
    let mut aws = Aws::new();
    let families = |aws: &mut Aws, status: &str, prefix: &str| {
        let body = json!({"status": status, "familyPrefix": prefix});
        aws.ecs("ListTaskDefinitionFamilies", body).unwrap()["families"].clone()
    };
    aws.register("etl-a");
    aws.register("etl-b");
    aws.register("other");
    deregister(&mut aws, "etl-a:1").unwrap();
    assert_eq!(families(&mut aws, "ACTIVE", "etl-"), json!(["etl-b"]));
    assert_eq!(families(&mut aws, "INACTIVE", "etl-"), json!(["etl-a"]));
    assert_eq!(families(&mut aws, "ALL", ""), json!(["etl-a", "etl-b", "other"]));
    aws.register("etl-a");
    assert_eq!(families(&mut aws, "ACTIVE", "etl-"), json!(["etl-a", "etl-b"]));
    assert_eq!(families(&mut aws, "INACTIVE", "etl-"), json!([]));
}

#[test]
fn revisions_are_listed_by_whole_family_status_and_order() {
    let mut aws = Aws::new();
    for _ in 0..11 {
        aws.register("etl-a");
    }
    aws.register("etl-a-b");
    deregister(&mut aws, "etl-a:10").unwrap();
    let mut list = |body: Value| -> Vec<String> {
        let answer = aws.ecs("ListTaskDefinitions", body).unwrap();
        let arns = answer["taskDefinitionArns"].as_array().unwrap().clone();
        arns.iter().map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(list(json!({"familyPrefix": "etl-a"})).len(), 10);
    assert_eq!(list(json!({"familyPrefix": "etl"})), Vec::<String>::new());
    assert_eq!(list(json!({"status": "INACTIVE"})), ["etl-a:10"]);
    assert_eq!(list(json!({"familyPrefix": "etl-a", "maxResults": 2})), ["etl-a:1", "etl-a:2"]);
    assert_eq!(list(json!({"familyPrefix": "etl-a", "sort": "DESC", "maxResults": 2})), ["etl-a:11", "etl-a:9"]);
    assert_eq!(list(json!({"sort": "DESC", "maxResults": 1})), ["etl-a-b:1"]);
}

#[test]
fn accounts_and_regions_do_not_see_each_other() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    aws.region = "us-east-1";
    assert_eq!(describe(&mut aws, "etl-a"), Err(NOT_THERE.to_owned()));
    assert!(aws.register("etl-a").starts_with("arn:aws:ecs:us-east-1:123456789012:"));
    aws.access_key = "ASIA999988887777EMUL".to_owned();
    assert_eq!(describe(&mut aws, "etl-a"), Err(NOT_THERE.to_owned()));
    assert!(aws.register("etl-a").starts_with("arn:aws:ecs:us-east-1:999988887777:"));
}

#[test]
fn tags_come_only_when_asked_for_and_change_on_their_own() {
    let mut aws = Aws::new();
    let body = with(task("etl-a"), json!({"tags": [{"key": "team", "value": "data"}]}));
    let answer = aws.ecs("RegisterTaskDefinition", body).unwrap();
    assert_eq!(answer["tags"], json!([{"key": "team", "value": "data"}]));
    let arn = answer["taskDefinition"]["taskDefinitionArn"].clone();
    assert_eq!(answer["taskDefinition"].get("tags"), None);
    let silent = aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": arn})).unwrap();
    assert_eq!(silent.get("tags"), None);
    aws.ecs("TagResource", json!({"resourceArn": arn, "tags": [{"key": "team", "value": "ops"}, {"key": "x"}]}))
        .unwrap();
    aws.ecs("UntagResource", json!({"resourceArn": arn, "tagKeys": ["x", "nosuch"]})).unwrap();
    let asked = aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": arn, "include": ["TAGS"]})).unwrap();
    assert_eq!(asked["tags"], json!([{"key": "team", "value": "ops"}]));
    let listed = aws.ecs("ListTagsForResource", json!({"resourceArn": arn})).unwrap();
    assert_eq!(listed["tags"], asked["tags"]);
}

#[test]
fn tags_of_what_is_not_there_are_refused() {
    let mut aws = Aws::new();
    let mut check = |arn: String, expected: &str| {
        let refusal =
            aws.ecs("TagResource", json!({"resourceArn": arn, "tags": [{"key": "a", "value": "b"}]})).unwrap_err();
        assert!(refusal.starts_with(expected), "{refusal}");
    };
    check("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:1".to_owned(), "ClientException");
    check("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a".to_owned(), "InvalidParameterException");
    check("arn:aws:ecs:eu-west-1:123456789012:cluster/main".to_owned(), "ClusterNotFoundException");
    check("etl-a:1".to_owned(), "InvalidParameterException");
}
