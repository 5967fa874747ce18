//! What PutTargets refuses in a target (docs/aws.md, Rules and schedules).

use serde_json::Value;

use super::{is_role, items, not_an_arn, template, text, validation};
use crate::reply::Refusal;

/// The services whose targets EventBridge calls under a role that must be given.
const ROLE_REQUIRED: [&str; 5] = ["ecs", "states", "kinesis", "codepipeline", "batch"];

/// Refuses a target that EventBridge would refuse.
pub(super) fn check(target: &Value) -> Result<(), Refusal> {
    let (id, arn) = (text(target, "Id").unwrap_or_default(), text(target, "Arn").unwrap_or_default());
    let service = service_of(arn).ok_or_else(|| not_an_arn(arn))?;
    input(id, target)?;
    match text(target, "RoleArn") {
        Some(role) if !is_role(role) => return Err(not_an_arn(role)),
        None if ROLE_REQUIRED.contains(&service) => {
            return Err(validation(format!("RoleArn is required for target {arn}.")));
        }
        Some(_) | None => {}
    }
    if let Some(queue) = target.get("DeadLetterConfig").and_then(|config| text(config, "Arn"))
        && service_of(queue) != Some("sqs")
    {
        return Err(not_an_arn(queue));
    }
    match (service, target.get("EcsParameters")) {
        ("ecs", None) => Err(validation(format!("Parameter(s) EcsParameters must be specified for target: {id}."))),
        ("ecs", Some(parameters)) if is_cluster(arn) => ecs(id, parameters),
        ("ecs", Some(_)) => Err(not_an_arn(arn)),
        (_, Some(_)) => Err(validation(format!("EcsParameters is not allowed for target {id}."))),
        (_, None) => Ok(()),
    }
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

/// One of Input, InputPath and InputTransformer at most, and each in its own syntax.
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
    if let Some(path) = text(target, "InputPath").filter(|path| !path.starts_with('$')) {
        return Err(validation(format!("InputPath for target {id} is invalid: {path}")));
    }
    match target.get("InputTransformer") {
        Some(transformer) => template::check(id, transformer),
        None => Ok(()),
    }
}

fn ecs(id: &str, parameters: &Value) -> Result<(), Refusal> {
    let task_definition = text(parameters, "TaskDefinitionArn").unwrap_or_default();
    if task_definition.is_empty() {
        return Err(validation(format!("TaskDefinitionArn is empty for target {id}.")));
    }
    // With or without a revision: a family alone means its latest ACTIVE revision when the rule fires.
    let named = task_definition.split_once(":task-definition/").map(|(_, name)| name);
    if service_of(task_definition) != Some("ecs") || named.is_none_or(str::is_empty) {
        return Err(not_an_arn(task_definition));
    }
    let (launch_type, strategy) = (text(parameters, "LaunchType"), items(parameters, "CapacityProviderStrategy"));
    if launch_type.is_some() && !strategy.is_empty() {
        return Err(validation(format!(
            "LaunchType and CapacityProviderStrategy cannot both be specified for target {id}."
        )));
    }
    let network = parameters.get("NetworkConfiguration").and_then(|network| network.get("awsvpcConfiguration"));
    match (launch_type, network) {
        (Some("FARGATE"), None) => {
            return Err(validation(format!(
                "NetworkConfiguration is required for FARGATE launch type for target {id}."
            )));
        }
        (_, Some(network)) => awsvpc(id, launch_type, network)?,
        (_, None) => {}
    }
    if text(parameters, "PlatformVersion").is_some() && matches!(launch_type, Some("EC2" | "EXTERNAL")) {
        return Err(validation(format!("PlatformVersion is only supported for FARGATE launch type for target {id}.")));
    }
    if text(parameters, "Group").is_some_and(|group| group.chars().count() > 255) {
        return Err(validation(format!("Group is longer than 255 characters for target {id}.")));
    }
    super::tags::read(items(parameters, "Tags")).map(drop)
}

fn awsvpc(id: &str, launch_type: Option<&str>, network: &Value) -> Result<(), Refusal> {
    let (subnets, groups) = (items(network, "Subnets"), items(network, "SecurityGroups"));
    if subnets.is_empty() || subnets.len() > 16 {
        return Err(validation(format!("Between 1 and 16 subnets must be specified for target {id}.")));
    }
    if groups.len() > 5 {
        return Err(validation(format!("At most 5 security groups can be specified for target {id}.")));
    }
    if text(network, "AssignPublicIp") == Some("ENABLED") && matches!(launch_type, Some("EC2" | "EXTERNAL")) {
        return Err(validation(format!("AssignPublicIp is only supported for FARGATE launch type for target {id}.")));
    }
    Ok(())
}
