//! The most dangerous thing the program does.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecs_etl_controller::engine::Mode;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::selector::Selector;
use ecs_etl_controller::status::{StatusSink, StatusWriteError};
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::status::{ControllerStatus, JobStatus};
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;
use serde_json::json;

use crate::lab::{BASE, Lab, counts, job, reason};

fn five() -> Vec<(&'static str, String)> {
    ["a", "b", "c", "d", "e"].into_iter().map(|name| (name, job(name, "img:1", "0 2 * * *"))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_after_the_grace_period_and_not_before() {
    let lab = Lab::new(&five());
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.remove("a.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(280)).await;
    assert!(lab.schedules().await.contains_key("etl-a"));
    assert_eq!(reason(&engine, "a"), Reason::PendingDeletion);
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert!(!lab.schedules().await.contains_key("etl-a"));
    assert_eq!(lab.schedules().await.len(), 4);
    assert!(!engine.reporter.jobs().contains_key("a"));
}

#[tokio::test(start_paused = true)]
async fn no_grace_is_over_because_the_clock_was_set() {
    for hours in [30, -30] {
        let lab = Lab::new(&five());
        let off = Arc::new(AtomicI64::new(0));
        let mut engine = lab.engine_whose_clock_is_off(Mode::Daemon, Arc::clone(&off)).await;
        lab.run(&mut engine, Duration::from_secs(30)).await;
        lab.remove("a.yaml");
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(100)).await;
        off.store(hours * 3600, Ordering::SeqCst);
        lab.run(&mut engine, Duration::from_secs(180)).await;
        assert!(lab.schedules().await.contains_key("etl-a"), "the clock was set by {hours} hours");
        lab.run(&mut engine, Duration::from_secs(60)).await;
        assert!(!lab.schedules().await.contains_key("etl-a"), "the clock was set by {hours} hours");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_manifest_goes_says_so_at_once() {
    let lab = Lab::new(&five());
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(3)).await;
    lab.remove("a.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(2)).await;
    assert_eq!(reason(&engine, "a"), Reason::PendingDeletion);
}

#[tokio::test(start_paused = true)]
async fn what_a_tag_kept_goes_soon_after_the_tag() {
    let arn = "arn:aws:events:eu-central-1:123456789012:rule/etl-a";
    let lab = Lab::new(&five());
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    let pause = json!([{"Key": "ecs-etl/reconcile", "Value": "disabled"}]);
    lab.events("TagResource", json!({"ResourceARN": arn, "Tags": pause})).await;
    lab.remove("a.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(400)).await;
    assert_eq!(reason(&engine, "a"), Reason::ReconcileDisabled);
    lab.run(&mut engine, Duration::from_secs(1400)).await;
    assert!(lab.schedules().await.contains_key("etl-a"));
    lab.events("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["ecs-etl/reconcile"]})).await;
    // The grace period begins when nobody keeps it any more.
    lab.run(&mut engine, Duration::from_secs(1400)).await;
    assert!(!lab.schedules().await.contains_key("etl-a"));
}

#[tokio::test(start_paused = true)]
async fn a_restart_begins_the_grace_anew() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    for _ in 0..3 {
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(200)).await;
    }
    assert!(lab.schedules().await.contains_key("etl-a"));
}

#[tokio::test(start_paused = true)]
async fn an_emptied_directory_deletes_nothing() {
    let lab = Lab::new(&five());
    lab.apply().await;
    for (name, _) in five() {
        lab.remove(&format!("{name}.yaml"));
    }
    lab.calls();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(4000)).await;
    assert_eq!(lab.prune().await.reason("a"), Reason::PruningBlocked);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_does_not_parse_blocks_every_deletion() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    lab.write("b.yaml", "kind: EtlJob\n  metadata: [");
    lab.calls();
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(4000)).await;
    lab.prune().await;
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn more_than_the_cap_is_held_as_a_set_until_its_digest_is_approved() {
    let lab = Lab::new(&five());
    lab.apply().await;
    for name in ["a", "b", "c"] {
        lab.remove(&format!("{name}.yaml"));
    }
    lab.calls();
    let pass = lab.prune().await;
    assert_eq!(lab.writes(), counts([]));
    assert_eq!(pass.reason("a"), Reason::DeletionHeld);
    let held = pass.engine.reporter.held[0].clone();
    assert_eq!(held.jobs, ["a", "b", "c"]);
    let approved = format!("spec: {{approved: \"{}\", ", held.digest);
    lab.write("base.yaml", &BASE.replacen("spec: {", &approved, 1));
    let pass = lab.prune().await;
    assert_eq!(pass.engine.removed().len(), 3);
    assert_eq!(lab.schedules().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn selecting_one_job_deletes_no_other() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    lab.calls();
    let selector = Selector { jobs: [JobName::new("b").unwrap()].into(), ..Selector::default() };
    let mut engine = lab.engine_for(Mode::OnePass, selector).await;
    engine.skip_grace(true);
    let stop = tokio_util::sync::CancellationToken::new();
    ecs_etl_controller::once::settle(&mut engine, &stop, &mut |_| {}).await;
    ecs_etl_controller::once::prune(&mut engine, &stop, &mut |_| {}, true).await;
    assert_eq!(lab.writes(), counts([]));
    assert!(engine.reporter.jobs().contains_key("b") && !engine.reporter.jobs().contains_key("c"));
}

#[tokio::test(start_paused = true)]
async fn a_draining_cluster_loses_its_jobs_even_the_last_one() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("base.yaml", &BASE.replace("  region:", "  drain: true\n  region:"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert!(lab.schedules().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_renamed_as_its_cluster_drains_goes_too() {
    let lab = Lab::new(&[("a", job("a", "img:1", "0 2 * * *"))]);
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(30)).await;
    lab.write("base.yaml", &BASE.replace("  region:", "  drain: true\n  region:"));
    lab.remove("a.yaml");
    let renamed = job("b", "img:1", "0 2 * * *");
    lab.write("b.yaml", &renamed.replace("{name: b}", "{name: b, annotations: {ecs-etl/moved-from: a}}"));
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(60)).await;
    assert!(lab.schedules().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_retained_job_stays_when_its_manifest_goes() {
    let mut jobs = five();
    jobs[0].1 = jobs[0].1.replace("spec:\n", "spec:\n  deletionPolicy: Retain\n");
    let lab = Lab::new(&jobs);
    lab.apply().await;
    lab.remove("a.yaml");
    lab.calls();
    assert_eq!(lab.prune().await.reason("a"), Reason::Retained);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn a_job_of_another_source_is_reported_and_stays() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    lab.write("base.yaml", &BASE.replace("lab/manifests", "other/manifests"));
    lab.apply().await;
    lab.calls();
    assert_eq!(lab.prune().await.reason("a"), Reason::OtherSource);
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn the_hourly_cap_survives_a_restart() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    lab.remove("b.yaml");
    lab.prune().await;
    assert_eq!(lab.schedules().await.len(), 3, "a quarter of five, rounded up, may go");
    lab.remove("c.yaml");
    assert_eq!(lab.prune().await.reason("c"), Reason::DeletionHeld);
    assert_eq!(lab.schedules().await.len(), 3);
    tokio::time::advance(Duration::from_secs(3700)).await;
    lab.prune().await;
    assert_eq!(lab.schedules().await.len(), 2, "an hour later there is room again");
}

#[tokio::test(start_paused = true)]
async fn what_another_replica_removed_counts_towards_the_hourly_cap() {
    let lab = Lab::new(&five());
    lab.apply().await;
    let mut ours = lab.engine(Mode::Daemon).await;
    lab.run(&mut ours, Duration::from_secs(30)).await;
    lab.remove("a.yaml");
    lab.remove("b.yaml");
    let mut theirs = lab.engine(Mode::Daemon).await;
    lab.run(&mut theirs, Duration::from_secs(400)).await;
    assert_eq!(lab.schedules().await.len(), 3, "two of five may go");
    lab.remove("c.yaml");
    ours.take_manifests(lab.manifests(), "none");
    // Long enough to see by a resync that both are gone, and within the hour of their removal.
    lab.run(&mut ours, Duration::from_secs(2400)).await;
    assert!(lab.schedules().await.contains_key("etl-c"));
    assert_eq!(reason(&ours, "c"), Reason::DeletionHeld);
}

#[tokio::test(start_paused = true)]
async fn caps_are_not_judged_before_every_wanted_job_was_looked_at() {
    let mut jobs = five();
    jobs.extend(["f", "g", "h"].map(|name| (name, job(name, "img:1", "0 2 * * *"))));
    let lab = Lab::new(&jobs);
    lab.apply().await;
    lab.remove("a.yaml");
    lab.remove("b.yaml");
    let mut engine = lab.engine(Mode::OnePass).await;
    while !engine.is_idle() {
        engine.turn().await;
        assert!(engine.reporter.held.is_empty(), "two of eight are a quarter: {:?}", engine.reporter.held);
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_that_the_caps_allow_is_not_held_half_way() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    lab.remove("b.yaml");
    lab.conduct(|call, request| {
        let about_b = String::from_utf8_lossy(&request.body).contains("etl-b");
        if call.operation == "events:RemoveTargets" && about_b { Fault::lost_request() } else { Fault::none() }
    });
    lab.prune().await;
    assert_eq!(lab.schedules().await.len(), 4);
    lab.calm();
    lab.prune().await;
    assert_eq!(lab.schedules().await.len(), 3, "two of five may go, whoever was killed in between");
}

#[tokio::test(start_paused = true)]
async fn selecting_one_job_tidies_nothing_that_others_left() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    lab.prune().await;
    tokio::time::advance(Duration::from_secs(26 * 3600)).await;
    lab.calls();
    let selector = Selector { jobs: [JobName::new("b").unwrap()].into(), ..Selector::default() };
    let mut engine = lab.engine_for(Mode::OnePass, selector).await;
    let stop = tokio_util::sync::CancellationToken::new();
    ecs_etl_controller::once::settle(&mut engine, &stop, &mut |_| {}).await;
    ecs_etl_controller::once::prune(&mut engine, &stop, &mut |_| {}, true).await;
    assert_eq!(lab.writes(), counts([]));
    lab.prune().await;
    assert_eq!(lab.writes(), counts([("ecs:DeregisterTaskDefinition", 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_fails_about_the_revisions_of_a_job_that_went_is_named_until_it_works() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.write("a.yaml", &job("a", "img:2", "0 2 * * *"));
    lab.apply().await;
    // Somebody took the rule away, and the mark of what was replaced: both revisions are to be marked.
    lab.remove("a.yaml");
    lab.events("RemoveTargets", json!({"Rule": "etl-a", "Ids": ["ecs-etl"]})).await;
    lab.events("DeleteRule", json!({"Name": "etl-a"})).await;
    let first = "arn:aws:ecs:eu-central-1:123456789012:task-definition/etl-a:1";
    lab.ecs("UntagResource", json!({"resourceArn": first, "tagKeys": ["ecs-etl/retired-at"]})).await;
    let refused = Arc::new(AtomicBool::new(false));
    let refuses = Arc::clone(&refused);
    lab.conduct(move |call, request| {
        let is_it = call.operation == "ecs:TagResource" && String::from_utf8_lossy(&request.body).contains(first);
        refuses.fetch_or(is_it, Ordering::SeqCst);
        if is_it { Fault::refused(Reply::error(400, "AccessDeniedException", "no")) } else { Fault::none() }
    });
    lab.calls();
    let mut engine = lab.engine(Mode::Daemon).await;
    while !refused.load(Ordering::SeqCst) {
        lab.run(&mut engine, Duration::from_millis(200)).await;
    }
    assert_eq!(lab.writes(), counts([("ecs:TagResource", 2)]));
    let problems = engine.reporter.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].about, "clean-up/a/eu-central-1");
    assert!(problems[0].message.contains("TagResource"), "{problems:?}");
    lab.calm();
    lab.run(&mut engine, Duration::from_secs(2 * 3600)).await;
    assert!(engine.reporter.problems().is_empty(), "{:?}", engine.reporter.problems());
    lab.run(&mut engine, Duration::from_secs(26 * 3600)).await;
    assert_eq!(lab.revisions().await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_lost_our_mark_is_not_deregistered_on_old_knowledge() {
    let lab = Lab::new(&five());
    lab.apply().await;
    lab.remove("a.yaml");
    let mut engine = lab.engine(Mode::Daemon).await;
    lab.run(&mut engine, Duration::from_secs(25 * 3600)).await;
    assert_eq!(lab.revisions().await, 5, "the last event may still be retried");
    let arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/etl-a:1";
    lab.ecs("UntagResource", json!({"resourceArn": arn, "tagKeys": ["ecs-etl/controller"]})).await;
    lab.run(&mut engine, Duration::from_secs(2 * 3600)).await;
    assert_eq!(lab.revisions().await, 5);
}

/// A disk that may be full, and the statuses that were removed from it.
#[derive(Debug, Clone, Default)]
struct Disk {
    full: Arc<AtomicBool>,
    refused: Arc<AtomicI64>,
    removed: Arc<Mutex<Vec<String>>>,
}

impl Disk {
    fn room(&self) -> Result<(), StatusWriteError> {
        let path = PathBuf::from("status");
        let refuse = || StatusWriteError::Write { path, source: io::ErrorKind::StorageFull.into() };
        if !self.full.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        Err(refuse())
    }
}

impl StatusSink for Disk {
    fn write_jobs(&mut self, _: &[&JobStatus]) -> Result<(), StatusWriteError> {
        self.room()
    }

    fn remove_job(&mut self, job: &JobName) -> Result<(), StatusWriteError> {
        self.room()?;
        self.removed.lock().unwrap().push(job.as_str().to_owned());
        Ok(())
    }

    fn write_controller(&mut self, _: &ControllerStatus) -> Result<(), StatusWriteError> {
        self.room()
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_a_full_disk_would_not_let_go_goes_once_there_is_room() {
    let lab = Lab::new(&five());
    let disk = Disk::default();
    let mut engine = lab.engine(Mode::Daemon).await;
    let mut publisher =
        Publisher::new(Some(Box::new(disk.clone())), "embedded".to_owned(), ".".to_owned(), Timestamp::UNIX_EPOCH);
    lab.run(&mut engine, Duration::from_secs(30)).await;
    publisher.publish(&mut engine, false);
    lab.remove("a.yaml");
    engine.take_manifests(lab.manifests(), "none");
    lab.run(&mut engine, Duration::from_secs(400)).await;
    assert!(!lab.schedules().await.contains_key("etl-a"));
    disk.full.store(true, Ordering::SeqCst);
    publisher.publish(&mut engine, false);
    disk.full.store(false, Ordering::SeqCst);
    publisher.publish(&mut engine, false);
    assert_eq!(*disk.removed.lock().unwrap(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_tried_a_few_times_a_minute() {
    let lab = Lab::new(&five());
    let disk = Disk::default();
    disk.full.store(true, Ordering::SeqCst);
    let mut engine = lab.engine(Mode::Daemon).await;
    let mut publisher =
        Publisher::new(Some(Box::new(disk.clone())), "embedded".to_owned(), ".".to_owned(), Timestamp::UNIX_EPOCH);
    lab.run(&mut engine, Duration::from_secs(30)).await;
    let begin = tokio::time::Instant::now();
    while begin.elapsed() < Duration::from_secs(60) {
        publisher.due(engine.reporter.has_changed()).await;
        publisher.publish(&mut engine, false);
    }
    let refused = disk.refused.load(Ordering::SeqCst);
    assert!((2..=15).contains(&refused), "{refused} times");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_renamed_to_one_that_cannot_be_used_runs_on_under_its_old_name() {
    let renamed =
        job("b", "img:1", "0 2 * * *").replace("{name: b}", "{name: b, annotations: {ecs-etl/moved-from: a}}");
    let broken = renamed.replace("0 2 * * *", "0 77 * * *");
    // Invalid by itself, or written twice.
    for files in [vec![broken.as_str()], vec![renamed.as_str(), renamed.as_str()]] {
        let others = ["c", "d", "e"].map(|name| (name, job(name, "img:1", "0 2 * * *")));
        let lab =
            Lab::new(&[("a", job("a", "img:1", "0 2 * * *")), others[0].clone(), others[1].clone(), others[2].clone()]);
        let mut engine = lab.engine(Mode::Daemon).await;
        lab.run(&mut engine, Duration::from_secs(30)).await;
        lab.remove("a.yaml");
        for (index, text) in files.iter().enumerate() {
            lab.write(&format!("b-{index}.yaml"), text);
        }
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(7200)).await;
        assert_eq!(lab.schedules().await["etl-a"]["state"], "ENABLED", "{files:?}");
        let status = &engine.reporter.jobs()[&JobName::new("b").unwrap()].status;
        let message = &status.conditions[0].message;
        assert!(message.ends_with("; what runs as `a` stays as it is until then"), "{message}");
        // Mended, it is a rename as any other.
        (0..files.len()).for_each(|index| lab.remove(&format!("b-{index}.yaml")));
        lab.write("b.yaml", &renamed);
        engine.take_manifests(lab.manifests(), "none");
        lab.run(&mut engine, Duration::from_secs(600)).await;
        let rules: Vec<String> = lab.schedules().await.into_keys().collect();
        assert_eq!(rules, ["etl-b", "etl-c", "etl-d", "etl-e"]);
    }
}
