//! What is not proved to be ours is not written to, and what a person or a newer ecs-etl says counts.

use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{Fact, Observed};
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::TaskDefinition;

use crate::job::{Spec, job};
use crate::world::{Done, Region, World, reason};

/// Lets `change` happen to a converged job and says what the next pass of an edited manifest concludes.
fn check(change: impl Fn(&mut Region), expected: Reason) -> Done {
    let mut world = World::with(&job().desired());
    change(world.region(&job().place));
    let before = world.clone();
    let done = world.reconcile(&job().image("sales:2").desired());
    assert_eq!(reason(&done.plan.verdict), expected, "{:?}", done.plan.verdict);
    assert_eq!(world, before, "something was written: {:#?}", done.plan.steps);
    done
}

fn tag(key: &'static str, value: &'static str) -> impl Fn(&mut Region) {
    move |aws| {
        aws.rule("etl-sales").tags.insert(key.to_owned(), value.to_owned());
    }
}

#[test]
fn a_rule_of_others_is_not_written_to() {
    check(|aws| aws.rule("etl-sales").tags = Tags::new(), Reason::NotOwned);
    check(tag(tags::CONTROLLER, "staging"), Reason::NotOwned);
    check(tag(tags::JOB, "other"), Reason::NotOwned);
    check(|aws| aws.rule("etl-sales").live.managed_by = Some("scheduler".to_owned()), Reason::NotOwned);
}

#[test]
fn the_targets_of_a_rule_of_others_are_not_even_read() {
    let done = check(|aws| aws.rule("etl-sales").tags = Tags::new(), Reason::NotOwned);
    assert!(done.observed.rule_tags.len() == 1 && done.plan.notes.is_empty());
}

#[test]
fn a_rule_that_a_person_tagged_is_left_alone() {
    check(tag(tags::RECONCILE, "disabled"), Reason::ReconcileDisabled);
}

#[test]
fn a_job_that_its_manifest_disables_is_left_alone() {
    let mut world = World::with(&job().desired());
    world.region(&job().place).rules.clear();
    let done = world.reconcile(&Spec { disabled: true, ..job() }.desired());
    assert_eq!((reason(&done.plan.verdict), done.plan.steps.len()), (Reason::ReconcileDisabled, 0));
}

#[test]
fn what_cannot_be_read_is_not_written_to() {
    let desired = job().image("sales:2").desired();
    let refuse: [fn(&mut Observed); 5] = [
        |seen| seen.rule_tags.values_mut().for_each(|fact| *fact = Fact::Unreadable("AccessDenied".to_owned())),
        |seen| seen.targets.values_mut().for_each(|fact| *fact = Fact::Unreadable("AccessDenied".to_owned())),
        |seen| seen.rules.values_mut().for_each(|fact| *fact = Fact::Unreadable("AccessDenied".to_owned())),
        |seen| seen.active.values_mut().for_each(|fact| *fact = Fact::Unreadable("AccessDenied".to_owned())),
        |seen| seen.revisions.values_mut().for_each(|fact| *fact = Fact::Unreadable("AccessDenied".to_owned())),
    ];
    for refuse in refuse {
        let world = World::with(&job().desired());
        let mut observed = world.decide(&desired, world.found(&desired)).observed;
        refuse(&mut observed);
        let done = world.decide(&desired, observed);
        assert_eq!((reason(&done.plan.verdict), done.plan.steps.len()), (Reason::OwnershipUnknown, 0));
    }
}

#[test]
fn a_family_of_others_is_never_registered_in() {
    for strangers in [1, 4, 40] {
        let mut world = World::empty();
        let place = job().place;
        for _ in 0..strangers {
            world.region(&place).register(&place, "etl-sales", &TaskDefinition::default(), Tags::new());
        }
        let done = world.reconcile(&job().desired());
        assert_eq!((reason(&done.plan.verdict), done.plan.steps.len()), (Reason::NotOwned, 0));
        assert!(done.rounds <= 10, "{} rounds", done.rounds);
    }
}

#[test]
fn a_revision_of_ours_behind_many_of_others_makes_the_family_ours() {
    let mut world = World::with(&job().desired());
    let place = job().place;
    for _ in 0..20 {
        world.region(&place).register(&place, "etl-sales", &TaskDefinition::default(), Tags::new());
    }
    world.region(&place).rules.clear();
    let done = world.reconcile(&job().image("sales:2").desired());
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutRule", "PutTargets"]);
}

#[test]
fn a_family_whose_marks_were_lost_stays_ours_while_a_rule_of_ours_starts_it() {
    let mut world = World::with(&job().desired());
    let revisions = &mut world.region(&job().place).revisions;
    revisions.values_mut().for_each(|revision| revision.live.tags.clear());
    assert_eq!(world.reconcile(&job().desired()).operations(), ["RegisterTaskDefinition", "PutTargets"]);
}

#[test]
fn a_revision_of_a_newer_ecs_etl_is_not_replaced() {
    let newer = |aws: &mut Region| {
        for revision in aws.revisions.values_mut() {
            revision.live.tags.insert(tags::SPEC.to_owned(), "v2:abc".to_owned());
        }
    };
    check(newer, Reason::UnknownSpecVersion);

    let mut world = World::with(&job().desired());
    newer(world.region(&job().place));
    let done = world.reconcile(&job().desired());
    assert_eq!((reason(&done.plan.verdict), done.plan.steps.len()), (Reason::Converged, 0));
}

#[test]
fn what_aws_made_of_our_spec_is_pinned_and_reported_not_registered_again() {
    let mut world = World::empty();
    let (desired, place) = (job().desired(), job().place);
    let mut tampered = desired.task_definition.clone();
    tampered.cpu = Some("512".to_owned());
    let tags = desired.revision_tags.clone();
    let arn = world.region(&place).register(&place, "etl-sales", &tampered, tags);
    assert_ne!(world.region(&place).revision(&arn).live.normal, normalise::task_definition(&desired.task_definition));
    for expected in [&["PutRule", "PutTargets"][..], &[]] {
        let done = world.reconcile(&desired);
        assert_eq!(done.operations(), expected);
        assert_eq!(reason(&done.plan.verdict), Reason::DiffNotConverging);
        assert!(format!("{:?}", done.plan.verdict).contains("cpu"), "{:?}", done.plan.verdict);
    }
}

#[test]
fn the_pinned_revision_is_kept_although_a_newer_one_is_equal() {
    let mut world = World::with(&job().desired());
    let (desired, place) = (job().desired(), job().place);
    let tags = desired.revision_tags.clone();
    world.region(&place).register(&place, "etl-sales", &desired.task_definition, tags);
    assert_eq!(world.reconcile(&desired).operations(), [""; 0]);
}

#[test]
fn a_lost_answer_after_register_adds_no_second_revision() {
    let mut world = World::with(&job().desired());
    let desired = job().image("sales:2").desired();
    let done = world.decide(&desired, world.found(&desired));
    world.apply(&done.plan.steps[..1]);
    assert_eq!(world.reconcile(&desired).operations(), ["PutTargets"]);
    let family = Family::new("etl-sales").unwrap();
    assert_eq!(world.region(&job().place).active(&family).len(), 2);
}

#[test]
fn a_rule_with_a_longer_name_is_not_looked_at() {
    let mut world = World::with(&job().desired());
    let mut other = world.region(&job().place).rules.values().next().unwrap().clone();
    let name = RuleName::new("etl-sales.backup").unwrap();
    (other.live.name, other.tags) = (name.clone(), Tags::new());
    world.region(&job().place).rules.insert(name, other);
    assert_eq!(world.reconcile(&job().desired()).operations(), [""; 0]);
}
