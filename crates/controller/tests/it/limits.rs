//! Inside AWS's limits: who waits says so and until when, costs nothing while it waits, and is served in its turn.

use std::time::Duration;

use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::status::{ConditionType, JobStatus};
use jiff::{SignedDuration, Timestamp};

use crate::lab::{Lab, START, job, reason};

const N: usize = 40;

fn name(index: usize) -> String {
    format!("job-{index:02}")
}

fn lab() -> Lab {
    let jobs: Vec<(String, String)> = (0..N).map(|i| (name(i), job(&name(i), "img:1", "0 2 * * *"))).collect();
    let jobs: Vec<(&str, String)> = jobs.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    Lab::new(&jobs)
}

fn status<'a>(engine: &'a Engine, job: &str) -> &'a JobStatus {
    engine.reporter.jobs().get(job).unwrap()
}

fn seconds(from: &str, seconds: i64) -> Timestamp {
    from.parse::<Timestamp>().unwrap().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_waits_says_for_what_and_until_when_and_that_comes_true() {
    let lab = lab();
    let mut engine = lab.engine_with_limits(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(5)).await;
    // Half a registration a second: number 30 has its turn after a minute.
    let waiting = status(&engine, &name(30));
    assert_eq!(reason(&engine, &name(30)), Reason::WaitingForCallBudget);
    let reconciling = waiting.condition(ConditionType::Reconciling).unwrap();
    let next = waiting.status.retry.as_ref().unwrap().next_at;
    assert!((seconds(START, 58)..=seconds(START, 64)).contains(&next), "{next}");
    let told = format!("the budget of task definition writes is used up for now; its turn is expected at {next}");
    assert_eq!(reconciling.message, told);
    lab.run(&mut engine, Duration::from_secs(53)).await;
    assert_eq!(reason(&engine, &name(30)), Reason::WaitingForCallBudget, "its turn has not come");
    lab.run(&mut engine, Duration::from_secs(8)).await;
    assert_eq!(reason(&engine, &name(30)), Reason::Converged);
    lab.run(&mut engine, Duration::from_secs(20)).await;
    assert!((0..N).all(|i| reason(&engine, &name(i)) == Reason::Converged));
}

#[tokio::test(start_paused = true)]
async fn waiting_costs_no_call() {
    let lab = lab();
    let mut engine = lab.engine_with_limits(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(5)).await;
    let early = lab.calls();
    let looked_at = early["events:DescribeRule"];
    assert!(looked_at <= 8, "jobs far back in the line were read before their turn: {early:?}");
    lab.run(&mut engine, Duration::from_secs(90)).await;
    let calls = lab.calls();
    assert_eq!(early["ecs:RegisterTaskDefinition"] + calls["ecs:RegisterTaskDefinition"], N as u64);
    let looks = looked_at + calls["events:DescribeRule"];
    assert!(looks <= N as u64 + 8, "each is read once, when its turn comes: {looks}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_goes_before_the_creations_that_wait() {
    let lab = lab();
    lab.apply().await;
    for i in 0..N {
        lab.write(&format!("new-{i}.yaml"), &job(&format!("new-{i:02}"), "img:1", "0 3 * * *"));
    }
    let mut engine = lab.engine_with_limits(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(15)).await;
    assert_eq!(reason(&engine, "new-39"), Reason::WaitingForCallBudget);
    lab.write("job-07.yaml", &job("job-07", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(6)).await;
    assert_eq!(reason(&engine, "job-07"), Reason::Converged);
    assert!(status(&engine, "job-07").status.last_change.is_some());
    assert_eq!(reason(&engine, "new-39"), Reason::WaitingForCallBudget);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_and_is_edited_is_looked_at_for_what_it_says_now() {
    let lab = lab();
    let mut engine = lab.engine_with_limits(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(5)).await;
    assert_eq!(reason(&engine, &name(39)), Reason::WaitingForCallBudget);
    lab.remove(&format!("{}.yaml", name(39)));
    lab.write("job-38.yaml", &job("job-38", "img:9", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(90)).await;
    assert_eq!(lab.revisions().await, N - 1, "who is gone took nothing");
    let schedules = lab.schedules().await;
    assert_eq!(schedules["etl-job-38"]["targets"][0]["images"][0], "img:9");
}
