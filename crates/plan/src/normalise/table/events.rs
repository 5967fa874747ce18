//! Rules and targets.

use super::super::rule::{Rule, Scalar};
use super::{DEFAULTS, EMPTY, JSON, ORDER, Row, VERBATIM, row};
use Rule::{AnyOrder, By, Default, InOrder, Inner, Json, Verbatim};
use Scalar::{Number, Text, Truth};

/// All rows, for reading in this order.
pub(in super::super) const ROWS: &[&[Row]] = &[RULE, TARGET, ECS, FOREIGN];

const RULE: &[Row] = &[
    row("Rule", &["Name", "ScheduleExpression", "RoleArn"], Verbatim, VERBATIM),
    row("Rule", &["Description"], Default(Text("")), DEFAULTS),
    row("Rule", &["State"], Default(Text("ENABLED")), DEFAULTS),
    row("Rule", &["EventBusName"], Default(Text("default")), DEFAULTS),
    row("Rule", &["EventPattern"], Json(None), JSON),
];

const TARGET: &[Row] = &[
    row("Target", &["Id", "Arn", "RoleArn", "InputPath"], Verbatim, VERBATIM),
    row("Target", &["Input"], Json(Some("TaskOverride")), JSON),
    row("Target", &["InputTransformer", "EcsParameters", "DeadLetterConfig", "RetryPolicy"], Inner, EMPTY),
    row("InputTransformer", &["InputTemplate"], Json(Some("TaskOverride")), JSON),
    row("InputTransformer", &["InputPathsMap"], Inner, EMPTY),
    row("DeadLetterConfig", &["Arn"], Verbatim, VERBATIM),
    row("RetryPolicy", &["MaximumRetryAttempts"], Default(Number(185)), DEFAULTS),
    row("RetryPolicy", &["MaximumEventAgeInSeconds"], Default(Number(86_400)), DEFAULTS),
];

const ECS: &[Row] = &[
    row(
        "EcsParameters",
        &["TaskDefinitionArn", "LaunchType", "Group", "PropagateTags", "ReferenceId"],
        Verbatim,
        VERBATIM,
    ),
    row("EcsParameters", &["TaskCount"], Default(Number(1)), DEFAULTS),
    row("EcsParameters", &["EnableECSManagedTags", "EnableExecuteCommand"], Default(Truth(false)), DEFAULTS),
    row("EcsParameters", &["PlatformVersion"], Default(Text("LATEST")), DEFAULTS),
    row("EcsParameters", &["NetworkConfiguration"], Inner, EMPTY),
    row("EcsParameters", &["CapacityProviderStrategy"], By("capacityProvider"), ORDER),
    row("EcsParameters", &["PlacementConstraints"], AnyOrder, ORDER),
    row("EcsParameters", &["PlacementStrategy"], InOrder, EMPTY),
    row("EcsParameters", &["Tags"], By("Key"), ORDER),
    row("NetworkConfiguration", &["awsvpcConfiguration"], Inner, EMPTY),
    row("AwsVpcConfiguration", &["Subnets", "SecurityGroups"], AnyOrder, ORDER),
    row("AwsVpcConfiguration", &["AssignPublicIp"], Default(Text("DISABLED")), DEFAULTS),
    row("CapacityProviderStrategyItem", &["capacityProvider"], Verbatim, VERBATIM),
    row("CapacityProviderStrategyItem", &["weight", "base"], Default(Number(0)), DEFAULTS),
    row("PlacementConstraint", &["type", "expression"], Verbatim, VERBATIM),
    row("PlacementStrategy", &["type", "field"], Verbatim, VERBATIM),
    row("Tag", &["Key", "Value"], Verbatim, VERBATIM),
];

/// Parameters of other kinds of target: none of ours has them, so any is a difference.
const FOREIGN: &[Row] = &[row(
    "Target",
    &[
        "AppSyncParameters",
        "BatchParameters",
        "HttpParameters",
        "KinesisParameters",
        "RedshiftDataParameters",
        "RunCommandParameters",
        "SageMakerPipelineParameters",
        "SqsParameters",
    ],
    Verbatim,
    VERBATIM,
)];
