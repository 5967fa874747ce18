//! How a run is started: what ECS RunTask and an EventBridge target take.

use std::collections::BTreeSet;

use super::launch::{network_mode, started_on_fargate};
use super::problem::Problems;
use crate::shapes::{CapacityProviderStrategyItem, RunTask, TaskDefinition};
use crate::yaml::shown;

const MOST_SUBNETS: usize = 16;
const MOST_SECURITY_GROUPS: usize = 5;
/// EventBridge takes fewer capacity providers than the 20 of RunTask.
const MOST_PROVIDERS: usize = 6;
const MOST_CONSTRAINTS: usize = 10;
const MOST_STRATEGIES: usize = 5;
const MOST_GROUP: usize = 255;

/// Checks everything but the overrides.
pub(super) fn check(problems: &mut Problems, run_task: &RunTask, definition: &TaskDefinition) {
    check_launch(problems, run_task, definition);
    check_network(problems, run_task, definition);
    check_placement(problems, run_task, definition);
    problems.within("count", run_task.count, 1..=10, " tasks a run");
    let group = run_task.group.as_deref().unwrap_or_default().chars().count();
    if group > MOST_GROUP {
        problems.error("group", format!("{group} characters; ECS takes at most {MOST_GROUP}"));
    }
    if let Some(from) = run_task.propagate_tags.as_deref().filter(|from| *from != "TASK_DEFINITION") {
        problems
            .error("propagateTags", format!("a task takes no tags from `{}`", shown(from)))
            .help("write `TASK_DEFINITION`, or leave it out");
    }
    if run_task.enable_execute_command == Some(true) && definition.task_role_arn.is_none() {
        problems
            .warning("enableExecuteCommand", "ECS Exec needs a task role")
            .help("set `taskRoleArn` of the task definition");
    }
    let mut keys = BTreeSet::new();
    for (index, tag) in run_task.tags.iter().flatten().enumerate() {
        let key = tag.key.as_deref().unwrap_or_default();
        let at = format!("tags[{index}].key");
        if tag.key.is_none() {
            problems.error(format!("tags[{index}]"), "missing field `key`");
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            problems.error(at, "tags that start with `aws:` belong to AWS");
        } else if !keys.insert(key) {
            problems.error(at, format!("`{}` is set twice", shown(key)));
        }
    }
}

fn providers(run_task: &RunTask) -> &[CapacityProviderStrategyItem] {
    run_task.capacity_provider_strategy.as_deref().unwrap_or_default()
}

fn check_launch(problems: &mut Problems, run_task: &RunTask, definition: &TaskDefinition) {
    let providers = providers(run_task);
    let launch_type = run_task.launch_type.as_deref();
    if launch_type.is_some() && !providers.is_empty() {
        problems
            .error("launchType", "either `launchType` or `capacityProviderStrategy`, not both")
            .help("Fargate Spot is `capacityProviderStrategy: [{capacityProvider: FARGATE_SPOT}]` alone");
    }
    if providers.len() > MOST_PROVIDERS {
        let count = providers.len();
        problems.error(
            "capacityProviderStrategy",
            format!("{count} providers; EventBridge takes at most {MOST_PROVIDERS}"),
        );
    }
    let set = |of: fn(&CapacityProviderStrategyItem) -> Option<i32>| {
        providers.iter().filter(|item| of(item).unwrap_or(0) > 0).count()
    };
    if set(|item| item.base) > 1 {
        problems.error("capacityProviderStrategy", "one provider only may have a `base`");
    }
    if providers.len() > 1 && set(|item| item.weight) == 0 {
        problems
            .error("capacityProviderStrategy", "all providers have a weight of 0, so none is used")
            .help("give one a `weight`");
    }
    let compatibilities = definition.requires_compatibilities.as_deref().unwrap_or_default();
    match launch_type {
        Some(launch_type) if !compatibilities.is_empty() && !compatibilities.iter().any(|name| name == launch_type) => {
            let declared = shown(&compatibilities.join(", "));
            problems.warning(
                "launchType",
                format!("`{}`, but the task definition requires {declared}", shown(launch_type)),
            );
        }
        None if providers.is_empty()
            && compatibilities.iter().all(|name| name == "FARGATE")
            && !compatibilities.is_empty() =>
        {
            problems
                .warning("", "neither `launchType` nor `capacityProviderStrategy`: the cluster's default strategy decides, and without one it is EC2")
                .help("write `launchType: FARGATE`");
        }
        Some(_) | None => {}
    }
    if let Some(version) = run_task.platform_version.as_deref()
        && !started_on_fargate(run_task)
    {
        let message = format!("`{}`, but only Fargate has platform versions", shown(version));
        if launch_type.is_some() {
            problems.error("platformVersion", message);
        } else {
            problems.warning("platformVersion", message);
        }
    }
}

fn check_network(problems: &mut Problems, run_task: &RunTask, definition: &TaskDefinition) {
    let fargate = started_on_fargate(run_task);
    let network = run_task.network_configuration.as_ref().and_then(|network| network.awsvpc_configuration.as_ref());
    let mode = network_mode(definition);
    let Some(network) = network else {
        let help = "write `networkConfiguration: {awsvpcConfiguration: {subnets: [subnet-…]}}`";
        if fargate {
            problems.error("", "missing field `networkConfiguration`: a run on Fargate needs one").help(help);
        } else if mode == "awsvpc" {
            problems
                .warning(
                    "",
                    "no `networkConfiguration`, and without one no run of a task in the network mode `awsvpc` starts",
                )
                .help(help);
        }
        return;
    };
    let at = "networkConfiguration.awsvpcConfiguration";
    if mode != "awsvpc" && !fargate {
        problems.warning(
            "networkConfiguration",
            format!(
                "no run will start: only a task in the network mode `awsvpc` has one, and this is in `{}`",
                shown(mode)
            ),
        );
    }
    match network.subnets.as_ref().map(Vec::len) {
        Some(0) => {
            problems.error(format!("{at}.subnets"), "at least one subnet is needed");
        }
        Some(count) if count > MOST_SUBNETS => {
            problems.error(format!("{at}.subnets"), format!("{count} subnets; ECS takes at most {MOST_SUBNETS}"));
        }
        Some(_) | None => {}
    }
    let groups = network.security_groups.as_ref().map_or(0, Vec::len);
    if groups > MOST_SECURITY_GROUPS {
        problems.error(
            format!("{at}.securityGroups"),
            format!("{groups} security groups; ECS takes at most {MOST_SECURITY_GROUPS}"),
        );
    }
    if network.assign_public_ip.as_deref() == Some("ENABLED") {
        let at = format!("{at}.assignPublicIp");
        match run_task.launch_type.as_deref() {
            Some("FARGATE") => {}
            Some(other) => {
                problems.error(
                    at,
                    format!("only a run on Fargate takes a public address, and this is on `{}`", shown(other)),
                );
            }
            None => {
                problems
                    .warning(at, "EventBridge documents a public address for `launchType: FARGATE` only")
                    .help("a NAT gateway or VPC endpoints serve all launch types");
            }
        }
    }
}

fn check_placement(problems: &mut Problems, run_task: &RunTask, definition: &TaskDefinition) {
    let constraints = run_task.placement_constraints.as_ref().map_or(0, Vec::len);
    let strategies = run_task.placement_strategy.as_ref().map_or(0, Vec::len);
    let registered = definition.placement_constraints.as_ref().map_or(0, Vec::len);
    if constraints + registered > MOST_CONSTRAINTS {
        problems.error(
            "placementConstraints",
            format!(
                "{} with those of the task definition; ECS takes at most {MOST_CONSTRAINTS}",
                constraints + registered
            ),
        );
    }
    if strategies > MOST_STRATEGIES {
        problems.error("placementStrategy", format!("{strategies} strategies; ECS takes at most {MOST_STRATEGIES}"));
    }
    for (field, count) in [("placementConstraints", constraints), ("placementStrategy", strategies)] {
        if count > 0 && started_on_fargate(run_task) {
            problems.error(field, format!("Fargate has no `{field}`")).help("leave it out, or run the task on EC2");
        }
    }
}
