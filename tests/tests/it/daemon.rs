//! The daemon on the file systems and in the bad days that it must live with; AWS is the emulator.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use ecs_etl_tests::meter::Effect;
use ecs_etl_tests::program::Running;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};

/// How long the daemon may take for anything; far more than it needs on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(40);

const JOB: &str = "daily";

fn with_image(version: u32) -> Job {
    Job { image: format!("example.com/{JOB}:{version}"), ..Job::daily(JOB) }
}

fn image(world: &Workspace) -> Option<String> {
    let target = world.aws.targets(&format!("etl-{JOB}")).into_iter().next()?;
    let revision = world.aws.revision(target["EcsParameters"]["TaskDefinitionArn"].as_str()?)?;
    Some(revision["taskDefinition"]["containerDefinitions"][0]["image"].as_str()?.to_owned())
}

#[track_caller]
fn wait_for_image(world: &Workspace, version: u32) {
    let expected = Some(with_image(version).image);
    world.wait_until(&format!("version {version} is pinned"), PATIENCE, |world| {
        world.aws.rule(&format!("etl-{JOB}")).is_some() && image(world) == expected
    });
}

/// Starts the daemon on `dir`, which rescans too seldom for a rescan to help.
fn start(world: &Workspace, dir: &Path) -> Running {
    let mut command = world.command(&["run", &dir.to_string_lossy()]);
    command.env("ECS_ETL_RESCAN_SECONDS", "3600");
    Running::start(command)
}

fn end(daemon: Running) {
    daemon.signal("TERM");
    let begin = Instant::now();
    let outcome = daemon.wait(PATIENCE).expect_code(0);
    assert!(begin.elapsed() < Duration::from_secs(20), "{outcome}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome}");
}

/// Copies the manifests of `world` to `to`, with version `version` of the job.
fn checkout(world: &Workspace, to: &Path, version: u32) {
    fs::create_dir_all(to).expect("a checkout");
    for name in ["controller.yaml", "cluster.yaml"] {
        fs::copy(world.manifest(name), to.join(name)).expect("a manifest is copied");
    }
    fs::write(to.join("daily.yaml"), with_image(version).to_string()).expect("the job is written");
}

fn swap(link: &Path, to: &Path) {
    let new = link.with_file_name("link-in-the-making");
    symlink(to, &new).expect("a new link");
    fs::rename(&new, link).expect("the link is swapped");
}

#[test]
fn a_root_link_that_git_sync_swaps_is_followed() {
    let world = Workspace::new(Kind::Emulator);
    let root = world.folder().join("checkout");
    checkout(&world, &root.join("aaaa/manifests"), 1);
    swap(&root.join("current"), Path::new("aaaa"));
    let daemon = start(&world, &root.join("current/manifests"));
    wait_for_image(&world, 1);
    for (commit, version) in [("bbbb", 2), ("cccc", 3)] {
        checkout(&world, &root.join(commit).join("manifests"), version);
        swap(&root.join("current"), Path::new(commit));
        wait_for_image(&world, version);
    }
    // git-sync removes worktrees that nothing points at any more.
    fs::remove_dir_all(root.join("aaaa")).expect("an old worktree goes");
    end(daemon);
}

#[test]
fn a_config_map_whose_data_link_is_swapped_is_followed() {
    let world = Workspace::new(Kind::Emulator);
    let root = world.folder().join("mounted");
    checkout(&world, &root.join("..2026_01"), 1);
    swap(&root.join("..data"), Path::new("..2026_01"));
    for name in ["controller.yaml", "cluster.yaml", "daily.yaml"] {
        symlink(Path::new("..data").join(name), root.join(name)).expect("a link as Kubernetes makes them");
    }
    let daemon = start(&world, &root);
    wait_for_image(&world, 1);
    checkout(&world, &root.join("..2026_02"), 2);
    swap(&root.join("..data"), Path::new("..2026_02"));
    fs::remove_dir_all(root.join("..2026_01")).expect("the old data go");
    wait_for_image(&world, 2);
    end(daemon);
}

#[test]
fn a_directory_that_vanishes_deletes_nothing_and_is_followed_when_it_returns() {
    let world = Workspace::new(Kind::Emulator);
    world.write_job(&with_image(1));
    let manifests = world.folder().join("manifests");
    let daemon = start(&world, &manifests);
    wait_for_image(&world, 1);
    let aside = world.folder().join("aside");
    fs::rename(&manifests, &aside).expect("the directory goes");
    world.wait_until("the status tells that the directory is missing", PATIENCE, |world| {
        world.status("_controller").is_some_and(|status| status.to_string().contains("manifests"))
            && world.status(JOB).is_some()
    });
    fs::create_dir(&manifests).expect("the directory returns");
    for name in ["controller.yaml", "cluster.yaml"] {
        fs::copy(aside.join(name), manifests.join(name)).expect("a manifest returns");
    }
    world.write_job(&with_image(2));
    wait_for_image(&world, 2);
    assert_eq!(world.aws.rule_names("etl-"), ["etl-daily"]);
    end(daemon);
}

#[test]
fn a_directory_that_is_not_there_yet_is_waited_for() {
    let world = Workspace::new(Kind::Emulator);
    let manifests = world.folder().join("later");
    let mut daemon = start(&world, &manifests);
    world.wait_until("the daemon is up", PATIENCE, |world| world.folder().join("status/_lock").exists());
    daemon.signal("HUP");
    assert!(daemon.is_running());
    let staged = world.folder().join("staged");
    checkout(&world, &staged, 1);
    fs::rename(&staged, &manifests).expect("the directory comes");
    wait_for_image(&world, 1);
    end(daemon);
}

#[test]
fn a_checkout_of_a_thousand_files_is_seen_whole() {
    let world = Workspace::new(Kind::Emulator);
    let daemon = start(&world, &world.folder().join("manifests"));
    world.wait_until("the daemon is up", PATIENCE, |world| world.status("_controller").is_some());
    // Fresh folders within folders, which no event may ever tell of.
    for number in 0..1000 {
        let folder = world.manifest(&format!("team-{}/sub-{}", number % 7, number % 31));
        fs::create_dir_all(&folder).expect("a folder");
        let text = if number % 20 == 0 {
            Job::daily(&format!("job-{number}")).to_string()
        } else {
            "apiVersion: v1\nkind: ConfigMap\n".to_owned()
        };
        fs::write(folder.join(format!("{number}.yaml")), text).expect("a file");
    }
    world.wait_until("fifty jobs are there", PATIENCE, |world| world.aws.rule_names("etl-").len() == 50);
    end(daemon);
}

#[test]
fn a_signal_makes_it_look_at_once() {
    let world = Workspace::new(Kind::Emulator);
    world.write_job(&with_image(1));
    let daemon = start(&world, &world.folder().join("manifests"));
    wait_for_image(&world, 1);
    daemon.signal("HUP");
    world.write_job(&with_image(2));
    daemon.signal("HUP");
    wait_for_image(&world, 2);
    end(daemon);
}

#[test]
fn it_ends_in_time_while_aws_hangs() {
    let world = Workspace::new(Kind::Emulator);
    world.write_job(&with_image(1));
    world.meter.inject("*", 1000, Effect::Delay(Duration::from_secs(300)));
    let daemon = start(&world, &world.folder().join("manifests"));
    world.wait_until("a call hangs", PATIENCE, |world| !world.meter.peek().0.is_empty());
    daemon.signal("TERM");
    let begin = Instant::now();
    let outcome = daemon.wait(PATIENCE).expect_code(0);
    assert!(begin.elapsed() < Duration::from_secs(25), "{outcome}");
}

#[test]
fn it_converges_when_aws_comes_back() {
    let world = Workspace::new(Kind::Emulator);
    world.write_job(&with_image(1));
    world.meter.inject("*", 4, Effect::server_error());
    let daemon = start(&world, &world.folder().join("manifests"));
    wait_for_image(&world, 1);
    assert_eq!(world.aws.active_revisions("etl-daily").len(), 1);
    end(daemon);
}

#[test]
fn a_status_directory_that_cannot_be_written_stops_nothing() {
    let world = Workspace::new(Kind::Emulator);
    world.write_job(&with_image(1));
    let daemon = start(&world, &world.folder().join("manifests"));
    wait_for_image(&world, 1);
    // Root may write to a read-only directory, but nobody can replace a folder by a file.
    let status = world.folder().join("status");
    world.wait_until("there is a status", PATIENCE, |world| world.status(JOB).is_some());
    fs::remove_file(status.join("daily.json")).expect("the status goes");
    fs::create_dir_all(status.join("daily.json/in-the-way")).expect("a folder in its place");
    world.write_job(&with_image(2));
    wait_for_image(&world, 2);
    daemon.signal("TERM");
    let outcome = daemon.wait(PATIENCE).expect_code(0);
    assert!(outcome.stderr.contains("ERROR"), "{outcome}");
}
