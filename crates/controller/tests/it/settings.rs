//! The EtlController is edited: who we are, how our things are called, how often we look.

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
