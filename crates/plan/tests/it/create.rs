//! Creating, changing, reverting, suspending.

use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::step::Kind;

use crate::job::{Spec, job};
use crate::world::{World, reason};

fn check(before: Option<Spec>, after: &Spec, expected: &[&str]) -> World {
    let mut world = before.map_or_else(World::empty, |spec| World::with(&spec.desired()));
    let done = world.reconcile(&after.desired());
    assert_eq!(done.operations(), expected, "{:#?}", done.plan);
    let again = world.reconcile(&after.desired());
    assert_eq!(again.operations(), [""; 0], "the second pass writes: {:#?}", again.plan.steps);
    assert_eq!(again.plan.kind, Kind::None);
    let ready = if after.suspend { Reason::Suspended } else { Reason::Converged };
    assert_eq!(reason(&again.plan.verdict), ready);
    world
}

#[test]
fn a_new_job_takes_three_writes() {
    check(None, &job(), &["RegisterTaskDefinition", "PutRule", "PutTargets"]);
}

#[test]
fn a_new_suspended_job_is_created_disabled() {
    let mut world = check(None, &job().suspended(), &["RegisterTaskDefinition", "PutRule", "PutTargets"]);
    assert!(!world.region(&job().place).rule("etl-sales").live.state.may_fire());
}

#[test]
fn each_schedule_of_a_list_is_a_rule() {
    let list = job().list(&["cron(0 2 * * ? *)", "cron(0 3 * * ? *)"]);
    let expected = ["RegisterTaskDefinition", "PutRule", "PutTargets", "PutRule", "PutTargets"];
    check(None, &list, &expected);
}

#[test]
fn a_changed_image_takes_two_writes() {
    check(Some(job()), &job().image("sales:2"), &["RegisterTaskDefinition", "PutTargets"]);
}

#[test]
fn a_reverted_image_takes_one_write() {
    let mut world = World::with(&job().desired());
    world.reconcile(&job().image("sales:2").desired());
    let done = world.reconcile(&job().desired());
    assert_eq!(done.operations(), ["PutTargets"]);
}

#[test]
fn a_changed_schedule_takes_one_write() {
    check(Some(job()), &job().schedule("cron(0 3 * * ? *)"), &["PutRule"]);
}

#[test]
fn suspending_and_resuming_take_one_write_each() {
    check(Some(job()), &job().suspended(), &["DisableRule"]);
    check(Some(job().suspended()), &job(), &["EnableRule"]);
}

#[test]
fn a_changed_schedule_of_a_list_is_made_before_the_old_one_goes() {
    let before = job().list(&["cron(0 2 * * ? *)"]);
    let after = job().list(&["cron(0 3 * * ? *)"]);
    check(Some(before), &after, &["PutRule", "PutTargets", "RemoveTargets", "DeleteRule"]);
}

#[test]
fn schedules_that_tick_together_are_handed_over_without_a_double_run() {
    let after = job().list(&["cron(0 2 * * ? *)"]);
    let expected = ["PutRule", "PutTargets", "DisableRule", "EnableRule", "RemoveTargets", "DeleteRule"];
    check(Some(job()), &after, &expected);
}

#[test]
fn labels_are_tags_and_leave_with_the_manifest() {
    let labelled = job().label("team", "analytics");
    let mut world = check(Some(job()), &labelled, &["TagResource"; 3]);
    let place = job().place;
    world.region(&place).rule("etl-sales").tags.insert("cost-centre".to_owned(), "7".to_owned());
    let done = world.reconcile(&job().desired());
    assert_eq!(done.operations(), ["TagResource", "UntagResource", "UntagResource"]);
    let tags = &world.region(&place).rule("etl-sales").tags;
    assert_eq!((tags.get("team"), tags.contains_key("cost-centre")), (None, true));
    assert_eq!(
        *tags.keys().filter(|key| key.starts_with("ecs-etl/")).collect::<Vec<_>>(),
        ["ecs-etl/controller", "ecs-etl/job", "ecs-etl/policy", "ecs-etl/source"]
    );
}

#[test]
fn a_rule_is_told_new_labels_before_it_pins_a_revision_that_bears_them() {
    let mut world = World::with(&job().desired());
    let done = world.reconcile(&job().image("sales:2").label("team", "analytics").desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "TagResource", "TagResource", "PutTargets"]);
}
