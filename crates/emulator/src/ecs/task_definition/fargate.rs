//! What Fargate allows (docs/aws.md, Sizes and names).

use serde_json::{Map, Value};

use super::super::{client, items, text};
use super::{is_true, number, size};
use crate::reply::Refusal;

/// The memory that goes with a cpu size, in MiB, both ends included.
struct Memory {
    least: i64,
    most: i64,
    step: i64,
}

/// The sizes of Fargate tasks; the largest takes three amounts of memory only.
fn fits(cpu: i64, memory: i64) -> bool {
    let range = match cpu {
        256 => return [512, 1024, 2048].contains(&memory),
        512 => Memory { least: 1024, most: 4096, step: 1024 },
        1024 => Memory { least: 2048, most: 8192, step: 1024 },
        2048 => Memory { least: 4096, most: 16_384, step: 1024 },
        4096 => Memory { least: 8192, most: 30_720, step: 1024 },
        8192 => Memory { least: 16_384, most: 61_440, step: 4096 },
        16_384 => Memory { least: 32_768, most: 122_880, step: 8192 },
        32_768 => return [61_440, 122_880, 249_856].contains(&memory),
        _ => return false,
    };
    (range.least..=range.most).contains(&memory) && memory % range.step == 0
}

/// Refuses what asks for Fargate and cannot run there.
pub(super) fn check(body: &Value, cpu: Option<i64>, memory: Option<i64>) -> Result<(), Refusal> {
    let cpu = cpu.ok_or_else(|| client("Fargate requires that 'cpu' be defined at the task level."))?;
    let memory = memory.ok_or_else(|| client("Fargate requires that 'memory' be defined at the task level."))?;
    if text(body, "networkMode") != Some("awsvpc") {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    if !fits(cpu, memory) {
        return Err(client("No Fargate configuration exists for given values."));
    }
    task(body)?;
    items(body, "containerDefinitions").iter().try_for_each(|definition| container(body, definition))
}

fn task(body: &Value) -> Result<(), Refusal> {
    if text(body, "ipcMode").is_some() {
        return Err(client("Fargate compatible task definitions do not support ipcMode"));
    }
    if text(body, "pidMode").is_some_and(|mode| mode != "task") {
        return Err(client("Fargate compatible task definitions do not support pidMode host"));
    }
    if !items(body, "placementConstraints").is_empty() {
        return Err(client("Placement constraints are not supported with FARGATE launch type."));
    }
    for volume in items(body, "volumes") {
        if volume.get("host").is_some_and(|host| text(host, "sourcePath").is_some()) {
            return Err(client("host.sourcePath should not be set for volumes in Fargate."));
        }
        if volume.get("dockerVolumeConfiguration").is_some() {
            return Err(client("Fargate compatible task definitions do not support docker volumes"));
        }
    }
    Ok(())
}

fn container(body: &Value, definition: &Value) -> Result<(), Refusal> {
    let unsupported = |what: &str| client(format!("Fargate compatible task definitions do not support {what}"));
    for flag in ["privileged", "disableNetworking"] {
        if is_true(definition, flag) {
            return Err(unsupported(flag));
        }
    }
    for list in ["links", "dnsServers", "dnsSearchDomains", "extraHosts", "dockerSecurityOptions"] {
        if !items(definition, list).is_empty() {
            return Err(unsupported(list));
        }
    }
    if items(definition, "resourceRequirements").iter().any(|resource| text(resource, "type") == Some("GPU")) {
        return Err(unsupported("GPU"));
    }
    if let Some(linux) = definition.get("linuxParameters") {
        linux_parameters(linux, unsupported)?;
    }
    if number(definition, "stopTimeout").is_some_and(|seconds| seconds > 120) {
        return Err(client("Container stopTimeout must be at most 120 seconds on Fargate."));
    }
    if text(body, "executionRoleArn").is_some() {
        return Ok(());
    }
    let driver = definition.get("logConfiguration").and_then(|log| text(log, "logDriver"));
    if driver == Some("awslogs") {
        return Err(needs_execution_role("log driver awslogs"));
    }
    if text(definition, "image").is_some_and(is_private_ecr) {
        return Err(needs_execution_role("ECR images"));
    }
    Ok(())
}

fn linux_parameters(linux: &Value, unsupported: impl Fn(&str) -> Refusal) -> Result<(), Refusal> {
    for member in ["sharedMemorySize", "maxSwap", "swappiness"] {
        if linux.get(member).is_some() {
            return Err(unsupported(member));
        }
    }
    for list in ["devices", "tmpfs"] {
        if !items(linux, list).is_empty() {
            return Err(unsupported(list));
        }
    }
    let added = linux.get("capabilities").map_or(&[][..], |capabilities| items(capabilities, "add"));
    // Only this one may be added, whatever the name's prefix and case.
    let allowed = |name: &str| name.to_ascii_uppercase().trim_start_matches("CAP_") == "SYS_PTRACE";
    match added.iter().filter_map(Value::as_str).find(|name| !allowed(name)) {
        Some(name) => Err(unsupported(&format!("linux capability {name}"))),
        None => Ok(()),
    }
}

fn needs_execution_role(what: &str) -> Refusal {
    client(format!("Fargate requires task definition to have execution role ARN to support {what}."))
}

fn is_private_ecr(image: &str) -> bool {
    image.split('/').next().is_some_and(|host| host.contains(".dkr.ecr") && host.contains(".amazonaws.com"))
}

/// Where the task definition could run, as ECS finds out for itself.
pub(super) fn compatibilities(definition: &Map<String, Value>) -> Vec<&'static str> {
    let body = Value::Object(definition.clone());
    let cpu = text(&body, "cpu").and_then(|cpu| size::cpu_units(cpu).ok());
    let memory = text(&body, "memory").and_then(|memory| size::memory_mebibytes(memory).ok());
    let mut found = Vec::new();
    if matches!(text(&body, "networkMode"), Some("bridge" | "host" | "none")) {
        found.push("EXTERNAL");
    }
    found.push("EC2");
    if check(&body, cpu, memory).is_ok() {
        found.push("FARGATE");
    }
    if matches!(text(&body, "networkMode"), Some("awsvpc" | "host")) {
        found.push("MANAGED_INSTANCES");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fargate_comes_in_these_sizes_only() {
        let sizes = |cpu: i64| {
            (1..=256 * 1024 / 256).map(|step| step * 256).filter(|memory| fits(cpu, *memory)).collect::<Vec<_>>()
        };
        assert_eq!(sizes(256), [512, 1024, 2048]);
        assert_eq!(sizes(512), [1024, 2048, 3072, 4096]);
        assert_eq!(sizes(1024).len(), 7);
        assert_eq!(sizes(2048).len(), 13);
        assert_eq!(sizes(4096).len(), 23);
        assert_eq!(sizes(8192), (4..=15).map(|n| n * 4096).collect::<Vec<_>>());
        assert_eq!(sizes(16_384), (4..=15).map(|n| n * 8192).collect::<Vec<_>>());
        assert_eq!(sizes(32_768), [61_440, 122_880, 249_856]);
        assert!(sizes(300).is_empty());
    }
}
