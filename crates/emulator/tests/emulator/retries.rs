//! Deliveries that fail, and are tried again, given up or buried (docs/aws.md, Retries and Dead letters).

use ecs_etl_emulator::firing::{Exhausted, Firing, Outcome};
use ecs_etl_emulator::{Journal, Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, task, troubled, with};
use crate::firing::{dues, outcome, pass, put_target};
use crate::queues::{create, receive};

/// An AWS whose ticks come on time, with a queue for dead letters, and a family whose runs fare as `words` say.
fn told(words: &str) -> Aws {
    over(Aws::with(Settings { fires_within: SignedDuration::ZERO, ..Settings::default() }), words)
}

fn over(mut aws: Aws, words: &str) -> Aws {
    create(&mut aws, "q");
    aws.ecs("RegisterTaskDefinition", troubled(task("etl-a"), words)).unwrap();
    aws
}

/// A rule that fires once, at 03:10, with a dead-letter queue.
fn rule(aws: &mut Aws, target: Value) {
    aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "cron(10 3 2 1 ? 2026)"})).unwrap();
    let parameters = json!({"TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-a")});
    let base = json!({"EcsParameters": parameters, "DeadLetterConfig": {"Arn": aws.arn("sqs", "q")}});
    put_target(aws, "a", "job", with(base, target));
}

/// A schedule that fires once, at 03:10, and deletes itself then.
fn schedule(aws: &mut Aws, target: Value) {
    let base = json!({
        "Arn": aws.arn("ecs", "cluster/main"),
        "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
        "EcsParameters": {"TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-a")},
        "DeadLetterConfig": {"Arn": aws.arn("sqs", "q")},
    });
    let body = json!({
        "ScheduleExpression": "at(2026-01-02T03:10:00)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE", "Target": with(base, target),
    });
    aws.scheduler("POST", "/schedules/s", body).unwrap();
}

fn policy(retries: u32, age: u32) -> Value {
    json!({"RetryPolicy": {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": age}})
}

/// What fires within a day, in steps of half an hour.
fn day(aws: &mut Aws) -> Vec<Firing> {
    (0..48).flat_map(|_| pass(aws, 1800)).collect()
}

fn outcomes(firings: &[Firing]) -> Vec<String> {
    firings.iter().map(outcome).collect()
}

/// The attributes of the one dead letter, as they are, and its body.
fn letter(aws: &mut Aws) -> (Value, Value) {
    let letters = receive(aws, json!({}));
    assert_eq!(letters.len(), 1, "{letters:?}");
    let attributes = letters[0]["MessageAttributes"].as_object().unwrap();
    let texts = attributes.iter().map(|(name, value)| (name.clone(), value["StringValue"].clone()));
    (Value::Object(texts.collect()), serde_json::from_str(letters[0]["Body"].as_str().unwrap()).unwrap())
}

#[test]
fn a_throttled_run_is_tried_again_with_longer_and_longer_waits() {
    let mut aws = told("run=ThrottlingException,times=4");
    rule(&mut aws, json!({}));
    let firings = day(&mut aws);
    let told: Vec<_> = firings.iter().map(|firing| firing.retries).collect();
    assert_eq!(told, [0, 1, 2, 3, 4]);
    assert_eq!(dues(&firings), ["03:10:00"; 5], "it stays the same tick");
    let (ran, failed) = firings.split_last().unwrap();
    assert_eq!(outcome(ran), "1 of etl-a:1 as family:etl-a");
    for (n, (firing, next)) in failed.iter().zip(&firings[1..]).enumerate() {
        let Outcome::Failed { code, message, again } = &firing.outcome else { panic!("{firing:?}") };
        assert_eq!((code.as_str(), message.as_str(), *again), ("ThrottlingException", "Rate exceeded", next.at));
        let (waited, usual) = (next.at.duration_since(firing.at).as_millis(), 1000 << n);
        assert!((usual / 2..=usual * 3 / 2).contains(&waited), "{waited} ms after {usual}");
    }
    assert_eq!(receive(&mut aws, json!({})).len(), 0);
}

#[test]
fn a_delivery_that_is_tried_too_often_is_buried_with_the_reason() {
    let mut aws = told("run=ThrottlingException");
    rule(&mut aws, policy(3, 3600));
    let firings = day(&mut aws);
    let Outcome::Refused { exhausted, dead_letter: Some(_), .. } = &firings[3].outcome else { panic!("{firings:?}") };
    assert_eq!((firings.len(), *exhausted), (4, Some(Exhausted::MaximumRetryAttempts)));
    let (attributes, event) = letter(&mut aws);
    let expected = json!({
        "ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "Rate exceeded", "RETRY_ATTEMPTS": "3",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RULE_ARN": aws.arn("events", "rule/a"), "TARGET_ARN": aws.arn("ecs", "cluster/main"),
    });
    assert_eq!(attributes, expected);
    assert_eq!(event["time"], "2026-01-02T03:10:00Z", "the event is that of the first attempt");
}

#[test]
fn a_delivery_that_is_tried_too_long_is_buried_at_its_age() {
    let mut aws = told("run=ServerException");
    rule(&mut aws, policy(185, 90));
    let firings = day(&mut aws);
    let last = firings.last().unwrap();
    assert_eq!(last.at.duration_since(last.due).as_secs(), 90);
    let (attributes, _) = letter(&mut aws);
    assert_eq!(attributes["ERROR_CODE"], "ERROR_FROM_TARGET");
    assert_eq!(attributes["EXHAUSTED_RETRY_CONDITION"], "MaximumEventAgeInSeconds");
    assert_eq!(attributes["RETRY_ATTEMPTS"], json!(last.retries.to_string()));
}

#[test]
fn without_a_policy_it_is_tried_for_about_a_day() {
    let mut aws = told("run=ServerException");
    rule(&mut aws, json!({"DeadLetterConfig": null}));
    let firings: Vec<_> = [day(&mut aws), day(&mut aws)].concat();
    let last = firings.last().unwrap();
    assert!((21..=24).contains(&last.at.duration_since(last.due).as_hours()), "{last:?}");
    assert!((170..=185).contains(&last.retries), "{last:?}");
    let Outcome::Refused { exhausted: Some(_), dead_letter: None, .. } = &last.outcome else { panic!("{last:?}") };
}

#[test]
fn what_trying_again_would_not_help_is_buried_at_once() {
    for (words, code) in [("run=AccessDeniedException", "NO_PERMISSIONS"), ("run=ClientException", "INVALID_PARAMETER")]
    {
        let mut aws = told(words);
        rule(&mut aws, policy(185, 3600));
        let firings = day(&mut aws);
        let Outcome::Refused { exhausted: None, .. } = &firings[0].outcome else { panic!("{firings:?}") };
        assert_eq!(firings.len(), 1);
        let (attributes, _) = letter(&mut aws);
        assert_eq!((&attributes["ERROR_CODE"], attributes.get("RETRY_ATTEMPTS")), (&json!(code), None));
        assert_eq!(attributes.get("EXHAUSTED_RETRY_CONDITION"), None);
    }
}

#[test]
fn no_place_for_a_task_is_a_success_to_the_rule() {
    let mut aws = told("run=RESOURCE:CPU");
    rule(&mut aws, json!({}));
    assert_eq!(outcomes(&day(&mut aws)), ["no place: RESOURCE:CPU"]);
    assert_eq!(receive(&mut aws, json!({})).len(), 0, "nobody hears of it");
    let ran = aws.ecs("RunTask", json!({"cluster": "main", "taskDefinition": "etl-a"})).unwrap();
    assert_eq!(ran, json!({"tasks": [], "failures": [{"reason": "RESOURCE:CPU"}]}));
}

#[test]
fn an_outage_ends_for_all_that_waits_at_its_end() {
    let mut aws = told("run=ServerException,until=2026-01-02T03:30:00Z");
    aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "cron(0/5 3 * * ? *)"})).unwrap();
    let parameters = json!({"TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-a")});
    put_target(&mut aws, "a", "job", json!({ "EcsParameters": parameters }));
    aws.ecs("RunTask", json!({"cluster": "main", "taskDefinition": "etl-a"})).unwrap_err();
    let firings = pass(&mut aws, 3300);
    let started: Vec<_> = firings.into_iter().filter(|firing| outcome(firing).starts_with("1 of")).collect();
    assert!(started.iter().all(|firing| firing.at >= "2026-01-02T03:30:00Z".parse().unwrap()));
    let mut ticks = dues(&started);
    ticks.sort();
    let expected: Vec<_> = (1..12).map(|n| format!("03:{:02}:00", n * 5)).collect();
    assert_eq!(ticks, expected, "each tick runs once");
    aws.ecs("RunTask", json!({"cluster": "main", "taskDefinition": "etl-a"})).unwrap();
}

#[test]
fn an_event_that_a_rule_matched_is_tried_again_as_it_was() {
    let mut aws = told("run=ThrottlingException,for=5s");
    aws.events("PutRule", json!({"Name": "a", "EventPattern": "{\"source\":[\"mine\"]}"})).unwrap();
    let parameters = json!({"TaskDefinitionArn": aws.arn("ecs", "task-definition/etl-a")});
    put_target(&mut aws, "a", "job", json!({ "EcsParameters": parameters }));
    let entry = json!({"Source": "mine", "DetailType": "d", "Detail": "{}"});
    aws.events("PutEvents", json!({"Entries": [entry]})).unwrap();
    let firings = pass(&mut aws, 60);
    let (ran, failed) = firings.split_last().unwrap();
    assert_eq!(outcome(ran), "1 of etl-a:1 as family:etl-a");
    assert!(failed.len() > 1 && failed.iter().all(|firing| outcome(firing).starts_with("ThrottlingException")));
    assert!(ran.at.duration_since(ran.due).as_secs() >= 5, "{ran:?}");
}

#[test]
fn a_rule_that_was_deleted_meanwhile_still_delivers_what_failed() {
    let mut aws = told("run=ThrottlingException,times=8");
    rule(&mut aws, json!({}));
    pass(&mut aws, 360);
    aws.events("RemoveTargets", json!({"Rule": "a", "Ids": ["job"]})).unwrap();
    aws.events("DeleteRule", json!({"Name": "a"})).unwrap();
    assert_eq!(outcomes(&day(&mut aws)).last().unwrap(), "1 of etl-a:1 as family:etl-a");
}

#[test]
fn a_schedule_tells_its_target_the_number_of_the_attempt_and_stays_until_it_is_done() {
    let mut aws = told("run=ThrottlingException,times=6");
    let words = json!([{"name": "n", "value": "<aws.scheduler.attempt-number> at <aws.scheduler.scheduled-time>"}]);
    let input = json!({"containerOverrides": [{"name": "main", "environment": words}]}).to_string();
    schedule(&mut aws, json!({ "Input": input }));
    assert_eq!(outcomes(&pass(&mut aws, 360)).first().unwrap(), "ThrottlingException, to be tried again");
    aws.scheduler("GET", "/schedules/s", Value::Null).unwrap();
    let firings = pass(&mut aws, 300);
    let ran = firings.last().unwrap();
    let Outcome::Started { tasks, .. } = &ran.outcome else { panic!("{ran:?}") };
    let shown = aws.ecs("DescribeTasks", json!({"cluster": "main", "tasks": tasks})).unwrap();
    let environment = &shown["tasks"][0]["overrides"]["containerOverrides"][0]["environment"];
    assert_eq!(environment[0]["value"], "7 at 2026-01-02T03:10:00Z");
    aws.scheduler("GET", "/schedules/s", Value::Null).unwrap_err();
}

#[test]
fn what_a_schedule_cannot_deliver_is_buried_in_its_own_words() {
    let mut aws = told("run=ThrottlingException");
    schedule(&mut aws, with(policy(2, 600), json!({"Input": "{\"id\":\"<aws.scheduler.execution-id>\"}"})));
    assert_eq!(day(&mut aws).len(), 3);
    let (attributes, body) = letter(&mut aws);
    let expected = json!({
        "ERROR_CODE": "ThrottlingException", "ERROR_MESSAGE": "Rate exceeded", "RETRY_ATTEMPTS": "2",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "IS_PAYLOAD_TRUNCATED": "false",
        "SCHEDULED_TIME": "2026-01-02T03:10:00Z", "EXECUTION_ID": body["id"],
        "SCHEDULE_ARN": aws.arn("scheduler", "schedule/default/s"), "TARGET_ARN": aws.arn("ecs", "cluster/main"),
    });
    assert_eq!(attributes, expected);
    aws.scheduler("GET", "/schedules/s", Value::Null).unwrap_err();
}

#[test]
fn what_a_schedule_is_refused_is_buried_without_a_retry() {
    let mut aws = told("run=AccessDeniedException");
    schedule(&mut aws, json!({}));
    assert_eq!(day(&mut aws).len(), 1);
    let (attributes, _) = letter(&mut aws);
    assert_eq!(
        (&attributes["ERROR_CODE"], &attributes["RETRY_ATTEMPTS"]),
        (&json!("AccessDeniedException"), &json!("0"))
    );
    assert_eq!(attributes.get("EXHAUSTED_RETRY_CONDITION"), None);
}

#[test]
fn time_may_pass_in_any_steps_between_the_attempts() {
    let story = |step: i64| {
        let mut aws = told("run=ServerException,for=40m");
        rule(&mut aws, json!({}));
        schedule(&mut aws, json!({}));
        let firings: Vec<_> = (0..3600 / step).flat_map(|_| pass(&mut aws, step)).collect();
        (firings, aws.emulator.snapshot())
    };
    let whole = story(3600);
    assert!(outcomes(&whole.0).iter().filter(|outcome| outcome.starts_with("1 of")).count() == 2);
    for step in [1, 45, 600] {
        assert_eq!(story(step), whole, "in steps of {step}");
    }
}

#[test]
fn what_waits_survives_a_restart() {
    let folder = tempfile::TempDir::new().unwrap();
    let (mut journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
    let mut aws = over(Aws::over(emulator), "run=ServerException,for=30m");
    rule(&mut aws, json!({}));
    schedule(&mut aws, json!({}));
    pass(&mut aws, 900);
    aws.sqs(
        "SendMessage",
        json!({"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "MessageBody": "x"}),
    )
    .unwrap();
    journal.append(&aws.emulator.take_changes()).unwrap();
    drop(journal);
    let before = (aws.emulator.snapshot(), aws.emulator.next_due());
    let (_journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
    assert_eq!((emulator.snapshot(), emulator.next_due()), before);
    aws.emulator = emulator;
    let ran = outcomes(&pass(&mut aws, 3600));
    assert_eq!(ran.iter().filter(|outcome| outcome.starts_with("1 of")).count(), 2, "{ran:?}");
}
