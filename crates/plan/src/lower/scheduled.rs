//! A job's schedules in EventBridge Scheduler: their group, their target, and the descriptions that stand for tags.

use ecs_etl_spec::job::BoundJob;
use ecs_etl_spec::name::{ControllerName, Digest, NameError, RuleName, ScheduleGroup};
use ecs_etl_spec::schedule::Timing;
use ecs_etl_spec::shapes::events;
use jiff::Timestamp;

use super::{input, policy_tag, target};
use crate::desired::{DesiredRule, Effect, Identity, Scheduled, Trigger};
use crate::tags::{self, Tags};

/// Most characters of a group's name.
const LONGEST_GROUP: usize = 64;

/// The group in which a controller keeps its schedules: `ecs-etl-` and its identity.
///
/// # Errors
///
/// None for an identity that was checked.
pub fn group(controller: &ControllerName) -> Result<ScheduleGroup, NameError> {
    let name = format!("ecs-etl-{controller}");
    if name.len() <= LONGEST_GROUP {
        return ScheduleGroup::new(name);
    }
    let digest = Digest::of(name.as_bytes());
    let head: String = name.chars().take(LONGEST_GROUP - 7).collect();
    ScheduleGroup::new(format!("{head}.{}", digest.short(6)))
}

/// What the job's schedules have in common, if they are Scheduler's.
pub(super) fn scheduled(bound: &BoundJob, identity: &Identity) -> Result<Option<Scheduled>, NameError> {
    let Some(role) = &bound.scheduler_role_arn else { return Ok(None) };
    let mut target = events::Target { role_arn: Some(role.clone()), ..target::plain(bound) };
    input::set_scheduled(&mut target, bound.run_task.overrides.as_ref());
    let group_tags = Tags::from([(tags::CONTROLLER.to_owned(), identity.controller.as_str().to_owned())]);
    Ok(Some(Scheduled { group: group(&identity.controller)?, group_tags, target }))
}

/// One schedule of the job.
pub(super) fn schedule(
    bound: &BoundJob,
    identity: &Identity,
    rule: RuleName,
    timing: Timing,
    now: Timestamp,
) -> Result<DesiredRule, NameError> {
    let job = &bound.job;
    Ok(DesiredRule {
        name: RuleName::in_group(&group(&identity.controller)?, rule.as_str())?,
        over: timing.is_over(now),
        begun: timing.start.is_some_and(|start| start <= now),
        trigger: Trigger::Timed(Box::new(timing)),
        effect: Effect::Run,
        enabled: !job.suspend,
        description: format!(
            "{PREAMBLE}controller={} job={} policy={} source={}",
            identity.controller,
            job.name,
            policy_tag(job.deletion_policy),
            identity.source
        ),
    })
}

const PREAMBLE: &str = "Managed by ecs-etl: ";

/// What a schedule's description says in place of tags; nothing of one that we did not write.
pub fn described(description: &str) -> Tags {
    let mut said = Tags::new();
    let Some(mut rest) = description.strip_prefix(PREAMBLE) else { return said };
    for (word, key) in [("controller=", tags::CONTROLLER), ("job=", tags::JOB), ("policy=", tags::POLICY)] {
        let Some((value, after)) = rest.strip_prefix(word).and_then(|rest| rest.split_once(' ')) else {
            return Tags::new();
        };
        said.insert(key.to_owned(), value.to_owned());
        rest = after;
    }
    let Some(source) = rest.strip_prefix("source=") else { return Tags::new() };
    said.insert(tags::SOURCE.to_owned(), source.to_owned());
    said
}
