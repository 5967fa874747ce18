//! A reading that takes over what has not changed says what a full reading says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers too")]

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs_etl_spec::directory::{Directory, Earlier, File, load, load_next};
use jiff::Timestamp;
use proptest::prelude::*;

const JOB: &str = "\
apiVersion: ecs-etl/v1
kind: EtlJob
metadata: {name: NAME}
spec:
  cluster: main
  schedule: \"0 2 * * *\"
  taskDefinition:
    containerDefinitions: [{image: \"img:1\", memory: 64}]
";

const CLUSTER: &str = "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec:
  region: eu-central-1
  eventsRoleArn: events
  schedulerRoleArn: scheduler
  defaults: {taskDefinition: {networkMode: bridge}}
";

const CONTROLLER: &str = "apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {name: lab}\nspec: {source: lab}\n";

fn now() -> Timestamp {
    "2026-11-23T08:00:30Z".parse().unwrap()
}

/// One file's text, by number: plain jobs most of all, and everything that makes a reading more than the sum of its files.
fn text(kind: u8, name: u8) -> String {
    let job = JOB.replace("NAME", &format!("job-{name}"));
    let other = format!("job-{}", (name + 1) % 4);
    match kind {
        0..=5 => job.replace("img:1", &format!("img:{kind}")),
        6 => job.replace("schedule: \"0 2 * * *\"", &format!("after: [{other}]")),
        7 => job.replace("metadata: {", &format!("metadata: {{annotations: {{ecs-etl/moved-from: {other}}}, ")),
        8 => job.replace("cluster: main", "cluster: second"),
        9 => job.replace("memory: 64", "memorry: 64"),
        10 => format!("{job}---\n{CLUSTER}"),
        11 => CLUSTER.replace("bridge", "host"),
        12 => CLUSTER.replace("main", "second"),
        13 => CONTROLLER.replace("source: lab", "source: lab, prefix: other-"),
        14 => job[..job.len() / 2].to_owned(),
        15 => format!("{job}---\n{}", JOB.replace("NAME", &other)),
        16 => job.replace("0 2 * * *", "0 0 1 1 ? 2020"),
        17 => job.replace("schedule: \"0 2 * * *\"", "schedule: \"0 2 * * *\"\n  timeZone: Europe/Berlin"),
        18 => job.replace("spec:\n", "spec:\n  suspend: true\n"),
        19 => "kind: ConfigMap\napiVersion: v1\n".to_owned(),
        _ => format!("# {name}\n"),
    }
}

type Files = BTreeMap<String, String>;

fn files(of: &Files) -> Vec<File<'_>> {
    of.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect()
}

fn next(before: &Files, directory: &Directory, after: &Files) -> Directory {
    let paths = before.keys().chain(after.keys());
    let changed = paths.filter(|path| before.get(*path) != after.get(*path)).map(String::as_str).collect();
    load_next(&files(after), Earlier { directory, changed: &changed }, now())
}

/// A directory with its frame in `base.yaml`, and files by number.
fn directory(of: &[(u8, u8, u8)]) -> Files {
    let mut files = Files::from([("base.yaml".to_owned(), format!("{CONTROLLER}---\n{CLUSTER}"))]);
    files.extend(of.iter().map(|(path, kind, name)| (format!("{path}.yaml"), text(*kind, *name))));
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_over_is_what_would_have_been_read(
        first in prop::collection::vec((0..6_u8, 0..22_u8, 0..5_u8), 0..7),
        edits in prop::collection::vec((0..6_u8, 0..22_u8, 0..5_u8, any::<bool>()), 0..3),
    ) {
        let before = directory(&first);
        let read = load(&files(&before), now());
        let mut after = before.clone();
        for (path, kind, name, removed) in edits {
            match (removed, path) {
                (true, 0) => { after.remove("base.yaml"); }
                (true, path) => { after.remove(&format!("{path}.yaml")); }
                (false, path) => { after.insert(format!("{path}.yaml"), text(kind, name)); }
            }
        }
        prop_assert_eq!(next(&before, &read, &after), load(&files(&after), now()));
    }
}

#[test]
fn a_job_whose_file_stands_is_not_read_again() {
    let plain: Vec<_> = (0..5).map(|name| (name, 0, name)).collect();
    let before = directory(&plain);
    let mut read = load(&files(&before), now());
    assert_eq!(read.jobs.len(), 5);
    // What no file says shows where a job came from.
    for job in read.jobs.values_mut() {
        Arc::make_mut(job).suspend = true;
    }
    let mut after = before.clone();
    after.insert("3.yaml".to_owned(), text(1, 3));
    let next = next(&before, &read, &after);
    let suspended = |name: &str| next.jobs.iter().any(|(job, it)| job.as_str() == name && it.suspend);
    assert!(suspended("job-0") && suspended("job-4"), "they were taken over");
    assert!(!suspended("job-3"), "it was read");
}
