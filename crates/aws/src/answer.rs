//! AWS's answers, checked and in our own words. What AWS always says and an answer lacks makes the answer a failure.

use aws_sdk_ecs::types as ecs;
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types as events;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types as scheduler;
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{LiveRevision, LiveRule, LiveTiming, RevisionArn, RuleState};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::name::{RuleName, ScheduleGroup};
use ecs_etl_spec::shapes;
use ecs_etl_spec::shapes::events::Target;
use jiff::Timestamp;

use crate::convert::unmodelled::Unmodelled;
use crate::convert::{self, FromSdk as _};
use crate::error::Refused;

/// What a [`Look`](ecs_etl_plan::observed::Look) found.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// ACTIVE revisions of the family, newest first.
    Active(Vec<RevisionArn>),
    /// The revision, ACTIVE or not; none if AWS does not know it.
    Revision(Option<LiveRevision>),
    /// The rule; none if there is none.
    Rule(Option<LiveRule>),
    /// Targets of the rule; none of a rule that does not exist.
    Targets(Vec<Target>),
    /// Tags of the rule; none of a rule that does not exist.
    RuleTags(Tags),
    /// The schedule with its target; none if there is none.
    Schedule(Option<Box<(LiveRule, Target)>>),
    /// Tags of the group of schedules; none if there is no such group.
    Group(Option<Tags>),
}

/// What an action did.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// RegisterTaskDefinition: the new revision as AWS made it.
    Registered(LiveRevision),
    /// PutRule, CreateSchedule or UpdateSchedule.
    RulePut {
        /// ARN of the rule or schedule.
        arn: String,
    },
    /// Any other.
    Done,
}

/// The parts of an ARN `…:task-definition/<family>:<revision>` that concern us, whoever's it is.
pub(crate) enum Listed {
    /// A revision of a family whose name starts with our prefix.
    Ours(RevisionArn),
    /// Somebody else's.
    Other,
}

/// Reads one entry of ListTaskDefinitions.
pub(crate) fn listed(arn: &str, prefix: &str) -> Result<Listed, Refused> {
    let nonsense = || Refused::response(format!("the list of task definitions holds {:?}", cut(arn)));
    let (_, name) = arn.rsplit_once(":task-definition/").ok_or_else(nonsense)?;
    if !name.starts_with(prefix) {
        return Ok(Listed::Other);
    }
    RevisionArn::parse(arn).map(Listed::Ours).ok_or_else(nonsense)
}

/// Checks a task definition that was described or registered.
///
/// `unmodelled` read the same answer; `wanted` says whether it is the one that was asked for.
pub(crate) fn revision(
    sdk: Option<ecs::TaskDefinition>,
    unmodelled: &Unmodelled,
    tags: Tags,
    wanted: impl FnOnce(&RevisionArn) -> bool,
) -> Result<LiveRevision, Refused> {
    let sdk = sdk.ok_or_else(|| Refused::response("the answer holds no task definition"))?;
    let arn = sdk.task_definition_arn.as_deref().unwrap_or_default();
    let arn = RevisionArn::parse(arn)
        .ok_or_else(|| Refused::response(format!("the answer's task definition has the ARN {:?}", cut(arn))))?;
    if !wanted(&arn) {
        return Err(Refused::response(format!("the answer is about another task definition, {arn}")));
    }
    let shape = unmodelled.complete(shapes::TaskDefinition::from_sdk(sdk));
    let shape = shape.map_err(|error| Refused::response(format!("the answer's task definition: {error}")))?;
    Ok(LiveRevision { arn, normal: normalise::task_definition(&shape), tags })
}

/// Checks one entry of ListRules; none for a rule whose name cannot be ours.
pub(crate) fn listed_rule(sdk: events::Rule, prefix: &str) -> Result<Option<LiveRule>, Refused> {
    let events::Rule {
        name, arn, event_pattern, state, description, schedule_expression, role_arn, managed_by, ..
    } = sdk;
    let name = name.ok_or_else(|| Refused::response("the list of rules holds one without a name"))?;
    if !name.starts_with(prefix) {
        return Ok(None);
    }
    // Some stand-ins let others make rules under names that AWS refuses. We made none of those.
    let Ok(name) = RuleName::new(name) else { return Ok(None) };
    let (arn, state) = identity(&name, arn, state)?;
    Ok(Some(LiveRule {
        name,
        arn,
        expression: schedule_expression,
        event_pattern,
        timing: None,
        state,
        description,
        role_arn,
        managed_by,
    }))
}

/// Checks the answer of DescribeRule.
pub(crate) fn described_rule(sdk: DescribeRuleOutput, wanted: &RuleName) -> Result<LiveRule, Refused> {
    let DescribeRuleOutput {
        name,
        arn,
        event_pattern,
        state,
        description,
        schedule_expression,
        role_arn,
        managed_by,
        ..
    } = sdk;
    if name.as_deref() != Some(wanted.as_str()) {
        return Err(Refused::response(format!(
            "the answer is about the rule {:?}",
            cut(name.as_deref().unwrap_or_default())
        )));
    }
    let (arn, state) = identity(wanted, arn, state)?;
    let name = wanted.clone();
    Ok(LiveRule {
        name,
        arn,
        expression: schedule_expression,
        event_pattern,
        timing: None,
        state,
        description,
        role_arn,
        managed_by,
    })
}

fn identity(
    name: &RuleName,
    arn: Option<String>,
    state: Option<events::RuleState>,
) -> Result<(String, RuleState), Refused> {
    let arn = rule_arn(name, arn)?;
    let state = match state {
        Some(events::RuleState::Enabled) => RuleState::Enabled,
        Some(events::RuleState::Disabled) => RuleState::Disabled,
        Some(other) => RuleState::Other(other.as_str().to_owned()),
        None => return Err(Refused::response(format!("the rule {name} has no state"))),
    };
    Ok((arn, state))
}

/// Checks that an ARN is that of the rule.
pub(crate) fn rule_arn(name: &RuleName, arn: Option<String>) -> Result<String, Refused> {
    let arn = arn.unwrap_or_default();
    let of_it = arn.rsplit_once(":rule/").is_some_and(|(_, rule)| rule.rsplit('/').next() == Some(name.as_str()));
    if of_it { Ok(arn) } else { Err(Refused::response(format!("the rule {name} has the ARN {:?}", cut(&arn)))) }
}

/// Checks the answer of GetSchedule.
pub(crate) fn schedule(sdk: GetScheduleOutput, wanted: &RuleName) -> Result<(LiveRule, Target), Refused> {
    let GetScheduleOutput {
        arn,
        group_name: _,
        name: _,
        schedule_expression,
        start_date,
        end_date,
        description,
        schedule_expression_timezone,
        state,
        kms_key_arn,
        target,
        flexible_time_window,
        action_after_completion,
        ..
    } = sdk;
    let arn = schedule_arn(wanted, arn)?;
    let target = target.ok_or_else(|| Refused::response(format!("the schedule {wanted} has no target")))?;
    let state = schedule_state(wanted, state)?;
    let date = |at: Option<aws_smithy_types::DateTime>| at.and_then(|at| Timestamp::from_second(at.secs()).ok());
    let timing = LiveTiming {
        zone: schedule_expression_timezone.unwrap_or_else(|| "UTC".to_owned()),
        start: date(start_date),
        end: date(end_date),
        window_minutes: flexible_time_window
            .filter(|window| window.mode != scheduler::FlexibleTimeWindowMode::Off)
            .map(|window| window.maximum_window_in_minutes.unwrap_or_default()),
        after_completion: action_after_completion.map(|action| action.as_str().to_owned()),
        kms_key_arn,
    };
    let live = LiveRule {
        name: wanted.clone(),
        arn,
        expression: schedule_expression,
        event_pattern: None,
        timing: Some(Box::new(timing)),
        state,
        description,
        role_arn: None,
        managed_by: None,
    };
    Ok((live, convert::scheduler::from_sdk(target)))
}

/// The state of a schedule.
pub(crate) fn schedule_state(name: &RuleName, state: Option<scheduler::ScheduleState>) -> Result<RuleState, Refused> {
    let state = state.ok_or_else(|| Refused::response(format!("the schedule {name} has no state")))?;
    Ok(match state.as_str() {
        "ENABLED" => RuleState::Enabled,
        "DISABLED" => RuleState::Disabled,
        other => RuleState::Other(other.to_owned()),
    })
}

/// Checks that an ARN is that of the schedule.
pub(crate) fn schedule_arn(name: &RuleName, arn: Option<String>) -> Result<String, Refused> {
    let arn = arn.unwrap_or_default();
    let group = name.group().map(ScheduleGroup::as_str).unwrap_or_default();
    let of_it = arn.rsplit_once(":schedule/").is_some_and(|(_, path)| path == format!("{group}/{name}"));
    if of_it { Ok(arn) } else { Err(Refused::response(format!("the schedule {name} has the ARN {:?}", cut(&arn)))) }
}

/// Tags as Scheduler answers them.
pub(crate) fn scheduler_tags(tags: Option<Vec<scheduler::Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// Tags as ECS answers them.
pub(crate) fn ecs_tags(tags: Option<Vec<ecs::Tag>>) -> Result<Tags, Refused> {
    let keyless = || Refused::response("the answer holds a tag without a key");
    let tags = tags.unwrap_or_default().into_iter();
    tags.map(|tag| Ok((tag.key.ok_or_else(keyless)?, tag.value.unwrap_or_default()))).collect()
}

/// Tags as EventBridge answers them.
pub(crate) fn event_tags(tags: Option<Vec<events::Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// The start of something that AWS should not have said.
fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}
