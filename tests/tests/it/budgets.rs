//! How many calls a thing takes, counted at the HTTP boundary in an account that holds nothing else.

use std::time::Duration;

use ecs_etl_tests::meter::Calls;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};

/// Not a round number, and more than any page that lists.
const JOBS: usize = 107;

fn world_of(jobs: usize) -> Workspace {
    let world = Workspace::new(Kind::Emulator);
    for number in 0..jobs {
        world.write_job(&Job::daily(&name(number)));
    }
    world
}

fn name(number: usize) -> String {
    format!("job-{number:03}")
}

/// Pages that hold `things`, of a hundred each.
fn pages(things: usize) -> usize {
    things.div_ceil(100)
}

fn within(what: &str, reads: usize, budget: usize, calls: &Calls) {
    assert!(reads <= budget, "{what} took {reads} reads of {budget}: {:?}", calls.by_operation());
}

#[test]
fn a_job_is_created_with_three_calls_and_a_cold_resync_takes_at_most_three_reads_a_job() {
    let world = world_of(JOBS);
    let calls = world.apply();
    assert_eq!(calls.mutating().len(), 3 * JOBS, "{:?}", calls.by_operation());

    let calls = world.apply();
    assert_eq!(calls.mutating().len(), 0, "{:?}", calls.by_operation());
    // Who we are is asked once more.
    within("a cold resync", calls.reads(), 3 * JOBS + pages(JOBS) + pages(JOBS) + 2, &calls);
}

#[test]
fn an_apply_of_one_job_costs_the_same_whatever_the_others_are() {
    let world = world_of(JOBS);
    world.apply();
    world.write_job(&Job { image: "example.com/job:2".to_owned(), ..Job::daily(&name(7)) });
    let (outcome, calls) = world.run(&["apply", "manifests", "--job", &name(7)]);
    outcome.expect_code(0);
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutTargets"], "{calls}");
    // A process that knows nothing yet: lists, account and group of schedules are asked for once.
    within("one job", calls.0.len(), 13, &calls);
}

#[test]
fn one_edited_file_takes_six_calls_whatever_the_number_of_jobs_is() {
    let world = world_of(JOBS);
    let _daemon = world.daemon(&[]);
    let pinned = |world: &Workspace, number: usize| {
        let ready = world.status(&name(number)).unwrap_or_default()["status"]["conditions"][0]["reason"] == "Converged";
        ready.then(|| {
            world.aws.targets(&format!("etl-{}", name(number)))[0]["EcsParameters"]["TaskDefinitionArn"].clone()
        })
    };
    world.wait_until("all jobs are ready", Duration::from_secs(60), |world| {
        (0..JOBS).all(|number| pinned(world, number).is_some())
    });
    for number in [3, 50, 99] {
        let before = pinned(&world, number);
        world.meter.take();
        world.write_job(&Job { image: "example.com/job:2".to_owned(), ..Job::daily(&name(number)) });
        world.wait_until("the edit has arrived", Duration::from_secs(20), |world| {
            let now = pinned(world, number);
            now.is_some() && now != before
        });
        let calls = world.meter.take();
        assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutTargets"], "{calls}");
        within("an edit", calls.0.len(), 6, &calls);
    }
}

#[test]
fn a_warm_resync_takes_one_read_a_job_and_the_lists() {
    const FEW: usize = 23;
    let world = world_of(FEW);
    let controller = "apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {name: e2e}\n\
                      spec: {source: none, resyncSeconds: 30}\n";
    world.write("controller.yaml", controller);
    // Made by another process: what a daemon has just written itself it looks at more closely.
    world.apply();
    world.meter.take();
    let _daemon = world.daemon(&[]);
    let sweeps = |world: &Workspace| world.meter.peek().by_operation().get("events:ListRules").copied().unwrap_or(0);
    // From the start of one sweep, after the cold one, to the start of the next, jitter included.
    let patience = Duration::from_secs(120);
    world.wait_until("the second sweep begins", patience, |world| sweeps(world) == 2);
    world.meter.take();
    world.wait_until("the third sweep begins", patience, |world| sweeps(world) == 1);
    let calls = world.meter.take();
    assert_eq!(calls.mutating().len(), 0, "{calls}");
    within("a warm resync", calls.reads(), FEW + FEW.div_ceil(20) + pages(FEW) + pages(FEW), &calls);
    assert!(calls.reads() >= FEW, "a resync that looks at {} of {FEW} jobs proves nothing", calls.reads());
}
