//! What somebody else made, taken over: nothing changes in what runs, and from then on it is ours to change and to remove.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use serde_json::{Value, json};

use crate::lab::{BASE, Lab, counts, job, reason};

const RULE: &str = "DailySalesRule";
const FAMILY: &str = "Daily_Sales";

/// The job that a test adopts with, and others, so that one removal is no quarter of them.
fn directory(adopt: &str) -> Lab {
    let lab = Lab::new(&[("b", job("b", "img:1", "0 3 * * *")), ("c", job("c", "img:1", "0 4 * * *"))]);
    lab.write("sales.yaml", &sales("img:1", adopt));
    lab
}

fn sales(image: &str, adopt: &str) -> String {
    format!("{}{adopt}", job("sales", image, "0 2 * * *"))
}

fn both() -> &'static str {
    "  adopt: {family: Daily_Sales, rules: [DailySalesRule]}\n"
}

/// Somebody else's family and rule, which run what the manifest says, and tell a topic.
async fn stranger(lab: &Lab) {
    lab.ecs("CreateCluster", json!({"clusterName": "main"})).await;
    let content = json!({
        "family": FAMILY, "networkMode": "bridge", "tags": [{"key": "owner", "value": "them"}],
        "containerDefinitions": [{"name": "sales", "image": "img:1", "memory": 64, "essential": true}],
    });
    lab.ecs("RegisterTaskDefinition", content).await;
    let rule = json!({"Name": RULE, "ScheduleExpression": "cron(0 2 * * ? *)", "Description": "by hand"});
    lab.events("PutRule", rule).await;
    let task_definition = format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/{FAMILY}:1");
    let targets = json!([
        {
            "Id": "run-it", "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/main",
            "RoleArn": "arn:aws:iam::123456789012:role/events",
            "EcsParameters": {"TaskDefinitionArn": task_definition, "TaskCount": 1},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
        },
        {"Id": "tell", "Arn": "arn:aws:sns:eu-central-1:123456789012:told"},
    ]);
    lab.events("PutTargets", json!({"Rule": RULE, "Targets": targets})).await;
    lab.calls();
}

async fn targets(lab: &Lab) -> Vec<String> {
    let targets = lab.events("ListTargetsByRule", json!({"Rule": RULE})).await;
    let targets = targets["Targets"].as_array().unwrap().iter();
    targets.map(|target| target["Id"].as_str().unwrap().to_owned()).collect()
}

async fn pinned(lab: &Lab) -> String {
    let targets = lab.events("ListTargetsByRule", json!({"Rule": RULE})).await;
    let run = targets["Targets"].as_array().unwrap().iter().find(|target| target["Id"] == "run-it").unwrap().clone();
    run["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn rules(lab: &Lab) -> Vec<String> {
    let rules = lab.events("ListRules", json!({})).await;
    rules["Rules"].as_array().unwrap().iter().map(|rule| rule["Name"].as_str().unwrap().to_owned()).collect()
}

async fn tags(lab: &Lab, revision: &str) -> Vec<(String, String)> {
    let arn = format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/{FAMILY}:{revision}");
    let tags = lab.ecs("ListTagsForResource", json!({"resourceArn": arn})).await;
    let text = |tag: &Value, key: &str| tag[key].as_str().unwrap().to_owned();
    tags["tags"].as_array().unwrap().iter().map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
}

#[tokio::test(start_paused = true)]
async fn an_adopted_rule_and_family_go_on_running_and_a_second_apply_writes_nothing() {
    let lab = directory(both());
    lab.apply().await;
    let own = counts([("ecs:RegisterTaskDefinition", 3), ("events:PutRule", 3), ("events:PutTargets", 3)]);
    assert_eq!(lab.writes(), own, "without what is to be adopted it is made under its name");

    let lab = directory(both());
    stranger(&lab).await;
    lab.remove("b.yaml");
    lab.remove("c.yaml");
    assert_eq!(lab.apply().await.reason("sales"), Reason::Converged);
    let marks = counts([("ecs:TagResource", 1), ("events:PutRule", 1), ("events:TagResource", 1)]);
    assert_eq!(lab.writes(), marks);
    assert_eq!(
        (targets(&lab).await, pinned(&lab).await),
        (vec!["run-it".to_owned(), "tell".to_owned()], format!("{FAMILY}:1"))
    );
    lab.calls();
    assert_eq!(lab.apply().await.reason("sales"), Reason::Converged);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_warm_resync_of_an_adopted_job_reads_its_targets_alone() {
    let lab = directory(both());
    stranger(&lab).await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(1300)).await;
    lab.calls();
    // Twenty resyncs of ten minutes, each somewhat early or late, of three jobs.
    let resyncs: u64 = 20;
    lab.run(&mut engine, Duration::from_secs(600 * resyncs)).await;
    let calls = lab.calls();
    let targets = calls["events:ListTargetsByRule"];
    assert!((3 * (resyncs - 1)..=3 * (resyncs + 1)).contains(&targets), "{calls:?}");
    let all: u64 = calls.values().sum();
    assert!(all <= (resyncs + 1) * (3 + 1 + 1 + 1), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_image_is_registered_in_the_adopted_family_and_what_it_replaces_is_tidied() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.write("base.yaml", &BASE.replace("{source: lab", "{keepRevisions: 1, source: lab"));
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(10)).await;
    lab.calls();
    lab.write("sales.yaml", &sales("img:2", both()));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(10)).await;
    let writes = lab.writes();
    assert_eq!((writes["ecs:RegisterTaskDefinition"], writes["events:PutTargets"]), (1, 1), "{writes:?}");
    assert_eq!((pinned(&lab).await, targets(&lab).await.len()), (format!("{FAMILY}:2"), 2));
    lab.run(&mut engine, Duration::from_secs(1300)).await;
    let replaced = tags(&lab, "1").await;
    assert!(replaced.iter().any(|(key, _)| key == "ecs-etl/retired-at"), "{replaced:?}");
    lab.run(&mut engine, Duration::from_secs(26 * 3600)).await;
    assert_eq!(lab.writes().get("ecs:DeregisterTaskDefinition"), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_removed_manifest_takes_the_adopted_rule_after_the_grace_and_its_revisions_a_day_later() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.events("RemoveTargets", json!({"Rule": RULE, "Ids": ["tell"]})).await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(10)).await;
    lab.remove("sales.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(280)).await;
    assert!(rules(&lab).await.contains(&RULE.to_owned()));
    assert_eq!(reason(&engine, "sales"), Reason::PendingDeletion);
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(rules(&lab).await, ["etl-b", "etl-c"]);
    let retired = tags(&lab, "1").await;
    assert!(retired.iter().any(|(key, _)| key == "ecs-etl/retired-at"), "{retired:?}");
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(26 * 3600)).await;
    assert_eq!(lab.writes(), counts([("ecs:DeregisterTaskDefinition", 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_was_marked_and_not_described_yet_when_its_cluster_drained_goes_with_it() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.events("RemoveTargets", json!({"Rule": RULE, "Ids": ["tell"]})).await;
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:PutRule" => Fault::refused(Reply::error(400, "AccessDeniedException", "no")),
        _ => Fault::none(),
    });
    lab.apply().await;
    lab.calm();
    lab.write("base.yaml", &BASE.replace("region: eu-central-1", "region: eu-central-1\n  drain: true"));
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(8000)).await;
    assert_eq!(rules(&lab).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_new_process_finds_an_adopted_rule_without_its_manifest_and_leaves_targets_of_others() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.apply().await;
    lab.remove("sales.yaml");
    let pass = lab.prune().await;
    assert!(pass.whole && pass.engine.removed().len() == 1, "{:?}", pass.engine.removed());
    assert_eq!(targets(&lab).await, ["tell"]);
    let arn = format!("arn:aws:events:eu-central-1:123456789012:rule/{RULE}");
    let left = lab.events("ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(left["Tags"], json!([]));
    lab.calls();
    lab.prune().await;
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_marked_for_a_job_and_still_described_as_anothers_goes_with_the_one_it_is_marked_for() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.events("RemoveTargets", json!({"Rule": RULE, "Ids": ["tell"]})).await;
    lab.apply().await;
    // A rename was stopped after its first step, and then its manifest went.
    let arn = format!("arn:aws:events:eu-central-1:123456789012:rule/{RULE}");
    let marks = json!([{"Key": "ecs-etl/job", "Value": "revenue"}]);
    lab.events("TagResource", json!({"ResourceARN": arn, "Tags": marks})).await;
    lab.remove("sales.yaml");
    let pass = lab.prune().await;
    assert!(pass.whole);
    let removed: Vec<&str> = pass.engine.removed().iter().map(|job| job.as_str()).collect();
    assert_eq!(removed, ["revenue"]);
    assert_eq!(rules(&lab).await, ["etl-b", "etl-c"]);
}

#[tokio::test(start_paused = true)]
async fn an_adoption_that_is_taken_back_starts_the_job_by_no_second_rule() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.apply().await;
    lab.calls();
    for (adopt, expected) in
        [("", Reason::LocationLost), ("  adopt: {rules: [Other]}\n", Reason::LocationLost), (both(), Reason::Converged)]
    {
        lab.write("sales.yaml", &sales("img:1", adopt));
        assert_eq!(lab.apply().await.reason("sales"), expected, "{adopt}");
    }
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_adopts_what_bears_another_jobs_name_is_not_taken_for_that_one() {
    let adopt = "  adopt: {rules: [etl-gone]}\n";
    let lab = directory(adopt);
    lab.apply().await;
    assert!(rules(&lab).await.contains(&"etl-gone".to_owned()));
    lab.calls();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(4000)).await;
    assert_eq!(lab.prune().await.reason("sales"), Reason::Converged);
    assert_eq!(lab.writes(), counts([]));
    // And without its manifest it is found all the same.
    lab.write("sales.yaml", &sales("img:1", ""));
    assert_eq!(lab.apply().await.reason("sales"), Reason::LocationLost);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn an_adopted_job_that_went_counts_for_the_hour_to_a_process_that_never_knew_it() {
    let lab = directory(both());
    stranger(&lab).await;
    lab.events("RemoveTargets", json!({"Rule": RULE, "Ids": ["tell"]})).await;
    lab.apply().await;
    lab.remove("sales.yaml");
    lab.prune().await;
    assert_eq!(rules(&lab).await, ["etl-b", "etl-c"]);
    lab.remove("b.yaml");
    assert_eq!(lab.prune().await.reason("b"), Reason::DeletionHeld, "one of three may go within the hour");
    assert_eq!(rules(&lab).await, ["etl-b", "etl-c"]);
    tokio::time::advance(Duration::from_secs(3700)).await;
    lab.prune().await;
    assert_eq!(rules(&lab).await, ["etl-c"]);
}
