//! The daemon: it sees edits, removes what is gone, and ends cleanly.

use std::time::{Duration, Instant};

use ecs_etl_tests::program::{self, Running};
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};

use super::live;

/// How long the daemon may take for anything; far more than it needs on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn started(kind: Kind) -> (Workspace, Running) {
    let world = Workspace::new(kind);
    world.write_job(&Job::daily("daily"));
    world.write_job(&Job::daily("other"));
    let daemon = world.daemon(&[]);
    for job in ["daily", "other"] {
        wait_for_ready(&world, job);
    }
    (world, daemon)
}

fn wait_for_ready(world: &Workspace, job: &str) {
    world.wait_until(&format!("{job} is ready"), PATIENCE, |world| {
        world.condition(job, "Ready") == Some(("True".to_owned(), "Converged".to_owned()))
    });
}

pub fn edits_are_seen_live_and_the_end_is_clean(kind: Kind) {
    let (world, mut daemon) = started(kind);
    let spec = |world: &Workspace| world.status("daily").unwrap_or_default()["status"]["observedSpec"].clone();
    let before = spec(&world);
    world.meter.take();
    world.write_job(&Job { image: "example.com/daily:2".to_owned(), ..Job::daily("daily") });
    world.wait_until("the new image is pinned", PATIENCE, |world| {
        live::image(&world.aws, "etl-daily") == "example.com/daily:2"
    });
    world.wait_until("the status tells the new spec", PATIENCE, |world| spec(world) != before);
    wait_for_ready(&world, "daily");
    let calls = world.meter.take();
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutTargets"], "{calls}");

    world.write("torn.yaml", "kind: [");
    world.write_job(&Job::daily("fresh"));
    wait_for_ready(&world, "fresh");
    world.wait_until("the status names the torn file", PATIENCE, |world| {
        world.status("_controller").is_some_and(|status| status.to_string().contains("torn.yaml"))
    });
    world.remove("torn.yaml");

    let (outcome, _) = world.run(&["status"]);
    let outcome = outcome.expect_code(0);
    for job in ["daily", "other", "fresh"] {
        assert!(outcome.stdout.contains(job), "{outcome}");
    }

    assert!(daemon.is_running());
    daemon.signal("TERM");
    let begin = Instant::now();
    let outcome = daemon.wait(PATIENCE).expect_code(0);
    assert!(begin.elapsed() < Duration::from_secs(20), "{outcome}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome}");
    assert!(world.status("_controller").is_some());
    let (outcome, calls) = world.run(&["apply", "manifests"]);
    assert!(calls.changes().is_empty(), "{outcome}\n{calls}");
}

pub fn a_removed_manifest_goes_after_its_grace(kind: Kind) {
    let (world, _daemon) = started(kind);
    world.remove("other.yaml");
    world.wait_until("the rule is gone", PATIENCE, |world| world.aws.rule("etl-other").is_none());
    world.wait_until("its status is gone", PATIENCE, |world| world.status("other").is_none());
    assert_eq!(live::job(&world.aws, "etl-daily")["state"], "ENABLED");
}

pub fn one_status_directory_takes_one_daemon(kind: Kind) {
    let (world, mut daemon) = started(kind);
    world.meter.take();
    let second = program::run(world.command(&["run", "manifests"])).expect_code(1);
    assert!(second.stderr.contains("status"), "{second}");
    assert!(daemon.is_running());
    assert!(world.meter.take().mutating().is_empty());
}
