//! The samples in `manifests/` are what a newcomer sees first: all of them are used, and nothing is said against them.

use std::collections::BTreeSet;
use std::path::Path;

use ecs_etl_spec::directory::{self, File};
use ecs_etl_tests::tools;

fn read(folder: &Path, below: &str, files: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, &format!("{below}{name}/"), files)?;
        } else {
            files.push((format!("{below}{name}"), std::fs::read(&path)?));
        }
    }
    Ok(())
}

#[test]
fn the_pipeline_of_the_tour_is_valid_and_no_warning_is_said() {
    let mut texts = Vec::new();
    read(&tools::root().join("examples/pipeline"), "", &mut texts).expect("the example can be read");
    let files: Vec<File<'_>> = texts.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let directory = directory::load(&files, "2026-11-23T00:00:00Z".parse().expect("a time"));
    assert_eq!(directory.diagnostics, []);
    assert_eq!(directory.jobs.len(), 3);
}

#[test]
fn every_sample_is_valid_and_no_warning_is_said() {
    let mut texts = Vec::new();
    read(&tools::root().join("manifests"), "", &mut texts).expect("the samples can be read");
    let files: Vec<File<'_>> = texts.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let now = "2026-11-23T00:00:00Z".parse().expect("a time");
    let directory = directory::load(&files, now);

    let said: Vec<String> = directory.diagnostics.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    let jobs: BTreeSet<&str> = directory.jobs.keys().map(|name| name.as_str()).collect();
    let expected =
        ["clickstream-compact", "currency-rates", "customer-sync", "daily-sales", "sales-report", "warehouse-load"];
    assert_eq!(jobs, expected.into());
    assert_eq!(directory.controller.name.as_str(), "samples");
}
