//! The tagging index, which is a hint (docs/aws.md, Consistency).

use ecs_etl_emulator::Settings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, task, with};

fn resources(aws: &mut Aws, body: Value) -> Vec<String> {
    let answer = aws.tag("GetResources", body).unwrap();
    let found = answer["ResourceTagMappingList"].as_array().unwrap().clone();
    found.iter().map(|mapping| mapping["ResourceARN"].as_str().unwrap().rsplit(':').take(2).collect()).collect()
}

fn tagged_rule(aws: &mut Aws, name: &str, value: &str) {
    let tags = json!([{"Key": "owner", "Value": value}]);
    aws.events("PutRule", json!({"Name": name, "ScheduleExpression": "rate(1 day)", "Tags": tags})).unwrap();
}

#[test]
fn resources_are_found_by_tag_and_type() {
    let mut aws = Aws::new();
    tagged_rule(&mut aws, "a", "x");
    tagged_rule(&mut aws, "b", "y");
    aws.rule("untagged");
    let body = with(task("etl-a"), json!({"tags": [{"key": "owner", "value": "x"}]}));
    aws.ecs("RegisterTaskDefinition", body).unwrap();
    aws.ecs("CreateCluster", json!({"clusterName": "main", "tags": [{"key": "env", "value": "x"}]})).unwrap();

    let count = |aws: &mut Aws, body: Value| resources(aws, body).len();
    assert_eq!(count(&mut aws, json!({})), 4);
    let owner = |values: Value| json!({"TagFilters": [{"Key": "owner", "Values": values}]});
    assert_eq!(count(&mut aws, owner(json!([]))), 3);
    assert_eq!(count(&mut aws, owner(json!(["x"]))), 2);
    assert_eq!(count(&mut aws, owner(json!(["x", "y"]))), 3);
    assert_eq!(count(&mut aws, json!({"TagFilters": [{"Key": "owner"}, {"Key": "env"}]})), 0);
    for (kind, expected) in
        [("events:rule", 2), ("events", 2), ("ecs:task-definition", 1), ("ecs:cluster", 1), ("ecs", 2)]
    {
        assert_eq!(count(&mut aws, json!({"ResourceTypeFilters": [kind]})), expected, "{kind}");
    }
    let one = json!({"ResourceARNList": [aws.arn("events", "rule/a"), aws.arn("events", "rule/untagged")]});
    assert_eq!(count(&mut aws, one), 1);
    assert_eq!(aws.tag("GetTagKeys", json!({})).unwrap()["TagKeys"], json!(["env", "owner"]));
    assert_eq!(aws.tag("GetTagValues", json!({"Key": "owner"})).unwrap()["TagValues"], json!(["x", "y"]));
}

#[test]
fn pages_end_with_an_empty_token() {
    let mut aws = Aws::new();
    for n in 0..5 {
        tagged_rule(&mut aws, &format!("r{n}"), "x");
    }
    let first = aws.tag("GetResources", json!({"ResourcesPerPage": 3})).unwrap();
    let token = first["PaginationToken"].as_str().unwrap();
    let second = aws.tag("GetResources", json!({"ResourcesPerPage": 3, "PaginationToken": token})).unwrap();
    assert_eq!(second["ResourceTagMappingList"].as_array().unwrap().len(), 2);
    assert_eq!(second["PaginationToken"], json!(""));
    let expired = aws.tag("GetResources", json!({"PaginationToken": "old"})).unwrap_err();
    assert!(expired.starts_with("PaginationTokenExpiredException"), "{expired}");
}

#[test]
fn a_list_of_arns_excludes_everything_else() {
    let mut aws = Aws::new();
    let body = json!({"ResourceARNList": ["arn:aws:events:eu-west-1:123456789012:rule/a"], "ResourcesPerPage": 1});
    let refusal = aws.tag("GetResources", body).unwrap_err();
    assert!(refusal.starts_with("InvalidParameterException"), "{refusal}");
}

#[test]
fn a_resource_stays_in_the_index_without_tags_once_it_had_some() {
    let mut aws = Aws::new();
    tagged_rule(&mut aws, "a", "x");
    aws.events("UntagResource", json!({"ResourceARN": aws.arn("events", "rule/a"), "TagKeys": ["owner"]})).unwrap();
    assert_eq!(resources(&mut aws, json!({})).len(), 1);
}

#[test]
fn the_index_lags_and_shows_ghosts() {
    let settings = Settings {
        tagging_lag: SignedDuration::from_secs(60),
        tagging_ghosts: SignedDuration::from_secs(3600),
        ..Settings::default()
    };
    let mut aws = Aws::with(settings);
    tagged_rule(&mut aws, "a", "x");
    let owned_by =
        |aws: &mut Aws, who: &str| resources(aws, json!({"TagFilters": [{"Key": "owner", "Values": [who]}]})).len();
    assert_eq!(owned_by(&mut aws, "x"), 0);
    aws.sleep(59);
    assert_eq!(owned_by(&mut aws, "x"), 0);
    aws.sleep(1);
    assert_eq!(owned_by(&mut aws, "x"), 1);
    let arn = aws.arn("events", "rule/a");
    aws.events("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "owner", "Value": "y"}]})).unwrap();
    assert_eq!((owned_by(&mut aws, "x"), owned_by(&mut aws, "y")), (1, 0));
    aws.sleep(60);
    assert_eq!((owned_by(&mut aws, "x"), owned_by(&mut aws, "y")), (0, 1));
    aws.events("DeleteRule", json!({"Name": "a"})).unwrap();
    aws.sleep(3659);
    assert_eq!(owned_by(&mut aws, "y"), 1);
    aws.sleep(1);
    assert_eq!(owned_by(&mut aws, "y"), 0);
    assert_eq!(aws.emulator.next_due(), None);
}

#[test]
fn deregistered_revisions_stay_in_the_index_until_they_are_deleted() {
    let mut aws = Aws::new();
    let body = with(task("etl-a"), json!({"tags": [{"key": "owner", "value": "x"}]}));
    aws.ecs("RegisterTaskDefinition", body).unwrap();
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    assert_eq!(resources(&mut aws, json!({})).len(), 1);
    aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": ["etl-a:1"]})).unwrap();
    assert_eq!(resources(&mut aws, json!({})).len(), 1);
    aws.sleep(3600);
    assert_eq!(resources(&mut aws, json!({})).len(), 0);
}
