//! Containers that name other containers: the order they start in, links and shared volumes.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::Problems;
use crate::shapes::ContainerDefinition;
use crate::suggest;
use crate::yaml::shown;

/// Checks that what containers name exists, and that no container waits for itself.
pub(super) fn check(problems: &mut Problems, containers: &[ContainerDefinition]) {
    let by_name: BTreeMap<&str, &ContainerDefinition> =
        containers.iter().filter_map(|container| Some((container.name.as_deref()?, container))).collect();
    for (index, container) in containers.iter().enumerate() {
        let path = format!("containerDefinitions[{index}]");
        for (index, dependency) in container.depends_on.iter().flatten().enumerate() {
            let Some(name) = dependency.container_name.as_deref() else { continue };
            let at = format!("{path}.dependsOn[{index}]");
            let Some(other) = by_name.get(name) else {
                unknown(problems, format!("{at}.containerName"), name, &by_name);
                continue;
            };
            check_condition(problems, &format!("{at}.condition"), dependency.condition.as_deref(), other);
        }
        for (index, link) in container.links.iter().flatten().enumerate() {
            let name = link.split(':').next().unwrap_or_default();
            if !by_name.contains_key(name) {
                unknown(problems, format!("{path}.links[{index}]"), name, &by_name);
            }
        }
        for (index, from) in container.volumes_from.iter().flatten().enumerate() {
            if let Some(name) = from.source_container.as_deref().filter(|name| !by_name.contains_key(name)) {
                unknown(problems, format!("{path}.volumesFrom[{index}].sourceContainer"), name, &by_name);
            }
        }
    }
    check_cycles(problems, containers);
}

fn check_condition(problems: &mut Problems, path: &str, condition: Option<&str>, other: &ContainerDefinition) {
    let name = shown(other.name.as_deref().unwrap_or_default());
    match condition {
        Some(condition @ ("COMPLETE" | "SUCCESS")) if other.essential != Some(false) => {
            problems
                .error(
                    path,
                    format!(
                        "`{condition}` waits for the end of `{name}`, and the task ends with it, for it is essential"
                    ),
                )
                .help(format!("set `essential: false` in container `{name}`"));
        }
        Some("HEALTHY") if other.health_check.is_none() => {
            problems
                .warning(path, format!("`{name}` has no `healthCheck`, so it never becomes healthy"))
                .help("ECS does not look at a health check of the image");
        }
        Some(_) | None => {}
    }
}

fn unknown(problems: &mut Problems, path: String, name: &str, known: &BTreeMap<&str, &ContainerDefinition>) {
    let help = suggest::among(name, known.keys().copied());
    problems.error(path, format!("there is no container `{}` in the task", shown(name))).help = help;
}

/// Removes containers that wait for none of those left, until none is left or all wait for another.
fn check_cycles(problems: &mut Problems, containers: &[ContainerDefinition]) {
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in containers {
        let Some(name) = container.name.as_deref() else { continue };
        let dependencies = container.depends_on.iter().flatten().filter_map(|other| other.container_name.as_deref());
        waiting.entry(name).or_default().extend(dependencies);
    }
    loop {
        let left = waiting.len();
        let names: BTreeSet<&str> = waiting.keys().copied().collect();
        waiting.retain(|_, dependencies| dependencies.iter().any(|name| names.contains(name)));
        if waiting.len() == left {
            break;
        }
    }
    let Some(first) = waiting.keys().next().copied() else { return };
    // Every container left waits for another one left, so walking on meets one a second time.
    let (mut path, mut at) = (Vec::new(), first);
    while !path.contains(&at) {
        path.push(at);
        let next = waiting.get(at).and_then(|others| others.iter().find(|other| waiting.contains_key(*other)));
        let Some(next) = next else { return };
        at = next;
    }
    let circle: Vec<String> =
        path.into_iter().skip_while(|name| *name != at).chain([at]).map(|name| format!("`{}`", shown(name))).collect();
    problems
        .error("containerDefinitions", format!("containers wait for each other by `dependsOn`: {}", circle.join(", ")));
}
