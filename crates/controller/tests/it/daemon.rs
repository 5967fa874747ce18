//! The daemon over time: resyncs, edits, broken files, restarts.

use std::time::Duration;

use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::publish::Publisher;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::status::Counts;
use serde_json::json;

use crate::lab::{BASE, Lab, START, counts, job, reason};

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_within_a_resync() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.events("DisableRule", json!({"Name": "etl-a"})).await;
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(700)).await;
    assert_eq!(lab.writes(), counts([("events:EnableRule", 1)]));
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn drift_just_after_a_write_of_ours_is_repaired_within_a_resync() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.write("base.yaml", &BASE.replace("{source: lab", "{resyncSeconds: 30, source: lab"));
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(2)).await;
    for _ in 0..2 {
        let drift = json!({"Name": "etl-a", "ScheduleExpression": "rate(1 day)", "State": "ENABLED"});
        lab.events("PutRule", drift).await;
        lab.calls();
        lab.run(&mut engine, Duration::from_secs(35)).await;
        assert_eq!(lab.writes(), counts([("events:PutRule", 1)]));
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_nobody_has_looked_at_yet_are_counted_as_unknown() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 3 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    let now = START.parse().unwrap();
    let publisher = Publisher::new(None, "embedded".to_owned(), "manifests".to_owned(), now);
    let counts = |engine: &Engine| publisher.controller(engine, now, false).status.counts;
    assert_eq!(counts(&engine), Counts { jobs: 2, unknown: 2, ..Counts::default() });
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(counts(&engine), Counts { jobs: 2, ready: 2, ..Counts::default() });
}

#[tokio::test(start_paused = true)]
async fn three_equal_repairs_are_a_fight_and_are_repaired_more_slowly() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    for _ in 0..3 {
        lab.events("DisableRule", json!({"Name": "etl-a"})).await;
        lab.run(&mut engine, Duration::from_secs(700)).await;
    }
    assert_eq!(reason(&engine, "a"), Reason::DriftFight);
    lab.events("DisableRule", json!({"Name": "etl-a"})).await;
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(700)).await;
    assert_eq!(lab.writes(), counts([]), "it is slower now");
    lab.run(&mut engine, Duration::from_secs(3000)).await;
    assert_eq!(lab.writes(), counts([("events:EnableRule", 1)]), "but it does not give up");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_breaks_leaves_its_job_as_it_is_and_the_others_go_on() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 3 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("a.yaml", "apiVersion: ecs-etl/v1\nkind: [");
    lab.write("b.yaml", &job("b", "img:2", "0 3 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(4000)).await;
    let schedules = lab.schedules().await;
    assert_eq!(schedules["etl-a"]["targets"][0]["images"], json!(["img:1"]));
    assert_eq!(schedules["etl-b"]["targets"][0]["images"], json!(["img:2"]));
    assert_eq!(reason(&engine, "a"), Reason::PruningBlocked);
    assert!(engine.reporter.pruning_blocked.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_blocked_is_looked_at_as_soon_as_it_says_again_what_it_said() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 3 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("again.yaml", &job("a", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "a"), Reason::DuplicateName);
    lab.remove("again.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn replaced_revisions_are_retired_and_the_oldest_are_deregistered() {
    let lab = Lab::new(&[("a", job("a", "img:0", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    for version in 1..=8 {
        lab.write("a.yaml", &job("a", &format!("img:{version}"), "0 2 * * *"));
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(1400)).await;
    }
    assert_eq!(lab.revisions().await, 9, "nothing goes before every retry that may want it");
    lab.run(&mut engine, Duration::from_secs(27 * 3600)).await;
    assert_eq!(lab.revisions().await, 5, "the newest five are kept");
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"], json!(["img:8"]));
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_s_tag_leaves_the_job_alone() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.apply().await;
    let arn = "arn:aws:events:eu-central-1:123456789012:rule/etl-a";
    let tags = json!([{"Key": "ecs-etl/reconcile", "Value": "disabled"}]);
    lab.events("TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    lab.calls();
    assert_eq!(lab.apply().await.reason("a"), Reason::ReconcileDisabled);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_never_came_to_be_keeps_its_status_while_its_file_cannot_be_read() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 3 * * *"))]);
    lab.conduct(|call, request| {
        let is_a = call.operation == "ecs:RegisterTaskDefinition"
            && String::from_utf8_lossy(&request.body).contains("\"etl-a\"");
        if is_a { Fault::refused(Reply::error(400, "AccessDeniedException", "no")) } else { Fault::none() }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert_eq!(reason(&engine, "a"), Reason::AccessDenied);
    lab.write("a.yaml", "apiVersion: ecs-etl/v1\nkind: [");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(4000)).await;
    assert_eq!(reason(&engine, "a"), Reason::PruningBlocked);
    lab.remove("a.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert!(!engine.reporter.jobs().contains_key("a"));
}
