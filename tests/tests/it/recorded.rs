//! What AWS was recorded to answer, our emulator answers, too; and recording leaves nothing behind.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ecs_etl_tests::meter::{Effect, Meter};
use ecs_etl_tests::program::{Outcome, Running};
use ecs_etl_tests::raw::Aws;
use ecs_etl_tests::recording::{self, Recording};
use ecs_etl_tests::server::{Kind, Server};
use ecs_etl_tests::tools;
use serde_json::{Value, json};

/// Longest tour; it has some 150 calls.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tour as `cargo xtask record` starts it.
fn tour(endpoint: &str, output: &Path) -> Command {
    let python = tools::python_tool("python");
    let models = python.ancestors().nth(2).expect("python lies in the environment").join("service-model");
    let mut command = Command::new(&python);
    command
        .arg(tools::root().join("tests/record/record.py"))
        .args(["--endpoint", endpoint, "--region", "eu-west-1"])
        .args(["--role", "arn:aws:iam::123456789012:role/somebodys"])
        .arg("--output")
        .arg(output)
        .env("PYTHONPATH", models)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

fn run(command: Command) -> Outcome {
    Running::start(command).wait(PATIENCE)
}

/// Records `server` and gives what was recorded.
fn record(server: &Server) -> Recording {
    let folder = tempfile::tempdir().expect("a folder for the recording");
    run(tour(&format!("http://{}", server.address()), folder.path())).expect_code(0);
    let mut files = std::fs::read_dir(folder.path()).expect("the folder").map(|entry| entry.expect("a file").path());
    Recording::read(&files.next().expect("a recording"))
}

/// What bears the name of a tour.
fn left_behind(server: &Server) -> Vec<String> {
    let aws = Aws::new(server.address()).in_region("eu-west-1");
    let mut names = aws.rule_names("etl-record-");
    for status in ["ACTIVE", "INACTIVE"] {
        let listed = aws.call("ecs", "ListTaskDefinitions", json!({"status": status}));
        names.extend(listed["taskDefinitionArns"].as_array().into_iter().flatten().map(Value::to_string));
    }
    names
}

#[test]
fn every_recording_of_aws_is_answered_by_the_emulator_alike() {
    let server = Server::start(Kind::Emulator);
    for path in recording::kept() {
        let recording = Recording::read(&path);
        assert_eq!(recording.from, "aws", "{} is not from AWS", path.display());
        let differences = recording.replay(&server);
        assert!(differences.is_empty(), "{}\n{}", path.display(), differences.join("\n"));
    }
}

#[test]
fn a_recording_of_the_emulator_replays_without_a_difference_and_leaves_nothing_behind() {
    let server = Server::start(Kind::Emulator);
    let recording = record(&server);
    assert_eq!((recording.from.as_str(), recording.region.as_str()), ("endpoint", "eu-west-1"));
    assert!(recording.calls.len() > 140, "only {} calls", recording.calls.len());
    assert!(recording.calls.iter().filter(|call| call.code.is_some()).count() > 40, "hardly anything was refused");
    assert_eq!(left_behind(&server), Vec::<String>::new());
    assert_eq!(recording.replay(&server), Vec::<String>::new());
}

#[test]
fn a_recording_that_says_something_else_than_the_emulator_is_noticed() {
    let server = Server::start(Kind::Emulator);
    let recording = record(&server);
    let check = |tamper: &dyn Fn(&mut Recording), expected: &str| {
        let mut tampered = recording.clone();
        tamper(&mut tampered);
        let differences = tampered.replay(&server);
        assert!(differences.iter().any(|text| text.contains(expected)), "{expected} is not in {differences:?}");
    };
    let first = |recording: &Recording, operation: &str| {
        let mut calls = recording.calls.iter();
        calls.position(|call| call.operation == operation).expect("the call")
    };
    let register = first(&recording, "RegisterTaskDefinition");
    check(
        &|tampered| tampered.calls[register].answer["taskDefinition"]["networkMode"] = "host".into(),
        "/taskDefinition/networkMode",
    );
    check(
        &|tampered| tampered.calls[register].code = Some("ClientException".to_owned()),
        r#"{"refused":"ClientException"}"#,
    );
    let refused = recording.calls.iter().position(|call| call.code.is_some()).expect("a refusal");
    check(&|tampered| tampered.calls[refused].code = Some("ServerException".to_owned()), "ServerException");
    let described = first(&recording, "DescribeRule");
    check(&|tampered| tampered.calls[described].answer["State"] = "ENABLED".into(), "/State");
}

#[test]
fn a_recording_has_neither_accounts_nor_people_nor_moments_in_it() {
    let server = Server::start(Kind::Emulator);
    let text = serde_json::to_string(&record(&server).calls).expect("it is JSON");
    for private in ["role/somebodys", "user/embedded", "\"202", "At\":1"] {
        assert!(!text.contains(private), "{private} is in the recording");
    }
    assert!(text.contains("etl-record-000000-life") && text.contains("role/given") && text.contains("At\":0"));
}

#[test]
fn an_interrupted_tour_removes_what_it_made_and_records_nothing() {
    let server = Server::start(Kind::Emulator);
    let meter = Meter::start(server.address());
    // Half of the tour is done when this call comes, and it takes long enough to be interrupted in.
    meter.inject("PutRule", 1, Effect::Delay(Duration::from_secs(5)));
    let folder = tempfile::tempdir().expect("a folder for the recording");
    let tour = Running::start(tour(&meter.url(), folder.path()));
    let deadline = std::time::Instant::now() + PATIENCE;
    while !meter.peek().by_operation().contains_key("ecs:DeleteTaskDefinitions") {
        assert!(std::time::Instant::now() < deadline, "the tour does not come to PutRule");
        std::thread::sleep(Duration::from_millis(20));
    }
    tour.signal("TERM");
    tour.wait(PATIENCE).expect_code(1);
    assert_eq!(left_behind(&server), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "something was recorded");
}

#[test]
fn what_a_tour_could_not_remove_is_told_and_removed_later_by_its_name() {
    let server = Server::start(Kind::Emulator);
    let meter = Meter::start(server.address());
    let refused = json!({"__type": "ManagedRuleException", "message": "no"}).to_string();
    meter.inject("DeleteRule", usize::MAX, Effect::Answer(400, refused));
    let folder = tempfile::tempdir().expect("a folder for the recording");
    let outcome = run(tour(&meter.url(), folder.path())).expect_code(1);
    let told =
        outcome.stderr.lines().find(|line| line.starts_with("not removed: rule etl-record-")).expect("it is told");
    let name = told.split(' ').nth(3).and_then(|rule| rule.get(..17)).expect("the name of the tour").to_owned();
    assert!(!left_behind(&server).is_empty());
    meter.heal();
    let mut again = tour(&meter.url(), folder.path());
    again.args(["--clean-up", &name]);
    run(again).expect_code(0);
    assert_eq!(left_behind(&server), Vec::<String>::new());
}
