//! What the checks find in task definitions and runs.
//!
//! Each `tests/data/check/*.yaml` holds documents `{name, taskDefinition, runTask, problems}`; `problems` is the whole
//! of what is expected, in order.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests read their data")]

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

/// A job that is valid but for what `change` does to it has the one error that holds `expected`.
fn refused(expected: &str, change: impl FnOnce(&mut TaskDefinition, &mut RunTask)) {
    let mut definition: TaskDefinition =
        serde_yaml::from_str("{memory: '512', containerDefinitions: [{name: main, image: alpine}]}")
            .expect("a task definition");
    let mut run_task = RunTask::default();
    change(&mut definition, &mut run_task);
    let case = Case { name: String::new(), task_definition: definition, run_task, problems: Vec::new() };
    match found(&case).as_slice() {
        [only] if only.starts_with("error") && only.contains(expected) => {}
        found => panic!("expected one error with {expected:?}, found {found:#?}"),
    }
}

fn read<T: serde::de::DeserializeOwned>(yaml: &str) -> Option<T> {
    Some(serde_yaml::from_str(yaml).expect("what the test wrote"))
}

#[test]
fn what_is_too_long_or_too_many_is_refused() {
    let first = |definition: &mut TaskDefinition, change: fn(&mut ecs_etl_spec::shapes::ContainerDefinition)| {
        definition.container_definitions.iter_mut().flatten().take(1).for_each(change);
    };
    refused("bytes as JSON; ECS takes at most 65536", |definition, _| {
        first(definition, |container| container.command = Some(vec!["x".repeat(65_000), "y".repeat(600)]));
    });
    refused("256 characters; ECS takes at most 255", |definition, _| {
        first(definition, |container| container.image = Some(format!("{}@sha256:{}", "x".repeat(256), "0".repeat(64))));
    });
    refused("is not a valid container name", |definition, _| {
        first(definition, |container| container.name = Some("x".repeat(256)));
    });
    refused("51 exit codes; ECS takes at most 50", |definition, _| {
        first(definition, |container| {
            container.restart_policy = read(&format!("{{enabled: true, ignoredExitCodes: {:?}}}", [1; 51]));
        });
    });
    refused("11 files; ECS takes at most 10", |definition, _| {
        first(definition, |container| {
            let file = "{type: s3, value: 'arn:aws:s3:::b/a.env'}, ".repeat(11);
            container.environment_files = read(&format!("[{file}]"));
        });
    });
    refused("256 characters; ECS takes at most 255", |_, run_task| run_task.group = Some("x".repeat(256)));
    refused("characters as JSON; ECS takes at most 8192", |_, run_task| {
        run_task.overrides =
            read(&format!("{{containerOverrides: [{{name: main, command: [{}]}}]}}", "x".repeat(8_192)));
    });
    refused("11 with those of the task definition; ECS takes at most 10", |definition, run_task| {
        definition.placement_constraints = read(&format!("[{}]", "{type: memberOf, expression: x}, ".repeat(6)));
        run_task.placement_constraints = read(&format!("[{}]", "{type: memberOf, expression: y}, ".repeat(5)));
    });
    refused("51 entries; AWS takes at most 50", |_, run_task| {
        let tags: String = (0..51).map(|n| format!("{{key: k{n}, value: v}}, ")).collect();
        run_task.tags = read(&format!("[{tags}]"));
    });
    refused("129 characters; AWS takes at most 128", |_, run_task| {
        run_task.tags = read(&format!("[{{key: {}, value: v}}]", "k".repeat(129)));
    });
}

/// AWS's table, written as it stands in the guide, in GB.
#[test]
fn fargate_has_exactly_the_sizes_of_the_guide() {
    let steps =
        |from: u32, to: u32, step: u32| (from..=to).step_by(step as usize).map(|gb| gb * 1024).collect::<Vec<_>>();
    let table: [(u32, Vec<u32>, bool); 8] = [
        (256, vec![512, 1024, 2048], false),
        (512, steps(1, 4, 1), false),
        (1024, steps(2, 8, 1), true),
        (2048, steps(4, 16, 1), true),
        (4096, steps(8, 30, 1), true),
        (8192, steps(16, 60, 4), false),
        (16_384, steps(32, 120, 8), false),
        (32_768, vec![60 * 1024, 120 * 1024, 244 * 1024], false),
    ];
    let accepted = |cpu: u32, memory: u32, windows: bool| {
        let family = if windows { "WINDOWS_SERVER_2022_CORE" } else { "LINUX" };
        let definition: TaskDefinition = serde_yaml::from_str(&format!(
            "{{cpu: {cpu}, memory: {memory}, networkMode: awsvpc, requiresCompatibilities: [FARGATE], \
             runtimePlatform: {{operatingSystemFamily: {family}}}, containerDefinitions: [{{name: a, image: i}}]}}"
        ))
        .expect("a task definition");
        check::task_definition(&definition, &RunTask::default()).is_empty()
    };
    for cpu in [128, 255, 256, 512, 768, 1024, 2048, 3072, 4096, 8192, 16_384, 32_768, 65_536] {
        let row = table.iter().find(|(known, ..)| *known == cpu);
        for memory in (256..=262_144).step_by(256).chain([511, 513, 1025]) {
            let expected = row.is_some_and(|(_, sizes, _)| sizes.contains(&memory));
            assert_eq!(accepted(cpu, memory, false), expected, "{cpu} CPU units with {memory} MiB");
        }
        for memory in row.iter().flat_map(|(_, sizes, _)| sizes) {
            assert_eq!(
                accepted(cpu, *memory, true),
                row.is_some_and(|(.., windows)| *windows),
                "Windows, {cpu}, {memory}"
            );
        }
    }
}
