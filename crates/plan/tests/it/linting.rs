//! Plans that a wrong decision might make, and the promise that each would break.

use ecs_etl_plan::desired::{Desired, Trigger};
use ecs_etl_plan::lint::{Subject, Violation, lint};
use ecs_etl_plan::observed::{Observed, RuleState};
use ecs_etl_plan::step::{Action, Because, Plan, RevisionRef, Step};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::name::RuleName;
use ecs_etl_spec::schedule::Schedule;
use ecs_etl_spec::shapes::events::Target;

use crate::job::{Spec, job};
use crate::world::{World, at};

/// The plan and what it was made from.
struct Planned {
    desired: Desired,
    observed: Observed,
    plan: Plan,
}

fn planned(world: &World, after: &Spec) -> Planned {
    let desired = after.desired();
    let done = world.decide(&desired, world.found(&desired));
    let planned = Planned { desired, observed: done.observed, plan: done.plan };
    assert_eq!(planned.lint(), []);
    planned
}

fn step(action: Action) -> Step {
    Step { place: job().place, action, because: Because::Note("a wrong decision".to_owned()) }
}

fn rule(name: &str) -> RuleName {
    RuleName::new(name).unwrap()
}

impl Planned {
    fn lint(&self) -> Vec<Violation> {
        lint(&self.plan, &Subject::of(&self.desired), &self.observed)
    }

    /// Spoils the plan and names what the lint says first, without its details.
    fn check(mut self, spoil: impl FnOnce(&mut Vec<Step>), expected: &str) {
        spoil(&mut self.plan.steps);
        let found = self.lint();
        let names: Vec<String> = found.iter().map(|violation| format!("{violation:?}")).collect();
        assert!(names.iter().any(|name| name.starts_with(expected)), "{expected}: {found:#?}");
    }
}

fn image() -> Planned {
    planned(&World::with(&job().desired()), &job().image("sales:2"))
}

fn quiet() -> Planned {
    planned(&World::with(&job().desired()), &job())
}

fn moved() -> Planned {
    planned(&World::with(&job().desired()), &job().named("revenue").moved_from("sales"))
}

#[test]
fn a_target_put_before_its_revision_is_registered() {
    image().check(|steps| steps.swap(0, 1), "DanglingRevision");
}

#[test]
fn a_step_reference_to_something_that_registers_nothing() {
    let spoil = |steps: &mut Vec<Step>| steps.insert(0, step(Action::EnableRule { rule: rule("etl-sales") }));
    image().check(spoil, "DanglingRevision");
}

#[test]
fn a_write_to_a_rule_without_our_tags() {
    let mut planned = image();
    planned.observed.rule_tags.clear();
    planned.check(|_| (), "Unproved");
}

#[test]
fn a_write_to_a_resource_that_was_never_looked_at() {
    quiet().check(|steps| steps.push(step(Action::DisableRule { rule: rule("somebody") })), "Unproved");
    let arn = "arn:aws:events:eu-west-1:123456789012:rule/somebody".to_owned();
    quiet().check(|steps| steps.push(step(Action::TagRule { arn, tags: Tags::new() })), "Unproved");
}

#[test]
fn a_creation_over_a_rule_that_exists() {
    let spoil = |steps: &mut Vec<Step>| {
        steps.push(step(Action::PutRule {
            rule: rule("etl-sales"),
            trigger: Trigger::Schedule(Schedule::parse("cron(0 2 * * ? *)").unwrap()),
            state: RuleState::Enabled,
            description: "Managed".to_owned(),
            create: true,
            tags: job().desired().rule_tags,
        }));
    };
    quiet().check(spoil, "Unproved");
}

#[test]
fn a_rule_put_without_its_state_or_description() {
    let put = |state, description: &str| {
        step(Action::PutRule {
            rule: rule("etl-sales"),
            trigger: Trigger::Schedule(Schedule::parse("cron(0 2 * * ? *)").unwrap()),
            state,
            description: description.to_owned(),
            create: false,
            tags: job().desired().rule_tags,
        })
    };
    quiet().check(|steps| steps.push(put(RuleState::Other(String::new()), "Managed")), "PartialRule");
    quiet().check(|steps| steps.push(put(RuleState::Enabled, "")), "PartialRule");
}

#[test]
fn a_wanted_rule_deleted() {
    quiet().check(|steps| steps.push(step(Action::DeleteRule { rule: rule("etl-sales") })), "DeletesWanted");
}

#[test]
fn a_rule_deleted_before_its_targets() {
    let spoil = |steps: &mut Vec<Step>| steps.retain(|step| !matches!(step.action, Action::RemoveTargets { .. }));
    moved().check(spoil, "DeletesInUse");
}

#[test]
fn a_pinned_revision_deregistered() {
    let planned = quiet();
    let Some(RevisionRef::Existing(revision)) = planned.plan.pins.clone() else { panic!("nothing is pinned") };
    planned.check(|steps| steps.push(step(Action::DeregisterTaskDefinition { revision })), "DeregistersPinned");
}

#[test]
fn a_target_of_others_removed_or_overwritten() {
    let mut world = World::with(&job().desired());
    let notify = Target { id: Some("notify".to_owned()), ..Target::default() };
    world.region(&job().place).rule("etl-sales").targets.insert("notify".to_owned(), notify.clone());
    let ids = vec!["notify".to_owned()];
    let remove = step(Action::RemoveTargets { rule: rule("etl-sales"), ids });
    planned(&world, &job()).check(|steps| steps.push(remove), "StrangersTarget");
    let overwrite = |steps: &mut Vec<Step>| {
        for step in steps {
            if let Action::PutTargets { target, .. } = &mut step.action {
                **target = notify.clone();
            }
        }
    };
    planned(&world, &job().image("sales:2")).check(overwrite, "StrangersTarget");
}

#[test]
fn a_target_removed_before_it_is_put_again() {
    let spoil = |steps: &mut Vec<Step>| {
        let ids = vec!["ecs-etl".to_owned()];
        steps.insert(1, step(Action::RemoveTargets { rule: rule("etl-sales"), ids }));
    };
    image().check(spoil, "Dark");
}

#[test]
fn a_new_home_that_fires_before_the_old_one_stops() {
    let spoil = |steps: &mut Vec<Step>| steps.retain(|step| !matches!(step.action, Action::DisableRule { .. }));
    moved().check(spoil, "Doubled");
    let spoil = |steps: &mut Vec<Step>| {
        for step in steps {
            if let Action::PutRule { state, .. } = &mut step.action {
                *state = RuleState::Enabled;
            }
        }
    };
    moved().check(spoil, "Doubled");
}

#[test]
fn a_plan_that_ends_short_of_what_it_promises() {
    image().check(|steps| drop(steps.pop()), "Unfinished");
    moved().check(|steps| steps.retain(|step| !matches!(step.action, Action::EnableRule { .. })), "Unfinished");
}

#[test]
fn a_sound_plan_breaks_nothing_at_any_time_of_day() {
    for hour in 0..24 {
        let mut world = World::with(&job().desired());
        world.now = at(&format!("2026-11-23T{hour:02}:00:00Z"));
        planned(&world, &job().list(&["cron(0 2 * * ? *)", "cron(0/5 * * * ? *)"]).suspended());
        planned(&world, &job().named("revenue").moved_from("sales").at("us-east-1"));
    }
}
