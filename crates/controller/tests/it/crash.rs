//! Killed at any instant and started anew with nothing local, it ends in the same state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_controller::once;
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_emulator::{Reply, Settings};
use jiff::SignedDuration;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::lab::{Lab, counts, job, mutates};

/// A story: the directory before, and an edit of it.
struct Story {
    name: &'static str,
    before: Vec<(&'static str, String)>,
    edit: fn(&Lab),
    prune: bool,
}

fn stories() -> Vec<Story> {
    let a = |image: &str| job("a", image, "0 2 * * *");
    let list = |expressions: &str| a("img:1").replace("\"0 2 * * *\"", expressions);
    vec![
        Story {
            name: "create",
            before: vec![],
            edit: |lab| lab.write("a.yaml", &job("a", "img:1", "0 2 * * *")),
            prune: false,
        },
        Story {
            name: "image",
            before: vec![("a", a("img:1"))],
            edit: |lab| lab.write("a.yaml", &job("a", "img:2", "0 2 * * *")),
            prune: false,
        },
        Story {
            name: "schedules",
            before: vec![("a", list("[\"0 2 * * *\", \"0 3 * * *\"]"))],
            edit: |lab| {
                let text = job("a", "img:2", "X").replace("\"X\"", "[\"0 3 * * *\", \"0 4 * * *\"]");
                lab.write("a.yaml", &text);
            },
            prune: false,
        },
        Story {
            name: "rename",
            before: vec![("a", a("img:1"))],
            edit: |lab| {
                lab.remove("a.yaml");
                let text = job("b", "img:1", "0 2 * * *")
                    .replace("{name: b}", "{name: b, annotations: {ecs-etl/moved-from: a}}");
                lab.write("b.yaml", &text);
            },
            prune: false,
        },
        Story {
            name: "scheduler",
            before: vec![],
            edit: |lab| {
                lab.write("a.yaml", &job("a", "img:1", "0 2 * * *").replace("spec:", "spec:\n  timeZone: Asia/Tokyo"))
            },
            prune: false,
        },
        Story {
            name: "to scheduler",
            before: vec![("a", a("img:1"))],
            edit: |lab| {
                lab.write("a.yaml", &job("a", "img:2", "0 2 * * *").replace("spec:", "spec:\n  timeZone: Asia/Tokyo"))
            },
            prune: false,
        },
        Story {
            name: "from scheduler",
            before: vec![("a", a("img:1").replace("spec:", "spec:\n  timeZone: Asia/Tokyo"))],
            edit: |lab| lab.write("a.yaml", &job("a", "img:1", "0 2 * * *")),
            prune: false,
        },
        Story {
            name: "removal from scheduler",
            before: vec![
                ("a", a("img:1").replace("spec:", "spec:\n  timeZone: Asia/Tokyo")),
                ("b", job("b", "img:1", "0 5 * * *")),
            ],
            edit: |lab| lab.remove("a.yaml"),
            prune: true,
        },
        Story {
            name: "removal",
            before: vec![("a", a("img:1")), ("b", job("b", "img:1", "0 5 * * *"))],
            edit: |lab| lab.remove("a.yaml"),
            prune: true,
        },
    ]
}

async fn set_up(story: &Story) -> Lab {
    let lab = Lab::new(&story.before);
    lab.apply().await;
    (story.edit)(&lab);
    lab.calls();
    lab
}

async fn pass(lab: &Lab, prune: bool) {
    let pass = if prune { lab.prune().await } else { lab.apply().await };
    assert!(pass.whole);
}

/// All that is scheduled, by rules and by EventBridge Scheduler.
async fn scheduled(lab: &Lab) -> BTreeMap<String, Value> {
    let mut all = lab.schedules().await;
    all.extend(lab.in_scheduler().await);
    all
}

/// What a story leads to without any fault: the schedules, how many revisions, how many calls.
async fn undisturbed(story: &Story) -> (BTreeMap<String, Value>, usize, u64) {
    let lab = set_up(story).await;
    let before = lab.sent();
    pass(&lab, story.prune).await;
    let calls = lab.sent() - before;
    (scheduled(&lab).await, lab.revisions().await, calls)
}

/// Ends in the undisturbed state, with at most `spare` revisions more, and then in silence.
async fn ends_well(lab: &Lab, story: &Story, expected: &BTreeMap<String, Value>, revisions: usize, what: &str) {
    lab.calm();
    pass(lab, story.prune).await;
    assert_eq!(&scheduled(lab).await, expected, "{} {what}", story.name);
    assert_eq!(lab.revisions().await, revisions, "{} {what}: revisions", story.name);
    lab.calls();
    pass(lab, story.prune).await;
    assert_eq!(lab.writes(), counts([]), "{} {what}: silence", story.name);
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_call_it_ends_as_if_nothing_had_happened() {
    for story in stories() {
        let (expected, revisions, calls) = undisturbed(&story).await;
        for last in 0..calls {
            let lab = set_up(&story).await;
            let first = lab.sent();
            // The call takes effect, its answer never comes, and the process dies waiting for it.
            lab.conduct(move |call, _| match call.sequence >= first + last {
                true => Fault { answer: Conduct::Never, effect: call.sequence == first + last, ..Fault::none() },
                false => Fault::none(),
            });
            let dying = async { if story.prune { lab.prune().await } else { lab.apply().await } };
            let died = tokio::time::timeout(Duration::from_secs(2), dying).await;
            assert!(died.is_err(), "{} ended before call {last}", story.name);
            ends_well(&lab, &story, &expected, revisions, &format!("killed after call {last}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_worked_but_was_reported_as_failed_adds_nothing() {
    for story in stories() {
        let (expected, revisions, _) = undisturbed(&story).await;
        for nth in 0.. {
            for fault in [Fault::lost_answer(), internal_error()] {
                let lab = set_up(&story).await;
                let seen = Arc::new(AtomicU64::new(0));
                let count = Arc::clone(&seen);
                lab.conduct(move |call, _| {
                    let is_nth = mutates(&call.operation) && count.fetch_add(1, Ordering::SeqCst) == nth;
                    if is_nth { fault.clone() } else { Fault::none() }
                });
                let mut engine = lab.engine(Mode::OnePass).await;
                engine.skip_grace(story.prune);
                let stop = CancellationToken::new();
                once::settle(&mut engine, &stop, &mut |_| {}).await;
                if story.prune {
                    once::prune(&mut engine, &stop, &mut |_| {}, true).await;
                }
                ends_well(&lab, &story, &expected, revisions, &format!("write {nth} reported as failed")).await;
                if seen.load(Ordering::SeqCst) <= nth {
                    break;
                }
            }
            if nth > 12 {
                break;
            }
        }
    }
}

/// The request takes effect, and AWS answers that it failed.
fn internal_error() -> Fault {
    let body = br#"{"__type":"InternalException","message":"try again"}"#.to_vec();
    let reply =
        Reply { status: 500, headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())], body };
    Fault { answer: Conduct::Reply(reply), ..Fault::none() }
}

/// What the earlier process did is in its status files, and not in the lists yet: by those alone, the job would be as it should be.
#[tokio::test(start_paused = true)]
async fn what_was_written_just_before_the_end_is_known_however_far_the_lists_are_behind() {
    let late = SignedDuration::from_secs(10);
    let lists_are_late = Settings { list_lag: late, ..Settings::default() };
    let before = job("a", "img:1", "0 2 * * *");
    let suspended = before.replace("  cluster:", "  suspend: true\n  cluster:");
    for after in [job("a", "img:1", "0 5 * * *"), suspended] {
        let lab = Lab::of(&[("a", before.clone())], lists_are_late.clone());
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(60)).await;
        let as_it_was = lab.rule("etl-a").await;

        lab.write("a.yaml", &after);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(1)).await;
        assert_ne!(lab.rule("etl-a").await, as_it_was, "{after}");

        lab.write("a.yaml", &before);
        let mut engine = lab.engine_resuming(Mode::Daemon, engine).await;
        lab.run(&mut engine, Duration::from_secs(5)).await;
        assert_eq!(lab.rule("etl-a").await, as_it_was, "{after}");
    }
}
