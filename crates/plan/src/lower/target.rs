//! The one target of a job's rules.

use ecs_etl_spec::job::BoundJob;
use ecs_etl_spec::shapes::{self, RunTask, events};

use super::input;
use crate::desired::TARGET_ID;

/// The target of every rule of the job; which revision it pins is the plan's to say.
pub(super) fn target(bound: &BoundJob) -> events::Target {
    let mut target = events::Target { role_arn: bound.role_arn.clone(), ..plain(bound) };
    input::set(&mut target, bound.run_task.overrides.as_ref());
    target
}

/// What the targets of rules and of schedules have in common: all but the role and what is passed to the run.
pub(super) fn plain(bound: &BoundJob) -> events::Target {
    let job = &bound.job;
    events::Target {
        id: Some(TARGET_ID.to_owned()),
        arn: Some(bound.cluster_arn.clone()),
        ecs_parameters: Some(ecs_parameters(&bound.run_task)),
        // Always put: ListTargetsByRule does not echo defaults, and AWS's own retries for a day (docs/aws.md, Rules and
        // schedules).
        retry_policy: Some(events::RetryPolicy {
            maximum_retry_attempts: i32::try_from(job.retry.maximum_attempts).ok(),
            maximum_event_age_in_seconds: i32::try_from(job.retry.maximum_event_age_seconds).ok(),
        }),
        dead_letter_config: job
            .dead_letter_queue_arn
            .as_ref()
            .map(|arn| events::DeadLetterConfig { arn: Some(arn.clone()) }),
        ..events::Target::default()
    }
}

/// RunTask's words in EventBridge's spelling. Destructured, so that a new member of either is not forgotten.
fn ecs_parameters(run: &RunTask) -> events::EcsParameters {
    let RunTask {
        capacity_provider_strategy,
        count,
        enable_ecs_managed_tags,
        enable_execute_command,
        group,
        launch_type,
        network_configuration,
        overrides: _, // the target's input
        placement_constraints,
        placement_strategy,
        platform_version,
        propagate_tags,
        reference_id,
        tags,
    } = run.clone();
    events::EcsParameters {
        task_definition_arn: None,
        task_count: count,
        launch_type,
        network_configuration: network_configuration.map(network),
        platform_version,
        group,
        capacity_provider_strategy: each(capacity_provider_strategy, |item| events::CapacityProviderStrategyItem {
            capacity_provider: item.capacity_provider,
            weight: item.weight,
            base: item.base,
        }),
        enable_ecs_managed_tags,
        enable_execute_command,
        placement_constraints: each(placement_constraints, |item| events::PlacementConstraint {
            r#type: item.r#type,
            expression: item.expression,
        }),
        placement_strategy: each(placement_strategy, |item| events::PlacementStrategy {
            r#type: item.r#type,
            field: item.field,
        }),
        propagate_tags,
        reference_id,
        tags: each(tags, |tag| events::Tag { key: tag.key, value: tag.value }),
    }
}

fn network(network: shapes::NetworkConfiguration) -> events::NetworkConfiguration {
    let shapes::NetworkConfiguration { awsvpc_configuration } = network;
    let vpc = |vpc: shapes::AwsVpcConfiguration| events::AwsVpcConfiguration {
        subnets: vpc.subnets,
        security_groups: vpc.security_groups,
        assign_public_ip: vpc.assign_public_ip,
    };
    events::NetworkConfiguration { awsvpc_configuration: awsvpc_configuration.map(vpc) }
}

fn each<A, B>(items: Option<Vec<A>>, map: impl Fn(A) -> B) -> Option<Vec<B>> {
    items.map(|items| items.into_iter().map(map).collect())
}
