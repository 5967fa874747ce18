//! Plans in words.

use ecs_etl_plan::explain;
use ecs_etl_spec::shapes::KeyValuePair;
use serde_json::json;

use crate::job::{Spec, identity, job};
use crate::world::World;
use crate::world::at;

fn check(before: &Spec, after: &Spec, expected: &str) {
    let world = World::with(&before.desired());
    let done = world.decide(&after.desired(), world.found(&after.desired()));
    assert_eq!(explain::text(&done.plan), expected);
}

#[test]
fn each_step_says_what_it_writes_and_why_field_by_field() {
    check(
        &job(),
        &job().image("sales:2").schedule("cron(0 3 * * ? *)"),
        "    RegisterTaskDefinition etl-sales
        containerDefinitions[sales].image: \"sales:1\" -> \"sales:2\"
    PutTargets etl-sales -> the new revision
        EcsParameters.TaskDefinitionArn: \"arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-sales:1\" -> \"the new revision\"
    PutRule etl-sales cron(0 3 * * ? *) ENABLED
        ScheduleExpression: \"cron(0 2 * * ? *)\" -> \"cron(0 3 * * ? *)\"
",
    );
}

#[test]
fn what_does_not_exist_is_said_so() {
    let done = World::empty().decide(&job().desired(), World::empty().found(&job().desired()));
    assert_eq!(
        explain::text(&done.plan),
        "    RegisterTaskDefinition etl-sales
        it does not exist
    PutRule etl-sales cron(0 2 * * ? *) ENABLED
        it does not exist
    PutTargets etl-sales -> the new revision
        it does not exist
"
    );
}

#[test]
fn secrets_are_shown_neither_in_words_nor_in_json() {
    let with_password = |password: &str| {
        let mut bound = job().bound();
        let pair = KeyValuePair { name: Some("DB_PASSWORD".to_owned()), value: Some(password.to_owned()) };
        let containers = bound.task_definition.container_definitions.as_mut().unwrap();
        containers[0].environment = Some(vec![pair]);
        let prefix = ecs_etl_spec::name::Prefix::new("etl-").unwrap();
        ecs_etl_plan::lower::lower(&bound, &identity(job().source), &prefix, at("2026-11-23T12:00:00Z")).unwrap()
    };
    let world = World::with(&with_password("canary-1"));
    let desired = with_password("canary-2");
    let plan = world.decide(&desired, world.found(&desired)).plan;
    let shown = format!("{}{}", explain::text(&plan), explain::json(&plan));
    assert!(shown.contains("DB_PASSWORD") && !shown.contains("canary"), "{shown}");
}

#[test]
fn json_has_a_step_for_each_write_with_its_changes() {
    let world = World::with(&job().desired());
    let desired = job().suspended().desired();
    let plan = world.decide(&desired, world.found(&desired)).plan;
    assert_eq!(
        explain::json(&plan)["steps"],
        json!([{
            "operation": "DisableRule",
            "resource": "etl-sales",
            "region": "eu-west-1",
            "because": "differs",
            "changes": [{"path": "State", "live": "ENABLED", "desired": "DISABLED"}]
        }])
    );
}
