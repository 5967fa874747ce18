//! The directory changes while a worker is busy with what it said before.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use serde_json::json;

use crate::lab::{Lab, counts, job, reason};

const SLOW: Duration = Duration::from_secs(5);

/// Five jobs, of which `a` has been gone for nearly its grace.
async fn leaving() -> (Lab, ecs_etl_controller::engine::Engine) {
    let names = ["a", "b", "c", "d", "e"];
    let lab = Lab::new(&names.map(|name| (name, job(name, "img:1", "0 2 * * *"))));
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.remove("a.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(280)).await;
    assert_eq!(reason(&engine, "a"), Reason::PendingDeletion);
    lab.calls();
    (lab, engine)
}

/// Runs until this operation was sent.
async fn until(lab: &Lab, engine: &mut ecs_etl_controller::engine::Engine, operation: &str) {
    for _ in 0..600 {
        lab.run(engine, Duration::from_millis(100)).await;
        if lab.calls().contains_key(operation) {
            return;
        }
    }
    panic!("{operation} was never sent");
}

#[tokio::test(start_paused = true)]
async fn a_manifest_that_comes_back_before_the_first_write_of_its_removal_stops_it() {
    let (lab, mut engine) = leaving().await;
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:ListTargetsByRule" => Fault { before: SLOW, ..Fault::none() },
        _ => Fault::none(),
    });
    until(&lab, &mut engine, "events:ListTargetsByRule").await;
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_breaks_before_the_first_write_of_a_removal_stops_it() {
    let (lab, mut engine) = leaving().await;
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:ListTargetsByRule" => Fault { before: SLOW, ..Fault::none() },
        _ => Fault::none(),
    });
    until(&lab, &mut engine, "events:ListTargetsByRule").await;
    lab.write("a.yaml", "apiVersion: ecs-etl/v1\nkind: [");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(reason(&engine, "a"), Reason::PruningBlocked);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_manifest_comes_back_in_the_midst_of_its_removal_is_made_anew() {
    let (lab, mut engine) = leaving().await;
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:RemoveTargets" | "events:DeleteRule" => Fault { before: SLOW, ..Fault::none() },
        _ => Fault::none(),
    });
    until(&lab, &mut engine, "events:RemoveTargets").await;
    lab.write("a.yaml", &job("a", "img:1", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(30)).await;
    let schedules = lab.schedules().await;
    assert_eq!(schedules["etl-a"]["targets"][0]["images"][0], "img:1");
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_not_ready_for_a_spec_that_came_while_the_old_one_was_written() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:PutTargets" => Fault { before: SLOW, ..Fault::none() },
        _ => Fault::none(),
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    until(&lab, &mut engine, "events:PutTargets").await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    while !engine.reporter.jobs().get("a").is_some_and(ecs_etl_plan::status::JobStatus::is_ready) {
        engine.turn().await;
    }
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"][0], "img:2");
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_deleted_just_before_it_is_written_over_is_made_anew_as_ours() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:PutRule" => Fault { before: SLOW, ..Fault::none() },
        _ => Fault::none(),
    });
    lab.calls();
    lab.write("a.yaml", &job("a", "img:1", "0 3 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    until(&lab, &mut engine, "events:PutRule").await;
    lab.events("RemoveTargets", json!({"Rule": "etl-a", "Ids": ["ecs-etl"]})).await;
    lab.events("DeleteRule", json!({"Name": "etl-a"})).await;
    lab.run(&mut engine, Duration::from_hours(2)).await;
    assert_eq!(lab.schedules().await["etl-a"]["targets"][0]["images"][0], "img:1");
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}
