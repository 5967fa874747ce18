//! State that survives the process, and what happens to a damaged one.

use std::fs;
use std::path::Path;

use ecs_etl_emulator::{Journal, JournalError, Kind, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Aws;
use crate::firing::{pass, scheduled};

fn open(folder: &Path) -> Result<(Journal, Aws), JournalError> {
    let (journal, emulator) = Journal::open(folder, Settings::default())?;
    Ok((journal, Aws::over(emulator)))
}

/// Writes what changed since the last call, as a door does.
fn save(journal: &mut Journal, aws: &mut Aws) {
    journal.append(&aws.emulator.take_changes()).unwrap();
}

/// A folder with some of everything in its journal, and the snapshot of it.
fn lived_in() -> (TempDir, Value) {
    let folder = TempDir::new().unwrap();
    let (mut journal, mut aws) = open(folder.path()).unwrap();
    aws.register("etl-a");
    save(&mut journal, &mut aws);
    aws.register("etl-a");
    aws.rule("a");
    aws.rule("b");
    save(&mut journal, &mut aws);
    aws.ecs("CreateCluster", json!({"clusterName": "main", "tags": [{"key": "a", "value": "b"}]})).unwrap();
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": ["etl-a:1"]})).unwrap();
    aws.events("DeleteRule", json!({"Name": "b"})).unwrap();
    save(&mut journal, &mut aws);
    let snapshot = aws.emulator.snapshot();
    (folder, snapshot)
}

fn journal_of(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("journal.jsonl")
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let (folder, before) = lived_in();
    let (_journal, mut aws) = open(folder.path()).unwrap();
    assert_eq!(aws.emulator.snapshot(), before);
    // What only time was to do is still to be done.
    aws.sleep(3600);
    let gone = aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": "etl-a:1"}));
    assert_eq!(gone, Err("ClientException: Unable to describe task definition.".to_owned()));
    assert!(aws.register("etl-a").ends_with(":3"));
}

#[test]
fn reading_writes_nothing_nor_does_time() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": ["etl-a:1"]})).unwrap();
    assert_eq!(aws.emulator.take_changes().len(), 3);
    aws.sleep(3600);
    for operation in ["ListTaskDefinitions", "ListTaskDefinitionFamilies", "ListClusters", "DescribeClusters"] {
        aws.ecs(operation, json!({})).unwrap();
    }
    aws.events("ListRules", json!({})).unwrap();
    aws.events("DescribeRule", json!({"Name": "nosuch"})).unwrap_err();
    aws.events("DeleteRule", json!({"Name": "nosuch"})).unwrap();
    assert_eq!(aws.emulator.take_changes(), []);
}

/// A folder with a rule of every minute, and the AWS that goes on.
fn scheduled_journal() -> (TempDir, Journal, Aws) {
    let folder = TempDir::new().unwrap();
    let (mut journal, mut aws) = open(folder.path()).unwrap();
    let revision = aws.register("etl-a");
    scheduled(&mut aws, "a", "cron(* * * * ? *)", &revision);
    scheduled(&mut aws, "b", "rate(7 minutes)", &revision);
    save(&mut journal, &mut aws);
    (folder, journal, aws)
}

fn tasks(aws: &Aws) -> usize {
    aws.emulator.snapshot()["123456789012"]["eu-west-1"]["tasks"].as_object().map_or(0, serde_json::Map::len)
}

#[test]
fn ticks_are_written_down_with_the_next_write_and_are_none_of_its_own() {
    let (folder, mut journal, mut aws) = scheduled_journal();
    assert!(pass(&mut aws, 600).len() >= 10);
    aws.ecs("ListTasks", json!({"cluster": "main"})).unwrap();
    assert_eq!(aws.emulator.take_changes(), [], "ticks alone leave no trace");
    // What the ticks followed from goes, and what they left stays.
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["job"]})).unwrap();
    let changes = aws.emulator.take_changes();
    let kinds: Vec<_> = changes.iter().flat_map(|change| change.entities().map(|entity| entity.kind)).collect();
    assert_eq!(kinds, [Kind::Rule]);
    journal.append(&changes).unwrap();
    let before = aws.emulator.snapshot();
    drop(journal);
    let (_journal, reopened) = open(folder.path()).unwrap();
    assert_eq!(reopened.emulator.snapshot(), before);
}

#[test]
fn a_journal_reopened_later_comes_to_the_state_of_one_that_was_never_closed() {
    for seconds in [1, 59, 600, 3600, 4000, 86_400 * 30] {
        let (folder, journal, mut aws) = scheduled_journal();
        drop(journal);
        let (_journal, mut reopened) = open(folder.path()).unwrap();
        let halfway = seconds / 2;
        pass(&mut aws, halfway);
        pass(&mut aws, seconds - halfway);
        pass(&mut reopened, seconds);
        assert_eq!(reopened.emulator.snapshot(), aws.emulator.snapshot(), "{seconds} seconds later");
        assert_eq!(reopened.emulator.next_due(), aws.emulator.next_due(), "{seconds} seconds later");
        assert!(tasks(&aws) > 0 || seconds < 60);
    }
}

#[test]
fn tasks_that_are_gone_leave_the_journal() {
    let (folder, mut journal, mut aws) = scheduled_journal();
    for n in 0..1500 {
        pass(&mut aws, 60);
        let state = ["DISABLED", "ENABLED"][n % 2];
        aws.events("PutRule", json!({"Name": "other", "ScheduleExpression": "rate(1 day)", "State": state})).unwrap();
        save(&mut journal, &mut aws);
    }
    assert!((60..90).contains(&tasks(&aws)), "{}", tasks(&aws));
    let before = aws.emulator.snapshot();
    drop(journal);
    let (_journal, reopened) = open(folder.path()).unwrap();
    assert_eq!(reopened.emulator.snapshot(), before);
    let lines = fs::read_to_string(journal_of(&folder)).unwrap().lines().count();
    assert!(lines < 100, "{lines} lines for what is left");
}

#[test]
fn time_is_remembered_up_to_the_latest_write() {
    let (folder, mut journal, mut aws) = scheduled_journal();
    pass(&mut aws, 600);
    aws.rule("c");
    let written = aws.now;
    save(&mut journal, &mut aws);
    pass(&mut aws, 600);
    drop(journal);
    let (_journal, reopened) = open(folder.path()).unwrap();
    assert_eq!(reopened.emulator.latest(), Some(written));
}

#[test]
fn a_line_that_a_crash_cut_short_is_dropped() {
    let (folder, before) = lived_in();
    let path = journal_of(&folder);
    let whole = fs::read(&path).unwrap();
    for torn in [&b"[{\"rows\":[{\"kind\":\"rule\""[..], b"[", b"\0\0\0\0", b"[{\"rows\0\0\0\0\0\0\n"] {
        fs::write(&path, [&whole[..], torn].concat()).unwrap();
        let (journal, aws) = open(folder.path()).unwrap();
        assert_eq!(aws.emulator.snapshot(), before);
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn every_cut_through_a_journal_leaves_a_state_that_was_once_answered() {
    let (folder, _) = lived_in();
    let path = journal_of(&folder);
    let whole = fs::read(&path).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in (header..whole.len()).step_by(97) {
        fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, mut aws) = open(folder.path()).unwrap();
        aws.register("etl-new");
        save(&mut journal, &mut aws);
        let after = aws.emulator.snapshot();
        drop(journal);
        assert_eq!(open(folder.path()).unwrap().1.emulator.snapshot(), after, "cut at {cut}");
    }
}

#[test]
fn any_other_damage_is_an_error_that_names_file_and_line() {
    let (folder, _) = lived_in();
    let path = journal_of(&folder);
    let text = fs::read_to_string(&path).unwrap();
    let damaged = |text: &str| {
        fs::write(&path, text).unwrap();
        open(folder.path()).map(drop).unwrap_err().to_string()
    };
    let mut lines: Vec<&str> = text.lines().collect();
    lines[2] = "[{\"rows\":[{\"kind\":\"ru";
    let message = damaged(&format!("{}\n", lines.join("\n")));
    assert!(message.contains("journal.jsonl is damaged at line 3"), "{message}");
    let message = damaged(&text.replacen("\"rule\"", "\"ruler\"", 1));
    assert!(message.contains("is damaged at line"), "{message}");
    for other in ["{\"ecs-etl-emulator-journal\":2}\n", "my notes\n", "my notes"] {
        let message = damaged(other);
        assert!(message.contains("is not a journal of format 1"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), other, "left as it was");
    }
}

#[test]
fn one_process_at_a_time_has_the_folder() {
    let folder = TempDir::new().unwrap();
    let (journal, _) = open(folder.path()).unwrap();
    let refused = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(refused, JournalError::InUse { .. }));
    let message = refused.to_string();
    assert!(message.contains(&folder.path().display().to_string()) && message.contains("another folder"), "{message}");
    drop(journal);
    open(folder.path()).unwrap();
}

#[test]
fn a_long_history_is_rewritten_at_open_and_a_short_one_is_not() {
    let folder = TempDir::new().unwrap();
    let (mut journal, mut aws) = open(folder.path()).unwrap();
    for n in 0..1100 {
        let state = ["DISABLED", "ENABLED"][n % 2];
        let body = json!({"Name": "a", "ScheduleExpression": "rate(1 day)", "State": state});
        aws.events("PutRule", body).unwrap();
        save(&mut journal, &mut aws);
    }
    let before = aws.emulator.snapshot();
    drop(journal);
    let lines = || fs::read_to_string(journal_of(&folder)).unwrap().lines().count();
    assert_eq!(lines(), 1101);
    assert_eq!(open(folder.path()).unwrap().1.emulator.snapshot(), before);
    assert_eq!(lines(), 2);
    let bytes = fs::read(journal_of(&folder)).unwrap();
    open(folder.path()).unwrap();
    assert_eq!(fs::read(journal_of(&folder)).unwrap(), bytes);
}

#[test]
fn a_reset_is_remembered() {
    let (folder, _) = lived_in();
    let (mut journal, mut aws) = open(folder.path()).unwrap();
    let mut reset = aws.request("", &json!({}));
    reset.path = "/moto-api/reset".to_owned();
    aws.send(&reset);
    aws.rule("after");
    save(&mut journal, &mut aws);
    let before = aws.emulator.snapshot();
    drop(journal);
    assert_eq!(open(folder.path()).unwrap().1.emulator.snapshot(), before);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_may_hold_secrets() {
    use std::os::unix::fs::PermissionsExt;
    let outer = TempDir::new().unwrap();
    let folder = outer.path().join("state");
    open(&folder).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("journal.jsonl")), 0o600);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let outer = TempDir::new().unwrap();
    let file = outer.path().join("file");
    fs::write(&file, "x").unwrap();
    let message = open(&file.join("state")).map(drop).unwrap_err().to_string();
    assert!(message.contains("cannot make the folder") && message.contains("state"), "{message}");
}
