//! The in-process door: requests that are sent cannot be recalled, and faults come as told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecs_etl_emulator::door::{Call, Clock, Conduct, ConnectionLost, Fault, Hook, InProcess, Meter, Observer};
use ecs_etl_emulator::firing::Firing;
use ecs_etl_emulator::{Emulator, Journal, Reply, Request, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::client::{read, signed, task};

fn register(family: &str) -> Request {
    let body = task(family).to_string().into_bytes();
    signed("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", body, "AKIA", "eu-west-1")
}

fn list() -> Request {
    signed("AmazonEC2ContainerServiceV20141113.ListTaskDefinitions", b"{}".to_vec(), "AKIA", "eu-west-1")
}

fn clock() -> Clock {
    Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap())
}

fn door(hook: Hook) -> InProcess {
    InProcess::spawn(Emulator::new(Settings::default()), None, clock(), hook)
}

async fn revisions(door: &InProcess) -> usize {
    read(&door.call(list()).await.unwrap()).unwrap()["taskDefinitionArns"].as_array().unwrap().len()
}

/// Answers each call with the next fault, then with none; remembers what it saw.
#[derive(Default)]
struct Script {
    faults: Mutex<Vec<Fault>>,
    seen: Mutex<Vec<(Call, Option<u16>)>>,
}

impl Script {
    fn of(mut faults: Vec<Fault>) -> Arc<Self> {
        faults.reverse();
        Arc::new(Self { faults: Mutex::new(faults), seen: Mutex::default() })
    }
}

impl Observer for Script {
    fn decide(&self, _call: &Call, _request: &Request) -> Fault {
        self.faults.lock().unwrap().pop().unwrap_or_else(Fault::none)
    }

    fn saw(&self, call: &Call, _request: &Request, reply: Option<&Reply>) {
        self.seen.lock().unwrap().push((call.clone(), reply.map(|reply| reply.status)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_fault_is_answered_at_once() {
    let door = door(Hook::none());
    let start = Instant::now();
    let answer = read(&door.call(register("etl-a")).await.unwrap()).unwrap();
    assert_eq!(answer["taskDefinition"]["registeredAt"], json!(1_767_323_045));
    assert_eq!(start.elapsed(), Duration::ZERO);
    door.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn dropping_the_callers_future_does_not_undo_the_effect() {
    let slow = Fault { before: Duration::from_secs(5), ..Fault::none() };
    let door = door(Hook::new(Script::of(vec![slow])));
    let caller = tokio::time::timeout(Duration::from_secs(1), door.call(register("etl-a"))).await;
    assert!(caller.is_err());
    assert_eq!(revisions(&door).await, 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(revisions(&door).await, 1);
}

#[tokio::test(start_paused = true)]
async fn faults_come_as_told() {
    let door = |fault: Fault| door(Hook::new(Script::of(vec![fault])));

    let lost_answer = door(Fault::lost_answer());
    assert_eq!(lost_answer.call(register("a")).await, Err(ConnectionLost));
    assert_eq!(revisions(&lost_answer).await, 1);

    let lost_request = door(Fault::lost_request());
    assert_eq!(lost_request.call(register("a")).await, Err(ConnectionLost));
    assert_eq!(revisions(&lost_request).await, 0);

    let refused = door(Fault::refused(Reply::throttled()));
    let answer = read(&refused.call(register("a")).await.unwrap());
    assert_eq!(answer, Err("ThrottlingException: Rate exceeded".to_owned()));
    assert_eq!(revisions(&refused).await, 0);

    let lied_to = door(Fault { answer: Conduct::Reply(Reply::error(500, "ServerException", "x")), ..Fault::none() });
    assert_eq!(lied_to.call(register("a")).await.unwrap().status, 500);
    assert_eq!(revisions(&lied_to).await, 1);

    let never = door(Fault { answer: Conduct::Never, ..Fault::none() });
    let waited = tokio::time::timeout(Duration::from_secs(3600), never.call(register("a"))).await;
    assert!(waited.is_err());
    assert_eq!(revisions(&never).await, 1);
    never.close().await.unwrap();

    let slow = door(Fault { before: Duration::from_secs(2), after: Duration::from_secs(3), ..Fault::none() });
    let start = Instant::now();
    slow.call(register("a")).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_is_overtaken() {
    let slow = Fault { before: Duration::from_secs(1), ..Fault::none() };
    let script = Script::of(vec![slow]);
    let door = door(Hook::new(Arc::clone(&script) as Arc<dyn Observer>));
    let (first, second) = tokio::join!(door.call(register("a")), door.call(register("a")));
    let revision =
        |reply: Result<Reply, ConnectionLost>| read(&reply.unwrap()).unwrap()["taskDefinition"]["revision"].clone();
    assert_eq!((revision(first), revision(second)), (json!(2), json!(1)));
    let seen: Vec<u64> = script.seen.lock().unwrap().iter().map(|(call, _)| call.sequence).collect();
    assert_eq!(seen, [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_sees_operation_and_reply_and_a_meter_counts() {
    let script = Script::of(vec![Fault::none(), Fault::lost_request()]);
    let seen_by_script = door(Hook::new(Arc::clone(&script) as Arc<dyn Observer>));
    seen_by_script.call(register("a")).await.unwrap();
    seen_by_script.call(list()).await.unwrap_err();
    let expected = [("ecs:RegisterTaskDefinition", Some(200)), ("ecs:ListTaskDefinitions", None)];
    let seen = script.seen.lock().unwrap().clone();
    let seen: Vec<_> = seen.iter().map(|(call, status)| (call.operation.as_str(), *status)).collect();
    assert_eq!(seen, expected);

    let meter = Meter::new();
    let metered = door(meter.hook());
    metered.call(register("a")).await.unwrap();
    metered.call(register("b")).await.unwrap();
    revisions(&metered).await;
    assert_eq!((meter.count("ecs:RegisterTaskDefinition"), meter.total(), meter.mutating()), (2, 3, 2));
    meter.reset();
    assert_eq!(meter.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_closed_door_has_answered_what_was_under_way_and_answers_no_more() {
    let slow = Fault { before: Duration::from_secs(1), ..Fault::none() };
    let door = door(Hook::new(Script::of(vec![slow])));
    let under_way = tokio::spawn({
        let door = door.clone();
        async move { door.call(register("a")).await }
    });
    tokio::task::yield_now().await;
    door.close().await.unwrap();
    assert_eq!(under_way.await.unwrap().unwrap().status, 200);
    assert_eq!(door.call(list()).await, Err(ConnectionLost));
    assert_eq!(door.snapshot().await, Err(ConnectionLost));
    door.close().await.unwrap();
}

#[tokio::test]
async fn an_answer_is_on_the_disk_before_it_is_given() {
    let folder = TempDir::new().unwrap();
    let (journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
    let door = InProcess::spawn(emulator, Some(journal), Clock::system(), Hook::none());
    for n in 1..=3 {
        door.call(register("a")).await.unwrap();
        let text = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
        assert!(text.contains(&format!("task-definition/a:{n}")), "revision {n} is not on the disk");
    }
    let calls: Vec<_> = (0..20).map(|n| door.call(register(&format!("f{n}")))).collect();
    for reply in futures_join(calls).await {
        assert_eq!(reply.unwrap().status, 200);
    }
    let before = door.snapshot().await.unwrap();
    door.close().await.unwrap();
    let (_journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
    assert_eq!(emulator.snapshot(), before);
}

/// Drives futures side by side on this task.
async fn futures_join<F: Future + Send>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Remembers the rules that fired, and when.
#[derive(Default)]
struct Fired(Mutex<Vec<(String, String)>>);

impl Observer for Fired {
    fn saw(&self, _call: &Call, _request: &Request, _reply: Option<&Reply>) {}

    fn fired(&self, firing: &Firing) {
        self.0.lock().unwrap().push((firing.rule.clone(), firing.due.to_string()));
    }
}

async fn rule_of_every_minute(door: &InProcess) {
    let events = |operation: &str, body: Value| {
        door.call(signed(&format!("AWSEvents.{operation}"), body.to_string().into_bytes(), "AKIA", "eu-west-1"))
    };
    door.call(register("etl-a")).await.unwrap();
    events("PutRule", json!({"Name": "a", "ScheduleExpression": "cron(* * * * ? *)"})).await.unwrap();
    let target = json!({
        "Id": "job",
        "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/main",
        "RoleArn": "arn:aws:iam::123456789012:role/events",
        "EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a"},
    });
    let answer = events("PutTargets", json!({"Rule": "a", "Targets": [target]})).await.unwrap();
    assert_eq!(read(&answer).unwrap()["FailedEntryCount"], json!(0));
}

#[tokio::test(start_paused = true)]
async fn ticks_are_caught_up_with_at_the_next_request() {
    let fired = Arc::new(Fired::default());
    let door = door(Hook::new(Arc::clone(&fired) as Arc<dyn Observer>));
    rule_of_every_minute(&door).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(170)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(170));
    assert_eq!(fired.0.lock().unwrap().len(), 0);
    revisions(&door).await;
    let dues = || fired.0.lock().unwrap().iter().map(|(_, due)| due.clone()).collect::<Vec<_>>();
    assert_eq!(dues(), ["2026-01-02T03:05:00Z", "2026-01-02T03:06:00Z"]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    door.catch_up().await.unwrap();
    assert_eq!(dues().last().unwrap(), "2026-01-02T03:07:00Z");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let tasks = door.snapshot().await.unwrap()["123456789012"]["eu-west-1"]["tasks"].as_object().unwrap().len();
    assert_eq!((tasks, dues().len()), (4, 4));
    door.close().await.unwrap();
    assert_eq!(door.catch_up().await, Err(ConnectionLost));
}

#[tokio::test(start_paused = true)]
async fn a_door_with_a_timer_has_rules_fire_when_nobody_asks() {
    let fired = Arc::new(Fired::default());
    let hook = Hook::new(Arc::clone(&fired) as Arc<dyn Observer>);
    let door = InProcess::spawn_with_timer(Emulator::new(Settings::default()), None, clock(), hook);
    rule_of_every_minute(&door).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let seen = fired.0.lock().unwrap().len();
    assert!((59..=60).contains(&seen), "{seen} ticks in an hour");
    door.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn equal_runs_leave_equal_states() {
    async fn run() -> Value {
        let door = door(Hook::none());
        let calls: Vec<_> = (0..50).map(|n| door.call(register(&format!("f{}", n % 7)))).collect();
        futures_join(calls).await;
        door.snapshot().await.unwrap()
    }
    assert_eq!(run().await.to_string(), run().await.to_string());
}
