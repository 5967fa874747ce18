use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use ecs_etl_plan::condition::{Reason, Status, Verdict};
use ecs_etl_plan::status::{
    ApiVersion, ConditionType, ControllerKind, ControllerMetadata, ControllerState, ControllerStatus, Counts,
    JobStatus, Live, Manifests, StatusInput, next_status,
};
use ecs_etl_spec::name::JobName;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::{CONTROLLER_FILE, StatusReadError, StatusWriteError, StatusWriter, read_all};
use crate::lock::StatusDir;

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a time")
}

fn writer() -> (TempDir, StatusWriter) {
    let root = tempfile::tempdir().expect("a directory");
    let directory = StatusDir::open(&root.path().join("status"), &root.path().join("manifests"), noon());
    (root, StatusWriter::new(directory.expect("free")))
}

fn name(name: &str) -> JobName {
    JobName::new(name).expect("a name")
}

fn job(job: &str, message: &str) -> JobStatus {
    let input = StatusInput {
        job: &name(job),
        origin: None,
        observed_spec: None,
        verdict: &Verdict::Ready(Reason::Converged, message.to_owned()),
        live: Some(Live { task_definition: None, schedules: Vec::new(), events: Vec::new() }),
        actions: &[],
        retry: None,
        notes: &[],
    };
    next_status(None, &input, noon())
}

fn controller(heartbeat: Timestamp, finished: Option<Timestamp>) -> ControllerStatus {
    ControllerStatus {
        api_version: ApiVersion::V1,
        kind: ControllerKind::EtlControllerStatus,
        metadata: ControllerMetadata { name: "default".to_owned() },
        status: ControllerState {
            version: "0.1.0".to_owned(),
            pid: 7,
            started: noon(),
            heartbeat,
            finished,
            endpoint: "embedded".to_owned(),
            shard: None,
            lease: None,
            accounts: BTreeSet::new(),
            manifests: Manifests {
                directory: "manifests".to_owned(),
                revision: None,
                complete: true,
                problems: Vec::new(),
            },
            counts: Counts::default(),
            jobs: [("sales".to_owned(), noon())].into(),
            problems: Vec::new(),
            held: Vec::new(),
            pruning_blocked: None,
            last_resync: None,
        },
    }
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn what_was_written_reads_back() {
    let (_root, mut writer) = writer();
    let (sales, stock) = (job("sales", "fine"), job("stock", "fine"));
    assert_eq!(writer.write_jobs([&sales, &stock]).expect("written"), 2);
    writer.write_controller(&controller(noon(), None)).expect("written");

    let snapshot = read_all(writer.directory().path()).expect("readable");
    assert_eq!(snapshot.controller, controller(noon(), None));
    assert_eq!(snapshot.jobs.into_values().collect::<Vec<_>>(), [sales, stock]);
    assert!(snapshot.unreadable.is_empty());
    assert_eq!(files(writer.directory().path()), [CONTROLLER_FILE, "_lock", "sales.json", "stock.json"]);
}

#[test]
fn a_file_is_rewritten_only_when_it_changes_and_for_its_owner_alone() {
    let (_root, mut writer) = writer();
    let path = writer.directory().path().join("sales.json");
    let inode = || fs::metadata(&path).expect("it is there").ino();
    assert_eq!(writer.write_jobs([&job("sales", "one")]).expect("written"), 1);
    let first = inode();
    assert_eq!(writer.write_jobs([&job("sales", "one")]).expect("nothing to do"), 0);
    assert_eq!(inode(), first);
    assert_eq!(writer.write_jobs([&job("sales", "two")]).expect("written"), 1);
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_somebody_removed_is_written_again() {
    let (_root, mut writer) = writer();
    writer.write_jobs([&job("sales", "one")]).expect("written");
    fs::remove_file(writer.directory().path().join("sales.json")).expect("removed");
    assert_eq!(writer.write_jobs([&job("sales", "one")]).expect("written"), 1);
}

#[test]
fn a_reader_beside_the_writer_never_sees_a_part() {
    let (_root, mut writer) = writer();
    let path = writer.directory().path().join("sales.json");
    let long = "x".repeat(100_000);
    writer.write_jobs([&job("sales", &long)]).expect("written");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for _ in 0..200 {
                let text = fs::read(&path).expect("always there");
                serde_json::from_slice::<JobStatus>(&text).expect("always whole");
            }
        });
        for n in 0..50 {
            writer.write_jobs([&job("sales", &format!("{n}{long}"))]).expect("written");
        }
        reader.join().expect("the reader saw whole files");
    });
}

#[test]
fn a_write_that_fails_leaves_the_earlier_file_and_is_made_good_later() {
    let (_root, mut writer) = writer();
    let directory = writer.directory().path().to_path_buf();
    writer.write_jobs([&job("sales", "one"), &job("stock", "one")]).expect("written");
    // A directory in the way makes the rename fail, as no permission would for root.
    let in_the_way = directory.join("zones.json");
    fs::create_dir(&in_the_way).expect("a directory");

    let failed = writer.write_jobs([&job("zones", "one"), &job("sales", "two")]);
    assert!(matches!(&failed, Err(StatusWriteError::Write { path, .. }) if *path == in_the_way), "{failed:?}");
    let jobs = writer.earlier();
    assert_eq!(jobs["sales"], job("sales", "two"), "the others are written all the same");
    assert_eq!(jobs["stock"], job("stock", "one"));
    assert!(files(&directory).iter().all(|file| !file.starts_with('.')), "nothing unfinished stays");

    fs::remove_dir(&in_the_way).expect("out of the way");
    writer.write_jobs([&job("zones", "one")]).expect("written");
    assert!(writer.earlier().contains_key("zones"));
}

#[test]
fn a_directory_that_was_lost_is_filled_again_once_it_is_back() {
    let (_root, mut writer) = writer();
    let directory = writer.directory().path().to_path_buf();
    writer.write_jobs([&job("sales", "one"), &job("stock", "one")]).expect("written");
    fs::remove_dir_all(&directory).expect("lost");
    assert!(writer.write_jobs([&job("sales", "one"), &job("stock", "one")]).is_err());
    fs::create_dir(&directory).expect("back");
    assert_eq!(writer.write_jobs([&job("sales", "one"), &job("stock", "one")]).expect("written"), 2);
}

#[test]
fn files_of_jobs_that_are_gone_go_and_those_of_others_stay() {
    let (_root, mut writer) = writer();
    let directory = writer.directory().path().to_path_buf();
    writer.write_jobs([&job("sales", "x"), &job("stock", "x"), &job("zones", "x")]).expect("written");
    fs::write(directory.join("package.json"), r#"{"name": "somebody's"}"#).expect("a file");
    writer.remove_job(&name("zones")).expect("removed");
    writer.remove_job(&name("zones")).expect("nothing to remove");
    writer.retain(|job| job == "sales").expect("removed");
    assert_eq!(files(&directory), ["_lock", "package.json", "sales.json"]);
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let (_root, mut writer) = writer();
    let directory = writer.directory().path().to_path_buf();
    writer.write_jobs([&job("sales", "x")]).expect("written");
    writer.write_controller(&controller(noon(), None)).expect("written");
    fs::write(directory.join("stock.json"), "{").expect("a file");
    fs::write(directory.join("Not a job.json"), "{").expect("a file");
    let snapshot = read_all(&directory).expect("readable");
    assert_eq!(snapshot.jobs.keys().collect::<Vec<_>>(), ["sales"]);
    assert_eq!(snapshot.unreadable.keys().collect::<Vec<_>>(), ["stock.json"]);
}

#[test]
fn without_a_controllers_file_there_is_no_status() {
    let root = tempfile::tempdir().expect("a directory");
    assert!(matches!(read_all(root.path()), Err(StatusReadError::Missing { .. })));
    assert!(matches!(read_all(&root.path().join("missing")), Err(StatusReadError::Missing { .. })));
    fs::write(root.path().join(CONTROLLER_FILE), "{").expect("a file");
    assert!(matches!(read_all(root.path()), Err(StatusReadError::Controller { .. })));
}

#[test]
fn a_stale_heartbeat_leaves_nothing_known_unless_the_controller_is_through() {
    let (_root, mut writer) = writer();
    writer.write_jobs([&job("sales", "x")]).expect("written");
    let mut check = |finished: Option<Timestamp>, age: i64, expected: Status| {
        writer.write_controller(&controller(noon(), finished)).expect("written");
        let now = noon() + SignedDuration::from_secs(age);
        let snapshot = read_all(writer.directory().path()).expect("readable").as_of(now);
        let ready = snapshot.jobs["sales"].condition(ConditionType::Ready).expect("Ready").status;
        assert_eq!(ready, expected, "{age} s after a heartbeat, finished {finished:?}");
    };
    check(None, 59, Status::True);
    check(None, 61, Status::Unknown);
    check(Some(noon()), 100_000, Status::True);
}
