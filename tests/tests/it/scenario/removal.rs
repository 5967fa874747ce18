//! Jobs whose manifest is gone, and everything that may keep them.

use std::fs;

use ecs_etl_tests::meter::Calls;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};

use super::converge::converged;
use super::live;

fn prune(world: &Workspace) -> (Option<i32>, Calls, String) {
    let (outcome, calls) = world.run(&["apply", "manifests", "--prune", "--yes"]);
    let said = outcome.to_string();
    (outcome.code, calls, said)
}

pub fn a_removed_job_goes_only_with_prune(kind: Kind) {
    let world = converged(kind);
    let kept = ["etl-rate"].map(|rule| live::job(&world.aws, rule));
    world.remove("daily.yaml");
    let (_, calls) = world.run(&["apply", "manifests"]);
    assert!(calls.mutating().is_empty(), "apply removed something\n{calls}");

    let (code, calls, said) = prune(&world);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(calls.changes(), ["RemoveTargets", "DeleteRule"], "{calls}");
    assert_eq!(world.aws.rule("etl-daily"), None);
    assert_eq!(world.aws.rule_names("etl-").len(), 3);
    assert_eq!(["etl-rate"].map(|rule| live::job(&world.aws, rule)), kept);
    assert_eq!(world.status("daily"), None, "the status of a job that is gone");

    // It may come back.
    world.write_job(&Job::daily("daily"));
    world.apply();
    assert_eq!(live::job(&world.aws, "etl-daily")["state"], "ENABLED");
    assert!(world.apply().changes().is_empty());
}

pub fn a_file_that_does_not_parse_shields_every_job(kind: Kind) {
    let world = converged(kind);
    world.remove("daily.yaml");
    world.write("half-written.yaml", "apiVersion: ecs-etl/v1\nkind: EtlJ");
    let (code, calls, said) = prune(&world);
    assert_eq!(code, Some(1), "{said}");
    assert!(calls.mutating().is_empty(), "{calls}");
    assert!(said.contains("half-written.yaml"), "{said}");
    assert!(world.aws.rule("etl-daily").is_some());

    world.remove("half-written.yaml");
    let (code, _, said) = prune(&world);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.aws.rule("etl-daily"), None);
}

pub fn an_empty_directory_removes_nothing(kind: Kind) {
    let world = converged(kind);
    let before: Vec<_> = world.aws.rule_names("etl-").iter().map(|rule| live::job(&world.aws, rule)).collect();
    let manifests = world.folder().join("manifests");
    let aside = world.folder().join("aside");
    let unchanged = |what: &str| {
        let (code, calls, said) = prune(&world);
        assert_ne!(code, Some(0), "{what}\n{said}");
        assert!(calls.mutating().is_empty(), "{what}\n{calls}");
    };

    fs::rename(&manifests, &aside).expect("the directory moves");
    unchanged("a directory that is missing");
    fs::write(&manifests, "a file").expect("a file in its place");
    unchanged("a directory that is a file");
    fs::remove_file(&manifests).expect("the file goes");
    fs::create_dir(&manifests).expect("an empty directory");
    unchanged("a directory without a file");
    for name in ["controller.yaml", "cluster.yaml"] {
        fs::copy(aside.join(name), manifests.join(name)).expect("a manifest comes back");
    }
    unchanged("a directory without a job");

    let after: Vec<_> = world.aws.rule_names("etl-").iter().map(|rule| live::job(&world.aws, rule)).collect();
    assert_eq!(after, before);
}

pub fn a_drained_cluster_gives_up_its_jobs(kind: Kind) {
    let world = Workspace::new(kind);
    world.write_job(&Job::daily("daily"));
    world.apply();
    let cluster = world.read("cluster.yaml");
    world.write("cluster.yaml", cluster.replace("spec:\n", "spec:\n  drain: true\n"));
    let (code, calls, said) = prune(&world);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(calls.changes(), ["RemoveTargets", "DeleteRule"], "{calls}");
    assert!(world.aws.rule_names("etl-").is_empty());
}

pub fn more_than_a_quarter_is_held_until_approved(kind: Kind) {
    let world = Workspace::new(kind);
    for name in ["a", "b", "c", "d", "e"] {
        world.write_job(&Job::daily(name));
    }
    world.apply();
    // A quarter of five, rounded up, is two.
    for name in ["a", "b", "c"] {
        world.remove(&format!("{name}.yaml"));
    }
    let (code, calls, said) = prune(&world);
    assert_eq!(code, Some(1), "{said}");
    assert!(calls.mutating().is_empty(), "{calls}");

    let (outcome, _) = world.run(&["approve"]);
    let outcome = outcome.expect_code(0);
    let digest = outcome
        .stdout
        .split(|c: char| c.is_whitespace() || "\"'`".contains(c))
        .find(|word| word.starts_with("sha256:"));
    let digest = digest.unwrap_or_default();
    assert_eq!(digest.len(), "sha256:".len() + 64, "{outcome}");
    let controller = world.read("controller.yaml");
    world.write("controller.yaml", format!("{controller}  approved: {digest}\n"));
    let (code, calls, said) = prune(&world);
    assert_eq!(code, Some(0), "{said}\n{calls}");
    assert_eq!(world.aws.rule_names("etl-"), ["etl-d", "etl-e"]);
}

pub fn a_retained_job_stays_when_its_manifest_goes(kind: Kind) {
    let world = converged(kind);
    let retained = Job::daily("kept").to_string().replace("spec:\n", "spec:\n  deletionPolicy: Retain\n");
    world.write("kept.yaml", retained);
    world.apply();
    let before = live::job(&world.aws, "etl-kept");
    world.remove("kept.yaml");
    let (_, calls, _) = prune(&world);
    assert!(calls.changes().is_empty(), "{calls}");
    assert_eq!(live::job(&world.aws, "etl-kept"), before);
}
