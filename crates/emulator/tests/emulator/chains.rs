//! Tasks that start when others end: state changes as events, and scripted ends (docs/aws.md, Task state changes).

use ecs_etl_emulator::firing::{Firing, Outcome};
use ecs_etl_emulator::{Journal, Settings};
use serde_json::{Value, json};

use crate::client::{Aws, task, with};
use crate::events::listening;
use crate::firing::{outcome, pass};

/// The pattern of a task's end that is recommended for one job after another.
fn after(group: &str, exit_code: u8) -> Value {
    json!({
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "group": [group],
            "lastStatus": ["STOPPED"],
            "stopCode": ["EssentialContainerExited"],
            "containers": {"name": ["main"], "exitCode": [exit_code]},
        },
    })
}

fn scripted(aws: &mut Aws, family: &str, script: &str) -> String {
    let environment = json!([{"name": "ECS_ETL_EMULATE", "value": script}]);
    let container = json!({"name": "main", "image": "busybox", "memory": 64, "environment": environment});
    let input = with(task(family), json!({"containerDefinitions": [container]}));
    let answer = aws.ecs("RegisterTaskDefinition", input).unwrap();
    answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
}

fn run(aws: &mut Aws, family: &str, over: Value) -> String {
    aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    let input = with(json!({"cluster": "main", "taskDefinition": family}), over);
    aws.ecs("RunTask", input).unwrap()["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

fn described(aws: &mut Aws, task: &str) -> Value {
    aws.ecs("DescribeTasks", json!({"cluster": "main", "tasks": [task]})).unwrap()["tasks"][0].clone()
}

/// Which rules fired, and when.
fn fired(aws: &mut Aws, seconds: i64) -> Vec<String> {
    let told = |firing: &Firing| format!("{} {}: {}", firing.at.strftime("%H:%M:%S"), firing.rule, outcome(firing));
    pass(aws, seconds).iter().map(told).collect()
}

#[test]
fn a_job_starts_when_the_one_before_it_ends_well() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    let second = aws.register("etl-b");
    let third = aws.register("etl-c");
    listening(&mut aws, "b", after("family:etl-a", 0), &second, json!({}));
    listening(&mut aws, "c", after("family:etl-b", 0), &third, json!({}));
    run(&mut aws, "etl-a", json!({}));
    // It starts after 5 seconds, runs for a minute, and the bus hears of it a second later.
    let chain = ["03:05:11 b: 1 of etl-b:1 as family:etl-b", "03:06:17 c: 1 of etl-c:1 as family:etl-c"];
    assert_eq!(fired(&mut aws, 3600), chain);
}

#[test]
fn a_chain_goes_the_same_way_in_any_steps_and_after_a_restart() {
    let went = |steps: i64, restart: bool| {
        let folder = tempfile::TempDir::new().unwrap();
        let (mut journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
        let mut aws = Aws::over(emulator);
        scripted(&mut aws, "etl-a", "after=10m");
        let second = aws.register("etl-b");
        listening(&mut aws, "b", after("family:etl-a", 0), &second, json!({}));
        listening(&mut aws, "again", after("family:etl-b", 0), &second, json!({}));
        run(&mut aws, "etl-a", json!({}));
        let mut told = Vec::new();
        for step in 0..3600 / steps {
            told.extend(fired(&mut aws, steps));
            if restart && step % 7 == 3 {
                aws.register("etl-other");
                journal.append(&aws.emulator.take_changes()).unwrap();
                drop(journal);
                let (reopened, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
                assert_eq!(emulator.snapshot(), aws.emulator.snapshot());
                (journal, aws.emulator) = (reopened, emulator);
            }
        }
        told
    };
    let whole = went(3600, false);
    assert!(whole.len() > 40 && whole[0].starts_with("03:14:11 b: 1 of etl-b:1"), "{whole:?}");
    for (steps, restart) in [(1, false), (45, false), (45, true), (600, true)] {
        assert_eq!(went(steps, restart), whole, "in steps of {steps}, restarted: {restart}");
    }
}

#[test]
fn every_change_of_a_task_is_told_once() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    let pattern = r#"{"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}"#;
    aws.events("PutRule", json!({"Name": "all", "EventPattern": pattern})).unwrap();
    let topic = json!({"Id": "t", "Arn": "arn:aws:sns:eu-west-1:123456789012:topic"});
    aws.events("PutTargets", json!({"Rule": "all", "Targets": [topic]})).unwrap();
    let arn = run(&mut aws, "etl-a", json!({"startedBy": "me", "group": "nightly"}));
    let told: Vec<Value> = pass(&mut aws, 600).iter().map(input).collect();
    let statuses: Vec<&Value> = told.iter().map(|event| &event["detail"]["lastStatus"]).collect();
    assert_eq!(statuses, ["PENDING", "RUNNING", "STOPPED"]);
    let versions: Vec<_> = told.iter().map(|event| event["detail"]["version"].as_i64().unwrap()).collect();
    assert!(versions.is_sorted() && versions[0] < versions[2], "{versions:?}");
    let last = &told[2];
    assert_eq!(last["resources"], json!([arn]));
    assert_eq!(last["time"], json!("2026-01-02T03:05:10Z"));
    let detail = &last["detail"];
    for (member, expected) in [
        ("taskArn", json!(arn)),
        ("clusterArn", json!(aws.arn("ecs", "cluster/main"))),
        ("taskDefinitionArn", json!(aws.arn("ecs", "task-definition/etl-a:1"))),
        ("group", json!("nightly")),
        ("startedBy", json!("me")),
        ("desiredStatus", json!("STOPPED")),
        ("stopCode", json!("EssentialContainerExited")),
        ("createdAt", json!("2026-01-02T03:04:05.000Z")),
        ("stoppedAt", json!("2026-01-02T03:05:10.000Z")),
        ("updatedAt", json!("2026-01-02T03:05:10.000Z")),
    ] {
        assert_eq!(detail[member], expected, "{member}");
    }
    assert_eq!(detail["containers"][0]["exitCode"], json!(0));
    assert_eq!(detail.get("tags"), None);
}

/// What a target that is not emulated would have been given.
fn input(firing: &Firing) -> Value {
    let Outcome::NotEmulated { input, .. } = &firing.outcome else { return Value::Null };
    serde_json::from_str(input).unwrap()
}

#[test]
fn a_rule_hears_of_tasks_that_were_there_before_it() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    let second = aws.register("etl-b");
    run(&mut aws, "etl-a", json!({}));
    assert_eq!(fired(&mut aws, 60), <[&str; 0]>::default());
    listening(&mut aws, "b", after("family:etl-a", 0), &second, json!({}));
    assert_eq!(fired(&mut aws, 60), ["03:05:11 b: 1 of etl-b:1 as family:etl-b"]);
}

#[test]
fn a_task_that_is_stopped_is_told_so_and_not_as_an_end_of_its_own() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    let second = aws.register("etl-b");
    let stopped = json!({"source": ["aws.ecs"], "detail": {"stopCode": ["UserInitiated"], "lastStatus": ["STOPPED"]}});
    listening(&mut aws, "stopped", stopped, &second, json!({}));
    listening(&mut aws, "done", after("family:etl-a", 0), &second, json!({}));
    let arn = run(&mut aws, "etl-a", json!({}));
    aws.sleep(30);
    aws.ecs("StopTask", json!({"cluster": "main", "task": arn})).unwrap();
    let told = fired(&mut aws, 50);
    assert_eq!(told, ["03:04:41 stopped: 1 of etl-b:1 as family:etl-b"]);
}

#[test]
fn a_script_decides_how_a_task_ends() {
    let mut aws = Aws::new();
    let mut ended = |script: &str| {
        scripted(&mut aws, "etl-a", script);
        let arn = run(&mut aws, "etl-a", json!({}));
        aws.sleep(900);
        let task = described(&mut aws, &arn);
        let code = task["containers"][0].get("exitCode").cloned();
        let ran = task["stoppedAt"].as_i64().unwrap() - task["createdAt"].as_i64().unwrap();
        (code, ran, task["stopCode"].as_str().unwrap().to_owned(), task["stoppedReason"].as_str().unwrap().to_owned())
    };
    let exited = |code: i32, after: i64| {
        let reason = "Essential container in task exited".to_owned();
        (Some(json!(code)), after, "EssentialContainerExited".to_owned(), reason)
    };
    assert_eq!(ended("exit=3"), exited(3, 65));
    assert_eq!(ended("after=2m"), exited(0, 125));
    assert_eq!(ended("exit=1,after=1s"), exited(1, 6));
    assert_eq!(ended("what is this"), exited(0, 65), "what is not understood changes nothing");
    let failed = ended("start=CannotPullContainerError: no such image");
    let reason = "CannotPullContainerError: no such image".to_owned();
    assert_eq!(failed, (None, 5, "TaskFailedToStart".to_owned(), reason));
}

#[test]
fn a_run_can_be_scripted_by_its_overrides() {
    let mut aws = Aws::new();
    scripted(&mut aws, "etl-a", "exit=1");
    let second = aws.register("etl-b");
    listening(&mut aws, "failed", after("family:etl-a", 1), &second, json!({}));
    listening(&mut aws, "worse", after("family:etl-a", 2), &second, json!({}));
    run(&mut aws, "etl-a", json!({}));
    let environment = json!([{"name": "ECS_ETL_EMULATE", "value": "exit=2"}]);
    let overrides = json!({"containerOverrides": [{"name": "main", "environment": environment}]});
    run(&mut aws, "etl-a", json!({"overrides": overrides}));
    let told = fired(&mut aws, 70);
    let mut rules: Vec<_> = told.iter().map(|told| told.split([' ', ':']).nth(3).unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["failed", "worse"]);
}

#[test]
fn a_task_ends_with_the_first_container_that_it_needs() {
    let mut aws = Aws::new();
    let container = |name: &str, essential: bool, script: &str| {
        let environment = json!([{"name": "ECS_ETL_EMULATE", "value": script}]);
        json!({"name": name, "image": "busybox", "memory": 64, "essential": essential, "environment": environment})
    };
    let containers = json!([
        container("main", true, "after=30s"),
        container("side", false, "exit=4,after=10s"),
        container("log", true, "after=5m")
    ]);
    aws.ecs("RegisterTaskDefinition", with(task("etl-a"), json!({"containerDefinitions": containers}))).unwrap();
    let arn = run(&mut aws, "etl-a", json!({}));
    aws.sleep(60);
    let task = described(&mut aws, &arn);
    assert_eq!(task["stoppedAt"].as_i64().unwrap() - task["startedAt"].as_i64().unwrap(), 30);
    let mut codes: Vec<_> = task["containers"].as_array().unwrap().iter().map(|c| c["exitCode"].as_i64()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(4), Some(143)]);
}
