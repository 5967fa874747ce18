//! What Fargate allows (docs/aws.md, Fargate).

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

/// Refuses what asks for Fargate and cannot run there (docs/aws.md, Fargate).
pub(super) fn check(body: &Value, cpu: Option<i64>, memory: Option<i64>) -> Result<(), Refusal> {
    let cpu = cpu.ok_or_else(|| client("Fargate requires that 'cpu' be defined at the task level."))?;
    let memory = memory.ok_or_else(|| client("Fargate requires that 'memory' be defined at the task level."))?;
    if text(body, "networkMode") != Some("awsvpc") {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    let windows = body.get("runtimePlatform").and_then(|platform| text(platform, "operatingSystemFamily"));
    let wrong_for_windows =
        windows.is_some_and(|family| family.starts_with("WINDOWS")) && !(1024..=4096).contains(&cpu);
    if !fits(cpu, memory) || wrong_for_windows {
        return Err(client("No Fargate configuration exists for given values."));
    }
    task(body)?;
    items(body, "containerDefinitions").iter().try_for_each(|definition| container(body, definition))
}

/// Follows docs/aws.md, Fargate.
fn unsupported(what: &str) -> Refusal {
    client(format!("Fargate compatible task definitions do not support {what}"))
}

/// Follows docs/aws.md, Fargate.
fn task(body: &Value) -> Result<(), Refusal> {
    if text(body, "ipcMode").is_some() {
        return Err(unsupported("ipcMode"));
    }
    if let Some(mode) = text(body, "pidMode").filter(|mode| *mode != "task") {
        return Err(client(format!(
            "Tasks using the Fargate launch type do not support pidMode '{mode}'. The supported value for pidMode is 'task'."
        )));
    }
    if !items(body, "placementConstraints").is_empty() {
        return Err(unsupported("constraints"));
    }
    for volume in items(body, "volumes") {
        if volume.get("host").is_some_and(|host| text(host, "sourcePath").is_some()) {
            return Err(unsupported("sourcePath"));
        }
        if volume.get("dockerVolumeConfiguration").is_some() {
            return Err(unsupported("dockerVolumeConfiguration"));
        }
    }
    Ok(())
}

/// Follows docs/aws.md, Fargate.
fn container(body: &Value, definition: &Value) -> Result<(), Refusal> {
    if is_true(definition, "privileged") {
        return Err(client("Fargate requires that the 'privileged' setting be 'false'."));
    }
    if !items(definition, "dockerSecurityOptions").is_empty() {
        return Err(unsupported("dockerSecurityOptions"));
    }
    if items(definition, "resourceRequirements").iter().any(|resource| text(resource, "type") == Some("GPU")) {
        return Err(client("Tasks using the Fargate launch type do not support GPU resource requirements."));
    }
    linux_parameters(definition.get("linuxParameters").unwrap_or(&Value::Null))?;
    for timeout in ["startTimeout", "stopTimeout"] {
        if number(definition, timeout).is_some_and(|seconds| seconds > 120) {
            return Err(client(format!("Container {timeout} must be at most 120 seconds on Fargate.")));
        }
    }
    logging(body, definition.get("logConfiguration").unwrap_or(&Value::Null))?;
    if text(body, "executionRoleArn").is_none() && text(definition, "image").is_some_and(is_private_ecr) {
        return Err(needs_execution_role("ECR images"));
    }
    Ok(())
}

/// Follows docs/aws.md, Fargate.
fn logging(body: &Value, log: &Value) -> Result<(), Refusal> {
    match text(log, "logDriver") {
        None | Some("splunk" | "awsfirelens") => Ok(()),
        Some("awslogs") => {
            if text(body, "executionRoleArn").is_none() {
                return Err(needs_execution_role("log driver awslogs"));
            }
            if log.get("options").is_none_or(|options| options.get("awslogs-stream-prefix").is_none()) {
                return Err(client("Fargate requires log configuration options to include awslogs-stream-prefix"));
            }
            Ok(())
        }
        Some(other) => {
            Err(client(format!("{other} is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]")))
        }
    }
}

/// Follows docs/aws.md, Fargate.
fn linux_parameters(linux: &Value) -> Result<(), Refusal> {
    for member in ["sharedMemorySize", "maxSwap", "swappiness"] {
        if linux.get(member).is_some() {
            return Err(unsupported(member));
        }
    }
    if !items(linux, "devices").is_empty() {
        return Err(unsupported("devices"));
    }
    let added = linux.get("capabilities").map_or(&[][..], |capabilities| items(capabilities, "add"));
    // Only this one may be added, whatever the name's prefix and case.
    let allowed = |name: &str| name.to_ascii_uppercase().trim_start_matches("CAP_") == "SYS_PTRACE";
    match added.iter().filter_map(Value::as_str).find(|name| !allowed(name)) {
        Some(name) => Err(client(format!("{name} is not allowed on Fargate."))),
        None => Ok(()),
    }
}

/// Follows docs/aws.md, Fargate.
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
