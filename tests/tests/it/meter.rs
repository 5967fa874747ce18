//! The meter counts what passes and breaks what it is told to.

use std::time::Duration;

use ecs_etl_tests::meter::{Effect, Meter};
use ecs_etl_tests::raw::Aws;
use ecs_etl_tests::server::{Kind, Server};
use serde_json::json;

fn metered(server: &Server) -> (Meter, Aws) {
    let meter = Meter::start(server.address());
    let aws = Aws::new(meter.address());
    (meter, aws)
}

#[test]
fn it_tells_reads_from_changes_and_clean_up_from_work() {
    let server = Server::start(Kind::Moto);
    let (meter, aws) = metered(&server);
    let arn = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/a:1";
    aws.call(
        "ecs",
        "RegisterTaskDefinition",
        json!({"family": "a", "containerDefinitions": [{"name": "m", "image": "i", "memory": 64}]}),
    );
    aws.call("ecs", "ListTaskDefinitions", json!({}));
    aws.call("ecs", "TagResource", json!({"resourceArn": arn, "tags": [{"key": "ecs-etl/retired-at", "value": "x"}]}));
    aws.call("ecs", "TagResource", json!({"resourceArn": arn, "tags": [{"key": "team", "value": "x"}]}));
    aws.call("ecs", "UntagResource", json!({"resourceArn": arn, "tagKeys": ["ecs-etl/retired-at"]}));
    let calls = meter.take();
    assert_eq!(calls.mutating().len(), 4);
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "TagResource"]);
    assert_eq!(calls.reads(), 1);
    assert!(calls.0.iter().all(|call| call.status == 200), "{calls}");
    assert!(meter.take().0.is_empty());
}

#[test]
fn a_lost_answer_has_had_its_effect_and_a_lost_request_has_not() {
    let server = Server::start(Kind::Moto);
    let (meter, through) = metered(&server);
    let direct = Aws::new(server.address());
    let rule = |name: &str| json!({"Name": name, "ScheduleExpression": "rate(1 day)"});

    meter.inject("PutRule", 1, Effect::LoseAnswer);
    let lost = std::panic::catch_unwind(|| through.call("events", "PutRule", rule("answer")));
    assert!(lost.is_err());
    assert!(direct.rule("answer").is_some());

    meter.inject("PutRule", 1, Effect::LoseRequest);
    let lost = std::panic::catch_unwind(|| through.call("events", "PutRule", rule("request")));
    assert!(lost.is_err());
    assert!(direct.rule("request").is_none());

    through.call("events", "PutRule", rule("request"));
    assert!(direct.rule("request").is_some());
}

#[test]
fn an_injected_answer_reaches_the_caller_as_it_is() {
    let server = Server::start(Kind::Moto);
    let (meter, aws) = metered(&server);
    meter.inject("*", 1, Effect::throttle());
    let refused = aws.try_call("events", "ListRules", &json!({})).expect_err("a throttle");
    assert_eq!(refused.code, "ThrottlingException");

    meter.inject("ListRules", 9, Effect::server_error());
    meter.heal();
    aws.call("events", "ListRules", json!({}));

    meter.inject("ListRules", 1, Effect::Delay(Duration::from_millis(50)));
    aws.call("events", "ListRules", json!({}));
    assert!(meter.take().0.last().is_some_and(|call| call.at.elapsed() >= Duration::from_millis(50)));
}
