//! Histories: of edits, drift, moves, crashes and other policies.

use std::collections::BTreeMap;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::decide::Policy;
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::shapes::{RunTask, TaskDefinition};
use ecs_etl_spec::trigger::Outcome;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use crate::drifts::{Drift, drift};
use crate::job::{Spec, job};
use crate::shapes;
use crate::world::{Done, Rule, World, reason};

const SCHEDULES: [&str; 6] = [
    "cron(0 2 * * ? *)",
    "cron(0 12 * * ? *)",
    "cron(0/15 * * * ? *)",
    "rate(1 hour)",
    "cron(* * * * ? *)",
    "cron(0 2 * * ? 2020)",
];

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Event {
    Edit(Box<Spec>),
    Drift(Drift),
    /// A pass that crashes after so many steps.
    Crash(usize),
    Pass,
    Wait(i64),
    /// Another policy: revisions kept, and how far a move keeps away from ticks.
    Policy(u32, i64),
}

/// Task definitions of AWS's whole shape, most of them plain.
fn content() -> impl Strategy<Value = TaskDefinition> {
    let any = shapes::of_ecs("TaskDefinition").prop_map(|value| serde_json::from_value(value).unwrap());
    prop_oneof![3 => Just(TaskDefinition::default()), 1 => any]
}

/// Ways to start a run, likewise.
fn run_task() -> impl Strategy<Value = RunTask> {
    let any = shapes::of_ecs("RunTask").prop_map(|value| serde_json::from_value(value).unwrap());
    prop_oneof![3 => Just(RunTask::default()), 1 => any]
}

pub fn spec() -> impl Strategy<Value = Spec> {
    let schedules = prop::sample::subsequence(SCHEDULES.to_vec(), 1..3);
    let label = prop::option::of(prop::sample::select(vec!["team", "stage"]));
    let source = prop::sample::select(vec!["git.example.com/etl", "git.example.com/other"]);
    let region = prop::sample::select(vec!["eu-west-1", "us-east-1"]);
    let shapes = (content(), run_task(), triggers());
    (1..4u8, schedules, any::<bool>(), prop::bool::weighted(0.2), label, source, region, any::<bool>(), shapes)
        .prop_map(|(image, schedules, list, suspend, label, source, region, renamed, (content, run_task, triggers))| {
            let list = list || schedules.len() > 1;
            let labels = label.map(|key| (key.to_owned(), "x".to_owned())).into_iter().collect();
            let image = format!("sales:{image}");
            let spec = Spec { image, schedules, list, suspend, labels, source, content, run_task, ..job() }.at(region);
            let spec = triggers.iter().fold(spec, |spec, add| add(spec));
            if renamed { spec.named("orders").moved_from("sales") } else { spec.moved_from("orders") }
        })
}

/// What starts a job beside its schedule, and who is told of its end; most jobs have none.
fn triggers() -> impl Strategy<Value = Vec<fn(Spec) -> Spec>> {
    let all: Vec<fn(Spec) -> Spec> = vec![
        |spec| spec.after("stock", Outcome::Success),
        |spec| spec.after("stock", Outcome::Failure),
        |spec| spec.after("prices", Outcome::Completion),
        |spec| spec.on_event(json!({"source": ["aws.s3"]})),
        |spec| spec.notify(Outcome::Failure, "arn:aws:sns:eu-west-1:123456789012:alarms"),
        |spec| spec.notify(Outcome::Completion, "arn:aws:sqs:eu-west-1:123456789012:runs"),
        |spec| spec.in_zone("Asia/Tokyo"),
        |spec| spec.in_zone("UTC"),
        |spec| if spec.after.is_empty() && spec.events.is_empty() { spec } else { spec.unscheduled() },
    ];
    prop_oneof![2 => Just(Vec::new()), 1 => prop::sample::subsequence(all, 0..5)]
}

pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => spec().prop_map(|spec| Event::Edit(Box::new(spec))),
        4 => drift().prop_map(Event::Drift),
        2 => (0..9usize).prop_map(Event::Crash),
        2 => Just(Event::Pass),
        1 => (1..7200i64).prop_map(Event::Wait),
        1 => (1..7u32, 0..600i64).prop_map(|(keep, margin)| Event::Policy(keep, margin)),
    ]
}

/// Decides and lints; a plan that breaks a promise fails the test.
pub fn sound(world: &World, desired: &Desired) -> Done {
    let done = world.decide(desired, world.found(desired));
    let violations = lint(&done.plan, &Subject::of(desired), &done.observed);
    assert!(violations.is_empty(), "{violations:#?}\n{:#?}", done.plan.steps);
    done
}

/// Passes until nothing is left to do, waiting where a pass says so.
pub fn calm(world: &mut World, desired: &Desired) -> Reason {
    for _ in 0..6 {
        let plan = sound(world, desired).plan;
        world.apply(&plan.steps);
        match &plan.verdict {
            Verdict::Waiting(_, _, Some(until)) => world.now = *until,
            verdict if plan.steps.is_empty() => return reason(verdict),
            Verdict::Ready(..) | Verdict::Waiting(..) | Verdict::Stalled(..) | Verdict::Paused(..) => {}
        }
    }
    panic!("it does not come to rest: {:#?}", sound(world, desired).plan);
}

/// What a job came to: its rules with the content that they start. Revision numbers do not count.
pub fn outcome(world: &World, desired: &Desired) -> BTreeMap<String, String> {
    let Some(region) = world.regions.get(&desired.place) else { return BTreeMap::new() };
    let rule = |rule: &Rule| {
        let target = rule.targets.get("ecs-etl").cloned().unwrap_or_default();
        let pinned = target.ecs_parameters.as_ref().and_then(|ecs| ecs.task_definition_arn.clone());
        let content = region.revisions.values().find(|revision| Some(revision.live.arn.as_str()) == pinned.as_deref());
        let content = content.map(|revision| (revision.active, revision.live.normal.digest()));
        let trigger = (&rule.live.expression, &rule.live.event_pattern, &rule.live.timing);
        format!("{trigger:?} {:?} {:?} {content:?}", rule.live.state, rule.tags)
    };
    region.rules.iter().map(|(name, live)| (name.titled(), rule(live))).collect()
}

/// Plays a history and gives the world and the job that it ends with.
pub fn play(events: Vec<Event>) -> (World, Desired) {
    let mut desired = job().moved_from("orders").desired();
    let mut world = World::with(&desired);
    for event in events {
        match event {
            Event::Edit(spec) => desired = spec.desired(),
            Event::Drift(drift) => {
                for (place, region) in &mut world.regions {
                    drift.apply(place, region);
                }
            }
            Event::Crash(after) => {
                let plan = sound(&world, &desired).plan;
                world.apply(plan.steps.get(..after).unwrap_or(&plan.steps));
            }
            Event::Pass => {
                let plan = sound(&world, &desired).plan;
                world.apply(&plan.steps);
            }
            Event::Wait(seconds) => world.now += SignedDuration::from_secs(seconds),
            Event::Policy(keep_revisions, margin) => {
                world.policy = Policy { keep_revisions, move_margin: SignedDuration::from_secs(margin) };
            }
        }
    }
    (world, desired)
}

/// What others have: their rules and revisions, and under the name of a rule of ours their targets and tags on it.
pub fn others(world: &World) -> BTreeMap<(Place, String), String> {
    let marked = |tags: &Tags| tags.contains_key("ecs-etl/controller");
    let mut seen = BTreeMap::new();
    for (place, region) in &world.regions {
        for (name, rule) in &region.rules {
            let things = if marked(&rule.tags) {
                format!("{:?} {:?}", rule.targets.get("notify"), rule.tags.get("theirs"))
            } else {
                format!("{rule:?}")
            };
            seen.insert((place.clone(), name.titled()), things);
        }
        for revision in region.revisions.values().filter(|revision| !marked(&revision.live.tags)) {
            seen.insert((place.clone(), revision.live.arn.to_string()), format!("{revision:?}"));
        }
    }
    seen
}
