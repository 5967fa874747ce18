//! CPU and memory of a task and its containers.

use super::fargate;
use super::launch::Launch;
use super::problem::Problems;
use crate::shapes::size::{cpu_units, memory_mib};
use crate::shapes::{ContainerDefinition, TaskDefinition};
use crate::yaml::shown;

/// CPU units that ECS takes for a task that is not on Fargate.
const TASK_CPU: std::ops::RangeInclusive<u32> = 128..=196_608;

/// MiB below which an old Docker refuses a container, and ECS a task definition.
const LEAST_MEMORY: i32 = 4;

/// MiB below which a Docker of today refuses a container.
const LEAST_MEMORY_TODAY: i32 = 6;

/// Checks the task's size and what its containers ask of it.
pub(super) fn check(problems: &mut Problems, definition: &TaskDefinition, launch: Launch) {
    let cpu = task_cpu(problems, definition.cpu.as_deref());
    let memory = task_memory(problems, definition.memory.as_deref());
    let unread = (definition.cpu.is_some() && cpu.is_none()) || (definition.memory.is_some() && memory.is_none());
    if launch.fargate() && !unread {
        fargate::check_size(problems, launch, cpu, memory);
    } else if let Some(cpu) = cpu.filter(|cpu| !TASK_CPU.contains(cpu)) {
        problems
            .error("cpu", format!("a task of {cpu} CPU units; ECS takes {} to {}", TASK_CPU.start(), TASK_CPU.end()));
    }
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    // ECS ignores the size of a task of Windows containers outside Fargate.
    let ignored = launch.windows && !launch.fargate();
    let (cpu, memory) = if ignored { (None, None) } else { (cpu, memory) };
    for (index, container) in containers.iter().enumerate() {
        let path = format!("containerDefinitions[{index}]");
        check_container(problems, &path, container, definition.memory.is_some(), memory);
    }
    check_sums(problems, containers, cpu, memory);
}

/// CPU units of a task; none when they are absent or cannot be read.
pub(super) fn task_cpu(problems: &mut Problems, written: Option<&str>) -> Option<u32> {
    task_size(problems, "cpu", written, cpu_units, "CPU units or vCPU, such as `512` or `.5 vCPU`")
}

/// MiB of a task; none when they are absent or cannot be read.
pub(super) fn task_memory(problems: &mut Problems, written: Option<&str>) -> Option<u32> {
    task_size(problems, "memory", written, memory_mib, "MiB or GB, such as `1024` or `1 GB`")
}

/// A size of the task; none when it is absent or cannot be read.
fn task_size(
    problems: &mut Problems,
    path: &str,
    written: Option<&str>,
    read: fn(&str) -> Option<u32>,
    expected: &str,
) -> Option<u32> {
    let written = written?;
    let size = read(written);
    if size.is_none() && !written.contains("${") {
        problems.error(path, format!("`{}` is no {path} of a task", shown(written))).help(format!("write {expected}"));
    }
    size
}

fn check_container(
    problems: &mut Problems,
    path: &str,
    container: &ContainerDefinition,
    task_has_memory: bool,
    task_memory: Option<u32>,
) {
    let (memory, reservation) = (container.memory, container.memory_reservation);
    // A zero counts as absent: ECS says "at least one of" to it as well.
    if !task_has_memory && memory.unwrap_or(0) == 0 && reservation.unwrap_or(0) == 0 {
        problems
            .error(path, "neither the container nor the task has a memory size")
            .help("set `memory` or `memoryReservation` here, or `memory` of the task definition");
    }
    for (field, value) in [("memory", memory), ("memoryReservation", reservation)] {
        let at = format!("{path}.{field}");
        match value {
            Some(value) if value < 0 || (1..LEAST_MEMORY).contains(&value) => {
                problems.error(at, format!("{value} MiB; a container needs at least {LEAST_MEMORY_TODAY}"));
            }
            Some(value) if (LEAST_MEMORY..LEAST_MEMORY_TODAY).contains(&value) => {
                problems.warning(
                    at,
                    format!(
                        "{value} MiB; Docker 20.10 and later start no container with less than {LEAST_MEMORY_TODAY}"
                    ),
                );
            }
            Some(value) if task_memory.is_some_and(|task| i64::from(value) > i64::from(task)) => {
                let task = task_memory.unwrap_or_default();
                problems.error(at, format!("{value} MiB, more than the {task} MiB of the task"));
            }
            Some(_) | None => {}
        }
    }
    if let (Some(memory @ 1..), Some(reservation)) = (memory, reservation)
        && memory < reservation
    {
        let message = format!("{memory} MiB, less than the {reservation} MiB of `memoryReservation`");
        problems.error(format!("{path}.memory"), message);
    }
    if let Some(cpu) = container.cpu.filter(|cpu| *cpu < 0) {
        problems.error(format!("{path}.cpu"), format!("{cpu} CPU units; the least is 0"));
    }
}

/// What is reserved counts: `memoryReservation` where a container has one, else `memory`. That hard limits together
/// exceed the task is a doubtful case.
fn check_sums(problems: &mut Problems, containers: &[ContainerDefinition], cpu: Option<u32>, memory: Option<u32>) {
    let sum =
        |of: fn(&ContainerDefinition) -> Option<i32>| -> i64 { containers.iter().filter_map(of).map(i64::from).sum() };
    let alone = containers.len() == 1;
    if let Some(task) = cpu {
        let asked = sum(|container| container.cpu);
        if asked > i64::from(task) {
            problems
                .error("cpu", format!("the containers ask for {asked} CPU units together, and the task has {task}"));
        }
    }
    if let Some(task) = memory.map(i64::from).filter(|_| !alone) {
        let reserved = sum(|container| container.memory_reservation.filter(|size| *size > 0).or(container.memory));
        let limits = sum(|container| container.memory.or(container.memory_reservation));
        if reserved > task {
            problems
                .error("memory", format!("the containers reserve {reserved} MiB together, and the task has {task}"));
        } else if limits > task {
            problems
                .warning("memory", format!("the containers may use {limits} MiB together, and the task has {task}"));
        }
    }
}
