//! `overrides` of a run: the containers they name, their size, and what EventBridge would replace in them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::launch::Launch;
use super::problem::Problems;
use super::{fargate, sizes};
use crate::shapes::{RunTask, TaskDefinition, TaskOverride};
use crate::suggest;
use crate::variables;
use crate::yaml::shown;

/// Characters of the overrides as JSON: RunTask takes as many as a target's input has.
const MOST_CHARACTERS: usize = 8192;

/// Checks the overrides against the task definition.
pub(super) fn check(problems: &mut Problems, run_task: &RunTask, definition: &TaskDefinition) {
    let Some(overrides) = &run_task.overrides else { return };
    let characters = serde_json::to_string(overrides).map_or(0, |json| json.chars().count());
    if characters > MOST_CHARACTERS {
        problems
            .error("overrides", format!("{characters} characters as JSON; ECS takes at most {MOST_CHARACTERS}"))
            .help("put what is the same in every run into the task definition");
    }
    check_containers(problems, overrides, definition);
    let storage = overrides.ephemeral_storage.as_ref().and_then(|storage| storage.size_in_gib);
    problems.within("overrides.ephemeralStorage.sizeInGiB", storage, 21..=200, " GiB");
    check_size(problems, overrides, definition, run_task);
    check_placeholders(problems, overrides);
}

fn check_containers(problems: &mut Problems, overrides: &TaskOverride, definition: &TaskDefinition) {
    let known: BTreeSet<&str> =
        definition.container_definitions.iter().flatten().filter_map(|container| container.name.as_deref()).collect();
    for (index, container) in overrides.container_overrides.iter().flatten().enumerate() {
        let path = format!("overrides.containerOverrides[{index}]");
        match container.name.as_deref() {
            None => {
                problems.error(&path, "missing field `name`: the container to override");
            }
            Some(name) if !known.contains(name) => {
                let help = suggest::among(name, known.iter().copied());
                let message = format!("there is no container `{}` in the task", shown(name));
                problems.error(format!("{path}.name"), message).help = help;
            }
            Some(_) => {}
        }
        let mut names = BTreeSet::new();
        for (index, variable) in container.environment.iter().flatten().enumerate() {
            let at = format!("{path}.environment[{index}]");
            match variable.name.as_deref() {
                None | Some("") => {
                    problems.error(at, "an environment variable needs a name");
                }
                Some(name) if !names.insert(name) => {
                    problems.error(format!("{at}.name"), format!("`{}` is set twice", shown(name)));
                }
                Some(_) => {}
            }
        }
    }
}

/// On Fargate the size that a run asks for must be one, too.
fn check_size(problems: &mut Problems, overrides: &TaskOverride, definition: &TaskDefinition, run_task: &RunTask) {
    if overrides.cpu.is_none() && overrides.memory.is_none() {
        return;
    }
    let mut found = Problems::default();
    let cpu = sizes::task_cpu(&mut found, overrides.cpu.as_deref().or(definition.cpu.as_deref()));
    let memory = sizes::task_memory(&mut found, overrides.memory.as_deref().or(definition.memory.as_deref()));
    let launch = Launch::of(definition, run_task);
    if launch.started_on_fargate && cpu.is_some() && memory.is_some() {
        fargate::check_size(&mut found, launch, cpu, memory);
    }
    problems.extend_below("overrides", found);
}

/// With something to fill in, the overrides become an input template, in which `<name>` is a variable of EventBridge.
fn check_placeholders(problems: &mut Problems, overrides: &TaskOverride) {
    // A shape is made of maps with text keys, lists and scalars, none of which JSON refuses.
    let json = serde_json::to_value(overrides).unwrap_or_default();
    let mut texts = Vec::new();
    collect(&json, "overrides".to_owned(), &mut texts);
    let of_the_run =
        |text: &str| variables::names(text).find(|name| variables::run_variable(name).is_some()).map(ToOwned::to_owned);
    let Some(variable) = texts.iter().find_map(|(_, text)| of_the_run(text)) else { return };
    for (path, text) in texts {
        let Some(name) = placeholder(text) else { continue };
        let message = format!("beside `${{{variable}}}` EventBridge reads `<{name}>` as a variable of its own");
        if name.starts_with("aws.events.") {
            problems.warning(path, message).help("it will be replaced by what it names");
        } else {
            problems.error(path, message).help("write it otherwise, or put it into the task definition");
        }
    }
}

/// Every text below `value`, with its path.
fn collect<'v>(value: &'v Value, path: String, texts: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) => texts.push((path, text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{index}]"), texts);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                collect(entry, format!("{path}.{key}"), texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The first `<name>` in a text.
fn placeholder(text: &str) -> Option<&str> {
    text.split('<').skip(1).find_map(|after| {
        let (name, _) = after.split_once('>')?;
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!name.is_empty() && name.chars().all(letters)).then_some(name)
    })
}
