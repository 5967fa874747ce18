//! AWS answering slowly, with garbage, with a throttle, with 500, or not at all.

use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_plan::condition::Reason;

use crate::lab::{Lab, counts, job, mutates, reason};

fn answer(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
    Fault::refused(Reply { status, headers, body: body.as_bytes().to_vec() })
}

/// Every request meets this fault for ten minutes: the status says so, nothing is lost, and then it converges.
async fn check(fault: Fault, during: &[Reason]) {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.conduct(move |_, _| fault.clone());
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(600)).await;
    assert!(during.contains(&reason(&engine, "a")), "{:?}", reason(&engine, "a"));
    let tries: u64 = lab.calls().values().sum();
    assert!((2..200).contains(&tries), "{tries} calls in ten minutes: it backs off");
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(1000)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
    assert_eq!(lab.schedules().await.len(), 1);
    assert_eq!(lab.revisions().await, 1);
}

#[tokio::test(start_paused = true)]
async fn it_survives_no_answer_at_all() {
    check(Fault { answer: Conduct::Never, ..Fault::none() }, &[Reason::AwsUnavailable]).await;
}

#[tokio::test(start_paused = true)]
async fn it_survives_connections_that_break() {
    check(Fault::lost_request(), &[Reason::AwsUnavailable]).await;
}

#[tokio::test(start_paused = true)]
async fn it_survives_garbage() {
    check(answer(200, "<html>not aws</html>"), &[Reason::AwsUnavailable]).await;
}

#[tokio::test(start_paused = true)]
async fn it_survives_server_errors() {
    check(answer(500, r#"{"__type":"InternalException","message":"m"}"#), &[Reason::AwsUnavailable]).await;
}

#[tokio::test(start_paused = true)]
async fn it_survives_throttles() {
    let throttle = answer(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    check(throttle, &[Reason::Throttled]).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_entry_in_an_answer_of_200_is_a_failure() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.conduct(|call, _| match call.operation.as_str() {
        "events:PutTargets" => answer(
            200,
            r#"{"FailedEntryCount":1,"FailedEntries":[{"TargetId":"ecs-etl","ErrorCode":"AccessDeniedException","ErrorMessage":"no"}]}"#,
        ),
        _ => Fault::none(),
    });
    let pass = lab.apply().await;
    assert_eq!(pass.reason("a"), Reason::AccessDenied);
    let status = &pass.engine.reporter.jobs()["a"];
    assert!(status.status.conditions[0].message.contains("AccessDeniedException"), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn one_failing_job_delays_no_other() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), ("b", job("b", "img:1", "0 2 * * *"))]);
    lab.conduct(|call, request| {
        let about_a = String::from_utf8_lossy(&request.body).contains("etl-a");
        if mutates(&call.operation) && about_a {
            Fault { answer: Conduct::Never, effect: false, ..Fault::none() }
        } else {
            Fault::none()
        }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "b"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn one_failing_region_delays_no_other() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.write(
        "other.yaml",
        "apiVersion: ecs-etl/v1\nkind: EtlCluster\nmetadata: {name: other}\nspec: {region: us-east-1, eventsRoleArn: events}\n",
    );
    lab.write(
        "b.yaml",
        &job("b", "img:1", "0 2 * * *")
            .replace("cluster: main", "cluster: other")
            .replace("img:1\"", "img:1\", memory: 64"),
    );
    lab.conduct(|_, request| {
        let there = request.headers.iter().any(|(_, value)| value.contains("/us-east-1/"));
        if there { Fault { answer: Conduct::Never, ..Fault::none() } } else { Fault::none() }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(3)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
    lab.run(&mut engine, Duration::from_secs(100)).await;
    assert_eq!(reason(&engine, "b"), Reason::AwsUnavailable);
}

#[tokio::test(start_paused = true)]
async fn a_new_spec_is_tried_at_once_whatever_became_of_the_old_one() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let refused = r#"{"__type":"ClientException","message":"Invalid setting for container"}"#;
    lab.conduct(move |call, request| {
        let bad = String::from_utf8_lossy(&request.body).contains("img:1");
        if call.operation == "ecs:RegisterTaskDefinition" && bad { answer(400, refused) } else { Fault::none() }
    });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(3000)).await;
    assert_eq!(reason(&engine, "a"), Reason::RejectedByAws);
    assert_eq!(lab.calls()["ecs:RegisterTaskDefinition"], 1, "a refusal is not tried again by every resync");
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn what_maxchanges_holds_is_released_by_its_digest() {
    let jobs = ["a", "b", "c"].map(|name| (name, job(name, "img:1", "0 2 * * *")));
    let lab = Lab::new(&jobs);
    lab.apply().await;
    let base = crate::lab::BASE.replacen("spec: {", "spec: {maxChanges: 2, ", 1);
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
