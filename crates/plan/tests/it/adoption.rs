//! Taking over what exists: under its own name, with no change to what runs, and with a reason where it is refused.

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::decide::{Decision, Policy, pinning};
use ecs_etl_plan::lint::{Subject, Violation, lint};
use ecs_etl_plan::observed::{LiveRule, Look, Observed, RevisionArn, RuleState};
use ecs_etl_plan::removal::{self, Leaving};
use ecs_etl_plan::step::{Action, Kind, Plan, RevisionRef};
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::name::{Family, JobName, RuleName};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::{EcsParameters, Target};
use ecs_etl_spec::trigger::Outcome;

use crate::job::{ACCOUNT, Spec, identity, job, place};
use crate::world::{Done, Region, Rule, World, name, reason};

const RULE: &str = "DailySalesRule";
const FAMILY: &str = "Daily_Sales";

fn adopting() -> Spec {
    job().adopting(&[RULE], Some(FAMILY))
}

fn text_tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What somebody else made: the same content in their family, and their rule, which starts it by their target.
fn theirs(spec: &Spec) -> (World, RevisionArn) {
    let desired = spec.desired();
    let mut world = World::empty();
    let here = world.region(&spec.place);
    let revision = here.register(&spec.place, FAMILY, &desired.task_definition, text_tags(&[("owner", "them")]));
    rule(here, spec, RULE, "cron(0 2 * * ? *)");
    let target = Target { id: Some("run-it".to_owned()), ..pinning(&desired.target, revision.as_str()) };
    here.rule(RULE).targets.insert("run-it".to_owned(), target);
    (world, revision)
}

fn rule(here: &mut Region, spec: &Spec, name: &str, expression: &str) {
    let live = LiveRule {
        name: RuleName::new(name).unwrap(),
        arn: format!("arn:aws:events:{}:{ACCOUNT}:rule/{name}", spec.place.region),
        expression: Some(expression.to_owned()),
        event_pattern: None,
        timing: None,
        state: RuleState::Enabled,
        description: Some("by hand".to_owned()),
        role_arn: None,
        managed_by: None,
    };
    let tags = text_tags(&[("owner", "them")]);
    here.rules.insert(live.name.clone(), Rule { live, targets: Default::default(), tags });
}

/// One that tells somebody, and starts nothing of ECS.
fn bystander(here: &mut Region) {
    let told = Target {
        id: Some("tell".to_owned()),
        arn: Some("arn:aws:sns:eu-west-1:123456789012:told".to_owned()),
        ..Target::default()
    };
    here.rule(RULE).targets.insert("tell".to_owned(), told);
}

/// Reconciles with a lint of the plan, and of every plan that starts where one of its prefixes stops.
#[track_caller]
fn reconcile(world: &mut World, spec: &Spec) -> Done {
    let desired = spec.desired();
    let done = world.decide(&desired, world.found(&desired));
    assert_eq!(lint(&done.plan, &Subject::of(&desired), &done.observed), [], "{:#?}", done.plan.steps);
    for stop in 1..done.plan.steps.len() {
        let mut stopped = world.clone();
        stopped.apply(&done.plan.steps[..stop]);
        let after = stopped.decide(&desired, stopped.found(&desired));
        assert_eq!(lint(&after.plan, &Subject::of(&desired), &after.observed), [], "{:#?}", after.plan.steps);
        stopped.apply(&after.plan.steps);
        let mut whole = world.clone();
        whole.apply(&done.plan.steps);
        assert_eq!(stopped.regions, whole.regions, "stopped after step {stop}");
    }
    world.apply(&done.plan.steps);
    done
}

#[track_caller]
fn silent(world: &mut World, spec: &Spec) {
    let done = reconcile(world, spec);
    assert_eq!((done.operations(), reason(&done.plan.verdict)), (vec![], Reason::Converged), "{:#?}", done.plan);
}

#[test]
fn what_runs_as_the_manifest_says_gets_our_marks_and_a_description_and_nothing_else() {
    let spec = adopting();
    let (mut world, revision) = theirs(&spec);
    bystander(world.region(&spec.place));
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["TagResource", "TagResource", "PutRule"]);
    assert_eq!(done.plan.pins, Some(RevisionRef::Existing(revision.clone())));
    assert!(done.plan.notes.contains(&format!("rule {RULE} is taken over")), "{:?}", done.plan.notes);
    let here = world.region(&spec.place);
    let rule = here.rule(RULE);
    assert_eq!(rule.targets.keys().collect::<Vec<_>>(), ["run-it", "tell"]);
    assert_eq!(rule.tags[tags::TARGET], "run-it");
    assert_eq!((rule.tags["owner"].as_str(), rule.tags[tags::JOB].as_str()), ("them", "sales"));
    assert_eq!(here.revision(&revision).live.tags[tags::CONTROLLER], "prod");
    assert_eq!(here.revisions.len(), 1);
    silent(&mut world, &spec);
}

#[test]
fn what_lost_its_mark_is_taken_over_again_with_labels_that_changed_meanwhile() {
    let spec = adopting().label("team", "a").label("tier", "1");
    let (mut world, revision) = theirs(&spec);
    let _taken = reconcile(&mut world, &spec);
    let here = world.region(&spec.place);
    here.rule(RULE).tags.remove(tags::CONTROLLER);
    here.revision(&revision).live.tags.remove(tags::CONTROLLER);
    let spec = adopting().label("team", "a");
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["TagResource", "UntagResource", "TagResource"].repeat(2));
    let here = world.region(&spec.place);
    let rule = &here.rule(RULE).tags;
    assert_eq!((rule.get("tier"), rule["team"].as_str(), rule["owner"].as_str()), (None, "a", "them"));
    assert_eq!(here.revision(&revision).live.tags.get("tier"), None);
    silent(&mut world, &spec);
}

#[test]
fn a_first_look_costs_as_little_as_it_can() {
    let spec = adopting();
    let (world, revision) = theirs(&spec);
    let desired = spec.desired();
    let done = world.decide(&desired, world.found(&desired));
    let rule = RuleName::new(RULE).unwrap();
    let arn = format!("arn:aws:events:eu-west-1:{ACCOUNT}:rule/{RULE}");
    let expected = [
        Look::Active(Family::new(FAMILY).unwrap()),
        Look::Rule(rule.clone()),
        Look::Targets(rule.clone()),
        Look::RuleTags(rule, arn),
        Look::Revision(revision),
    ];
    assert_eq!(done.looks.len(), expected.len(), "{:?}", done.looks);
    assert!(expected.iter().all(|look| done.looks.contains(look)), "{:?}", done.looks);
}

#[test]
fn a_target_that_names_the_family_alone_is_pinned_to_the_equal_revision() {
    let spec = adopting();
    let (mut world, revision) = theirs(&spec);
    let target = world.region(&spec.place).rule(RULE).targets.get_mut("run-it").unwrap();
    target.ecs_parameters.as_mut().unwrap().task_definition_arn =
        Some(format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/{FAMILY}"));
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["TagResource", "TagResource", "PutRule", "PutTargets"]);
    assert_eq!(done.plan.pins, Some(RevisionRef::Existing(revision)));
    silent(&mut world, &spec);
}

#[test]
fn another_content_is_registered_in_the_adopted_family_and_the_others_revision_stays_theirs() {
    let spec = adopting();
    let (mut world, theirs) = theirs(&spec);
    let changed = spec.clone().image("sales:2");
    let done = reconcile(&mut world, &changed);
    assert_eq!(done.operations(), ["TagResource", "RegisterTaskDefinition", "PutTargets", "PutRule"]);
    let here = world.region(&spec.place);
    assert!(
        here.rule(RULE).targets["run-it"]
            .ecs_parameters
            .as_ref()
            .unwrap()
            .task_definition_arn
            .as_ref()
            .unwrap()
            .ends_with("Daily_Sales:2")
    );
    assert_eq!(here.revision(&theirs).live.tags, text_tags(&[("owner", "them")]));
    silent(&mut world, &changed);
    // A later change keeps the target's Id as well.
    let done = reconcile(&mut world, &spec.clone().image("sales:3"));
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutTargets"]);
    assert_eq!(world.region(&spec.place).rule(RULE).targets.keys().collect::<Vec<_>>(), ["run-it"]);
}

#[test]
fn a_rule_alone_is_taken_over_and_starts_a_family_of_the_jobs_own() {
    let spec = job().adopting(&[RULE], None);
    let (mut world, _) = theirs(&spec);
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["TagResource", "RegisterTaskDefinition", "PutRule", "PutTargets"]);
    let here = world.region(&spec.place);
    assert_eq!(here.active(&Family::new("etl-sales").unwrap()).len(), 1);
    silent(&mut world, &spec);
}

#[test]
fn a_family_alone_is_taken_over_and_the_rule_is_the_jobs_own() {
    let spec = job().adopting(&[], Some(FAMILY));
    let (mut world, revision) = theirs(&spec);
    world.region(&spec.place).rules.clear();
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["TagResource", "PutRule", "PutTargets"]);
    assert_eq!(done.plan.pins, Some(RevisionRef::Existing(revision)));
    assert!(world.region(&spec.place).rules.contains_key(&name("etl-sales")));
    silent(&mut world, &spec);
}

#[test]
fn what_is_not_there_any_more_is_made_under_the_adopted_names() {
    let spec = adopting();
    let mut world = World::empty();
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutRule", "PutTargets"]);
    assert!(world.region(&spec.place).rules.contains_key(&name(RULE)));
    silent(&mut world, &spec);
}

#[test]
fn a_rule_without_an_ecs_target_gets_ours_under_its_usual_id() {
    let spec = adopting();
    let (mut world, _) = theirs(&spec);
    world.region(&spec.place).rule(RULE).targets.clear();
    bystander(world.region(&spec.place));
    reconcile(&mut world, &spec);
    let rule = world.region(&spec.place).rule(RULE);
    assert_eq!(rule.targets.keys().collect::<Vec<_>>(), ["ecs-etl", "tell"]);
    assert!(!rule.tags.contains_key(tags::TARGET));
    silent(&mut world, &spec);
}

#[test]
fn schedules_of_which_only_some_are_adopted_run_side_by_side() {
    let spec = job().list(&["cron(0 2 * * ? *)", "cron(0 14 * * ? *)"]).adopting(&[RULE], Some(FAMILY));
    let (mut world, _) = theirs(&spec);
    let done = reconcile(&mut world, &spec);
    assert_eq!(done.operations(), ["TagResource", "TagResource", "PutRule", "PutTargets", "PutRule"]);
    assert_eq!(world.region(&spec.place).rules.len(), 2);
    silent(&mut world, &spec);
}

#[test]
fn a_job_that_starts_after_one_with_an_adopted_family_waits_for_that_family() {
    let mut waits = job().named("report").unscheduled().after("sales", Outcome::Success);
    waits.after[0].upstream.family = Some(Family::new(FAMILY).unwrap());
    let desired = waits.desired();
    let pattern = desired.rules[0].trigger.pattern().unwrap();
    assert!(pattern.contains("family:Daily_Sales"), "{pattern}");
}

/// Leaves everything as it is, for this reason, and says this.
#[track_caller]
fn refused(change: impl Fn(&mut Region, &RevisionArn), expected: Reason, says: &str) {
    let spec = adopting();
    let (mut world, revision) = theirs(&spec);
    change(world.region(&spec.place), &revision);
    let done = reconcile(&mut world, &spec);
    let Verdict::Stalled(reason, message) = &done.plan.verdict else { panic!("{:#?}", done.plan) };
    assert_eq!((done.operations(), *reason), (vec![], expected));
    assert!(message.contains(says), "{message}");
}

#[test]
fn what_somebody_else_answers_for_is_refused_and_the_reason_said() {
    let stack = || ("aws:cloudformation:stack-name".to_owned(), "sales-stack".to_owned());
    let other = |job: &str| text_tags(&[(tags::CONTROLLER, "other"), (tags::JOB, job)]);
    refused(
        |here, _| here.rule(RULE).live.managed_by = Some("states".to_owned()),
        Reason::AdoptionRefused,
        "managed by states",
    );
    refused(|here, _| drop(here.rule(RULE).tags.insert(stack().0, stack().1)), Reason::AdoptionRefused, "sales-stack");
    refused(
        |here, arn| drop(here.revision(arn).live.tags.insert(stack().0, stack().1)),
        Reason::AdoptionRefused,
        "sales-stack",
    );
    refused(|here, _| here.rule(RULE).tags.extend(other("sales")), Reason::NotOwned, "the controller \"other\"");
    refused(
        |here, arn| here.revision(arn).live.tags.extend(other("sales")),
        Reason::NotOwned,
        "the controller \"other\"",
    );
    let job = |here: &mut Region, _: &RevisionArn| {
        here.rule(RULE).tags.extend(text_tags(&[(tags::CONTROLLER, "prod"), (tags::JOB, "reports")]));
    };
    refused(job, Reason::NotOwned, "the job \"reports\"");
    let second = |here: &mut Region, _: &RevisionArn| {
        let target = Target {
            id: Some("second".to_owned()),
            ecs_parameters: Some(EcsParameters::default()),
            ..Target::default()
        };
        here.rule(RULE).targets.insert("second".to_owned(), target);
    };
    refused(second, Reason::AdoptionRefused, "several ECS targets (run-it, second)");
}

#[test]
fn a_rename_takes_over_what_the_job_had_adopted_under_its_old_name() {
    let before = adopting();
    let (mut world, _) = theirs(&before);
    reconcile(&mut world, &before);
    let mut renamed = adopting().named("revenue").moved_from("sales");
    // The container keeps its name, so nothing of the content changes.
    renamed.content = before.desired().task_definition;
    let done = reconcile(&mut world, &renamed);
    assert!(!done.operations().contains(&"DeleteRule"), "{:?}", done.operations());
    let rule = world.region(&before.place).rule(RULE);
    assert_eq!((rule.tags[tags::JOB].as_str(), rule.targets.len()), ("revenue", 1));
    silent(&mut world, &renamed);
}

#[test]
fn a_rename_that_moves_the_job_as_well_leaves_no_adopted_rule_behind() {
    let before = adopting();
    let (mut world, revision) = theirs(&before);
    reconcile(&mut world, &before);
    let moved = adopting().named("revenue").moved_from("sales").at("us-east-1");
    let desired = moved.desired();
    let done = world.decide(&desired, world.found(&desired));
    assert_eq!(lint(&done.plan, &Subject::of(&desired), &done.observed), [], "{:#?}", done.plan.steps);
    assert_eq!(done.plan.kind, Kind::Move);
    for stop in 0..=done.plan.steps.len() {
        let mut stopped = world.clone();
        stopped.apply(&done.plan.steps[..stop]);
        let after = stopped.decide(&desired, stopped.found(&desired));
        assert_eq!(lint(&after.plan, &Subject::of(&desired), &after.observed), [], "{:#?}", after.plan.steps);
        stopped.apply(&after.plan.steps);
        let left = stopped.region(&before.place);
        assert!(left.rules.is_empty(), "stopped after step {stop}: {:?}", left.rules.keys());
        assert_eq!(stopped.region(&moved.place).rule(RULE).tags[tags::JOB].as_str(), "revenue");
        silent(&mut stopped, &moved);
    }
    world.apply(&done.plan.steps);
    assert!(world.region(&before.place).revision(&revision).live.tags.contains_key(tags::RETIRED_AT));
}

#[test]
fn a_plan_that_writes_before_it_marks_is_not_sound() {
    let spec = adopting();
    let (world, _) = theirs(&spec);
    let desired = spec.desired();
    let done = world.decide(&desired, world.found(&desired));
    let unmarked = Plan { steps: done.plan.steps[1..].to_vec(), ..done.plan.clone() };
    let violations = lint(&unmarked, &Subject::of(&desired), &done.observed);
    assert!(violations.iter().any(|found| matches!(found, Violation::Unproved { .. })), "{violations:?}");
    // And what `adopt` does not name is nobody's to mark.
    let other = job().desired();
    let violations = lint(&done.plan, &Subject::of(&other), &done.observed);
    assert!(violations.iter().any(|found| matches!(found, Violation::Unproved { .. })), "{violations:?}");
}

/// Takes the job away, with what a sweep would hint at.
fn remove(world: &mut World) -> Plan {
    let (job, family, place) = (JobName::new("sales").unwrap(), Family::new("etl-sales").unwrap(), place("eu-west-1"));
    let identity = identity("git.example.com/etl");
    let leaving = Leaving { job: &job, family: &family, place: &place, identity: &identity };
    let mut observed: Observed = world.found(&adopting().desired());
    for _ in 0..20 {
        match removal::decide(&leaving, &observed, &Policy::default(), world.now) {
            Decision::Look(questions) => world.answer(&place, questions, &mut observed),
            Decision::Plan(plan) => {
                let violations = lint(&plan, &Subject::leaving(&identity, &job, &family, &place), &observed);
                assert_eq!(violations, [], "{:#?}", plan.steps);
                world.apply(&plan.steps);
                return plan;
            }
        }
    }
    panic!("the decision never stops asking");
}

#[test]
fn a_removal_takes_the_adopted_rule_and_retires_our_revision_and_leaves_targets_of_others() {
    for told in [false, true] {
        let spec = adopting();
        let (mut world, revision) = theirs(&spec);
        if told {
            bystander(world.region(&spec.place));
        }
        let content: TaskDefinition = spec.desired().task_definition;
        reconcile(&mut world, &spec);
        let others = world.region(&spec.place).register(&spec.place, FAMILY, &content, Tags::new());
        let plan = remove(&mut world);
        let here = world.region(&spec.place);
        assert!(here.revision(&revision).live.tags.contains_key(tags::RETIRED_AT), "{:#?}", plan.steps);
        assert_eq!(here.revision(&others).live.tags, Tags::new());
        if told {
            let rule = here.rule(RULE);
            assert_eq!(rule.targets.keys().collect::<Vec<_>>(), ["tell"]);
            assert!(rule.tags.keys().all(|key| !key.starts_with(tags::OURS)), "{:?}", rule.tags);
        } else {
            assert!(!here.rules.contains_key(&name(RULE)));
        }
    }
}

#[test]
fn a_removal_of_what_was_never_taken_over_touches_nothing() {
    let (mut world, _) = theirs(&adopting());
    let before = world.regions.clone();
    let plan = remove(&mut world);
    assert!(plan.steps.is_empty() && world.regions == before, "{plan:#?}");
}

#[test]
fn an_adopted_rule_whose_job_adopts_no_family_any_more_starts_the_jobs_own() {
    let spec = adopting();
    let (mut world, _) = theirs(&spec);
    reconcile(&mut world, &spec);
    let own = job().adopting(&[RULE], None);
    let done = reconcile(&mut world, &own);
    assert_eq!(done.operations(), ["RegisterTaskDefinition", "PutTargets"]);
    let keeps =
        |action: &Action| matches!(action, Action::PutTargets { target, .. } if target.id.as_deref() == Some("run-it"));
    assert!(done.plan.steps.iter().any(|step| keeps(&step.action)), "{:#?}", done.plan.steps);
    silent(&mut world, &own);
}
