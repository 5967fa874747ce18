//! Rules that fire: when, what they start, and what becomes of changes (docs/aws.md, Rules and schedules).

use ecs_etl_emulator::firing::{Firing, Outcome};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, with};

/// A rule with one ECS target.
pub fn scheduled(aws: &mut Aws, rule: &str, expression: &str, task_definition: &str) {
    aws.events("PutRule", json!({"Name": rule, "ScheduleExpression": expression})).unwrap();
    put_target(aws, rule, "job", json!({"EcsParameters": {"TaskDefinitionArn": task_definition}}));
}

/// Puts a target that runs in the cluster `main`, with members laid over it.
pub fn put_target(aws: &mut Aws, rule: &str, id: &str, over: Value) {
    let target = json!({
        "Id": id,
        "Arn": aws.arn("ecs", "cluster/main"),
        "RoleArn": "arn:aws:iam::123456789012:role/events",
    });
    aws.events("PutTargets", json!({"Rule": rule, "Targets": [with(target, over)]})).unwrap();
}

/// Lets time pass and tells what fired meanwhile.
pub fn pass(aws: &mut Aws, seconds: i64) -> Vec<Firing> {
    aws.sleep(seconds);
    aws.emulator.advance(aws.now);
    aws.emulator.take_firings()
}

fn dues(firings: &[Firing]) -> Vec<String> {
    firings.iter().map(|firing| firing.due.to_string()).collect()
}

#[test]
fn a_rule_fires_within_the_minute_that_its_schedule_names() {
    let mut aws = Aws::new();
    let revision = aws.register("etl-a");
    scheduled(&mut aws, "a", "cron(0/10 3 * * ? *)", &revision);
    let firings = pass(&mut aws, 3600);
    assert_eq!(
        dues(&firings),
        [
            "2026-01-02T03:10:00Z",
            "2026-01-02T03:20:00Z",
            "2026-01-02T03:30:00Z",
            "2026-01-02T03:40:00Z",
            "2026-01-02T03:50:00Z"
        ]
    );
    for firing in &firings {
        let late = firing.at.duration_since(firing.due);
        assert!((SignedDuration::ZERO..SignedDuration::from_mins(1)).contains(&late), "{late}");
        let Outcome::Started { task_definition, tasks, group } = &firing.outcome else { panic!("{firing:?}") };
        assert_eq!((task_definition, tasks.len(), group.as_str()), (&revision, 1, "family:etl-a"));
    }
    assert!(firings.iter().any(|firing| firing.at > firing.due), "never at second 0 each time");
}
