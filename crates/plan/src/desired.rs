//! What a job should be in AWS: names, tags and contents, with nothing left to choose.

use std::fmt;

use ecs_etl_spec::job::{DeletionPolicy, Place};
use ecs_etl_spec::name::{AccountId, ControllerName, Digest, Family, JobName, RuleName, ScheduleGroup};
use ecs_etl_spec::pattern::EventPattern;
use ecs_etl_spec::schedule::{Schedule, Timing};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;

use crate::adoption::Adoption;
use crate::normalise::Normal;
use crate::tags::Tags;

/// Id of the one target that the controller puts on each of its rules, but for those it has taken over. The one target of a
/// schedule of EventBridge Scheduler has none in AWS; here it goes by the same.
pub const TARGET_ID: &str = "ecs-etl";

/// Who we are, for ownership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Value of the ownership tag.
    pub controller: ControllerName,
    /// Value of the source tag.
    pub source: String,
}

/// One job, lowered to AWS's terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// The job.
    pub job: JobName,
    /// Where it lives.
    pub place: Place,
    /// Account it lives in.
    pub account: AccountId,
    /// Family of its task definition.
    pub family: Family,
    /// What it takes over under other names than its own.
    pub adoption: Adoption,
    /// What to register.
    pub task_definition: TaskDefinition,
    /// The same, normalised: what live revisions are compared with.
    pub normal: Normal,
    /// `v1:<64 hex>` of `normal`: the spec tag.
    pub spec_tag: String,
    /// Tags of a new revision, ownership and spec included.
    pub revision_tags: Tags,
    /// Tags of a rule, ownership included.
    pub rule_tags: Tags,
    /// Its rules by name, at least one.
    pub rules: Vec<DesiredRule>,
    /// The one target of every rule that starts the job; the task definition ARN is filled in by the plan.
    pub target: Target,
    /// The same for its schedules in EventBridge Scheduler, if it has any.
    pub scheduled: Option<Scheduled>,
    /// Names the job had before: its own under `moved-from`.
    pub moved_from: Option<Former>,
    /// The manifest says to leave the job alone.
    pub reconcile_disabled: bool,
    /// What becomes of it when the manifest goes.
    pub deletion_policy: DeletionPolicy,
    /// Digest of the job after defaults: `status.observedSpec`.
    pub observed_spec: Digest,
}

impl Desired {
    /// Whether the same job lowered at another time may be something else: schedules of EventBridge Scheduler begin and end.
    pub fn hangs_on_time(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.trigger, Trigger::Timed(_)))
    }

    /// The target of a rule or schedule that starts the job.
    pub(crate) fn target_of(&self, rule: &RuleName) -> &Target {
        match &self.scheduled {
            Some(scheduled) if rule.group().is_some() => &scheduled.target,
            Some(_) | None => &self.target,
        }
    }
}

/// What the schedules of a job in EventBridge Scheduler have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduled {
    /// The controller's group: schedules bear no tags, so the group's are the proof of ownership.
    pub group: ScheduleGroup,
    /// Tags of the group.
    pub group_tags: Tags,
    /// The target of each, in the words of a rule's; the task definition ARN is filled in by the plan.
    pub target: Target,
}

/// One rule of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredRule {
    /// Its name.
    pub name: RuleName,
    /// What it waits for.
    pub trigger: Trigger,
    /// What it does then.
    pub effect: Effect,
    /// False while the job is suspended.
    pub enabled: bool,
    /// Nothing can come of it any more: it is neither made nor changed, and what is there stays.
    pub over: bool,
    /// Its start is over, which Scheduler takes no more: it is left out of what is put, and its absence is no difference.
    pub begun: bool,
    /// Description, a hint of the ownership for people and bulk reads.
    pub description: String,
}

/// What a rule waits for: one of these, though AWS would take a schedule and a pattern together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// The ticks of a schedule.
    Schedule(Schedule),
    /// The ticks of a schedule of EventBridge Scheduler.
    Timed(Box<Timing>),
    /// Events that match.
    Event(EventPattern),
}

impl Trigger {
    /// The schedule expression, as AWS is given it.
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::Schedule(schedule) => Some(schedule.expression()),
            Self::Timed(timing) => Some(timing.schedule.expression()),
            Self::Event(_) => None,
        }
    }

    /// The event pattern, as AWS is given it.
    pub fn pattern(&self) -> Option<&str> {
        match self {
            Self::Schedule(_) | Self::Timed(_) => None,
            Self::Event(pattern) => Some(pattern.as_str()),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule(schedule) => schedule.fmt(f),
            Self::Timed(timing) => timing.fmt(f),
            Self::Event(pattern) => f.write_str(pattern.as_str()),
        }
    }
}

/// What a rule does when it fires.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// It starts the job, by [`Desired::target`].
    Run,
    /// It tells somebody of a run's end, by a target of its own.
    Notify(Box<Target>),
}

/// The home a job had before a rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// Its old name.
    pub job: JobName,
    /// Its old family.
    pub family: Family,
}
