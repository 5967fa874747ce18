//! Bad days: what each failure is called, whether it may have had an effect, and that nothing is tried twice behind our back.

use std::time::Duration;

use ecs_etl_aws::{Answer, CallError};
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_plan::failure::{Failure, RetryClass};
use ecs_etl_plan::observed::Look;
use ecs_etl_plan::step::Action;
use tokio::time::Instant;

use crate::world::{World, family, put_rule, put_targets, register, rule, world};

fn failure<T: std::fmt::Debug>(result: Result<T, CallError>) -> Failure {
    result.unwrap_err().failure().clone()
}

/// Registers under a fault and checks what becomes of it, and that it was one call.
#[track_caller]
fn check(world: &World, failure: &Failure, code: &str, class: RetryClass, ambiguous: bool) {
    assert_eq!((failure.code.as_str(), failure.class, failure.ambiguous), (code, class, ambiguous), "{failure:?}");
    assert_eq!(failure.operation, "RegisterTaskDefinition");
    assert_eq!(world.wire.meter.total(), 1, "the SDK tried again by itself");
}

async fn register_under(fault: Fault) -> (World, Failure) {
    let world = world().await;
    world.wire.next("ecs:RegisterTaskDefinition", fault);
    let failure = failure(world.try_act(register("etl-a")).await);
    (world, failure)
}

async fn active(world: &World) -> usize {
    let answer = world.look(Look::Active(family("etl-a"))).await;
    let Answer::Active(revisions) = answer else { panic!("{answer:?}") };
    revisions.len()
}

#[tokio::test(start_paused = true)]
async fn an_answer_lost_after_its_effect_is_ambiguous() {
    let (world, failure) = register_under(Fault::lost_answer()).await;
    check(&world, &failure, "Connection", RetryClass::Soon, true);
    assert_eq!(active(&world).await, 1, "the effect stands");
}

#[tokio::test(start_paused = true)]
async fn a_request_lost_before_its_effect_looks_the_same() {
    let (world, failure) = register_under(Fault::lost_request()).await;
    check(&world, &failure, "Connection", RetryClass::Soon, true);
    assert_eq!(active(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_given_up_after_ten_seconds() {
    let start = Instant::now();
    let (world, failure) = register_under(Fault { answer: Conduct::Never, ..Fault::none() }).await;
    check(&world, &failure, "Timeout", RetryClass::Soon, true);
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for() {
    let world = world().await;
    let slow = Fault { before: Duration::from_secs(4), after: Duration::from_secs(5), ..Fault::none() };
    world.wire.next("ecs:RegisterTaskDefinition", slow);
    world.act(register("etl-a")).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_with_its_request_and_is_not_ambiguous() {
    let world = world().await;
    let message = "Too many concurrent attempts to create a new revision of the specified family.";
    world.wire.refuse("ecs:RegisterTaskDefinition", 400, "ClientException", message);
    let failure = failure(world.try_act(register("etl-a")).await);
    check(&world, &failure, "ClientException", RetryClass::Soon, false);
    assert_eq!((failure.message.as_str(), failure.resource.as_str()), (message, "etl-a"));
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_one_call_and_no_more() {
    let world = world().await;
    world.wire.refuse("ecs:RegisterTaskDefinition", 400, "ThrottlingException", "Rate exceeded");
    let failure = failure(world.try_act(register("etl-a")).await);
    check(&world, &failure, "ThrottlingException", RetryClass::Throttled, false);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_does_not_retry_a_quota_as_if_it_were_a_throttle() {
    let world = world().await;
    world.wire.refuse("events:PutRule", 400, "LimitExceededException", "The requested resource exceeds the maximum");
    let failure = failure(world.try_act(put_rule("etl-a")).await);
    assert_eq!((failure.class, world.wire.meter.total()), (RetryClass::Slow, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_error_may_have_had_an_effect() {
    let world = world().await;
    world.wire.refuse("ecs:RegisterTaskDefinition", 500, "ServerException", "Service Unavailable.");
    let failure = failure(world.try_act(register("etl-a")).await);
    check(&world, &failure, "ServerException", RetryClass::Soon, true);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_are_told_apart_from_refusals() {
    let html = "<html><body>Bad gateway</body></html>";
    for (status, body) in [
        (200, html),
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (200, r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs"#),
        (200, r#"{"taskDefinition":{}}"#),
        (200, r#"{"taskDefinition":{"taskDefinitionArn":"etl-a:1","status":"ACTIVE"}}"#),
        (200, r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:1:task-definition/etl-b:1"}}"#),
        (502, html),
        (503, ""),
    ] {
        let world = world().await;
        world.wire.answer("ecs:RegisterTaskDefinition", status, body);
        let failure = failure(world.try_act(register("etl-a")).await);
        check(&world, &failure, "Response", RetryClass::Soon, true);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_other_than_the_one_asked_for_is_no_answer() {
    let world = world().await;
    let first = world.register("etl-a").await.arn;
    let body =
        r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:2"}}"#;
    world.wire.answer("ecs:DescribeTaskDefinition", 200, body);
    let failure = failure(world.try_look(Look::Revision(first)).await);
    assert_eq!((failure.code.as_str(), failure.ambiguous), ("Response", false), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_to_a_rule_is_no_rule_and_no_absence() {
    let world = world().await;
    for body in ["{}", r#"{"Name":"etl-b","Arn":"arn:aws:events:eu-west-1:1:rule/etl-b","State":"ENABLED"}"#] {
        world.wire.answer("events:DescribeRule", 200, body);
        let failure = failure(world.try_look(Look::Rule(rule("etl-a"))).await);
        assert_eq!(failure.code, "Response", "{failure}");
    }
    world.wire.answer("events:PutRule", 200, "{}");
    assert_eq!(failure(world.try_act(put_rule("etl-a")).await).code, "Response");
}

#[tokio::test(start_paused = true)]
async fn a_failed_entry_inside_a_200_is_a_failure_with_its_own_code() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    world.put_rule("etl-a").await;
    let failed = |code: &str| {
        format!(
            r#"{{"FailedEntryCount":1,"FailedEntries":[{{"TargetId":"ecs-etl","ErrorCode":"{code}","ErrorMessage":"why"}}]}}"#
        )
    };
    for (code, class) in [
        ("ConcurrentModificationException", RetryClass::Soon),
        ("LimitExceededException", RetryClass::Slow),
        ("ValidationException", RetryClass::Terminal),
    ] {
        world.wire.answer("events:PutTargets", 200, &failed(code));
        let put = failure(world.try_act(put_targets("etl-a", &revision)).await);
        assert_eq!((put.code.as_str(), put.class, put.ambiguous), (code, class, false));
        assert_eq!(put.message, "target ecs-etl: why");

        world.wire.answer("events:RemoveTargets", 200, &failed(code));
        let remove = Action::RemoveTargets { rule: rule("etl-a"), ids: vec!["ecs-etl".to_owned()] };
        let removed = failure(world.try_act(remove).await);
        assert_eq!((removed.code.as_str(), removed.class), (code, class));
    }
    world.wire.answer("events:PutTargets", 200, r#"{"FailedEntryCount":2,"FailedEntries":[]}"#);
    assert_eq!(failure(world.try_act(put_targets("etl-a", &revision)).await).code, "Response");
}

#[tokio::test(start_paused = true)]
async fn no_failure_repeats_what_was_sent_or_answered() {
    let world = world().await;
    let secret = "hunter2-hunter2";
    let echo = format!(r#"{{"taskDefinition":{{"containerDefinitions":[{{"environment":[{{"value":"{secret}"#);
    world.wire.answer("ecs:RegisterTaskDefinition", 200, &echo);
    world.wire.answer("ecs:RegisterTaskDefinition", 500, &echo);
    world.wire.refuse("ecs:RegisterTaskDefinition", 400, "ClientException", &format!("Invalid value {secret} given"));
    world.wire.next("ecs:RegisterTaskDefinition", Fault::lost_answer());
    for _ in 0..4 {
        let failure = failure(world.try_act(register("etl-a")).await);
        assert!(!format!("{failure:?}").contains(secret), "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_one_line_that_can_be_shown() {
    let world = world().await;
    let long = format!("first\\n\\u001b[31msecond {}", "x".repeat(5000));
    let body = format!(r#"{{"__type":"ValidationException","message":"{long}"}}"#);
    world.wire.answer("events:PutRule", 400, &body);
    let failure = failure(world.try_act(put_rule("etl-a")).await);
    assert!(failure.message.starts_with("first  [31msecond xxx"), "{}", failure.message);
    assert!(failure.message.ends_with('…') && failure.message.chars().count() <= 601, "{}", failure.message.len());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_undoes_nothing() {
    let world = world().await;
    let slow = Fault { before: Duration::from_secs(2), ..Fault::none() };
    world.wire.next("ecs:RegisterTaskDefinition", slow);
    let given_up = tokio::time::timeout(Duration::from_secs(1), world.try_act(register("etl-a"))).await;
    assert!(given_up.is_err());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(active(&world).await, 1);
}
