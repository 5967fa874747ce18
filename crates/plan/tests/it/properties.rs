//! What holds for every history: of edits, drift, moves and crashes.

use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::decide::{Decision, decide};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::{Fact, Observed};
use ecs_etl_spec::schedule::{Kind, Schedule, Timing, Zone};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::histories::{calm, event, others, outcome, play, sound};
use crate::world::{Rule, World, at};

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
                prop_assert_eq!(live.live.expression.as_deref(), rule.trigger.expression());
                prop_assert_eq!(live.live.event_pattern.as_deref(), rule.trigger.pattern());
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
            let gone = !world.regions[&place].rules.keys().any(|rule| rule.titled() == name);
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
        let schedule = rule.live.expression.as_deref().map(Schedule::parse).and_then(Result::ok);
        let zone = rule.live.timing.as_ref().map_or(Zone::utc(), |timing| Zone::new(&timing.zone).unwrap());
        let due = schedule.is_some_and(|schedule| match schedule.kind() {
            Kind::Cron(_) | Kind::Once(_) => {
                Timing::of(schedule, zone).last_between(tick, tick + SignedDuration::from_secs(1)).is_some()
            }
            Kind::Rate(_) => true,
        });
        due && rule.live.state.may_fire()
    };
    rules.filter(due).map(|rule| rule.targets.keys().filter(|id| *id != "notify").count()).sum()
}
