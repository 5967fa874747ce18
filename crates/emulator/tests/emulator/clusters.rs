//! Clusters.

use serde_json::json;

use crate::client::Aws;

#[test]
fn a_cluster_is_created_once_described_and_deleted() {
    let mut aws = Aws::new();
    let body = json!({"clusterName": "main", "tags": [{"key": "a", "value": "b"}]});
    let created = aws.ecs("CreateCluster", body.clone()).unwrap();
    assert_eq!(created["cluster"]["clusterArn"], json!(aws.arn("ecs", "cluster/main")));
    assert_eq!(aws.ecs("CreateCluster", body).unwrap(), created);
    assert_eq!(aws.ecs("ListClusters", json!({})).unwrap(), json!({"clusterArns": [aws.arn("ecs", "cluster/main")]}));
    let ask = json!({"clusters": ["main", aws.arn("ecs", "cluster/main"), "nosuch"], "include": ["TAGS", "SETTINGS"]});
    let described = aws.ecs("DescribeClusters", ask).unwrap();
    assert_eq!(described["clusters"], json!([created["cluster"], created["cluster"]]));
    assert_eq!(
        described["failures"],
        json!([{"arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/nosuch", "reason": "MISSING"}])
    );

    let deleted = aws.ecs("DeleteCluster", json!({"cluster": "main"})).unwrap();
    assert_eq!(deleted["cluster"]["status"], json!("INACTIVE"));
    assert_eq!(aws.ecs("ListClusters", json!({})).unwrap(), json!({"clusterArns": []}));
    let seen = |aws: &mut Aws| aws.ecs("DescribeClusters", json!({"clusters": ["main"]})).unwrap()["clusters"].clone();
    assert_eq!(seen(&mut aws)[0]["status"], json!("INACTIVE"));
    aws.sleep(3600);
    assert_eq!(seen(&mut aws), json!([]));
    assert_eq!(
        aws.ecs("DeleteCluster", json!({"cluster": "main"})),
        Err("ClusterNotFoundException: Cluster not found.".to_owned())
    );
}

#[test]
fn a_cluster_shows_its_tags_and_settings_to_who_asks_for_them() {
    let mut aws = Aws::new();
    aws.ecs("CreateCluster", json!({"clusterName": "main", "tags": [{"key": "a", "value": "b"}]})).unwrap();
    let mut seen = |include: &[&str]| {
        let described = aws.ecs("DescribeClusters", json!({"clusters": ["main"], "include": include})).unwrap();
        let cluster = &described["clusters"][0];
        (cluster["tags"].clone(), cluster["settings"].clone())
    };
    let (tags, settings) =
        (json!([{"key": "a", "value": "b"}]), json!([{"name": "containerInsights", "value": "disabled"}]));
    assert_eq!(seen(&[]), (json!([]), json!([])));
    assert_eq!(seen(&["TAGS"]), (tags, json!([])));
    assert_eq!(seen(&["SETTINGS"]), (json!([]), settings));
}

#[test]
fn a_cluster_of_no_name_is_the_default_one() {
    let mut aws = Aws::new();
    let created = aws.ecs("CreateCluster", json!({})).unwrap();
    assert_eq!(created["cluster"]["clusterName"], json!("default"));
    let described = aws.ecs("DescribeClusters", json!({})).unwrap();
    assert_eq!(described["clusters"][0]["clusterName"], json!("default"));
}

#[test]
fn a_cluster_created_again_after_its_deletion_is_a_new_one() {
    let mut aws = Aws::new();
    aws.ecs("CreateCluster", json!({"clusterName": "main", "tags": [{"key": "a", "value": "b"}]})).unwrap();
    aws.ecs("DeleteCluster", json!({"cluster": "main"})).unwrap();
    let created = aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    assert_eq!((&created["cluster"]["status"], &created["cluster"]["tags"]), (&json!("ACTIVE"), &json!([])));
    aws.sleep(7200);
    assert_eq!(aws.ecs("ListClusters", json!({})).unwrap()["clusterArns"].as_array().unwrap().len(), 1);
}
