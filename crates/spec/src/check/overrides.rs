//! `overrides` of a run: the containers they name, their size, and the variables in them.

use std::collections::{BTreeMap, BTreeSet};

use super::containers::shown;
use super::launch::Launch;
use super::problem::Problems;
use super::template::{Piece, SCHEDULED_TIME, pieces, texts};
use super::{fargate, sizes};
use crate::shapes::{RunTask, TaskDefinition, TaskOverride};

/// Characters of the overrides as JSON: RunTask takes as many as a target's input has.
const MOST_CHARACTERS: usize = 8192;

/// Checks the overrides against the task definition. `open` is as in [`super::variables`].
pub(super) fn check(
    problems: &mut Problems,
    run_task: &RunTask,
    definition: &TaskDefinition,
    open: &BTreeMap<String, String>,
) {
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
    check_variables(problems, overrides, open);
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
                let at = format!("{path}.name");
                let problem = problems.error(at, format!("there is no container `{}` in the task", shown(name)));
                if let Some(near) = known.iter().find(|known| strsim::osa_distance(known, name) <= 2) {
                    problem.help(format!("did you mean `{near}`?"));
                }
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

fn check_variables(problems: &mut Problems, overrides: &TaskOverride, open: &BTreeMap<String, String>) {
    let mut timed = false;
    texts(overrides, |path, pointer, text| {
        let filled_later = open.contains_key(&format!("/runTask/overrides{pointer}"));
        for piece in pieces(text) {
            match piece {
                Piece::Variable(SCHEDULED_TIME) => timed = true,
                Piece::Variable("account") if filled_later => {}
                Piece::Variable(name) => {
                    let near = strsim::osa_distance(&name.to_lowercase().replace(['_', '-'], ""), "scheduledtime") <= 3;
                    let problem = problems.error(
                        format!("overrides.{path}"),
                        format!("there is no variable `${{{}}}` in overrides", shown(name)),
                    );
                    if near {
                        problem.help("did you mean `${scheduledTime}`?");
                    } else {
                        problem.help(format!(
                            "write `$${{{}}}` to pass `${{…}}` on to the container as it is",
                            shown(name)
                        ));
                    }
                }
                Piece::Text(_) | Piece::Unclosed(_) => {}
            }
        }
    });
    if !timed {
        return;
    }
    // With a time to fill in, the overrides become an input template, in which `<name>` is a variable of EventBridge.
    texts(overrides, |path, _, text| {
        let Some(name) = placeholder(text) else { return };
        let at = format!("overrides.{path}");
        let message = format!("beside `${{scheduledTime}}` EventBridge reads `<{name}>` as a variable of its own");
        if name.starts_with("aws.events.") {
            problems.warning(at, message).help("it will be replaced by what it names");
        } else {
            problems.error(at, message).help("write it otherwise, or put it into the task definition");
        }
    });
}

/// The first `<name>` in a text.
fn placeholder(text: &str) -> Option<&str> {
    text.split('<').skip(1).find_map(|after| {
        let (name, _) = after.split_once('>')?;
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!name.is_empty() && name.chars().all(letters)).then_some(name)
    })
}
