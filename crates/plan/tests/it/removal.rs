//! Jobs whose manifest is gone, and the revisions they leave.

use ecs_etl_plan::clean_up::{self, CleanUp, Keep, Scope};
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::decide::{Decision, Policy};
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::{Look, Observed};
use ecs_etl_plan::removal::{self, Leaving};
use ecs_etl_plan::step::{Action, Plan};
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::name::{Family, JobName, RuleName};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;
use jiff::{SignedDuration, Timestamp};

use crate::job::{Spec, identity, job, place};
use crate::world::{Region, World, at, name, reason};

const SOURCE: &str = "git.example.com/etl";

/// What a removal did.
struct Removed {
    operations: Vec<&'static str>,
    plan: Plan,
}

/// Takes the job away.
fn remove(world: &mut World) -> Removed {
    let (job, family, place) = (JobName::new("sales").unwrap(), Family::new("etl-sales").unwrap(), place("eu-west-1"));
    let identity = identity(SOURCE);
    let leaving = Leaving { job: &job, family: &family, place: &place, identity: &identity };
    let mut observed = world.found(&crate::job::job().desired());
    let mut asked = 0;
    loop {
        match removal::decide(&leaving, &observed, &Policy::default(), world.now) {
            Decision::Look(questions) => {
                asked += questions.len();
                assert!(!questions.is_empty() && asked < 50);
                world.answer(&place, questions, &mut observed);
            }
            Decision::Plan(plan) => {
                let violations = lint(&plan, &Subject::leaving(&identity, &job, &family, &place), &observed);
                assert_eq!(violations, [], "{:#?}", plan.steps);
                world.apply(&plan.steps);
                let operations = plan.steps.iter().map(|step| step.action.operation()).collect();
                return Removed { operations, plan };
            }
        }
    }
}

fn check(before: &Spec, change: impl Fn(&mut Region), expected: &[&str], reached: Reason) -> World {
    let mut world = World::with(&before.desired());
    change(world.region(&before.place));
    let Removed { operations, plan } = remove(&mut world);
    assert_eq!((operations.as_slice(), reason(&plan.verdict)), (expected, reached), "{plan:#?}");
    world
}

#[test]
fn a_removed_job_takes_three_writes_and_marks_its_revision_first() {
    let mut world = check(&job(), |_| (), &["TagResource", "RemoveTargets", "DeleteRule"], Reason::Removed);
    assert!(world.region(&job().place).rules.is_empty());
    let Removed { operations, plan } = remove(&mut world);
    assert_eq!((operations.as_slice(), reason(&plan.verdict)), (&[][..], Reason::Removed));
}

#[test]
fn a_job_that_came_back_and_goes_again_is_marked_anew() {
    let mark = |world: &mut World| {
        let mut marks =
            world.region(&job().place).revisions.values().map(|revision| revision.live.tags[tags::RETIRED_AT].clone());
        marks.next().unwrap()
    };
    let mut world = World::with(&job().desired());
    remove(&mut world);
    let first = mark(&mut world);
    let rules = World::with(&job().desired()).region(&job().place).rules.clone();
    world.region(&job().place).rules = rules;
    world.now += SignedDuration::from_hours(30);
    assert_eq!(remove(&mut world).operations, ["TagResource", "RemoveTargets", "DeleteRule"]);
    assert_ne!(mark(&mut world), first);
}

#[test]
fn what_the_schedule_starts_is_marked_however_many_revisions_of_others_are_newer() {
    let mut world = World::with(&job().desired());
    let place = job().place;
    for _ in 0..20 {
        world.region(&place).register(&place, "etl-sales", &TaskDefinition::default(), Tags::new());
    }
    assert_eq!(remove(&mut world).operations, ["TagResource", "RemoveTargets", "DeleteRule"]);
    let marked = |world: &mut World| {
        let all = world.region(&place).revisions.iter();
        all.filter(|(_, revision)| revision.live.tags.contains_key(tags::RETIRED_AT)).count()
    };
    assert_eq!(marked(&mut world), 1);
}

#[test]
fn a_removal_that_crashed_goes_on_from_any_step() {
    for crash in 0..3 {
        let mut world = World::with(&job().desired());
        let plan = remove(&mut world.clone()).plan;
        world.apply(&plan.steps[..crash]);
        remove(&mut world);
        let aws = world.region(&job().place);
        let marked = aws.revisions.values().filter(|revision| revision.live.tags.contains_key(tags::RETIRED_AT));
        assert_eq!((aws.rules.len(), marked.count()), (0, 1), "after {crash}");
    }
}

#[test]
fn every_rule_of_a_list_goes() {
    let list = job().list(&["cron(0 2 * * ? *)", "rate(1 hour)"]);
    let expected = ["TagResource", "RemoveTargets", "DeleteRule", "RemoveTargets", "DeleteRule"];
    check(&list, |_| (), &expected, Reason::Removed);
}

#[test]
fn a_job_without_proof_of_ownership_stays() {
    let strip = |aws: &mut Region| {
        aws.rules.values_mut().for_each(|rule| rule.tags.clear());
        aws.revisions.values_mut().for_each(|revision| revision.live.tags.clear());
    };
    let world = check(&job(), strip, &[], Reason::Removed);
    assert_eq!(world.regions[&job().place].rules.len(), 1);
}

#[test]
fn tags_that_say_a_job_stays_are_obeyed() {
    check(&Spec { retain: true, ..job() }, |_| (), &[], Reason::Retained);
    check(&Spec { source: "git.example.com/other", ..job() }, |_| (), &[], Reason::OtherSource);
    let tag = |key: &'static str, value: &'static str| {
        move |aws: &mut Region| drop(aws.rule("etl-sales").tags.insert(key.to_owned(), value.to_owned()))
    };
    check(&job(), tag(tags::RECONCILE, "disabled"), &[], Reason::ReconcileDisabled);
    check(&job(), tag(tags::POLICY, "Retain"), &[], Reason::Retained);
    let rule_lost_its_policy = |aws: &mut Region| {
        aws.rule("etl-sales").tags.remove(tags::POLICY);
        let revisions = aws.revisions.values_mut();
        revisions.for_each(|r| drop(r.live.tags.insert(tags::POLICY.to_owned(), "Retain".to_owned())));
    };
    check(&job(), rule_lost_its_policy, &[], Reason::Retained);
}

#[test]
fn a_rule_with_targets_of_others_stays_for_them() {
    let stranger = |aws: &mut Region| {
        let target = Target { id: Some("notify".to_owned()), ..Target::default() };
        aws.rule("etl-sales").targets.insert("notify".to_owned(), target);
        aws.rule("etl-sales").tags.insert("cost".to_owned(), "42".to_owned());
    };
    let expected = ["TagResource", "RemoveTargets", "UntagResource"];
    let labels = [("team".to_owned(), "a".to_owned())].into();
    let mut world = check(&Spec { labels, ..job() }, stranger, &expected, Reason::Removed);
    let rule = world.region(&job().place).rule("etl-sales");
    assert_eq!((rule.targets.len(), rule.live.state.may_fire()), (1, true));
    assert_eq!(rule.tags, Tags::from([("cost".to_owned(), "42".to_owned())]), "what the manifest wrote goes with it");
    assert_eq!(remove(&mut world).operations, [""; 0]);
}

const DAY: SignedDuration = SignedDuration::from_hours(26);

/// Tidies until nothing is asked, and gives what was done and when something is due next.
fn tidy(world: &mut World, keep: Keep) -> (Vec<String>, Option<Timestamp>) {
    let (job, family, place) = (JobName::new("sales").unwrap(), Family::new("etl-sales").unwrap(), place("eu-west-1"));
    let identity = identity(SOURCE);
    let event_age = SignedDuration::from_secs(3600);
    let scope = Scope { job: &job, family: &family, place: &place, identity: &identity, keep, event_age };
    let mut observed = world.found(&crate::job::job().desired());
    let mut asked = 0;
    loop {
        match clean_up::decide(&scope, &observed, world.now) {
            CleanUp::Look(questions) => {
                asked += questions.len();
                assert!(!questions.is_empty() && questions.len() <= 5 && asked < 50);
                world.answer(&place, questions, &mut observed);
            }
            CleanUp::Plan(plan, due) => {
                let violations = lint(&plan, &Subject::leaving(&identity, &job, &family, &place), &observed);
                assert_eq!(violations, [], "{:#?}", plan.steps);
                world.apply(&plan.steps);
                let name = |action: &Action| {
                    let revision = action.resource().rsplit_once(':').unwrap().1.to_owned();
                    format!("{} {revision}", action.operation())
                };
                return (plan.steps.iter().map(|step| name(&step.action)).collect(), due);
            }
        }
    }
}

/// A job whose image changed so often.
fn changed(images: usize) -> World {
    let mut world = World::empty();
    for image in 1..=images {
        world.reconcile(&job().image(&format!("sales:{image}")).desired());
    }
    world
}

#[test]
fn a_replaced_revision_is_marked_once_and_goes_after_a_day_when_newer_ones_are_kept() {
    let mut world = changed(3);
    assert_eq!(tidy(&mut world, Keep::Newest(1)).0, ["TagResource 2", "TagResource 1"]);
    let (done, due) = tidy(&mut world, Keep::Newest(1));
    assert_eq!((done.len(), due), (0, Some(at("2026-11-24T13:00:00Z"))));
    world.now += DAY;
    assert_eq!(tidy(&mut world, Keep::Newest(1)).0, ["DeregisterTaskDefinition 1", "DeregisterTaskDefinition 2"]);
    assert_eq!(tidy(&mut world, Keep::Newest(1)), (vec![], None));
}

#[test]
fn revisions_within_those_that_are_kept_stay_for_ever() {
    let mut world = changed(3);
    tidy(&mut world, Keep::Newest(3));
    world.now += DAY * 10;
    assert_eq!(tidy(&mut world, Keep::Newest(3)).0, [""; 0]);
}

#[test]
fn a_revision_that_is_pinned_again_loses_its_mark_and_stays() {
    let mut world = changed(3);
    tidy(&mut world, Keep::Newest(0));
    let back = world.reconcile(&job().image("sales:1").desired());
    assert_eq!(back.operations(), ["UntagResource", "PutTargets"], "the mark goes first");
    world.now += DAY;
    assert_eq!(tidy(&mut world, Keep::Newest(0)).0, ["TagResource 3", "DeregisterTaskDefinition 2"]);
}

#[test]
fn what_is_replaced_again_before_anybody_tidied_stays_for_a_day_from_then() {
    let mut world = changed(2);
    tidy(&mut world, Keep::Newest(0));
    world.now += DAY / 2;
    world.reconcile(&job().image("sales:1").desired());
    world.reconcile(&job().image("sales:2").desired());
    world.now += DAY / 2;
    assert_eq!(tidy(&mut world, Keep::Newest(0)).0, ["TagResource 1"], "a retry of its last tick may want it");
    world.now += DAY;
    assert_eq!(tidy(&mut world, Keep::Newest(0)).0, ["DeregisterTaskDefinition 1"]);
}

#[test]
fn what_nothing_starts_any_more_keeps_its_mark() {
    let mut world = changed(2);
    let unscheduled = Spec { schedules: Vec::new(), ..job().image("sales:2") };
    world.reconcile(&unscheduled.desired());
    assert_eq!(tidy(&mut world, Keep::Newest(1)).0, ["TagResource 2", "TagResource 1"]);
    assert_eq!(world.reconcile(&unscheduled.desired()).operations(), [""; 0]);
    assert_eq!(tidy(&mut world, Keep::Newest(1)).0, [""; 0]);
}

#[test]
fn a_mark_that_another_replica_set_on_what_is_pinned_goes() {
    let mut world = changed(1);
    let mark = Tags::from([(tags::RETIRED_AT.to_owned(), "2026-11-20T00:00:00Z".to_owned())]);
    let aws = world.region(&job().place);
    aws.revisions.values_mut().for_each(|revision| revision.live.tags.extend(mark.clone()));
    assert_eq!(tidy(&mut world, Keep::Newest(0)).0, ["UntagResource 1"]);
}

#[test]
fn all_revisions_of_a_removed_job_go_after_a_day() {
    let mut world = changed(2);
    remove(&mut world);
    assert_eq!(tidy(&mut world, Keep::Gone).0, ["TagResource 1"]);
    world.now += DAY;
    assert_eq!(tidy(&mut world, Keep::Gone).0, ["DeregisterTaskDefinition 1", "DeregisterTaskDefinition 2"]);
}

#[test]
fn revisions_of_a_retained_job_and_of_other_sources_stay() {
    for spec in [Spec { retain: true, ..job() }, Spec { source: "git.example.com/other", ..job() }] {
        let mut world = World::with(&spec.desired());
        world.region(&spec.place).rules.clear();
        assert_eq!(tidy(&mut world, Keep::Gone), (vec![], None));
    }
}

#[test]
fn where_a_job_is_not_at_home_any_more_its_revisions_go_whatever_its_policy_and_those_of_other_sources_stay() {
    let cases =
        [(job(), 2), (Spec { retain: true, ..job() }, 2), (Spec { source: "git.example.com/other", ..job() }, 0)];
    for (spec, gone) in cases {
        let mut world = World::with(&spec.desired());
        world.reconcile(&Spec { image: "sales:2".to_owned(), ..spec.clone() }.desired());
        world.region(&spec.place).rules.clear();
        tidy(&mut world, Keep::MovedAway);
        world.now += DAY;
        let done = tidy(&mut world, Keep::MovedAway).0;
        assert_eq!(done.iter().filter(|what| what.starts_with("Deregister")).count(), gone, "{done:?}");
    }
}

#[test]
fn a_revision_of_others_is_never_tidied() {
    let mut world = changed(1);
    let place = job().place;
    world.region(&place).register(&place, "etl-sales", &TaskDefinition::default(), Tags::new());
    assert_eq!(tidy(&mut world, Keep::Newest(0)).0, [""; 0]);
}

#[test]
fn any_target_of_any_rule_of_the_job_keeps_its_revision() {
    let mut world = changed(2);
    let place = job().place;
    let mut second = world.region(&place).rules[&name("etl-sales")].clone();
    second.live.name = RuleName::new("etl-sales.0a1b2c").unwrap();
    let pinned = "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-sales:1";
    let target = second.targets.get_mut("ecs-etl").unwrap();
    target.ecs_parameters.as_mut().unwrap().task_definition_arn = Some(pinned.to_owned());
    second.tags.clear();
    world.region(&place).rules.insert(second.live.name.clone(), second);
    assert_eq!(tidy(&mut world, Keep::Newest(0)).0, [""; 0]);
}

#[test]
fn nothing_is_deregistered_before_the_plain_rule_is_known_to_be_absent() {
    let mut world = changed(2);
    tidy(&mut world, Keep::Gone);
    world.now += DAY;
    let (job, family, place) = (JobName::new("sales").unwrap(), Family::new("etl-sales").unwrap(), place("eu-west-1"));
    let identity = identity(SOURCE);
    let event_age = SignedDuration::from_secs(3600);
    let scope = Scope { job: &job, family: &family, place: &place, identity: &identity, keep: Keep::Gone, event_age };
    let mut observed = Observed::default();
    for look in [Look::Active(family.clone())]
        .into_iter()
        .chain(world.region(&place).active(&family).into_iter().map(Look::Revision))
    {
        let questions = [ecs_etl_plan::observed::Question { elsewhere: None, look }].into();
        world.answer(&place, questions, &mut observed);
    }
    let CleanUp::Look(questions) = clean_up::decide(&scope, &observed, world.now) else { panic!("it did not ask") };
    assert!(questions.iter().all(|question| matches!(question.look, Look::Rule(_))), "{questions:?}");
}
