//! What is checked in each container by itself, and names that must differ.

use std::collections::BTreeSet;

use super::image;
use super::launch::Launch;
use super::problem::Problems;
use crate::name::Family;
use crate::shapes::{ContainerDefinition, HealthCheck, TaskDefinition};
use crate::yaml::shown;

const MOST_ENVIRONMENT_FILES: usize = 10;
const MOST_IGNORED_EXIT_CODES: usize = 50;

/// Checks every container, and that the task has one it cannot do without.
pub(super) fn check(problems: &mut Problems, definition: &TaskDefinition, launch: Launch) {
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    if !containers.is_empty() && containers.iter().all(|container| container.essential == Some(false)) {
        problems
            .error("containerDefinitions", "no container is essential, and a task needs one that is")
            .help("leave `essential` out of the container that does the work");
    }
    let mut names = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let path = format!("containerDefinitions[{index}]");
        match container.name.as_deref() {
            Some(name) => {
                check_name(problems, &format!("{path}.name"), name, "container");
                if !names.insert(name) {
                    problems.error(format!("{path}.name"), format!("two containers are named `{}`", shown(name)));
                }
            }
            None => {
                problems.error(&path, "missing field `name`").help("only a single container takes the name of the job");
            }
        }
        check_container(problems, &path, container, launch);
    }
}

fn check_container(problems: &mut Problems, path: &str, container: &ContainerDefinition, launch: Launch) {
    match container.image.as_deref() {
        Some(image) => image::check(problems, &format!("{path}.image"), image),
        None => {
            problems.error(path, "missing field `image`");
        }
    }
    check_environment(problems, path, container);
    if let Some(health) = &container.health_check {
        check_health(problems, &format!("{path}.healthCheck"), health);
    }
    if let Some(policy) = &container.restart_policy {
        let at = format!("{path}.restartPolicy");
        problems.within(format!("{at}.restartAttemptPeriod"), policy.restart_attempt_period, 60..=1800, " seconds");
        let codes = policy.ignored_exit_codes.as_ref().map_or(0, Vec::len);
        if codes > MOST_IGNORED_EXIT_CODES {
            problems.error(
                format!("{at}.ignoredExitCodes"),
                format!("{codes} exit codes; ECS takes at most {MOST_IGNORED_EXIT_CODES}"),
            );
        }
    }
    for (index, limit) in container.ulimits.iter().flatten().enumerate() {
        let (Some(soft), Some(hard)) = (limit.soft_limit, limit.hard_limit) else { continue };
        // -1 stands for no limit at all.
        if hard != -1 && (soft == -1 || soft > hard) {
            problems.error(
                format!("{path}.ulimits[{index}].softLimit"),
                format!("{soft}, more than the hard limit of {hard}"),
            );
        }
    }
    for (field, timeout) in [("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)] {
        problems.within(format!("{path}.{field}"), timeout.filter(|_| !launch.fargate()), 0..=i32::MAX, " seconds");
    }
    let swappiness = container.linux_parameters.as_ref().and_then(|linux| linux.swappiness);
    problems.within(format!("{path}.linuxParameters.swappiness"), swappiness, 0..=100, "");
    if container.credential_specs.as_ref().is_some_and(|specs| specs.len() > 1) {
        problems.error(format!("{path}.credentialSpecs"), "ECS takes a single one");
    }
}

/// Environment variables and secrets share one set of names.
fn check_environment(problems: &mut Problems, path: &str, container: &ContainerDefinition) {
    let mut names = BTreeSet::new();
    for (index, variable) in container.environment.iter().flatten().enumerate() {
        let at = format!("{path}.environment[{index}]");
        match variable.name.as_deref() {
            None | Some("") => {
                problems.error(at, "an environment variable needs a name");
            }
            Some(name) if !names.insert(name) => {
                problems
                    .error(format!("{at}.name"), format!("`{}` is set twice", shown(name)))
                    .help("ECS keeps no order, so which of the two counts is open");
            }
            Some(_) => {}
        }
    }
    let mut secrets = BTreeSet::new();
    for (index, secret) in container.secrets.iter().flatten().enumerate() {
        let Some(name) = secret.name.as_deref() else { continue };
        let at = format!("{path}.secrets[{index}].name");
        if names.contains(name) {
            problems.error(at, format!("`{}` is an environment variable too", shown(name)));
        } else if !secrets.insert(name) {
            problems.error(at, format!("`{}` is set twice", shown(name)));
        }
    }
    let files = container.environment_files.as_deref().unwrap_or_default();
    let at = format!("{path}.environmentFiles");
    if files.len() > MOST_ENVIRONMENT_FILES {
        problems.error(&at, format!("{} files; ECS takes at most {MOST_ENVIRONMENT_FILES}", files.len()));
    }
    for (index, file) in files.iter().enumerate() {
        let Some(value) = file.value.as_deref().filter(|value| !value.contains("${")) else { continue };
        let at = format!("{at}[{index}].value");
        if !value.ends_with(".env") {
            problems.error(at, "the name of an environment file ends with `.env`");
        } else if !value.starts_with("arn:") {
            problems.warning(at, "not an ARN").help("write it as `arn:aws:s3:::bucket/file.env`");
        }
    }
}

fn check_health(problems: &mut Problems, path: &str, health: &HealthCheck) {
    problems.within(format!("{path}.interval"), health.interval, 5..=300, " seconds");
    problems.within(format!("{path}.timeout"), health.timeout, 2..=60, " seconds");
    problems.within(format!("{path}.retries"), health.retries, 1..=10, "");
    problems.within(format!("{path}.startPeriod"), health.start_period, 0..=300, " seconds");
    let at = format!("{path}.command");
    match health.command.as_deref() {
        None => {}
        Some([]) => {
            problems.error(at, "the command is empty");
        }
        Some([first, ..]) if matches!(first.as_str(), "CMD" | "CMD-SHELL" | "NONE") => {}
        Some(_) => {
            problems.warning(at, "the command starts with neither `CMD` nor `CMD-SHELL`").help(
                "write `[CMD-SHELL, \"curl -f http://localhost/ || exit 1\"]`, or `CMD` before a program and its arguments",
            );
        }
    }
}

/// A name of a container or a volume: the same letters as a family's.
pub(super) fn check_name(problems: &mut Problems, path: &str, name: &str, what: &str) {
    if Family::new(name).is_err() {
        problems
            .error(path, format!("`{}` is not a valid {what} name", shown(name)))
            .help("1 to 255 letters, digits, `_` and `-`");
    }
}
