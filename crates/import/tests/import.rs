//! Every source under `tests/data/SOURCE/CASE`: what becomes of it, word for word, and that it holds together.
//!
//! A case has one or more files named `input…`, maybe `options` with `key=value` lines, and `expected.txt`. With
//! `ECS_ETL_BLESS=1` in the environment the expectations are written anew, to be read in the diff.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its own data should stop")]
#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ecs_etl_import::{File, Found, Import, ImportError, Kind, Options, manifests};
use ecs_etl_spec::diagnostic::{Diagnostic, Severity};
use ecs_etl_spec::directory;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    assert!(!found.is_empty(), "{}", path.display());
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Reads the files of a case with the reader of its source.
fn read(source: &str, files: &[File<'_>], given: &BTreeMap<String, String>) -> Result<Found, ImportError> {
    match source {
        "ecschedule" => {
            let (config, task_definitions) = files.split_first().unwrap();
            ecs_etl_import::ecschedule::read(config, task_definitions)
        }
        "ecspresso" => ecs_etl_import::ecspresso::read(files, given.get("schedule").map(String::as_str)),
        "copilot" => {
            ecs_etl_import::copilot::read(files.first().unwrap(), given.get("environment").map(String::as_str))
        }
        "terraform" => ecs_etl_import::terraform::read(files.first().unwrap()),
        "cloudformation" => {
            ecs_etl_import::cloudformation::read(files.first().unwrap(), given.get("region").map(String::as_str))
        }
        other => panic!("no reader for {other}"),
    }
}

fn options(case: &Path) -> (Options, BTreeMap<String, String>) {
    let text = std::fs::read_to_string(case.join("options")).unwrap_or_default();
    let given: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect();
    let options = Options {
        now: "2026-11-23T08:00:00Z".parse().unwrap(),
        controller: given
            .get("controller")
            .map(|name| (ecs_etl_spec::name::ControllerName::new(name.as_str()).unwrap(), "aws".to_owned())),
        region: given.get("region").cloned(),
        cluster: given.get("cluster").cloned(),
    };
    (options, given)
}

fn outcome(import: &Import) -> String {
    let mut text = String::new();
    for manifest in &import.manifests {
        let secret = if manifest.secret { " (secret)" } else { "" };
        writeln!(text, "=== {}{secret}\n{}", manifest.path, manifest.text.trim_end()).unwrap();
    }
    writeln!(text, "=== findings").unwrap();
    for finding in &import.findings {
        writeln!(text, "{}: {finding}", finding.kind.words()).unwrap();
    }
    text
}

/// What was written is valid but for its markers, and each marker is asked for at its place.
fn holds_together(import: &Import, case: &str) {
    let texts: Vec<(String, String)> =
        import.manifests.iter().map(|manifest| (manifest.path.clone(), manifest.text.clone())).collect();
    let files: Vec<directory::File<'_>> =
        texts.iter().map(|(path, text)| directory::File { path, bytes: text.as_bytes() }).collect();
    let loaded = directory::load(&files, "2026-11-23T08:00:00Z".parse().unwrap());
    assert_eq!(loaded.unreadable, BTreeMap::new(), "{case}");
    let errors: Vec<_> = loaded.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
    for finding in import.findings.iter().filter(|finding| finding.kind == Kind::FillIn) {
        let (manifest, path) = (finding.manifest.as_deref().unwrap(), finding.path.as_deref().unwrap());
        let asked = |found: &Diagnostic| {
            found.file == manifest && found.path == path && found.message.starts_with("to be filled in")
        };
        assert!(errors.iter().any(|found| asked(found)), "{case}: nobody asks for {manifest} {path}: {errors:#?}");
    }
    let marked: Vec<&str> =
        texts.iter().filter(|(_, text)| text.contains("FILL_IN(")).map(|(path, _)| path.as_str()).collect();
    // A job of a cluster with markers cannot be used either.
    let broken_cluster = marked.iter().any(|path| path.starts_with("clusters/"));
    for found in errors {
        let because = marked.contains(&found.file.as_str()) || broken_cluster && found.path == "spec.cluster";
        let unsupported = found.path == "spec.timeZone";
        assert!(because || unsupported, "{case}: {found}");
    }
    assert_eq!(loaded.jobs.len() + loaded.blocked.len(), import.jobs.len(), "{case}");
}

#[test]
fn every_source_becomes_what_is_written_down() {
    let mut failures = Vec::new();
    for source in folders(Path::new(DATA)) {
        for case in folders(&source) {
            let title = format!("{}/{}", name(&source), name(&case));
            let mut inputs: Vec<PathBuf> =
                std::fs::read_dir(&case).unwrap().map(|entry| entry.unwrap().path()).collect();
            inputs.retain(|path| name(path).starts_with("input"));
            inputs.sort();
            let bytes: Vec<(String, Vec<u8>)> =
                inputs.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect();
            let files: Vec<File<'_>> = bytes.iter().map(|(name, bytes)| File { name, bytes }).collect();
            let (options, given) = options(&case);
            let actual = match read(&name(&source), &files, &given) {
                Ok(found) => {
                    let import = manifests(found, &options);
                    holds_together(&import, &title);
                    outcome(&import)
                }
                Err(error) => format!("error: {error}\n"),
            };
            let path = case.join("expected.txt");
            if std::env::var_os("ECS_ETL_BLESS").is_some() {
                std::fs::write(&path, &actual).unwrap();
            }
            let expected = std::fs::read_to_string(&path).unwrap_or_default();
            if expected != actual {
                failures.push(format!("--- {title}\n{expected}+++ found\n{actual}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
