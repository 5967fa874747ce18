//! Every manifest under `tests/data` against what is expected of it.
//!
//! `invalid/NAME.yaml` gives the diagnostics and outcome in `NAME.txt`, `valid/NAME.yaml` the resolved documents in
//! `NAME.json`. With `ECS_ETL_BLESS=1` in the environment the expectations are written anew, to be read in the diff.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own data should stop")]
#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ecs_etl_spec::diagnostic::Severity;
use ecs_etl_spec::directory::{Directory, File, load};
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn load_file(path: &Path) -> Directory {
    let name = path.file_name().unwrap().to_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    load(&[File { path: name, bytes: &bytes }], now())
}

fn check(path: &Path, extension: &str, actual: &str, failures: &mut Vec<String>) {
    let expected_path = path.with_extension(extension);
    if std::env::var_os("ECS_ETL_BLESS").is_some() {
        std::fs::write(expected_path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
    if expected != actual {
        failures.push(format!("--- {}\n{expected}+++ found\n{actual}", expected_path.display()));
    }
}

fn outcome(directory: &Directory) -> String {
    let mut text = String::new();
    for diagnostic in &directory.diagnostics {
        let severity = match diagnostic.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        writeln!(text, "{severity}: {diagnostic}").unwrap();
    }
    for name in directory.jobs.keys() {
        writeln!(text, "job {name}").unwrap();
    }
    for (name, blocked) in &directory.blocked {
        writeln!(text, "blocked {name} {:?} at {}: {}", blocked.reason, blocked.origin.line, blocked.message).unwrap();
    }
    for (file, why) in &directory.unreadable {
        writeln!(text, "unreadable {file}: {why}").unwrap();
    }
    if let Some(problem) = &directory.controller_problem {
        writeln!(text, "no writes: {problem}").unwrap();
    }
    text
}

#[test]
fn every_invalid_manifest_is_refused_with_the_expected_words() {
    let mut failures = Vec::new();
    for path in cases("invalid") {
        let directory = load_file(&path);
        let wrong = directory.diagnostics.iter().any(|diagnostic| diagnostic.severity > Severity::Note);
        assert!(wrong, "{} is valid", path.display());
        check(&path, "txt", &outcome(&directory), &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_valid_manifest_resolves_to_the_expected_documents() {
    let mut failures = Vec::new();
    for path in cases("valid") {
        let directory = load_file(&path);
        let errors = directory.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        assert!(!errors, "{}", outcome(&directory));
        let documents = serde_json::json!({
            "controller": directory.controller,
            "clusters": directory.clusters.values().collect::<Vec<_>>(),
            "jobs": directory.jobs.values().collect::<Vec<_>>(),
            "findings": directory.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        let mut text = serde_json::to_string_pretty(&documents).unwrap();
        text.push('\n');
        check(&path, "json", &text, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
