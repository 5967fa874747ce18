//! Targets of schedules in EventBridge Scheduler: the words of a rule's target in Scheduler's types, and back.
//!
//! By hand, unlike its neighbours: both services say the same of an ECS target, but for the tags (docs/aws.md, Scheduler).

use std::collections::HashMap;

use aws_sdk_scheduler::error::BuildError;
use aws_sdk_scheduler::types;
use ecs_etl_plan::desired::TARGET_ID;
use ecs_etl_spec::shapes::events as shapes;

use super::ConvertError;

/// The target of a schedule. The Id is left out: Scheduler's targets have none.
///
/// # Errors
///
/// A member that Scheduler requires is missing.
pub fn target(shape: &shapes::Target) -> Result<types::Target, ConvertError> {
    let built = types::Target::builder()
        .set_arn(shape.arn.clone())
        .set_role_arn(shape.role_arn.clone())
        .set_input(shape.input.clone())
        .set_ecs_parameters(shape.ecs_parameters.as_ref().map(parameters).transpose()?)
        .set_dead_letter_config(
            shape
                .dead_letter_config
                .as_ref()
                .map(|config| types::DeadLetterConfig::builder().set_arn(config.arn.clone()).build()),
        )
        .set_retry_policy(shape.retry_policy.as_ref().map(|policy| {
            types::RetryPolicy::builder()
                .set_maximum_event_age_in_seconds(policy.maximum_event_age_in_seconds)
                .set_maximum_retry_attempts(policy.maximum_retry_attempts)
                .build()
        }))
        .build()?;
    Ok(built)
}

fn parameters(shape: &shapes::EcsParameters) -> Result<types::EcsParameters, BuildError> {
    let shapes::EcsParameters {
        task_definition_arn,
        task_count,
        launch_type,
        network_configuration,
        platform_version,
        group,
        capacity_provider_strategy,
        enable_ecs_managed_tags,
        enable_execute_command,
        placement_constraints,
        placement_strategy,
        propagate_tags,
        reference_id,
        tags,
    } = shape;
    types::EcsParameters::builder()
        .set_task_definition_arn(task_definition_arn.clone())
        .set_task_count(*task_count)
        .set_launch_type(launch_type.as_deref().map(types::LaunchType::from))
        .set_network_configuration(network_configuration.as_ref().map(network).transpose()?)
        .set_platform_version(platform_version.clone())
        .set_group(group.clone())
        .set_capacity_provider_strategy(
            each(capacity_provider_strategy, |item| {
                types::CapacityProviderStrategyItem::builder()
                    .set_capacity_provider(item.capacity_provider.clone())
                    .set_weight(item.weight)
                    .set_base(item.base)
                    .build()
            })
            .transpose()?,
        )
        .set_enable_ecs_managed_tags(*enable_ecs_managed_tags)
        .set_enable_execute_command(*enable_execute_command)
        .set_placement_constraints(
            each(placement_constraints, |item| {
                Ok(types::PlacementConstraint::builder()
                    .set_type(item.r#type.as_deref().map(types::PlacementConstraintType::from))
                    .set_expression(item.expression.clone())
                    .build())
            })
            .transpose()?,
        )
        .set_placement_strategy(
            each(placement_strategy, |item| {
                Ok(types::PlacementStrategy::builder()
                    .set_type(item.r#type.as_deref().map(types::PlacementStrategyType::from))
                    .set_field(item.field.clone())
                    .build())
            })
            .transpose()?,
        )
        .set_propagate_tags(propagate_tags.as_deref().map(types::PropagateTags::from))
        .set_reference_id(reference_id.clone())
        .set_tags(
            each(tags, |tag| {
                let (key, value) = (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default());
                Ok(HashMap::from([(key, value)]))
            })
            .transpose()?,
        )
        .build()
}

fn network(shape: &shapes::NetworkConfiguration) -> Result<types::NetworkConfiguration, BuildError> {
    let vpc = shape.awsvpc_configuration.as_ref().map(|vpc| {
        types::AwsVpcConfiguration::builder()
            .set_subnets(vpc.subnets.clone())
            .set_security_groups(vpc.security_groups.clone())
            .set_assign_public_ip(vpc.assign_public_ip.as_deref().map(types::AssignPublicIp::from))
            .build()
    });
    Ok(types::NetworkConfiguration::builder().set_awsvpc_configuration(vpc.transpose()?).build())
}

fn each<A, B>(items: &Option<Vec<A>>, to: impl Fn(&A) -> Result<B, BuildError>) -> Option<Result<Vec<B>, BuildError>> {
    items.as_ref().map(|items| items.iter().map(to).collect())
}

/// A live schedule's target in the words of a rule's. It goes by our Id: a schedule has this target and no other.
pub fn from_sdk(sdk: types::Target) -> shapes::Target {
    shapes::Target {
        id: Some(TARGET_ID.to_owned()),
        arn: Some(sdk.arn),
        role_arn: Some(sdk.role_arn),
        input: sdk.input,
        ecs_parameters: sdk.ecs_parameters.map(parameters_from),
        dead_letter_config: sdk.dead_letter_config.map(|config| shapes::DeadLetterConfig { arn: config.arn }),
        retry_policy: sdk.retry_policy.map(|policy| shapes::RetryPolicy {
            maximum_event_age_in_seconds: policy.maximum_event_age_in_seconds,
            maximum_retry_attempts: policy.maximum_retry_attempts,
        }),
        // Of targets that are none of ours this much is enough to tell that they differ: so does the ARN.
        sqs_parameters: sdk
            .sqs_parameters
            .map(|parameters| shapes::SqsParameters { message_group_id: parameters.message_group_id }),
        ..shapes::Target::default()
    }
}

fn parameters_from(sdk: types::EcsParameters) -> shapes::EcsParameters {
    shapes::EcsParameters {
        task_definition_arn: Some(sdk.task_definition_arn),
        task_count: sdk.task_count,
        launch_type: sdk.launch_type.map(|word| word.as_str().to_owned()),
        network_configuration: sdk.network_configuration.map(|network| shapes::NetworkConfiguration {
            awsvpc_configuration: network.awsvpc_configuration.map(|vpc| shapes::AwsVpcConfiguration {
                subnets: Some(vpc.subnets),
                security_groups: vpc.security_groups,
                assign_public_ip: vpc.assign_public_ip.map(|word| word.as_str().to_owned()),
            }),
        }),
        platform_version: sdk.platform_version,
        group: sdk.group,
        capacity_provider_strategy: all(sdk.capacity_provider_strategy, |item| shapes::CapacityProviderStrategyItem {
            capacity_provider: Some(item.capacity_provider),
            weight: Some(item.weight),
            base: Some(item.base),
        }),
        enable_ecs_managed_tags: sdk.enable_ecs_managed_tags,
        enable_execute_command: sdk.enable_execute_command,
        placement_constraints: all(sdk.placement_constraints, |item| shapes::PlacementConstraint {
            r#type: item.r#type.map(|word| word.as_str().to_owned()),
            expression: item.expression,
        }),
        placement_strategy: all(sdk.placement_strategy, |item| shapes::PlacementStrategy {
            r#type: item.r#type.map(|word| word.as_str().to_owned()),
            field: item.field,
        }),
        propagate_tags: sdk.propagate_tags.map(|word| word.as_str().to_owned()),
        reference_id: sdk.reference_id,
        tags: sdk.tags.map(|tags| {
            let mut tags: Vec<(String, String)> = tags.into_iter().flatten().collect();
            tags.sort();
            tags.into_iter().map(|(key, value)| shapes::Tag { key: Some(key), value: Some(value) }).collect()
        }),
    }
}

fn all<A, B>(items: Option<Vec<A>>, from: impl Fn(A) -> B) -> Option<Vec<B>> {
    items.map(|items| items.into_iter().map(from).collect())
}
