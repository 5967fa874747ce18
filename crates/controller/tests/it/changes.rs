//! `maxChanges`: how many existing jobs may change in one pass.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_plan::condition::Reason;

use crate::lab::{BASE, Lab, OTHER, counts, goes_there, job, reason, there};

fn three() -> Lab {
    let lab = Lab::new(&["a", "b", "c"].map(|name| (name, job(name, "img:1", "0 2 * * *"))));
    lab.write("base.yaml", &limited());
    lab
}

/// The base, with two changes allowed.
fn limited() -> String {
    BASE.replacen("spec: {", "spec: {maxChanges: 2, ", 1)
}

#[tokio::test(start_paused = true)]
async fn what_maxchanges_holds_is_released_by_its_digest() {
    let jobs = ["a", "b", "c"].map(|name| (name, job(name, "img:1", "0 2 * * *")));
    let lab = Lab::new(&jobs);
    lab.apply().await;
    let base = BASE.replacen("spec: {", "spec: {maxChanges: 2, ", 1);
    lab.write("base.yaml", &base.replace("memory: 64", "memory: 128"));
    lab.calls();
    let pass = lab.apply().await;
    assert_eq!(pass.reason("a"), Reason::ChangesHeld);
    assert_eq!(lab.writes(), counts([]));
    let digest = pass.engine.reporter.held[0].digest.clone();
    let base = base.replacen("spec: {", &format!("spec: {{approved: \"{digest}\", "), 1);
    lab.write("base.yaml", &base.replace("memory: 64", "memory: 128"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!(lab.writes(), counts([("ecs:RegisterTaskDefinition", 3), ("events:PutTargets", 3)]));
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_one_job_waits_for_no_other() {
    let lab = three();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"][0], "img:2");
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_waits_for_a_job_which_goes_is_counted_without_it() {
    let lab = three();
    lab.write("other.yaml", OTHER);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.conduct(
        |_, request| {
            if goes_there(request) { Fault { answer: Conduct::Never, ..Fault::none() } } else { Fault::none() }
        },
    );
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    lab.write("far.yaml", &there(&job("far", "img:1", "0 2 * * *")));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "a"), Reason::Progressing);
    lab.remove("far.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(5)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_costs_no_calls_and_another_edit_does_not_release_it() {
    let lab = three();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("base.yaml", &limited().replace("memory: 64", "memory: 128"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(5)).await;
    assert_eq!(reason(&engine, "b"), Reason::ChangesHeld);
    lab.calls();
    lab.run(&mut engine, Duration::from_secs(300)).await;
    assert_eq!(lab.calls(), counts([]), "held jobs wait for a person, not for the next tick");
    lab.write("d.yaml", &job("d", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(reason(&engine, "d"), Reason::Converged, "creations are not counted");
    assert_eq!(reason(&engine, "b"), Reason::ChangesHeld);
    let digest = engine.reporter.held[0].digest.clone();
    let approved = limited().replacen("spec: {", &format!("spec: {{approved: \"{digest}\", "), 1);
    lab.write("base.yaml", &approved.replace("memory: 64", "memory: 128"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(20)).await;
    assert!(["a", "b", "c"].iter().all(|name| reason(&engine, name) == Reason::Converged));
    assert!(engine.reporter.held.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_answer_keeps_no_change_waiting_for_the_count() {
    let lab = three();
    lab.write("other.yaml", OTHER);
    lab.write("d.yaml", &there(&job("d", "img:1", "0 2 * * *")));
    lab.apply().await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    lab.conduct(
        |_, request| {
            if goes_there(request) { Fault { answer: Conduct::Never, ..Fault::none() } } else { Fault::none() }
        },
    );
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"][0], "img:2");
}
