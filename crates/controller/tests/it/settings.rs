//! The EtlController and the EtlCluster are edited: who we are, how our things are called, where they are, how often we look.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_plan::condition::Reason;
use serde_json::json;

use crate::lab::{BASE, Lab, counts, job, reason};

fn base(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from}");
    BASE.replace(from, to)
}

async fn applied() -> Lab {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    lab.calls();
    lab
}

#[tokio::test(start_paused = true)]
async fn a_new_prefix_creates_nothing_beside_what_still_runs_under_the_old_one() {
    let lab = applied().await;
    lab.write("base.yaml", &base("{source: lab", "{prefix: new-, source: lab"));
    assert_eq!(lab.apply().await.reason("a"), Reason::LocationLost);
    assert_eq!(lab.writes(), counts([]));
    lab.events("RemoveTargets", json!({"Rule": "etl-a", "Ids": ["ecs-etl"]})).await;
    lab.events("DeleteRule", json!({"Name": "etl-a"})).await;
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!(lab.schedules().await.into_keys().collect::<Vec<_>>(), ["new-a"]);
}

#[tokio::test(start_paused = true)]
async fn what_another_source_runs_under_another_prefix_keeps_nobody_from_creating() {
    let lab = applied().await;
    lab.write("base.yaml", &base("{source: lab/manifests", "{prefix: new-, source: lab/others"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!(lab.schedules().await.into_keys().collect::<Vec<_>>(), ["etl-a", "new-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_follows_a_new_prefix_and_back_at_once() {
    let lab = applied().await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(2)).await;
    for (text, expected) in [
        (base("{source: lab", "{prefix: new-, source: lab"), Reason::LocationLost),
        (BASE.to_owned(), Reason::Converged),
    ] {
        lab.write("base.yaml", &text);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(2)).await;
        assert_eq!(reason(&engine, "a"), expected);
    }
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_shorter_resync_is_in_force_at_once() {
    let lab = applied().await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(2)).await;
    lab.write("base.yaml", &base("{source: lab", "{resyncSeconds: 30, source: lab"));
    engine.take_manifests(lab.manifests(), "none");
    lab.events("DisableRule", json!({"Name": "etl-a"})).await;
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(35)).await;
    assert_eq!(lab.writes(), counts([("events:EnableRule", 1)]));
}

#[tokio::test(start_paused = true)]
async fn jobs_that_a_new_region_leaves_running_in_the_old_one_are_counted() {
    let lab = applied().await;
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(2)).await;
    lab.write("base.yaml", &base("eu-central-1", "us-east-1"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    let problems = engine.reporter.problems();
    assert!(problems[0].message.contains("what 1 jobs have there"), "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_goes_after_its_cluster_is_reported_as_lost() {
    let lab = applied().await;
    lab.write("b.yaml", &job("b", "img:1", "0 3 * * *").replace("cluster: main", "cluster: away"));
    let away = base("eu-central-1", "us-east-1").replace("name: main", "name: away");
    lab.write("away.yaml", away.split_once("---\n").unwrap().1);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(2)).await;
    for (file, expected) in [("away.yaml", Reason::ClusterNotFound), ("b.yaml", Reason::LocationLost)] {
        lab.remove(file);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(700)).await;
        assert_eq!(reason(&engine, "b"), expected);
    }
}
