//! A plan: the writes that converge a job, in order, each with its reasons.

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, JobName, RuleName, ScheduleGroup};
use ecs_etl_spec::schedule::Timing;
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;

use crate::condition::Verdict;
use crate::desired::Trigger;
use crate::normalise::FieldChange;
use crate::observed::{RevisionArn, RuleState};
use crate::tags::Tags;

/// A task definition that exists, or that an earlier step of the same plan registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionRef {
    /// It exists.
    Existing(RevisionArn),
    /// The step with this index registers it.
    FromStep(usize),
}

/// One write. Everything in it is final but a [`RevisionRef::FromStep`], which the executor substitutes.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// RegisterTaskDefinition with its tags.
    RegisterTaskDefinition {
        /// Family.
        family: Family,
        /// Content.
        task_definition: Box<TaskDefinition>,
        /// Tags, ownership included.
        tags: Tags,
    },
    /// PutRule: the whole rule, always with its state. AWS takes `tags` only when the rule is created. They are sent with every
    /// PutRule: a rule that somebody deleted since it was read is made anew by it, and would be nobody's without our marks.
    PutRule {
        /// Name.
        rule: RuleName,
        /// What it waits for.
        trigger: Trigger,
        /// ENABLED or DISABLED.
        state: RuleState,
        /// Description.
        description: String,
        /// Whether it is not there yet.
        create: bool,
        /// All its tags.
        tags: Tags,
    },
    /// EnableRule.
    EnableRule {
        /// Name.
        rule: RuleName,
    },
    /// DisableRule.
    DisableRule {
        /// Name.
        rule: RuleName,
    },
    /// PutTargets with one target; one that starts the job pins `revision`.
    PutTargets {
        /// Rule.
        rule: RuleName,
        /// The target; its task definition ARN is empty.
        target: Box<Target>,
        /// What it pins; none for a target that tells of a run.
        revision: Option<RevisionRef>,
    },
    /// RemoveTargets.
    RemoveTargets {
        /// Rule.
        rule: RuleName,
        /// Ids to remove.
        ids: Vec<String>,
    },
    /// DeleteRule.
    DeleteRule {
        /// Rule.
        rule: RuleName,
    },
    /// CreateScheduleGroup of EventBridge Scheduler.
    CreateScheduleGroup {
        /// Name.
        group: ScheduleGroup,
        /// Its tags, ownership included.
        tags: Tags,
    },
    /// CreateSchedule or UpdateSchedule of EventBridge Scheduler: the whole schedule with its target, in one call.
    PutSchedule {
        /// Name.
        rule: RuleName,
        /// What it is put as.
        schedule: Box<PutSchedule>,
        /// It does not exist yet.
        create: bool,
        /// What its target pins.
        revision: RevisionRef,
    },
    /// DeleteSchedule of EventBridge Scheduler.
    DeleteSchedule {
        /// Name.
        rule: RuleName,
    },
    /// TagResource of EventBridge.
    TagRule {
        /// ARN of the rule.
        arn: String,
        /// Tags to set.
        tags: Tags,
    },
    /// UntagResource of EventBridge.
    UntagRule {
        /// ARN of the rule.
        arn: String,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// TagResource of ECS.
    TagRevision {
        /// Revision.
        revision: RevisionArn,
        /// Tags to set.
        tags: Tags,
    },
    /// UntagResource of ECS.
    UntagRevision {
        /// Revision.
        revision: RevisionArn,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// DeregisterTaskDefinition.
    DeregisterTaskDefinition {
        /// Revision.
        revision: RevisionArn,
    },
}

/// A schedule of EventBridge Scheduler as it is put: all of it, since an update resets what it is not given.
#[derive(Debug, Clone, PartialEq)]
pub struct PutSchedule {
    /// When it fires.
    pub timing: Timing,
    /// ENABLED or DISABLED.
    pub state: RuleState,
    /// Description, which says whose it is: schedules bear no tags.
    pub description: String,
    /// Its target; the task definition ARN is empty.
    pub target: Target,
}

impl Action {
    /// The AWS operation it calls.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::RegisterTaskDefinition { .. } => "RegisterTaskDefinition",
            Self::PutRule { .. } => "PutRule",
            Self::EnableRule { .. } => "EnableRule",
            Self::DisableRule { .. } => "DisableRule",
            Self::PutTargets { .. } => "PutTargets",
            Self::RemoveTargets { .. } => "RemoveTargets",
            Self::DeleteRule { .. } => "DeleteRule",
            Self::CreateScheduleGroup { .. } => "CreateScheduleGroup",
            Self::PutSchedule { create: true, .. } => "CreateSchedule",
            Self::PutSchedule { create: false, .. } => "UpdateSchedule",
            Self::DeleteSchedule { .. } => "DeleteSchedule",
            Self::TagRule { .. } | Self::TagRevision { .. } => "TagResource",
            Self::UntagRule { .. } | Self::UntagRevision { .. } => "UntagResource",
            Self::DeregisterTaskDefinition { .. } => "DeregisterTaskDefinition",
        }
    }

    /// What it acts on, for logs: a family, a rule name, an ARN.
    pub fn resource(&self) -> &str {
        match self {
            Self::RegisterTaskDefinition { family, .. } => family.as_str(),
            Self::PutRule { rule, .. }
            | Self::EnableRule { rule }
            | Self::DisableRule { rule }
            | Self::PutTargets { rule, .. }
            | Self::RemoveTargets { rule, .. }
            | Self::DeleteRule { rule }
            | Self::PutSchedule { rule, .. }
            | Self::DeleteSchedule { rule } => rule.as_str(),
            Self::CreateScheduleGroup { group, .. } => group.as_str(),
            Self::TagRule { arn, .. } | Self::UntagRule { arn, .. } => arn,
            Self::TagRevision { revision, .. }
            | Self::UntagRevision { revision, .. }
            | Self::DeregisterTaskDefinition { revision } => revision.as_str(),
        }
    }
}

/// Why a step is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Because {
    /// The resource does not exist.
    Missing,
    /// These fields differ.
    Differs(Vec<FieldChange>),
    /// A sentence, for reasons that are no difference of a field.
    Note(String),
}

/// One write, where, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it goes.
    pub place: Place,
    /// What it does.
    pub action: Action,
    /// Why.
    pub because: Because,
}

/// What kind of work a plan is, for people and for the order in which jobs are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing to do.
    None,
    /// Nothing in AWS starts the job yet.
    Create,
    /// Its live state differs from the manifest.
    Change,
    /// The job moves between names, Regions or accounts.
    Move,
    /// The job goes.
    Remove,
    /// Retired revisions are tidied away.
    CleanUp,
}

/// What to do for one job, and what is true of it once it is done.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Plan {
    /// The job.
    pub job: JobName,
    /// What kind of work it is.
    pub kind: Kind,
    /// Writes in order; each is safe to stop after.
    pub steps: Vec<Step>,
    /// What is true once every step has worked.
    pub verdict: Verdict,
    /// What the job's schedules pin once every step has worked; none for a job that is left alone or goes.
    pub pins: Option<RevisionRef>,
    /// Things to tell a person that change nothing: a stranger's revision in our family, a stranger's target.
    pub notes: Vec<String>,
}

impl Plan {
    /// A plan that writes nothing.
    pub fn leave(job: &JobName, verdict: Verdict) -> Self {
        Self { job: job.clone(), kind: Kind::None, steps: Vec::new(), verdict, pins: None, notes: Vec::new() }
    }
}
