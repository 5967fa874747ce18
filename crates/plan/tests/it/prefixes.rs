//! What a plan leaves behind wherever it stops, seen in the world itself and not by the lint.

use std::collections::BTreeSet;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::{Desired, DesiredRule, Effect};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::RuleName;
use proptest::prelude::*;

use crate::histories::{calm, event, others, outcome, play, sound};
use crate::world::{Region, Rule, World};

type Key = (Place, RuleName);

/// Targets of a rule that start the job: not those of somebody else's, nor those whose revision is gone.
fn starts(region: &Region, rule: &Rule) -> usize {
    let works = |arn: &str| region.revisions.values().any(|known| known.active && known.live.arn.as_str() == arn);
    let targets = rule.targets.iter().filter(|(id, _)| *id != "notify");
    let pinned = targets.filter_map(|(_, target)| target.ecs_parameters.as_ref()?.task_definition_arn.as_deref());
    pinned.filter(|arn| works(arn)).count()
}

/// Rules that fire and bear our mark, by how often a tick of each starts the job.
fn firing(world: &World, wanted: impl Fn(usize) -> bool) -> BTreeSet<Key> {
    let mut found = BTreeSet::new();
    for (place, region) in &world.regions {
        for (name, rule) in &region.rules {
            let ours = rule.tags.get("ecs-etl/controller").is_some_and(|controller| controller == "prod");
            if ours && rule.live.state.may_fire() && wanted(starts(region, rule)) {
                found.insert((place.clone(), name.clone()));
            }
        }
    }
    found
}

fn doubled(world: &World) -> BTreeSet<Key> {
    firing(world, |starts| starts > 1)
}

/// Rules that should start the job, fire, and start nothing.
fn dark(world: &World, desired: &Desired) -> BTreeSet<Key> {
    let runs = |rule: &DesiredRule| matches!(rule.effect, Effect::Run);
    let wanted = |(place, name): &Key| {
        *place == desired.place && desired.rules.iter().any(|rule| runs(rule) && rule.name == *name)
    };
    firing(world, |starts| starts == 0).into_iter().filter(wanted).collect()
}

fn exists(world: &World, (place, name): &Key) -> bool {
    world.regions.get(place).is_some_and(|region| region.rules.contains_key(name))
}

/// Whether anything bears this name, with the word for what it is before it.
fn bears(world: &World, place: &Place, titled: &str) -> bool {
    world.regions.get(place).is_some_and(|region| region.rules.keys().any(|rule| rule.titled() == titled))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_a_plan_stops_no_rule_starts_the_job_twice_or_not_at_all(events in prop::collection::vec(event(), 0..10)) {
        let (world, desired) = play(events);
        let plan = sound(&world, &desired).plan;
        for after in 1..=plan.steps.len() {
            let mut stopped = world.clone();
            stopped.apply(&plan.steps[..after]);
            let twice: Vec<Key> = doubled(&stopped).difference(&doubled(&world)).cloned().collect();
            prop_assert!(twice.is_empty(), "{:?} after {}: {:#?}", twice, after, plan.steps);
            // A rule that has just been made has no target yet: EventBridge knows no way to make both at once.
            let was_there = |key: &&Key| exists(&world, key);
            let dark: Vec<Key> = dark(&stopped, &desired).difference(&dark(&world, &desired)).filter(was_there).cloned().collect();
            prop_assert!(dark.is_empty(), "{:?} after {}: {:#?}", dark, after, plan.steps);
        }
        // And at the end nothing of it is left, made by us or not.
        if !plan.steps.is_empty() && matches!(plan.verdict, Verdict::Ready(..)) {
            let mut done = world.clone();
            done.apply(&plan.steps);
            prop_assert_eq!(dark(&done, &desired), BTreeSet::new());
            let here: Vec<Key> = doubled(&done).into_iter().filter(|(place, _)| *place == desired.place).collect();
            prop_assert_eq!(here, vec![]);
        }
    }

    #[test]
    fn wherever_a_plan_stops_nothing_of_others_is_another(events in prop::collection::vec(event(), 0..8)) {
        let (world, desired) = play(events);
        let plan = sound(&world, &desired).plan;
        let before = others(&world);
        for after in 1..=plan.steps.len() {
            let mut stopped = world.clone();
            stopped.apply(&plan.steps[..after]);
            let now = others(&stopped);
            for ((place, name), things) in &before {
                // A rule of ours may go when nobody else has anything on it.
                let may_go = !things.contains("notify") && !bears(&stopped, place, name);
                let same = now.get(&(place.clone(), name.clone())) == Some(things);
                prop_assert!(same || may_go, "{} after {}: {:#?}", name, after, plan.steps);
            }
        }
    }

    #[test]
    fn what_was_carried_out_leaves_nothing_to_do(events in prop::collection::vec(event(), 0..10)) {
        let (mut world, desired) = play(events);
        let plan = sound(&world, &desired).plan;
        world.apply(&plan.steps);
        let again = sound(&world, &desired).plan;
        prop_assert_eq!(&again.steps, &vec![], "after {:#?}", plan.steps);
        if matches!(plan.verdict, Verdict::Ready(Reason::Converged, _)) {
            prop_assert_eq!(again.verdict, plan.verdict);
        }
    }

    #[test]
    fn two_crashes_one_after_the_other_change_nothing_of_the_end(
        events in prop::collection::vec(event(), 0..6), first in 0..9_usize, second in 0..9_usize,
    ) {
        let (world, desired) = play(events);
        let mut straight = world.clone();
        calm(&mut straight, &desired);
        let mut crashed = world;
        for after in [first, second] {
            let plan = sound(&crashed, &desired).plan;
            crashed.apply(plan.steps.get(..after).unwrap_or(&plan.steps));
        }
        calm(&mut crashed, &desired);
        prop_assert_eq!(outcome(&crashed, &desired), outcome(&straight, &desired));
    }
}
