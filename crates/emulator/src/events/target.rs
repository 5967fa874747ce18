//! What PutTargets refuses in a target (docs/aws.md, Rules and targets).

use serde_json::Value;

use super::{is_role, items, not_an_arn, template, text, validation};
use crate::place::Place;
use crate::reply::Refusal;

/// The services whose targets EventBridge calls under a role that must be given; others have policies of their own.
const ROLE_REQUIRED: [&str; 14] = [
    "batch",
    "codebuild",
    "codepipeline",
    "ecs",
    "events",
    "firehose",
    "glue",
    "inspector",
    "kinesis",
    "redshift",
    "sagemaker",
    "ssm",
    "ssm-incidents",
    "states",
];

/// Parameters that a service's targets must have, and that no other service's may.
const PARAMETERS: [(&str, &str); 2] = [("EcsParameters", "ecs"), ("BatchParameters", "batch")];

/// How many tasks one event may start.
const MOST_TASKS: i64 = 10;

/// Refuses a target that EventBridge would refuse (docs/aws.md, Rules and targets).
pub(super) fn check(place: &Place, target: &Value) -> Result<(), Refusal> {
    let (id, arn) = (text(target, "Id").unwrap_or_default(), text(target, "Arn").unwrap_or_default());
    let service = service_of(arn).ok_or_else(|| not_an_arn(arn))?;
    input(id, target)?;
    for (parameters, of) in PARAMETERS {
        match (target.get(parameters), of == service) {
            (None, true) => {
                return Err(validation(format!("Parameter(s) {parameters} must be specified for target: {id}.")));
            }
            (Some(_), false) => {
                return Err(validation(format!("Parameter(s) {parameters} not supported for target: {id}.")));
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    if service == "sqs" && arn.ends_with(".fifo") && target.get("SqsParameters").is_none() {
        return Err(validation(format!("Parameter(s) SqsParameters must be specified for target: {id}.")));
    }
    match text(target, "RoleArn") {
        Some(role) if !is_role(role) => return Err(not_an_arn(role)),
        None if ROLE_REQUIRED.contains(&service) => {
            return Err(validation(format!("RoleArn is required for target {arn}.")));
        }
        Some(_) | None => {}
    }
    if let Some(queue) = target.get("DeadLetterConfig").and_then(|config| text(config, "Arn")) {
        dead_letter_queue(place, queue)?;
    }
    match target.get("EcsParameters") {
        Some(_) if !is_cluster(arn) => Err(not_an_arn(arn)),
        Some(parameters) => ecs(id, arn, parameters),
        None => Ok(()),
    }
}

/// A standard queue of the rule's own Region (docs/aws.md, Rules and targets).
fn dead_letter_queue(place: &Place, queue: &str) -> Result<(), Refusal> {
    match service_of(queue) {
        None => Err(not_an_arn(queue)),
        Some("sqs") if queue.ends_with(".fifo") => Err(validation("SQS FIFO is not supported by Dead Letter Queues.")),
        Some("sqs") if region_of(queue) == Some(place.region.as_str()) => Ok(()),
        Some("sqs") => Err(validation(format!("Dead Letter Queue {queue} must be in the Region of the rule."))),
        Some(other) => Err(validation(format!("{other} is not supported as a dead letter resource."))),
    }
}

fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}

/// The service in an ARN; `None` when the text is no ARN.
fn service_of(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, _, _, resource] = parts[..] else { return None };
    let sound = prefix == "arn" && partition.starts_with("aws") && !service.is_empty() && !resource.is_empty();
    sound.then_some(service)
}

fn is_cluster(arn: &str) -> bool {
    arn.splitn(6, ':')
        .nth(5)
        .and_then(|resource| resource.strip_prefix("cluster/"))
        .is_some_and(|name| !name.is_empty())
}

/// One of Input, InputPath and InputTransformer at most, and each in its own syntax (docs/aws.md, Rules and targets).
fn input(id: &str, target: &Value) -> Result<(), Refusal> {
    let given = ["Input", "InputPath", "InputTransformer"].iter().filter(|member| target.get(**member).is_some());
    if given.count() > 1 {
        return Err(validation(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )));
    }
    if let Some(input) = text(target, "Input").filter(|input| !input.is_empty())
        && serde_json::from_str::<serde::de::IgnoredAny>(input).is_err()
    {
        return Err(validation(format!("JSON syntax error in input for target {id}.")));
    }
    if !text(target, "InputPath").is_none_or(template::is_path) {
        return Err(template::bad_path(id));
    }
    match target.get("InputTransformer") {
        Some(transformer) => template::check(id, transformer),
        None => Ok(()),
    }
}

/// CapacityProviderStrategy beside LaunchType is not refused here but when the task is to run.
/// The rule is in docs/aws.md, Rules and targets.
fn ecs(id: &str, cluster: &str, parameters: &Value) -> Result<(), Refusal> {
    let task_definition = text(parameters, "TaskDefinitionArn").unwrap_or_default();
    if task_definition.is_empty() {
        return Err(validation(format!("TaskDefinitionArn is empty for target {id}.")));
    }
    // With or without a revision: a family alone means its latest ACTIVE revision when the rule fires.
    let named = task_definition.split_once(":task-definition/").map(|(_, name)| name);
    if service_of(task_definition) != Some("ecs") || named.is_none_or(str::is_empty) {
        return Err(not_an_arn(task_definition));
    }
    if region_of(cluster) != region_of(task_definition) {
        return Err(validation(format!("Region of {cluster} does not match region of {task_definition}.")));
    }
    if parameters.get("TaskCount").and_then(Value::as_i64) > Some(MOST_TASKS) {
        return Err(validation(format!("Parameter(s) TaskCount not valid for target: {id}.")));
    }
    let launch_type = text(parameters, "LaunchType");
    if launch_type == Some("FARGATE") && parameters.get("NetworkConfiguration").is_none() {
        return Err(validation(format!(
            "Parameter NetworkConfiguration must be specified for target {id} when launch type is FARGATE."
        )));
    }
    let not_supported = |parameter: &str, launch_type: &str| {
        validation(format!("Parameter {parameter} for target {id} is not supported when launch type is {launch_type}."))
    };
    let host = launch_type.filter(|launch_type| *launch_type != "FARGATE");
    if let Some(launch_type) = host.filter(|_| text(parameters, "PlatformVersion").is_some()) {
        return Err(not_supported("PlatformVersion", launch_type));
    }
    if let Some(network) = parameters.get("NetworkConfiguration").and_then(|network| network.get("awsvpcConfiguration"))
    {
        awsvpc(network)?;
        let public = text(network, "AssignPublicIp") == Some("ENABLED");
        if let Some(launch_type) = host.filter(|_| public) {
            return Err(not_supported("AssignPublicIp", launch_type));
        }
    }
    super::tags::read(items(parameters, "Tags")).map(drop)
}

/// Follows docs/aws.md, Rules and targets.
fn awsvpc(network: &Value) -> Result<(), Refusal> {
    for (list, sizes) in [("Subnets", 1..=16), ("SecurityGroups", 0..=5)] {
        if !sizes.contains(&items(network, list).len()) {
            let (least, most) = (sizes.start(), sizes.end());
            let message = format!("Parameter {list} is not valid. Reason: size must be in between {least} and {most}.");
            return Err(validation(message));
        }
    }
    Ok(())
}
