//! The call budgets: N jobs with one schedule each, in an account that holds nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use serde_json::json;

use crate::lab::{Lab, counts, job};

const N: u64 = 40;

fn many() -> Vec<(String, String)> {
    (0..N).map(|i| (format!("job-{i}"), job(&format!("job-{i}"), "img:1", "0 2 * * *"))).collect()
}

fn lab() -> Lab {
    let jobs = many();
    let jobs: Vec<(&str, String)> = jobs.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    Lab::new(&jobs)
}

/// What a process that knows nothing asks about jobs that are as they should be, but for the tags of their rules.
fn first_look() -> BTreeMap<String, u64> {
    counts([
        ("ecs:DescribeTaskDefinition", N),
        ("ecs:ListTaskDefinitions", 1),
        ("events:ListRules", 1),
        ("events:ListTargetsByRule", N),
        // Whether schedules of ours are in EventBridge Scheduler: there is no group, and it is not asked for again.
        ("scheduler:ListTagsForResource", 1),
        ("sts:GetCallerIdentity", 1),
    ])
}

#[tokio::test(start_paused = true)]
async fn creating_a_job_takes_three_writes_and_one_pass_over_it_three_reads() {
    let lab = lab();
    lab.apply().await;
    let expected = [("ecs:RegisterTaskDefinition", N), ("events:PutRule", N), ("events:PutTargets", N)];
    assert_eq!(lab.writes(), counts(expected));
    lab.apply().await;
    let mut expected = first_look();
    expected.insert("events:ListTagsForResource".to_owned(), N);
    assert_eq!(lab.calls(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_warm_resync_reads_the_lists_the_targets_and_a_twentieth_of_the_tags() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(1500)).await;
    lab.calls();
    // Twenty resyncs of ten minutes, each somewhat early or late.
    let resyncs = 20;
    lab.run(&mut engine, Duration::from_secs(600 * resyncs)).await;
    let calls = lab.calls();
    let writes: Vec<_> = calls.keys().filter(|operation| crate::lab::mutates(operation)).collect();
    assert!(writes.is_empty(), "{writes:?}");
    let reads: u64 = calls.values().sum();
    let budget = (resyncs + 1) * (N + N.div_ceil(20) + 1 + 1);
    assert!(reads <= budget, "{reads} reads, {budget} allowed: {calls:?}");
    let tags = calls.get("events:ListTagsForResource").copied().unwrap_or_default()
        + calls.get("ecs:DescribeTaskDefinition").copied().unwrap_or_default();
    let a_turn = N / 20;
    assert!((N - a_turn..=N + a_turn).contains(&tags), "each job's tags are verified once: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn tags_that_a_cold_start_took_for_granted_are_read_in_the_rotation_and_put_right() {
    let lab = lab();
    lab.apply().await;
    let rule = "arn:aws:events:eu-central-1:123456789012:rule/etl-job-7";
    lab.events("UntagResource", json!({"ResourceARN": rule, "TagKeys": ["ecs-etl/source"]})).await;
    lab.calls();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    let mut expected = first_look();
    expected.insert("events:ListTagsForResource".to_owned(), N / 20);
    assert_eq!(lab.calls(), expected, "those whose turn it is are read at once");
    lab.run(&mut engine, Duration::from_secs(600 * 23)).await;
    let calls = lab.calls();
    // Each once, and what was put right once more.
    assert!((N - N / 20..=N).contains(&calls["events:ListTagsForResource"]), "{calls:?}");
    assert_eq!(calls.get("events:TagResource"), Some(&1));
    let tags = lab.events("ListTagsForResource", json!({"ResourceARN": rule})).await;
    let keys: Vec<&str> = tags["Tags"].as_array().unwrap().iter().filter_map(|tag| tag["Key"].as_str()).collect();
    assert!(keys.contains(&"ecs-etl/source"), "{tags}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_on_tags_taken_for_granted() {
    let lab = lab();
    lab.apply().await;
    let rule = "arn:aws:events:eu-central-1:123456789012:rule/etl-job-7";
    lab.events("UntagResource", json!({"ResourceARN": rule, "TagKeys": ["ecs-etl/controller"]})).await;
    lab.write("job-7.yaml", &job("job-7", "img:2", "0 2 * * *"));
    lab.calls();
    lab.apply().await;
    assert_eq!(lab.writes().values().sum::<u64>(), 0, "the rule is nobody's, as far as its tags tell");
}

#[tokio::test(start_paused = true)]
async fn one_edited_file_takes_six_calls_whatever_the_number_of_jobs() {
    let lab = lab();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    lab.calls();
    lab.write("job-7.yaml", &job("job-7", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(5)).await;
    let calls = lab.calls();
    assert!(calls.values().sum::<u64>() <= 6, "{calls:?}");
    let of = |operation: &str| calls.get(operation).copied();
    assert_eq!((of("ecs:RegisterTaskDefinition"), of("events:PutTargets")), (Some(1), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn removing_a_job_takes_three_writes() {
    let lab = lab();
    lab.apply().await;
    lab.remove("job-7.yaml");
    lab.calls();
    lab.prune().await;
    let expected = [("ecs:TagResource", 1), ("events:DeleteRule", 1), ("events:RemoveTargets", 1)];
    assert_eq!(lab.writes(), counts(expected));
}

#[tokio::test(start_paused = true)]
async fn a_resync_soon_after_our_own_writes_costs_no_more_than_another() {
    let lab = lab();
    lab.write("base.yaml", &crate::lab::BASE.replacen("spec: {", "spec: {resyncSeconds: 30, ", 1));
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(5)).await;
    assert_eq!(lab.writes().values().sum::<u64>(), 3 * N);
    lab.run(&mut engine, Duration::from_secs(60)).await;
    let calls = lab.calls();
    let reads: u64 = calls.values().sum();
    let resyncs = calls["events:ListRules"];
    // A look that was spread over the interval before may fall into this one.
    let budget = (resyncs + 1) * (N + N.div_ceil(20) + 1 + 1);
    assert!(reads <= budget, "{reads} reads in {resyncs} resyncs, {budget} allowed: {calls:?}");
    assert_eq!(calls.get("events:DescribeRule"), None, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn strangers_under_our_prefix_cost_an_edit_nothing() {
    let lab = lab();
    let rule = json!({"Name": "etl-theirs", "ScheduleExpression": "rate(1 day)"});
    lab.events("PutRule", rule).await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.calls();
    lab.write("job-3.yaml", &job("job-3", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(lab.calls().values().sum::<u64>(), 6);
}

#[tokio::test(start_paused = true)]
async fn tags_are_read_in_the_end_though_no_process_lives_for_a_rotation() {
    let lab = lab();
    lab.apply().await;
    let rule = "arn:aws:events:eu-central-1:123456789012:rule/etl-job-7";
    lab.events("UntagResource", json!({"ResourceARN": rule, "TagKeys": ["ecs-etl/source"]})).await;
    lab.calls();
    for _ in 0..6 {
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(4 * 600)).await;
    }
    assert_eq!(lab.calls().get("events:TagResource"), Some(&1));
}
