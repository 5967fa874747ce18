//! Ports and what a network mode allows.

use std::collections::BTreeSet;

use super::launch::{Launch, network_mode};
use super::problem::Problems;
use crate::shapes::{ContainerDefinition, PortMapping, TaskDefinition};
use crate::yaml::shown;

const MOST_PORT_NAME: usize = 64;

/// Checks port mappings, and what the network mode excludes.
pub(super) fn check(problems: &mut Problems, definition: &TaskDefinition, launch: Launch) {
    // On Fargate the mode can only be awsvpc; another one is reported as such.
    let mode = if launch.fargate() { "awsvpc" } else { network_mode(definition) };
    let mut names = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for (index, container) in definition.container_definitions.iter().flatten().enumerate() {
        let path = format!("containerDefinitions[{index}]");
        let ports = container.port_mappings.as_deref().unwrap_or_default();
        if mode == "none" && !ports.is_empty() {
            problems.error(format!("{path}.portMappings"), "the network mode `none` has no ports");
        }
        for (index, port) in ports.iter().enumerate() {
            check_port(problems, &format!("{path}.portMappings[{index}]"), port, mode);
            if let Some((host, protocol, given)) = host_port(port, mode)
                && !taken.insert((host, protocol))
            {
                let at = format!("{path}.portMappings[{index}]");
                let message = format!("{protocol} port {host} of the host is mapped twice in the task");
                if given {
                    problems.error(at, message);
                } else {
                    problems.warning(at, message);
                }
            }
            if let Some(name) = port.name.as_deref()
                && !names.insert(name)
            {
                problems.error(
                    format!("{path}.portMappings[{index}].name"),
                    format!("two ports are named `{}`", shown(name)),
                );
            }
        }
        // What Fargate forbids is reported as such.
        if !launch.fargate() {
            check_modes(problems, &path, container, mode);
        }
        if mode == "awsvpc" && container.hostname.is_some() {
            problems.warning(format!("{path}.hostname"), "the network mode `awsvpc` has no host names of containers");
        }
    }
}

/// The port a mapping takes on its host, the protocol, and whether the manifest says so. Without a `hostPort` it is the
/// container's in the modes that have no ports of their own, and any free one in the others.
fn host_port<'p>(port: &'p PortMapping, mode: &str) -> Option<(i32, &'p str, bool)> {
    let protocol = port.protocol.as_deref().unwrap_or("tcp");
    match port.host_port.filter(|host| *host > 0) {
        Some(host) => Some((host, protocol, true)),
        None if matches!(mode, "awsvpc" | "host") => port.container_port.map(|container| (container, protocol, false)),
        None => None,
    }
}

fn check_port(problems: &mut Problems, path: &str, port: &PortMapping, mode: &str) {
    problems.within(format!("{path}.containerPort"), port.container_port, 0..=65_535, "");
    problems.within(format!("{path}.hostPort"), port.host_port, 0..=65_535, "");
    if port.container_port.is_none() && port.container_port_range.is_none() {
        problems.error(path, "missing field `containerPort`");
    }
    if let (Some(container), Some(host @ 1..)) = (port.container_port, port.host_port)
        && container != host
        && matches!(mode, "awsvpc" | "host")
    {
        problems
            .error(
                format!("{path}.hostPort"),
                format!("{host}, but in the network mode `{mode}` it is the container's, {container}"),
            )
            .help("leave it out");
    }
    if let Some(range) = port.container_port_range.as_deref() {
        let ends = range
            .split_once('-')
            .and_then(|(first, last)| Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?)));
        if !ends.is_some_and(|(first, last)| first > 0 && first < last) && !range.contains("${") {
            problems
                .error(format!("{path}.containerPortRange"), format!("`{}` is not a range of ports", shown(range)))
                .help("write `8000-8010`, within 1 to 65535");
        }
    }
    if let Some(name) = port.name.as_deref() {
        let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let at = format!("{path}.name");
        if !letters || name.is_empty() || name.len() > MOST_PORT_NAME || name.starts_with('-') {
            problems
                .error(at, format!("`{}` is not a valid name of a port", shown(name)))
                .help("up to 64 lower-case letters, digits, `_` and `-`, not starting with `-`");
        } else if name.bytes().any(|b| b.is_ascii_uppercase()) {
            problems.warning(at, "ECS documents lower-case letters only for the name of a port");
        }
    }
}

fn check_modes(problems: &mut Problems, path: &str, container: &ContainerDefinition, mode: &str) {
    if mode != "bridge" && container.links.as_ref().is_some_and(|links| !links.is_empty()) {
        problems.error(format!("{path}.links"), format!("links need the network mode `bridge`, not `{mode}`"));
    }
    if mode == "awsvpc" && container.extra_hosts.as_ref().is_some_and(|hosts| !hosts.is_empty()) {
        problems.error(format!("{path}.extraHosts"), "the network mode `awsvpc` has no extra hosts");
    }
}
