//! A manifest directory of any content: positions, fates, and what is rendered.

use std::collections::BTreeMap;

use ecs_etl_spec::diagnostic::{Diagnostic, Severity};
use ecs_etl_spec::directory::{Directory, File, load};
use ecs_etl_spec::job::{Controller, Job};
use ecs_etl_spec::name::AccountId;
use ecs_etl_spec::render;
use jiff::Timestamp;
use serde_json::json;

/// What stands between two files of an input, on a line of its own.
pub const NEXT_FILE: &[u8] = b"\n=====\n";

/// How many jobs of one input are rendered and loaded again, which takes longer than the first load.
const RENDERED: usize = 8;

/// Loads the input's files and checks what came of it.
///
/// # Panics
/// If a finding points outside of its file, a job has two fates or none, or a rendered job is another one.
pub fn check(input: &[u8]) {
    let bytes = split(input);
    let paths: Vec<String> = (0..bytes.len()).map(|number| format!("{number:03}.yaml")).collect();
    let files: Vec<File<'_>> = paths.iter().zip(&bytes).map(|(path, bytes)| File { path, bytes }).collect();
    let directory = load(&files, now());
    for diagnostic in &directory.diagnostics {
        points_into_its_file(diagnostic, &files);
    }
    has_one_fate_for_each_job(&directory, &files);
    let account = AccountId::new("123456789012").expect("an account");
    for job in directory.jobs.values().take(RENDERED) {
        if job.open.is_empty() {
            is_rendered_as_the_same_job(job, &directory.controller);
        }
        // The account may show that a text is too long now; that is an answer, too.
        if let Ok(bound) = job.bind(&account) {
            for role in bound.role_arn.iter().chain(&bound.scheduler_role_arn) {
                assert!(role.starts_with("arn:"), "{role}");
            }
        }
    }
}

/// A present of its own, since a schedule may have had its last run.
fn now() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().expect("a time")
}

fn split(input: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = input;
    while let Some(end) = rest.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE) {
        files.push(&rest[..=end]);
        rest = &rest[end + NEXT_FILE.len()..];
    }
    files.push(rest);
    files
}

fn points_into_its_file(diagnostic: &Diagnostic, files: &[File<'_>]) {
    let file = files.iter().find(|file| file.path == diagnostic.file);
    let file = file.unwrap_or_else(|| panic!("a finding in no file: {diagnostic:?}"));
    let text = String::from_utf8_lossy(file.bytes);
    if diagnostic.line == 0 {
        assert_eq!(diagnostic.column, 0, "a column of no line: {diagnostic:?}");
        return;
    }
    let line = text.split('\n').nth(diagnostic.line as usize - 1);
    let line = line.unwrap_or_else(|| panic!("a line beyond the end: {diagnostic:?}"));
    let length = line.chars().count();
    assert!(diagnostic.column as usize <= length + 1, "a column beyond the {length} of its line: {diagnostic:?}");
    assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
    let shown = diagnostic.to_string();
    assert!(!shown.contains(|c: char| c.is_control()), "a terminal would obey: {shown:?}");
}

fn has_one_fate_for_each_job(directory: &Directory, files: &[File<'_>]) {
    let errors: Vec<&Diagnostic> =
        directory.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
    for (name, job) in &directory.jobs {
        assert_eq!(name, &job.name);
        assert!(!directory.blocked.contains_key(name), "{name} is valid and blocked");
        let named = |error: &&&Diagnostic| error.job.as_deref() == Some(name.as_str());
        assert!(errors.iter().find(named).is_none(), "{name} is valid and has errors: {errors:?}");
        assert!(!job.schedules.is_empty(), "{name} never starts");
        assert!(directory.clusters.contains_key(&job.cluster), "{name} is in no cluster");
    }
    for (name, blocked) in &directory.blocked {
        assert!(!blocked.message.is_empty(), "{name} is blocked and nobody says why");
        assert!(!errors.is_empty(), "{name} is blocked and there is no error");
    }
    for path in directory.unreadable.keys() {
        assert!(files.iter().any(|file| file.path == path), "no file is called {path}");
        assert!(errors.iter().any(|error| &error.file == path), "{path} is unreadable without an error");
    }
}

/// Beside a cluster of the same place whose only defaults are the job's other tags.
fn is_rendered_as_the_same_job(job: &Job, controller: &Controller) {
    let tags: BTreeMap<_, _> = job.tags.iter().filter(|(key, _)| !job.labels.contains_key(*key)).collect();
    // In a default, `$${` is a dollar and a brace.
    let tags: BTreeMap<_, _> = tags.into_iter().map(|(key, value)| (key, value.replace("${", "$${"))).collect();
    let mut spec = json!({
        "cluster": job.ecs_cluster,
        "region": job.place.region,
        "drain": job.drain,
        "defaults": {"tags": tags},
    });
    for (key, value) in [("assumeRoleArn", &job.place.assume_role_arn), ("externalId", &job.place.external_id)] {
        if let Some(value) = value {
            spec[key] = json!(value);
        }
    }
    let document = |kind: &str, name: &str, spec| {
        json!({"apiVersion": "ecs-etl/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}).to_string()
    };
    let controller = document("EtlController", "again", json!({"prefix": controller.prefix}));
    let cluster = document("EtlCluster", job.cluster.as_str(), spec);
    let rendered = render::yaml(job);
    let texts = [("cluster.yaml", &cluster), ("controller.yaml", &controller), ("job.yaml", &rendered)];
    let files = texts.map(|(path, text)| File { path, bytes: text.as_bytes() });
    let again = load(&files, now());
    let found = again.jobs.get(&job.name).map(|again| &again.digest);
    assert_eq!(found, Some(&job.digest), "{:#?}\n{rendered}\n{cluster}", again.diagnostics);
}
