//! The short way of a question, which leaves out the SDK's orchestrator, hears and says what the long one does.

use ecs_etl_aws::Options;
use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::{Conduct, Fault};
use ecs_etl_plan::observed::{Look, RevisionArn};
use ecs_etl_spec::name::{RuleName, ScheduleGroup};
use serde_json::json;
use tokio::time::Instant;

use crate::world::{World, family, place, put_targets, rule, world_with};

const OPERATIONS: [&str; 10] = [
    "sts:AssumeRole",
    "ecs:ListTaskDefinitions",
    "ecs:DescribeTaskDefinition",
    "events:ListRules",
    "events:DescribeRule",
    "events:ListTargetsByRule",
    "events:ListTagsForResource",
    "scheduler:GetSchedule",
    "scheduler:ListSchedules",
    "scheduler:ListTagsForResource",
];

/// A world with a job in rules, and one in a group of schedules.
async fn furnished(short: bool) -> World {
    let world = world_with(Options { short, ..Options::default() }).await;
    let revision = world.register("etl-a").await.arn;
    world.put_rule("etl-a").await;
    world.act(put_targets("etl-a", &revision)).await;
    world.scheduler("/schedule-groups/ecs-etl-default", json!({"Tags": [{"Key": "team", "Value": "x"}]})).await;
    let body = json!({
        "GroupName": "ecs-etl-default",
        "ScheduleExpression": "cron(0 2 * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/s"},
    });
    world.scheduler("/schedules/etl-b", body).await;
    world
}

fn scheduled(name: &str) -> RuleName {
    RuleName::in_group(&ScheduleGroup::new("ecs-etl-default").unwrap(), name).unwrap()
}

/// Every question, of what is there and of what is not, as text; and how long it took.
async fn asked(world: &World) -> Vec<String> {
    let arn = |number: u32| {
        let text = format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:{number}");
        RevisionArn::parse(&text).unwrap()
    };
    let rule_arn = |name: &str| format!("arn:aws:events:eu-west-1:123456789012:rule/{name}");
    let group = |name: &str| ScheduleGroup::new(name).unwrap();
    let looks = [
        Look::Active(family("etl-a")),
        Look::Revision(arn(1)),
        Look::Revision(arn(7)),
        Look::Rule(rule("etl-a")),
        Look::Rule(rule("etl-none")),
        Look::Targets(rule("etl-a")),
        Look::RuleTags(rule("etl-a"), rule_arn("etl-a")),
        Look::RuleTags(rule("etl-none"), rule_arn("etl-none")),
        Look::Rule(scheduled("etl-b")),
        Look::Rule(scheduled("etl-none")),
        Look::Group(group("ecs-etl-default")),
        Look::Group(group("ecs-etl-none")),
    ];
    let mut answers = Vec::new();
    let start = Instant::now();
    for look in looks {
        answers.push(format!("{look:?}: {:?}", world.try_look(look.clone()).await));
    }
    answers.push(format!("{:?}", world.aws.list_rules(&world.place, "etl-").await));
    answers.push(format!("{:?}", world.aws.list_active_revisions(&world.place, "etl-").await));
    answers.push(format!("{:?}", world.aws.list_schedules(&world.place, &group("ecs-etl-default")).await));
    let away = place("eu-west-1", Some("arn:aws:iam::210987654321:role/etl"));
    answers.push(format!("{:?}", world.aws.list_rules(&away, "etl-").await));
    answers.push(format!("after {:?}", start.elapsed()));
    answers
}

/// What may be in the way of a request.
type Faulty = fn() -> Option<Fault>;

/// Asks everything both ways with this in the way of every operation, and compares.
async fn check(what: &str, fault: Faulty) {
    let mut heard = Vec::new();
    for short in [false, true] {
        // Boxed, as an unoptimised build would have the whole SDK's futures on the stack of a test, several times.
        let world = Box::pin(furnished(short)).await;
        for operation in OPERATIONS {
            fault().into_iter().for_each(|fault| world.wire.next(operation, fault));
        }
        let answers = Box::pin(asked(&world)).await;
        heard.push((answers, world.wire.meter.counts()));
    }
    assert_eq!(heard[0], heard[1], "{what}");
}

fn refused(status: u16, code: &'static str) -> Option<Fault> {
    Some(Fault::refused(Reply::error(status, code, "so it is")))
}

fn garbage() -> Option<Fault> {
    let mut reply = Reply::json(200, &json!({}));
    reply.body = b"<html>".to_vec();
    Some(Fault { answer: Conduct::Reply(reply), ..Fault::none() })
}

#[tokio::test(start_paused = true)]
async fn both_ways_hear_the_same() {
    check("nothing in the way", || None).await;
}

#[tokio::test(start_paused = true)]
async fn both_ways_call_what_goes_wrong_the_same() {
    let faults: [(&str, Faulty); 7] = [
        ("a throttle", || refused(400, "ThrottlingException")),
        ("a server error", || refused(500, "InternalException")),
        ("a refusal", || refused(400, "AccessDeniedException")),
        ("an error without a code", || refused(503, "")),
        ("a lost answer", || Some(Fault::lost_answer())),
        ("no answer", || Some(Fault { answer: Conduct::Never, ..Fault::none() })),
        ("garbage", garbage),
    ];
    for (what, fault) in faults {
        check(what, fault).await;
    }
}
