//! Arbitrary histories: what holds whatever was asked, in whatever order, with restarts in between.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_emulator::{Emulator, Journal, Settings};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Aws, task, troubled, with};

/// Something that a client does, or that happens to it.
#[derive(Debug, Clone)]
enum Step {
    Register(u8),
    /// A task definition whose runs fail at first.
    Trouble(u8, u8),
    Deregister(u8, u32),
    Delete(u8, u32),
    TagRevision(u8, u32, u8),
    PutRule(u8, u8),
    TagRule(u8, u8),
    PutTarget(u8, u8),
    RemoveTarget(u8, u8),
    DeleteRule(u8),
    Schedule(u8, u8),
    Switch(u8, bool),
    Run(u8, u8),
    Stop(u8),
    CreateCluster(u8),
    DeleteCluster(u8),
    Sleep(i64),
    /// Time passes as in a door with a timer.
    Wake(i64),
    Restart,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..3_u8;
    let revision = || 1..4_u32;
    prop_oneof![
        6 => name().prop_map(Step::Register),
        3 => (name(), name()).prop_map(|(f, n)| Step::Trouble(f, n)),
        3 => (name(), revision()).prop_map(|(f, r)| Step::Deregister(f, r)),
        3 => (name(), revision()).prop_map(|(f, r)| Step::Delete(f, r)),
        2 => (name(), revision(), name()).prop_map(|(f, r, t)| Step::TagRevision(f, r, t)),
        4 => (name(), name()).prop_map(|(r, n)| Step::PutRule(r, n)),
        2 => (name(), name()).prop_map(|(r, t)| Step::TagRule(r, t)),
        3 => (name(), name()).prop_map(|(r, t)| Step::PutTarget(r, t)),
        2 => (name(), name()).prop_map(|(r, t)| Step::RemoveTarget(r, t)),
        2 => name().prop_map(Step::DeleteRule),
        4 => (name(), name()).prop_map(|(r, f)| Step::Schedule(r, f)),
        2 => (name(), any::<bool>()).prop_map(|(r, on)| Step::Switch(r, on)),
        2 => (name(), name()).prop_map(|(f, t)| Step::Run(f, t)),
        1 => name().prop_map(Step::Stop),
        1 => name().prop_map(Step::CreateCluster),
        1 => name().prop_map(Step::DeleteCluster),
        4 => prop_oneof![1..100_i64, 1..5000_i64].prop_map(Step::Sleep),
        2 => (1..5000_i64).prop_map(Step::Wake),
        2 => Just(Step::Restart),
        1 => Just(Step::Reset),
    ]
}

/// Does a step; what AWS refuses is none of this module's business.
fn perform(aws: &mut Aws, step: &Step) -> Result<Value, String> {
    let tags = |n: &u8| json!([{"key": "t", "value": n.to_string()}]);
    let rule_tags = |n: &u8| json!([{"Key": "t", "Value": n.to_string()}]);
    match step {
        Step::Register(f) => aws.ecs("RegisterTaskDefinition", with(task(&format!("f{f}")), json!({"tags": tags(f)}))),
        Step::Trouble(f, n) => {
            let words = ["run=ThrottlingException,times=3", "run=ServerException", "run=ServerException,for=90m"];
            let body = with(task(&format!("f{f}")), json!({"tags": tags(n)}));
            aws.ecs("RegisterTaskDefinition", troubled(body, words[usize::from(*n)]))
        }
        Step::Deregister(f, r) => aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": format!("f{f}:{r}")})),
        Step::Delete(f, r) => aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": [format!("f{f}:{r}")]})),
        Step::TagRevision(f, r, n) => {
            let arn = aws.arn("ecs", &format!("task-definition/f{f}:{r}"));
            aws.ecs("TagResource", json!({"resourceArn": arn, "tags": tags(n)}))
        }
        Step::PutRule(r, n) => {
            let expression = format!("rate({} minutes)", n + 2);
            let name = format!("r{r}");
            aws.events("PutRule", json!({"Name": name, "ScheduleExpression": expression, "Tags": rule_tags(n)}))
        }
        Step::TagRule(r, n) => {
            let arn = aws.arn("events", &format!("rule/r{r}"));
            aws.events("TagResource", json!({"ResourceARN": arn, "Tags": rule_tags(n)}))
        }
        Step::PutTarget(r, t) => {
            let target = json!({"Id": t.to_string(), "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"});
            aws.events("PutTargets", json!({"Rule": format!("r{r}"), "Targets": [target]}))
        }
        Step::RemoveTarget(r, t) => {
            let id = ["0", "1", "job"][usize::from(*t)];
            aws.events("RemoveTargets", json!({"Rule": format!("r{r}"), "Ids": [id]}))
        }
        Step::DeleteRule(r) => aws.events("DeleteRule", json!({"Name": format!("r{r}")})),
        Step::Schedule(r, f) => {
            let expression = ["cron(* * * * ? *)", "rate(7 minutes)", "cron(0/20 3-5 * * ? *)"][usize::from(*f)];
            aws.events("PutRule", json!({"Name": format!("r{r}"), "ScheduleExpression": expression}))?;
            let target = json!({
                "Id": "job",
                "Arn": aws.arn("ecs", "cluster/c1"),
                "RoleArn": "arn:aws:iam::123456789012:role/events",
                "EcsParameters": {"TaskDefinitionArn": aws.arn("ecs", &format!("task-definition/f{f}:1"))},
            });
            aws.events("PutTargets", json!({"Rule": format!("r{r}"), "Targets": [target]}))
        }
        Step::Switch(r, on) => {
            let operation = if *on { "EnableRule" } else { "DisableRule" };
            aws.events(operation, json!({"Name": format!("r{r}")}))
        }
        Step::Run(f, t) => {
            let body = json!({"cluster": "c1", "taskDefinition": format!("f{f}"), "clientToken": t.to_string()});
            aws.ecs("RunTask", body)
        }
        Step::Stop(n) => {
            let tasks = aws.ecs("ListTasks", json!({"cluster": "c1"}))?;
            let Some(task) = tasks["taskArns"].get(usize::from(*n)) else { return Ok(Value::Null) };
            aws.ecs("StopTask", json!({"cluster": "c1", "task": task}))
        }
        Step::CreateCluster(c) => aws.ecs("CreateCluster", json!({"clusterName": format!("c{c}"), "tags": tags(c)})),
        Step::DeleteCluster(c) => aws.ecs("DeleteCluster", json!({"cluster": format!("c{c}")})),
        Step::Sleep(seconds) => {
            aws.sleep(*seconds);
            Ok(Value::Null)
        }
        Step::Wake(seconds) => {
            aws.sleep(*seconds);
            aws.emulator.advance(aws.now);
            Ok(Value::Null)
        }
        Step::Restart => Ok(Value::Null),
        Step::Reset => {
            let mut reset = aws.request("", &json!({}));
            reset.path = "/moto-api/reset".to_owned();
            aws.send(&reset);
            Ok(Value::Null)
        }
    }
}

fn settings() -> Settings {
    Settings {
        tagging_lag: SignedDuration::from_secs(60),
        tagging_ghosts: SignedDuration::from_secs(600),
        changes_take: SignedDuration::from_secs(90),
        ..Settings::default()
    }
}

/// All that a client can see, and all that there is.
fn seen(aws: &mut Aws) -> (Value, Value) {
    let index = aws.tag("GetResources", json!({})).unwrap();
    (index, aws.emulator.snapshot())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn restarts_change_nothing(steps in vec(step(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let (mut journal, emulator) = Journal::open(folder.path(), settings()).unwrap();
        let mut lasting = Aws::over(emulator);
        let mut steady = Aws::over(Emulator::new(settings()));
        for step in &steps {
            prop_assert_eq!(perform(&mut lasting, step), perform(&mut steady, step), "{:?}", step);
            let changes = lasting.emulator.take_changes();
            if !changes.is_empty() {
                journal.append(&changes).unwrap();
            }
            if matches!(step, Step::Restart) {
                drop(journal);
                let (reopened, emulator) = Journal::open(folder.path(), settings()).unwrap();
                journal = reopened;
                lasting.emulator = emulator;
            }
            prop_assert_eq!(seen(&mut lasting), seen(&mut steady), "after {:?}", step);
            prop_assert_eq!(lasting.emulator.next_due(), steady.emulator.next_due(), "after {:?}", step);
        }
    }

    #[test]
    fn no_revision_number_is_given_twice(steps in vec(step(), 1..80)) {
        let mut aws = Aws::new();
        let mut given: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for step in &steps {
            if matches!(step, Step::Reset) {
                given.clear();
            }
            let Ok(answer) = perform(&mut aws, step) else { continue };
            if let Step::Register(family) = step {
                let number = answer["taskDefinition"]["revision"].as_u64().unwrap();
                let numbers = given.entry(format!("f{family}")).or_default();
                prop_assert!(numbers.last().is_none_or(|last| *last < number), "{:?} after {:?}", number, numbers);
                numbers.insert(number);
            }
        }
    }
}
