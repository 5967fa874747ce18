//! What Fargate offers and forbids (docs/aws.md, Sizes and names).

use std::fmt;

use super::launch::{Launch, network_mode};
use super::problem::Problems;
use crate::shapes::{ContainerDefinition, TaskDefinition};

/// A CPU size of Fargate and the memory it goes with.
struct Size {
    cpu: u32,
    memory: Memory,
    /// Windows containers have it too.
    windows: bool,
}

/// Memory sizes in MiB.
enum Memory {
    Only(&'static [u32]),
    Steps { least: u32, most: u32, step: u32 },
}

const SIZES: [Size; 8] = [
    Size { cpu: 256, memory: Memory::Only(&[512, 1024, 2048]), windows: false },
    Size { cpu: 512, memory: Memory::Steps { least: 1024, most: 4096, step: 1024 }, windows: false },
    Size { cpu: 1024, memory: Memory::Steps { least: 2048, most: 8192, step: 1024 }, windows: true },
    Size { cpu: 2048, memory: Memory::Steps { least: 4096, most: 16_384, step: 1024 }, windows: true },
    Size { cpu: 4096, memory: Memory::Steps { least: 8192, most: 30_720, step: 1024 }, windows: true },
    Size { cpu: 8192, memory: Memory::Steps { least: 16_384, most: 61_440, step: 4096 }, windows: false },
    Size { cpu: 16_384, memory: Memory::Steps { least: 32_768, most: 122_880, step: 8192 }, windows: false },
    Size { cpu: 32_768, memory: Memory::Only(&[61_440, 122_880, 249_856]), windows: false },
];

impl Memory {
    fn has(&self, mib: u32) -> bool {
        match *self {
            Self::Only(sizes) => sizes.contains(&mib),
            Self::Steps { least, most, step } => (least..=most).contains(&mib) && (mib - least).is_multiple_of(step),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Only(sizes) => write!(f, "{} MiB", sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
            Self::Steps { least, most, step } => write!(f, "{least} to {most} MiB in steps of {step}"),
        }
    }
}

/// Checks the pair of a task's CPU and memory.
pub(super) fn check_size(problems: &mut Problems, launch: Launch, cpu: Option<u32>, memory: Option<u32>) {
    for (field, size) in [("cpu", cpu), ("memory", memory)] {
        if size.is_none() {
            problems
                .error("", format!("missing field `{field}`: a task on Fargate has a size"))
                .help("such as `cpu: 256` and `memory: 512`");
        }
    }
    let Some(cpu) = cpu else { return };
    let offered = || SIZES.iter().filter(|size| size.windows || !launch.windows);
    let Some(size) = offered().find(|size| size.cpu == cpu) else {
        let sizes = offered().map(|size| size.cpu.to_string()).collect::<Vec<_>>().join(", ");
        let what = if launch.windows { " for Windows containers" } else { "" };
        problems.error("cpu", format!("Fargate has no task of {cpu} CPU units{what}")).help(format!("it has {sizes}"));
        return;
    };
    if let Some(memory) = memory.filter(|memory| !size.memory.has(*memory)) {
        problems
            .error("memory", format!("Fargate has no task of {cpu} CPU units with {memory} MiB"))
            .help(format!("with {cpu} CPU units it has {}", size.memory));
    }
}

/// Checks what Fargate forbids.
pub(super) fn check(problems: &mut Problems, definition: &TaskDefinition, launch: Launch) {
    if network_mode(definition) != "awsvpc" {
        let found = network_mode(definition).to_owned();
        let message = match definition.network_mode {
            Some(_) => format!("a task on Fargate has the network mode `awsvpc`, not `{found}`"),
            None => "a task on Fargate has the network mode `awsvpc`".to_owned(),
        };
        problems.error("networkMode", message).help("write `networkMode: awsvpc`");
    }
    if filled(definition.placement_constraints.as_deref()) {
        forbidden(problems, "placementConstraints");
    }
    if definition.ipc_mode.is_some() {
        forbidden(problems, "ipcMode");
    }
    match definition.pid_mode.as_deref() {
        Some("host") => {
            problems.error("pidMode", "Fargate has no `pidMode: host`").help("write `task`, or leave it out");
        }
        Some(_) if launch.windows => forbidden(problems, "pidMode"),
        Some(_) | None => {}
    }
    if filled(definition.inference_accelerators.as_deref()) {
        forbidden(problems, "inferenceAccelerators");
    }
    for (index, volume) in definition.volumes.iter().flatten().enumerate() {
        let path = format!("volumes[{index}]");
        if volume.docker_volume_configuration.is_some() {
            forbidden(problems, &format!("{path}.dockerVolumeConfiguration"));
        }
        let source = volume.host.as_ref().and_then(|host| host.source_path.as_deref());
        if source.is_some_and(|source| !source.is_empty()) {
            forbidden(problems, &format!("{path}.host.sourcePath"));
        }
        if volume.fsx_windows_file_server_volume_configuration.is_some() {
            problems
                .warning(format!("{path}.fsxWindowsFileServerVolumeConfiguration"), "Fargate is not known to mount it");
        }
    }
    for (index, container) in definition.container_definitions.iter().flatten().enumerate() {
        check_container(problems, &format!("containerDefinitions[{index}]"), container);
    }
}

fn check_container(problems: &mut Problems, path: &str, container: &ContainerDefinition) {
    let linux = container.linux_parameters.as_ref();
    let present = [
        ("privileged", container.privileged == Some(true)),
        ("disableNetworking", container.disable_networking == Some(true)),
        ("links", filled(container.links.as_deref())),
        ("dnsServers", filled(container.dns_servers.as_deref())),
        ("dnsSearchDomains", filled(container.dns_search_domains.as_deref())),
        ("dockerSecurityOptions", filled(container.docker_security_options.as_deref())),
        ("extraHosts", filled(container.extra_hosts.as_deref())),
        ("linuxParameters.devices", linux.is_some_and(|linux| filled(linux.devices.as_deref()))),
        ("linuxParameters.sharedMemorySize", linux.is_some_and(|linux| linux.shared_memory_size.is_some())),
        ("linuxParameters.maxSwap", linux.is_some_and(|linux| linux.max_swap.is_some())),
        ("linuxParameters.swappiness", linux.is_some_and(|linux| linux.swappiness.is_some())),
    ];
    for (field, _) in present.iter().filter(|(_, present)| *present) {
        forbidden(problems, &format!("{path}.{field}"));
    }
    let added = linux.and_then(|linux| linux.capabilities.as_ref()).and_then(|all| all.add.as_deref());
    for (index, capability) in added.unwrap_or_default().iter().enumerate() {
        if capability.trim_start_matches("CAP_") != "SYS_PTRACE" {
            problems
                .error(
                    format!("{path}.linuxParameters.capabilities.add[{index}]"),
                    "Fargate takes no capability beside `SYS_PTRACE`",
                )
                .help("leave it out, or run the task on EC2");
        }
    }
    for (index, requirement) in container.resource_requirements.iter().flatten().enumerate() {
        if requirement.r#type.as_deref() == Some("GPU") {
            forbidden(problems, &format!("{path}.resourceRequirements[{index}]"));
        }
    }
    let seconds = " seconds on Fargate";
    problems.within(format!("{path}.stopTimeout"), container.stop_timeout.filter(|time| *time > 120), 2..=120, seconds);
    problems.within(
        format!("{path}.startTimeout"),
        container.start_timeout.filter(|time| *time > 120),
        2..=120,
        seconds,
    );
}

fn forbidden(problems: &mut Problems, path: &str) {
    let field = path.rsplit('.').next().unwrap_or(path);
    let field = field.split('[').next().unwrap_or(field);
    problems.error(path, format!("Fargate has no `{field}`")).help("leave it out, or run the task on EC2");
}

fn filled<T>(list: Option<&[T]>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}
