//! Other people's hands in our resources, and ours out of theirs.

use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::RuleState;
use ecs_etl_plan::tags;
use ecs_etl_spec::shapes::TaskDefinition;

use crate::job::{Spec, job};
use crate::world::{Region, World, at, name, reason};

/// Converges a job, lets somebody change AWS, and says what the next pass writes.
fn check(drift: impl Fn(&mut Region), expected: &[&str]) -> World {
    check_spec(&job(), drift, expected)
}

fn check_spec(spec: &Spec, drift: impl Fn(&mut Region), expected: &[&str]) -> World {
    let mut world = World::with(&spec.desired());
    drift(world.region(&spec.place));
    let desired = spec.desired();
    let done = world.reconcile(&desired);
    assert_eq!(done.operations(), expected, "{:#?}", done.plan);
    assert_eq!(lint(&done.plan, &Subject::of(&desired), &done.observed), [], "{:#?}", done.plan.steps);
    let again = world.reconcile(&desired);
    assert_eq!(again.operations(), [""; 0], "the second pass writes: {:#?}", again.plan.steps);
    assert!(matches!(reason(&again.plan.verdict), Reason::Converged | Reason::Suspended));
    world
}

fn stray(region: &mut Region, id: &str) {
    let rule = region.rule("etl-sales");
    let mut target = rule.targets["ecs-etl"].clone();
    target.id = Some(id.to_owned());
    rule.targets.insert(id.to_owned(), target);
}

#[test]
fn a_disabled_rule_is_enabled() {
    check(|aws| aws.rule("etl-sales").live.state = RuleState::Disabled, &["EnableRule"]);
}

#[test]
fn an_enabled_rule_of_a_suspended_job_is_disabled() {
    check_spec(&job().suspended(), |aws| aws.rule("etl-sales").live.state = RuleState::Enabled, &["DisableRule"]);
}

#[test]
fn a_state_that_we_never_set_is_replaced_with_the_whole_rule() {
    let state = RuleState::Other("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS".to_owned());
    check(|aws| aws.rule("etl-sales").live.state = state.clone(), &["PutRule"]);
}

#[test]
fn a_field_of_a_rule_is_repaired_with_the_whole_rule() {
    check(|aws| aws.rule("etl-sales").live.expression = Some("rate(1 minute)".to_owned()), &["PutRule"]);
    check(|aws| aws.rule("etl-sales").live.description = None, &["PutRule"]);
    check(|aws| aws.rule("etl-sales").live.event_pattern = Some("{}".to_owned()), &["PutRule"]);
    let world = check_spec(
        &job().suspended(),
        |aws| aws.rule("etl-sales").live.expression = Some("rate(1 minute)".to_owned()),
        &["PutRule"],
    );
    assert_eq!(world.regions[&job().place].rules[&name("etl-sales")].live.state, RuleState::Disabled);
}

#[test]
fn an_empty_text_is_the_same_as_none() {
    let empty = |aws: &mut Region| {
        let rule = &mut aws.rule("etl-sales").live;
        (rule.event_pattern, rule.role_arn) = (Some(String::new()), Some(String::new()));
    };
    check(empty, &[]);
}

#[test]
fn a_deleted_rule_is_created_anew_with_the_same_revision() {
    check(|aws| aws.rules.clear(), &["PutRule", "PutTargets"]);
}

#[test]
fn a_deleted_target_is_put_again() {
    check(|aws| aws.rule("etl-sales").targets.clear(), &["PutTargets"]);
}

#[test]
fn a_rule_found_disabled_without_target_gets_its_target_before_it_fires() {
    let drift = |aws: &mut Region| {
        aws.rule("etl-sales").targets.clear();
        aws.rule("etl-sales").live.state = RuleState::Disabled;
    };
    check(drift, &["PutTargets", "EnableRule"]);
}

#[test]
fn an_edited_target_is_put_again() {
    let count = |aws: &mut Region| {
        let target = aws.rule("etl-sales").targets.get_mut("ecs-etl").unwrap();
        target.ecs_parameters.as_mut().unwrap().task_count = Some(3);
    };
    check(count, &["PutTargets"]);
    let role = |aws: &mut Region| {
        aws.rule("etl-sales").targets.get_mut("ecs-etl").unwrap().role_arn = Some("arn:aws:iam::1:role/x".to_owned());
    };
    check(role, &["PutTargets"]);
}

#[test]
fn a_second_target_that_starts_the_job_is_removed() {
    check(|aws| stray(aws, "ecs-etl-2"), &["RemoveTargets"]);
    check(|aws| stray(aws, "somebody"), &["RemoveTargets"]);
}

#[test]
fn a_second_target_goes_before_the_first_is_changed() {
    let mut world = World::with(&job().desired());
    stray(world.region(&job().place), "ecs-etl-2");
    let done = world.reconcile(&job().image("sales:2").desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "RemoveTargets", "PutTargets"]);
}

#[test]
fn a_target_renamed_by_hand_is_exchanged_while_the_rule_is_disabled() {
    let renamed = |aws: &mut Region| {
        stray(aws, "ecs-etl-2");
        aws.rule("etl-sales").targets.remove("ecs-etl");
    };
    check(renamed, &["DisableRule", "PutTargets", "RemoveTargets", "EnableRule"]);

    let mut world = World::with(&job().desired());
    renamed(world.region(&job().place));
    world.now = at("2026-11-23T01:59:30Z");
    let done = world.reconcile(&job().desired());
    assert_eq!((reason(&done.plan.verdict), done.plan.steps.len()), (Reason::WaitingForTick, 0));
}

#[test]
fn targets_of_others_stay_and_are_named() {
    let mut world = World::with(&job().desired());
    let rule = world.region(&job().place).rule("etl-sales");
    let mut lambda = rule.targets["ecs-etl"].clone();
    (lambda.id, lambda.ecs_parameters) = (Some("notify".to_owned()), None);
    rule.targets.insert("notify".to_owned(), lambda);
    let done = world.reconcile(&job().desired());
    assert!(done.plan.steps.is_empty());
    assert!(done.plan.notes.iter().any(|note| note.contains("notify")), "{:?}", done.plan.notes);
}

#[test]
fn a_deregistered_revision_is_registered_again() {
    let drift = |aws: &mut Region| aws.revisions.values_mut().for_each(|revision| revision.active = false);
    check(drift, &["RegisterTaskDefinition", "PutTargets"]);
}

#[test]
fn changed_tags_are_repaired_and_those_of_others_stay() {
    let rule = |aws: &mut Region| {
        aws.rule("etl-sales").tags.insert(tags::POLICY.to_owned(), "Retain".to_owned());
        aws.rule("etl-sales").tags.insert("mine".to_owned(), "yes".to_owned());
    };
    let world = check(rule, &["TagResource"]);
    assert!(world.regions[&job().place].rules[&name("etl-sales")].tags.contains_key("mine"));
    let revision = |aws: &mut Region| {
        aws.revisions.values_mut().for_each(|revision| drop(revision.live.tags.remove(tags::SPEC)));
    };
    check(revision, &["TagResource"]);
}

#[test]
fn a_job_of_another_source_is_taken_over_by_its_manifest() {
    let mut world = World::with(&Spec { source: "git.example.com/old", ..job() }.desired());
    let done = world.reconcile(&job().desired());
    assert_eq!(done.operations(), ["TagResource", "TagResource", "TagResource", "UntagResource"]);
    assert!(done.plan.notes.iter().any(|note| note.contains("git.example.com/old")), "{:?}", done.plan.notes);
}

#[test]
fn a_revision_that_lost_our_marks_is_replaced_not_touched() {
    let drift = |aws: &mut Region| aws.revisions.values_mut().for_each(|revision| revision.live.tags.clear());
    let world = check(drift, &["RegisterTaskDefinition", "PutTargets"]);
    let revisions = &world.regions[&job().place].revisions;
    assert!(revisions.values().next().unwrap().live.tags.is_empty());
}

#[test]
fn a_strangers_revision_in_our_family_is_reported_and_not_pinned() {
    let mut world = World::with(&job().desired());
    let place = job().place;
    world.region(&place).register(&place, "etl-sales", &TaskDefinition::default(), tags::Tags::new());
    let edited = job().image("sales:2").desired();
    let done = world.reconcile(&edited);
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutTargets"]);
    assert!(done.plan.notes.iter().any(|note| note.contains("etl-sales:2")), "{:?}", done.plan.notes);
    assert!(world.region(&place).active(&edited.family).len() == 3);
}

#[test]
fn a_rule_that_was_given_the_schedule_of_a_missing_one_stops_before_that_is_made() {
    let spec = job().list(&["cron(0 2 * * ? *)", "rate(1 hour)"]);
    let desired = spec.desired();
    let [nightly, hourly] = [&desired.rules[0].name, &desired.rules[1].name];
    let drift = |aws: &mut Region| {
        aws.rules.remove(nightly);
        aws.rule(hourly.as_str()).live.expression = Some("cron(0 2 * * ? *)".to_owned());
    };
    let world = check_spec(&spec, drift, &["DisableRule", "PutRule", "PutTargets", "PutRule"]);
    assert_eq!(world.regions[&spec.place].rules[hourly].live.state, RuleState::Enabled);
}

#[test]
fn a_rule_that_was_given_the_schedule_of_one_that_must_pause_stops_before_that_goes_on() {
    let spec = job().list(&["cron(0 2 * * ? *)", "rate(1 hour)"]);
    let desired = spec.desired();
    let [nightly, hourly] = [&desired.rules[0].name, &desired.rules[1].name];
    let drift = |aws: &mut Region| {
        let rule = aws.rule(nightly.as_str());
        let mut renamed = rule.targets.remove("ecs-etl").unwrap();
        renamed.id = Some("ecs-etl-2".to_owned());
        rule.targets.insert("ecs-etl-2".to_owned(), renamed);
        aws.rule(hourly.as_str()).live.expression = Some("cron(0 2 * * ? *)".to_owned());
    };
    let steps = ["DisableRule", "DisableRule", "PutTargets", "RemoveTargets", "EnableRule", "PutRule"];
    check_spec(&spec, drift, &steps);
}

#[test]
fn rules_that_were_given_each_others_schedules_both_stop_before_either_is_repaired() {
    let spec = job().list(&["cron(0 2 * * ? *)", "cron(0 12 * * ? *)"]);
    let desired = spec.desired();
    let drift = |aws: &mut Region| {
        for (rule, other) in desired.rules.iter().zip(desired.rules.iter().rev()) {
            aws.rule(rule.name.as_str()).live.expression = other.trigger.expression().map(str::to_owned);
        }
    };
    check_spec(&spec, drift, &["DisableRule", "DisableRule", "PutRule", "PutRule"]);
}
