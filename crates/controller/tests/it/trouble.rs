//! AWS answering slowly, with garbage, with a throttle, with 500, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::status::JobStatus;

use crate::lab::{Lab, OTHER, goes_there, job, mutates, reason, there};

fn answer(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
    Fault::refused(Reply { status, headers, body: body.as_bytes().to_vec() })
}

fn never() -> Fault {
    Fault { answer: Conduct::Never, ..Fault::none() }
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
    check(never(), &[Reason::AwsUnavailable]).await;
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
    lab.write("other.yaml", OTHER);
    lab.write("b.yaml", &there(&job("b", "img:1", "0 2 * * *")));
    lab.conduct(|_, request| if goes_there(request) { never() } else { Fault::none() });
    let mut engine = lab.engine(Mode::Daemon).await;
    // A job that seems to be new may have moved from there: it waits for the first answer, or for its failing to come.
    lab.run(&mut engine, Duration::from_secs(20)).await;
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

/// What was made without an answer goes as well when the job's words change before the next try.
async fn leaves_nothing_behind(words: &str, operation: &'static str) {
    let list = job("a", "img:1", "0 2 * * *").replace("schedule: \"0 2 * * *\"", words);
    let lab = Lab::new(&[("a", list)]);
    lab.conduct(move |call, _| if call.operation == operation { Fault::lost_answer() } else { Fault::none() });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_millis(500)).await;
    assert_eq!(reason(&engine, "a"), Reason::AwsUnavailable);
    assert_eq!(lab.schedules().await.len() + lab.in_scheduler().await.len(), 1, "it was made all the same");
    lab.calm();
    lab.write("a.yaml", &job("a", "img:1", "0 4 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(5)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
    assert_eq!(lab.schedules().await.into_keys().collect::<Vec<_>>(), ["etl-a"]);
    assert!(lab.in_scheduler().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rule_made_without_an_answer_goes_with_the_words_that_wanted_it() {
    leaves_nothing_behind("schedule: [\"0 2 * * *\", \"0 3 * * *\"]", "events:PutRule").await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_made_without_an_answer_goes_with_the_words_that_wanted_it() {
    let zoned = "schedule: [\"0 2 * * *\", \"0 3 * * *\"]\n  timeZone: Asia/Tokyo";
    leaves_nothing_behind(zoned, "scheduler:CreateSchedule").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_comes_while_its_region_does_not_answer_says_what_it_waits_for() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    lab.write("other.yaml", OTHER);
    lab.conduct(|_, request| if goes_there(request) { never() } else { Fault::none() });
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(100)).await;
    lab.write("b.yaml", &there(&job("b", "img:1", "0 2 * * *")));
    engine.take_manifests(lab.manifests(), "none");
    assert_eq!(reason(&engine, "b"), Reason::AwsUnavailable);
    let retry = engine.reporter.jobs()["b"].status.retry.clone();
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(400)).await;
    assert!(retry.is_some(), "and when that is tried again");
    assert_eq!(reason(&engine, "b"), Reason::Converged);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_of_a_region_that_does_not_answer_take_no_worker_from_the_others() {
    let lab = Lab::new(&[("z", job("z", "img:1", "0 2 * * *"))]);
    lab.write("other.yaml", OTHER);
    for index in 0..60 {
        lab.write(&format!("b-{index}.yaml"), &there(&job(&format!("b-{index}"), "img:1", "0 2 * * *")));
    }
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.conduct(|_, request| if goes_there(request) { never() } else { Fault::none() });
    lab.write("other.yaml", &OTHER.replace("memory: 64", "memory: 128"));
    lab.write("z.yaml", &job("z", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(lab.schedules().await["etl-z"]["targets"][0]["images"][0], "img:2");
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(2000)).await;
    assert!(engine.reporter.jobs().values().all(JobStatus::is_ready), "every one had its turn");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_is_said_and_its_job_tried_again() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let panics = Arc::new(AtomicBool::new(false));
    let mut engine = lab.engine_that_panics(Mode::Daemon, Arc::clone(&panics)).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
    panics.store(true, Ordering::SeqCst);
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "a"), Reason::PlanRefused);
    panics.store(false, Ordering::SeqCst);
    lab.run(&mut engine, Duration::from_secs(1000)).await;
    assert_eq!(reason(&engine, "a"), Reason::Converged);
}

/// Each write of an edit that may tag something takes effect, and nobody is told; then the edit is taken back.
#[tokio::test(start_paused = true)]
async fn tags_that_went_or_came_without_an_answer_are_not_taken_for_what_they_were() {
    let labelled = |labels: &str| {
        job("a", "img:1", "0 2 * * *").replace("{name: a}", &format!("{{name: a, labels: {{{labels}}}}}"))
    };
    let (before, after) = (labelled("owner: x"), labelled("team: y"));
    for operation in ["ecs:TagResource", "ecs:UntagResource", "events:TagResource", "events:UntagResource"] {
        let lab = Lab::new(&[("a", before.clone())]);
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(60)).await;
        let as_it_was = lab.tags("etl-a").await;

        let suffered = Arc::new(AtomicBool::new(false));
        let met = Arc::clone(&suffered);
        lab.conduct(move |call, _| {
            if call.operation != operation {
                return Fault::none();
            }
            met.store(true, Ordering::Relaxed);
            Fault { answer: Conduct::ConnectionReset, ..Fault::none() }
        });
        lab.write("a.yaml", &after);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_millis(100)).await;
        assert!(suffered.load(Ordering::Relaxed), "{operation}");

        lab.calm();
        lab.write("a.yaml", &before);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(60)).await;
        assert_eq!(reason(&engine, "a"), Reason::Converged, "{operation}");
        assert_eq!(lab.tags("etl-a").await, as_it_was, "{operation}");
    }
}
