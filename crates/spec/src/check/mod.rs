//! The checks that AWS would make, made here first (docs/aws.md, Sizes and names).
//!
//! An error is something AWS refuses, or a run that cannot start; where that is not sure, it is a warning. What AWS
//! accepts passes. Paths are relative to the value that was checked.

mod containers;
mod dependencies;
mod fargate;
mod image;
mod launch;
mod logging;
mod network;
mod overrides;
mod pattern;
mod problem;
mod run_task;
mod sizes;
mod values;
mod volumes;

use crate::shapes::{RunTask, TaskDefinition};

pub use pattern::event_pattern;
pub use problem::Problem;

use launch::Launch;
use problem::Problems;

/// Containers of one task definition; ECS takes no more.
const MOST_CONTAINERS: usize = 10;

/// The size of a task definition as JSON; ECS takes no more.
const MOST_BYTES: usize = 64 * 1024;

/// Checks a task definition as it will be registered, for the launch that `run_task` asks for. Paths are relative to
/// the task definition.
///
/// The names of roles and what is still open (`${account}`) are not looked into.
pub fn task_definition(definition: &TaskDefinition, run_task: &RunTask) -> Vec<Problem> {
    let mut problems = Problems::default();
    let launch = Launch::of(definition, run_task);
    values::check(&mut problems, "TaskDefinition", definition);
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    match containers.len() {
        0 if definition.container_definitions.is_some() => {
            problems.error("containerDefinitions", "a task needs at least one container");
        }
        0..=MOST_CONTAINERS => {}
        count => {
            problems.error("containerDefinitions", format!("{count} containers; ECS takes at most {MOST_CONTAINERS}"));
        }
    }
    let bytes = serde_json::to_vec(definition).map_or(0, |json| json.len());
    if bytes > MOST_BYTES {
        problems
            .error("", format!("the task definition has {bytes} bytes as JSON; ECS takes at most {MOST_BYTES}"))
            .help("move long texts to files, to environment files or to parameters");
    }
    sizes::check(&mut problems, definition, launch);
    containers::check(&mut problems, definition, launch);
    dependencies::check(&mut problems, containers);
    network::check(&mut problems, definition, launch);
    volumes::check(&mut problems, definition);
    logging::check(&mut problems, definition, launch);
    if launch.fargate() {
        fargate::check(&mut problems, definition, launch);
    }
    problems.into_sorted()
}

/// Checks how a run is started. Paths are relative to `runTask`. That its variables exist is checked with the manifest.
pub fn run_task(run_task: &RunTask, definition: &TaskDefinition) -> Vec<Problem> {
    let mut problems = Problems::default();
    values::check(&mut problems, "RunTask", run_task);
    run_task::check(&mut problems, run_task, definition);
    overrides::check(&mut problems, run_task, definition);
    problems.into_sorted()
}
