//! How many calls a decision costs.

use ecs_etl_plan::observed::{Look, Observed};

use crate::job::{Spec, job};
use crate::world::{World, count};

fn check(world: &World, spec: &Spec, observed: Observed, looks: usize, writes: usize) -> Vec<Look> {
    let done = world.decide(&spec.desired(), observed);
    assert_eq!(count(&done.looks), done.looks.len(), "asked twice: {:#?}", done.looks);
    assert_eq!((done.looks.len(), done.plan.steps.len()), (looks, writes), "{:#?}", done);
    done.looks
}

#[test]
fn silence_costs_a_warm_controller_one_read_per_rule() {
    for schedules in [&["cron(0 2 * * ? *)"][..], &["cron(0 2 * * ? *)", "rate(7 minutes)"]] {
        let spec = job().list(schedules);
        let world = World::with(&spec.desired());
        let looks = check(&world, &spec, world.warm(&spec.desired()), schedules.len(), 0);
        assert!(looks.iter().all(|look| matches!(look, Look::Targets(_))), "{looks:?}");
    }
}

#[test]
fn silence_costs_a_cold_controller_three_reads() {
    let spec = job();
    let mut world = World::with(&spec.desired());
    check(&world, &spec, world.swept(&spec.desired()), 3, 0);
    for image in ["sales:2", "sales:3", "sales:1"] {
        let spec = job().image(image);
        world.reconcile(&spec.desired());
        check(&world, &spec, world.swept(&spec.desired()), 3, 0);
    }
}

#[test]
fn a_new_job_costs_two_reads_and_three_writes() {
    let world = World::empty();
    check(&world, &job(), world.edited(&job().desired()), 2, 3);
}

#[test]
fn one_edited_image_costs_six_calls_in_all() {
    let world = World::with(&job().desired());
    let edited = job().image("sales:2");
    check(&world, &edited, world.edited(&edited.desired()), 4, 2);
}

#[test]
fn a_job_that_the_manifest_pauses_costs_nothing() {
    let world = World::with(&job().desired());
    let paused = Spec { disabled: true, ..job() };
    check(&world, &paused, world.swept(&paused.desired()), 0, 0);
}
