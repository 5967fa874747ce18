//! What the checks find in task definitions and runs.
//!
//! Each `tests/data/check/*.yaml` holds documents `{name, taskDefinition, runTask, problems}`; `problems` is the whole
//! of what is expected, in order.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use ecs_etl_spec::check::{self, Problem};
use ecs_etl_spec::diagnostic::Severity;
use ecs_etl_spec::shapes::{RunTask, TaskDefinition};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    task_definition: TaskDefinition,
    #[serde(default)]
    run_task: RunTask,
    #[serde(default)]
    problems: Vec<String>,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/check");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn found(case: &Case) -> Vec<String> {
    let below = |path: &str, problems: Vec<Problem>| -> Vec<String> {
        let full = |problem: &Problem| {
            let dot = if problem.path.is_empty() { "" } else { "." };
            format!("{path}{dot}{}", problem.path)
        };
        let severity = |severity| match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        problems
            .iter()
            .map(|problem| {
                let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{} {}: {}{help}", severity(problem.severity), full(problem), problem.message)
            })
            .collect()
    };
    let mut found = below("taskDefinition", check::task_definition(&case.task_definition, &case.run_task));
    found.extend(below("runTask", check::run_task(&case.run_task, &case.task_definition)));
    found
}

#[test]
fn every_case_has_exactly_the_problems_it_lists() {
    let mut wrong = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).expect("readable");
        let mut count = 0;
        for document in serde_yaml::Deserializer::from_str(&text) {
            let case = Case::deserialize(document).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let found = found(&case);
            if found != case.problems {
                let listed =
                    |problems: &[String]| problems.iter().map(|line| format!("  - {line}\n")).collect::<String>();
                wrong.push(format!(
                    "{}: {}\nexpected\n{}found\n{}",
                    file.display(),
                    case.name,
                    listed(&case.problems),
                    listed(&found)
                ));
            }
            count += 1;
        }
        assert!(count > 1, "{} has {count} cases", file.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every leaf of every case, one at a time, as something it was never meant to be.
#[test]
fn no_value_of_any_member_brings_the_checks_down() {
    let texts =
        ["", "${", "$${x}", "<", "<a>", ":", "a:b:c", "-", "9-1", "99999999999999999999", "\u{202e}é\0", "@sha256:"];
    let numbers = [i32::MIN, -1, 0, 1, 65_536, i32::MAX];
    let mut checked = 0;
    for file in files() {
        let text = std::fs::read_to_string(&file).expect("readable");
        for document in serde_yaml::Deserializer::from_str(&text) {
            let case = Case::deserialize(document).expect("the other test reads it");
            let definition = serde_json::to_value(&case.task_definition).expect("JSON");
            let run_task = serde_json::to_value(&case.run_task).expect("JSON");
            for pointer in leaves(&definition, String::new()).into_iter().chain(leaves(&run_task, String::new())) {
                for value in texts.map(serde_json::Value::from).into_iter().chain(numbers.map(serde_json::Value::from))
                {
                    let (mut definition, mut run_task) = (definition.clone(), run_task.clone());
                    for json in [&mut definition, &mut run_task] {
                        if let Some(leaf) = json.pointer_mut(&pointer) {
                            *leaf = value.clone();
                        }
                    }
                    let definition = serde_json::from_value::<TaskDefinition>(definition);
                    let run_task = serde_json::from_value::<RunTask>(run_task);
                    if let (Ok(definition), Ok(run_task)) = (definition, run_task) {
                        drop(check::task_definition(&definition, &run_task));
                        drop(check::run_task(&run_task, &definition));
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 5_000, "only {checked} values could be read");
}

fn leaves(value: &serde_json::Value, pointer: String) -> Vec<String> {
    match value {
        serde_json::Value::Object(entries) => {
            entries.iter().flat_map(|(key, entry)| leaves(entry, format!("{pointer}/{key}"))).collect()
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| leaves(item, format!("{pointer}/{index}"))).collect()
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => vec![pointer],
    }
}
