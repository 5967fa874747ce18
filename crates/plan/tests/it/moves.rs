//! Renames and moves between places: rather a run missed than one doubled.

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::step::Kind;
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::shapes::events::Target;

use crate::job::{Spec, job, place};
use crate::world::{Done, World, at, reason};

const HANDOVER: [&str; 8] = [
    "RegisterTaskDefinition",
    "PutRule",
    "PutTargets",
    "DisableRule",
    "EnableRule",
    "RemoveTargets",
    "DeleteRule",
    "TagResource",
];

fn renamed() -> Spec {
    job().named("revenue").moved_from("sales")
}

fn check(world: &mut World, after: &Spec, expected: &[&str]) -> Done {
    let done = world.reconcile(&after.desired());
    assert_eq!(done.operations(), expected, "{:#?}", done.plan);
    let again = world.reconcile(&after.desired());
    assert_eq!(again.operations(), [""; 0], "the second pass writes: {:#?}", again.plan.steps);
    done
}

#[test]
fn a_renamed_job_is_handed_over_and_its_old_family_marked() {
    let mut world = World::with(&job().desired());
    let done = check(&mut world, &renamed(), &HANDOVER);
    assert_eq!(done.plan.kind, Kind::Move);
    let aws = world.region(&job().place);
    assert_eq!(aws.rules.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["etl-revenue"]);
    let old = aws.revisions.values().find(|revision| revision.live.arn.family() == "etl-sales").unwrap();
    assert_eq!(old.live.tags.get(tags::RETIRED_AT).map(String::as_str), Some("2026-11-23T12:00:00Z"));
}

#[test]
fn a_job_that_moves_to_another_region_is_handed_over() {
    let mut world = World::with(&job().desired());
    let moved = job().at("us-east-1");
    let done = check(&mut world, &moved, &HANDOVER);
    let regions: Vec<&str> = done.plan.steps.iter().map(|step| step.place.region.as_str()).collect();
    let (new, old) = ("us-east-1", "eu-west-1");
    assert_eq!(regions, [new, new, new, old, new, old, old, old]);
    assert!(world.regions[&place(old)].rules.is_empty());
}

#[test]
fn a_suspended_job_moves_without_ever_being_enabled() {
    let mut world = World::with(&job().suspended().desired());
    let expected = ["RegisterTaskDefinition", "PutRule", "PutTargets", "RemoveTargets", "DeleteRule", "TagResource"];
    check(&mut world, &renamed().suspended(), &expected);
}

#[test]
fn a_move_keeps_two_minutes_away_from_a_tick() {
    for (now, waits) in [
        ("2026-11-23T01:57:00Z", false),
        ("2026-11-23T01:58:30Z", true),
        ("2026-11-23T02:00:00Z", true),
        ("2026-11-23T02:01:59Z", true),
        ("2026-11-23T02:02:01Z", false),
    ] {
        let mut world = World::with(&job().desired());
        world.now = at(now);
        let done = world.decide(&renamed().desired(), world.found(&renamed().desired()));
        assert_eq!(reason(&done.plan.verdict) == Reason::WaitingForTick, waits, "{now}");
        assert_eq!(done.plan.steps.is_empty(), waits, "{now}");
        if let Verdict::Waiting(_, _, until) = done.plan.verdict {
            assert_eq!(until, Some(at("2026-11-23T02:02:01Z")));
        }
    }
}

#[test]
fn a_move_that_no_gap_allows_goes_on_and_says_that_a_run_may_be_missed() {
    for schedule in ["* * * * *", "rate(1 hour)"] {
        let mut world = World::with(&job().schedule(schedule).desired());
        let done = check(&mut world, &renamed().schedule(schedule), &HANDOVER);
        assert!(done.plan.notes.iter().any(|note| note.contains("missed")), "{:?}", done.plan.notes);
    }
}

#[test]
fn a_former_rule_of_others_stays_and_the_job_is_simply_created() {
    let mut world = World::with(&job().desired());
    world.region(&job().place).rule("etl-sales").tags = Tags::new();
    let done = check(&mut world, &renamed(), &HANDOVER[..3]);
    assert!(done.plan.notes.iter().any(|note| note.contains("etl-sales")), "{:?}", done.plan.notes);
}

#[test]
fn an_old_rule_with_targets_of_others_stays_for_them() {
    let mut world = World::with(&job().desired());
    let rule = world.region(&job().place).rule("etl-sales");
    rule.targets.insert("notify".to_owned(), Target { id: Some("notify".to_owned()), ..Target::default() });
    let expected = ["RegisterTaskDefinition", "PutRule", "PutTargets", "RemoveTargets", "EnableRule", "TagResource"];
    check(&mut world, &renamed(), &expected);
    let rule = world.region(&job().place).rule("etl-sales");
    assert_eq!(rule.targets.keys().collect::<Vec<_>>(), ["notify"]);
    assert!(rule.live.state.may_fire());
}

#[test]
fn a_name_that_was_never_used_costs_one_look_more_and_nothing_else() {
    let mut world = World::empty();
    let done = check(&mut world, &renamed(), &HANDOVER[..3]);
    assert_eq!(done.looks.len(), 3, "{:?}", done.looks);
}

#[test]
fn a_move_between_lists_of_schedules_brings_every_rule() {
    let schedules = ["cron(0 2 * * ? *)", "cron(0 4 * * ? *)"];
    let mut world = World::with(&job().list(&schedules).desired());
    let done = world.reconcile(&renamed().list(&schedules).desired());
    assert_eq!(done.operations().iter().filter(|name| **name == "EnableRule").count(), 2);
    assert_eq!(world.region(&job().place).rules.len(), 2);
}

#[test]
fn another_role_for_the_same_account_and_region_is_no_move() {
    let mut world = World::with(&job().desired());
    let mut other_role = job();
    other_role.place.assume_role_arn = Some("arn:aws:iam::123456789012:role/etl".to_owned());
    let same = world.region(&job().place).clone();
    world.regions.insert(other_role.place.clone(), same);
    let done = world.reconcile(&other_role.desired());
    assert_eq!(done.operations(), [""; 0], "{:#?}", done.plan.steps);

    // What the other role saw is stale by now, and proves nothing of what is here.
    let desired = other_role.desired();
    world.region(&other_role.place).rule("etl-sales").targets.clear();
    let mut observed = world.found(&desired);
    let elsewhere = world.decide(&job().desired(), world.found(&job().desired())).observed;
    observed.elsewhere = vec![(job().place, Observed { elsewhere: Vec::new(), ..elsewhere })];
    let done = world.decide(&desired, observed);
    assert_eq!(done.operations(), ["PutTargets"]);
    assert_eq!(lint(&done.plan, &Subject::of(&desired), &done.observed), []);
}

#[test]
fn a_schedule_whose_years_are_over_becomes_a_list_all_the_same() {
    let over = "cron(0 2 * * ? 2020)";
    let mut world = World::with(&job().schedule(over).desired());
    let desired = job().list(&[over]).desired();
    let done = world.reconcile(&desired);
    let violations = lint(&done.plan, &Subject::of(&desired), &done.observed);
    assert_eq!(violations, [], "{:#?}", done.plan.steps);
    assert_eq!(world.reconcile(&desired).operations(), [""; 0]);
}
