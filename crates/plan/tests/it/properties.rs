//! What holds for every history: of edits, drift, moves and crashes.

use std::collections::BTreeMap;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::decide::{Decision, decide};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::{Fact, Observed};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::schedule::{Kind, Schedule};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::drifts::{Drift, drift};
use crate::job::{Spec, job};
use crate::world::{Done, Rule, World, at, reason};

const SCHEDULES: [&str; 5] =
    ["cron(0 2 * * ? *)", "cron(0 12 * * ? *)", "cron(0/15 * * * ? *)", "rate(1 hour)", "cron(* * * * ? *)"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    Edit(Box<Spec>),
    Drift(Drift),
    /// A pass that crashes after so many steps.
    Crash(usize),
    Pass,
    Wait(i64),
}

fn spec() -> impl Strategy<Value = Spec> {
    let schedules = prop::sample::subsequence(SCHEDULES.to_vec(), 1..3);
    let label = prop::option::of(prop::sample::select(vec!["team", "stage"]));
    let source = prop::sample::select(vec!["git.example.com/etl", "git.example.com/other"]);
    let region = prop::sample::select(vec!["eu-west-1", "us-east-1"]);
    (1..4u8, schedules, any::<bool>(), prop::bool::weighted(0.2), label, source, region, any::<bool>()).prop_map(
        |(image, schedules, list, suspend, label, source, region, renamed)| {
            let list = list || schedules.len() > 1;
            let labels = label.map(|key| (key.to_owned(), "x".to_owned())).into_iter().collect();
            let image = format!("sales:{image}");
            let spec = Spec { image, schedules, list, suspend, labels, source, ..job() }.at(region);
            if renamed { spec.named("orders").moved_from("sales") } else { spec.moved_from("orders") }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => spec().prop_map(|spec| Event::Edit(Box::new(spec))),
        4 => drift().prop_map(Event::Drift),
        2 => (0..9usize).prop_map(Event::Crash),
        2 => Just(Event::Pass),
        1 => (1..7200i64).prop_map(Event::Wait),
    ]
}

/// Decides and lints; a plan that breaks a promise fails the test.
fn sound(world: &World, desired: &Desired) -> Done {
    let done = world.decide(desired, world.found(desired));
    let violations = lint(&done.plan, &Subject::of(desired), &done.observed);
    assert!(violations.is_empty(), "{violations:#?}\n{:#?}", done.plan.steps);
    done
}

/// Passes until nothing is left to do, waiting where a pass says so.
fn calm(world: &mut World, desired: &Desired) -> Reason {
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
fn outcome(world: &World, desired: &Desired) -> BTreeMap<String, String> {
    let Some(region) = world.regions.get(&desired.place) else { return BTreeMap::new() };
    let rule = |rule: &Rule| {
        let target = rule.targets.get("ecs-etl").cloned().unwrap_or_default();
        let pinned = target.ecs_parameters.as_ref().and_then(|ecs| ecs.task_definition_arn.clone());
        let content = region.revisions.values().find(|revision| Some(revision.live.arn.as_str()) == pinned.as_deref());
        let content = content.map(|revision| (revision.active, revision.live.normal.digest()));
        format!("{:?} {:?} {:?} {content:?}", rule.live.expression, rule.live.state, rule.tags)
    };
    region.rules.iter().map(|(name, live)| (name.to_string(), rule(live))).collect()
}

/// Plays a history and gives the world and the job that it ends with.
fn play(events: Vec<Event>) -> (World, Desired) {
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
        }
    }
    (world, desired)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_comes_to_rest_and_every_plan_is_sound(events in prop::collection::vec(event(), 0..12)) {
        let (mut world, desired) = play(events);
        let ready = calm(&mut world, &desired);
        prop_assert!(
            matches!(ready, Reason::Converged | Reason::Suspended | Reason::NotOwned),
            "{ready:?}"
        );
        if ready != Reason::NotOwned {
            for rule in &desired.rules {
                let live = &world.regions[&desired.place].rules[&rule.name];
                prop_assert_eq!(live.live.state.may_fire(), rule.enabled);
                prop_assert_eq!(live.live.expression.as_deref(), Some(rule.schedule.expression()));
            }
        }
    }

    #[test]
    fn a_crash_after_any_step_changes_nothing_of_the_end(events in prop::collection::vec(event(), 0..8)) {
        let (world, desired) = play(events);
        let plan = sound(&world, &desired).plan;
        let mut straight = world.clone();
        calm(&mut straight, &desired);
        for after in 0..plan.steps.len() {
            let mut crashed = world.clone();
            crashed.apply(&plan.steps[..after]);
            calm(&mut crashed, &desired);
            prop_assert_eq!(outcome(&crashed, &desired), outcome(&straight, &desired), "after {}: {:#?}", after, plan.steps);
        }
    }

    #[test]
    fn a_twin_that_knows_nothing_decides_the_same(events in prop::collection::vec(event(), 0..10)) {
        let (world, desired) = play(events);
        let cold = world.decide(&desired, world.found(&desired)).plan;
        for warm in [world.swept(&desired), world.edited(&desired), world.warm(&desired)] {
            let warm = world.decide(&desired, warm).plan;
            prop_assert_eq!((&warm.steps, &warm.verdict), (&cold.steps, &cold.verdict));
        }
    }

    #[test]
    fn no_step_makes_a_tick_start_the_job_more_often(events in prop::collection::vec(event(), 0..8)) {
        let (world, desired) = play(events);
        let plan = sound(&world, &desired).plan;
        let states: Vec<World> = (0..=plan.steps.len())
            .map(|after| {
                let mut state = world.clone();
                state.apply(&plan.steps[..after]);
                state
            })
            .collect();
        for quarter in 0..96 {
            let tick = at("2026-11-24T00:00:00Z") + SignedDuration::from_mins(15 * quarter);
            let starts: Vec<usize> = states.iter().map(|state| starts(state, &desired, tick)).collect();
            let most = starts[0].max(starts[starts.len() - 1]);
            prop_assert!(starts.iter().all(|n| *n <= most), "{}: {:?} {:#?}", tick, starts, plan.steps);
        }
    }

    #[test]
    fn nothing_of_others_is_touched(events in prop::collection::vec(event(), 0..10)) {
        let (mut world, desired) = play(events);
        let before = others(&world);
        calm(&mut world, &desired);
        let after = others(&world);
        for ((place, name), things) in before {
            let gone = !world.regions[&place].rules.contains_key(name.as_str());
            let nothing = gone && !things.contains("notify");
            prop_assert!(nothing || after.get(&(place, name.clone())) == Some(&things), "{}: {}", name, things);
        }
    }

    #[test]
    fn a_decision_is_made_whatever_is_known(
        events in prop::collection::vec(event(), 0..8),
        holes in prop::collection::vec((0..5u8, 0..6usize, any::<bool>()), 0..12),
    ) {
        let (world, desired) = play(events);
        let mut observed = world.decide(&desired, world.found(&desired)).observed;
        for (kind, n, refused) in holes {
            punch(&mut observed, kind, n, refused);
        }
        match decide(&desired, &observed, &world.policy, world.now) {
            Decision::Look(questions) => prop_assert!(!questions.is_empty()),
            Decision::Plan(plan) => {
                let violations = lint(&plan, &Subject::of(&desired), &observed);
                prop_assert!(violations.is_empty(), "{:#?}\n{:#?}", violations, plan.steps);
            }
        }
    }
}

/// Makes one fact unknown or unreadable.
fn punch(observed: &mut Observed, kind: u8, n: usize, refused: bool) {
    fn hole<T: Default>(fact: Option<&mut Fact<T>>, refused: bool) {
        if let Some(fact) = fact {
            *fact = if refused { Fact::Unreadable("AccessDenied".to_owned()) } else { Fact::NotRead };
        }
    }
    match kind {
        0 => hole(observed.active.values_mut().nth(n), refused),
        1 => hole(observed.revisions.values_mut().nth(n), refused),
        2 => hole(observed.rules.values_mut().nth(n), refused),
        3 => hole(observed.targets.values_mut().nth(n), refused),
        _ => hole(observed.rule_tags.values_mut().nth(n), refused),
    }
}

/// How many runs of the job a tick starts, in all its homes. Nobody knows when a rate is due: it counts as always.
fn starts(world: &World, desired: &Desired, tick: Timestamp) -> usize {
    let families: Vec<&str> = ["etl-sales", "etl-orders"].into();
    assert!(families.contains(&desired.family.as_str()));
    let rules = world.regions.values().flat_map(|region| region.rules.values());
    let due = |rule: &&Rule| {
        let schedule = rule.live.expression.as_deref().map(Schedule::parse);
        let due = match schedule.and_then(Result::ok).map(|schedule| schedule.kind().clone()) {
            Some(Kind::Cron(cron)) => cron.ticks(tick, tick + SignedDuration::from_secs(1)).next().is_some(),
            Some(Kind::Rate(_)) => true,
            None => false,
        };
        due && rule.live.state.may_fire()
    };
    rules.filter(due).map(|rule| rule.targets.keys().filter(|id| *id != "notify").count()).sum()
}

/// What others have: their rules and revisions, and under the name of a rule of ours their targets and tags on it.
fn others(world: &World) -> BTreeMap<(Place, String), String> {
    let marked = |tags: &Tags| tags.contains_key("ecs-etl/controller");
    let mut seen = BTreeMap::new();
    for (place, region) in &world.regions {
        for (name, rule) in &region.rules {
            let things = if marked(&rule.tags) {
                format!("{:?} {:?}", rule.targets.get("notify"), rule.tags.get("theirs"))
            } else {
                format!("{rule:?}")
            };
            seen.insert((place.clone(), name.to_string()), things);
        }
        for revision in region.revisions.values().filter(|revision| !marked(&revision.live.tags)) {
            seen.insert((place.clone(), revision.live.arn.to_string()), format!("{revision:?}"));
        }
    }
    seen
}
