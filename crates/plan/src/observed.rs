//! What is known of a job's live state, and what a decision may still ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{AccountId, Family, Region, RuleName, ScheduleGroup};
use ecs_etl_spec::shapes::events::Target;
use jiff::Timestamp;

use crate::normalise::Normal;
use crate::tags::Tags;

/// ARN of a task definition revision, `…:task-definition/<family>:<revision>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RevisionArn {
    arn: Arc<str>,
    colon: usize,
    family_at: usize,
    revision: u64,
}

impl RevisionArn {
    /// Parses an ARN; none for anything that does not pin a revision.
    pub fn parse(arn: &str) -> Option<Self> {
        let (head, revision) = arn.rsplit_once(':')?;
        let (_, family) = head.rsplit_once(":task-definition/")?;
        Family::new(family).ok()?;
        let colon = head.len();
        Some(Self { arn: arn.into(), colon, family_at: colon - family.len(), revision: revision.parse().ok()? })
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.arn
    }

    /// The family in it.
    pub fn family(&self) -> &str {
        self.arn.get(self.family_at..self.colon).unwrap_or_default()
    }

    /// The revision number.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}

impl fmt::Display for RevisionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

impl PartialOrd for RevisionArn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RevisionArn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.family(), self.revision, &self.arn).cmp(&(other.family(), other.revision, &other.arn))
    }
}

/// A thing that was read, was not asked for yet, or could not be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Fact<T> {
    /// Read; an absent resource is `Known(None)` where `T` is an option.
    Known(T),
    /// Nobody asked yet.
    #[default]
    NotRead,
    /// Asked and refused: why, in AWS's words. Nothing may be written on the strength of it.
    Unreadable(String),
}

impl<T> Fact<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotRead | Self::Unreadable(_) => None,
        }
    }
}

/// State of an EventBridge rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleState {
    /// It fires.
    Enabled,
    /// It does not.
    Disabled,
    /// A state this program never sets, such as `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    Other(String),
}

impl RuleState {
    /// AWS's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::Other(state) => state,
        }
    }

    /// Whether a rule in this state may fire. One that we do not know is taken to.
    pub fn may_fire(&self) -> bool {
        match self {
            Self::Enabled | Self::Other(_) => true,
            Self::Disabled => false,
        }
    }
}

/// When a live schedule of EventBridge Scheduler fires, beside its expression.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveTiming {
    /// Its time zone, verbatim.
    pub zone: String,
    /// When it begins.
    pub start: Option<Timestamp>,
    /// When it ends.
    pub end: Option<Timestamp>,
    /// Its flexible window in minutes; none if it is off.
    pub window_minutes: Option<i32>,
    /// `NONE`, or what Scheduler does to a schedule that is over.
    pub after_completion: Option<String>,
    /// ARN of a key of the customer's that encrypts it.
    pub kms_key_arn: Option<String>,
}

/// A live rule, as ListRules and DescribeRule both answer it; or a live schedule of EventBridge Scheduler.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveRule {
    /// Its name.
    pub name: RuleName,
    /// Its ARN.
    pub arn: String,
    /// Its schedule, verbatim.
    pub expression: Option<String>,
    /// Its event pattern, verbatim.
    pub event_pattern: Option<String>,
    /// What a schedule of EventBridge Scheduler says besides; none for a rule.
    pub timing: Option<Box<LiveTiming>>,
    /// Whether it fires.
    pub state: RuleState,
    /// Its description.
    pub description: Option<String>,
    /// Role of the rule itself (not of its targets).
    pub role_arn: Option<String>,
    /// The AWS service that manages it, if one does.
    pub managed_by: Option<String>,
}

impl LiveRule {
    /// Whether it lies in this Region of this account, whatever role it was seen with.
    pub fn is_in(&self, region: &Region, account: &AccountId) -> bool {
        self.arn.contains(&format!(":{region}:{account}:"))
    }
}

/// A live revision. Its content never changes; its tags and status may.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveRevision {
    /// Its ARN.
    pub arn: RevisionArn,
    /// Its content, normalised.
    pub normal: Normal,
    /// Its tags.
    pub tags: Tags,
}

/// All that is known of one job's resources in one place. Facts are filled in as decisions ask for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// ACTIVE revisions of each family that matters to the job, newest first.
    pub active: BTreeMap<Family, Fact<Vec<RevisionArn>>>,
    /// Revisions looked at, by ARN; `Known(None)` is one that AWS does not know.
    pub revisions: BTreeMap<RevisionArn, Fact<Option<LiveRevision>>>,
    /// Rules that bear one of the job's names, wanted or not.
    pub rules: BTreeMap<RuleName, Fact<Option<LiveRule>>>,
    /// Targets of those rules.
    pub targets: BTreeMap<RuleName, Fact<Vec<Target>>>,
    /// Tags of those rules. Schedules bear none.
    pub rule_tags: BTreeMap<RuleName, Fact<Tags>>,
    /// Tags of the controller's group of schedules; `Known(None)` if there is no such group.
    pub group: Fact<Option<Tags>>,
    /// The job's resources in places it no longer lives in, found by the sweeps of those places.
    pub elsewhere: Vec<(Place, Observed)>,
}

/// One question to AWS that a decision needs answered: each is one call (a page each for lists).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// ListTaskDefinitions of one family, ACTIVE, newest first.
    Active(Family),
    /// DescribeTaskDefinition with tags.
    Revision(RevisionArn),
    /// DescribeRule; or GetSchedule, which tells the target too.
    Rule(RuleName),
    /// ListTargetsByRule; or GetSchedule.
    Targets(RuleName),
    /// ListTagsForResource of a rule, by its ARN.
    RuleTags(RuleName, String),
    /// ListTagsForResource of a group of schedules.
    Group(ScheduleGroup),
}

/// A question and where to ask it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// None for the place the job lives in; otherwise one it no longer lives in.
    pub elsewhere: Option<Place>,
    /// What to ask.
    pub look: Look,
}

/// Questions, without repeats, in a fixed order.
pub type Questions = BTreeSet<Question>;
