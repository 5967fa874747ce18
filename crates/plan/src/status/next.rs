//! From one status of a job to the next.

use ecs_etl_spec::job::Origin;
use ecs_etl_spec::name::{Digest, JobName};
use jiff::{Timestamp, Unit};

use super::{
    ApiVersion, Condition, ConditionType, EventStatus, JobKind, JobMetadata, JobState, JobStatus, LastChange, Retry,
    ScheduleStatus, TaskDefinitionStatus,
};
use crate::condition::{Reason, Status, Verdict};
use crate::failure::NextTry;
use crate::observed::RevisionArn;

/// What was seen live in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The revision that the job's schedules start.
    pub task_definition: Option<RevisionArn>,
    /// The job's schedules, sorted by name.
    pub schedules: Vec<ScheduleStatus>,
    /// Its rules that wait for events, sorted by name.
    pub events: Vec<EventStatus>,
}

/// What a reconcile learned of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusInput<'a> {
    /// The job.
    pub job: &'a JobName,
    /// Where its manifest is; none if it is gone.
    pub origin: Option<&'a Origin>,
    /// Digest of the spec that was compared; none if there is no valid one.
    pub observed_spec: Option<&'a Digest>,
    /// What was concluded.
    pub verdict: &'a Verdict,
    /// What was seen, with this reconcile's writes in it; none if AWS was not or could not be read this time.
    pub live: Option<Live>,
    /// Operations that this reconcile carried out, in order.
    pub actions: &'a [&'static str],
    /// The failure and its next try.
    pub retry: Option<(&'a NextTry, &'a str)>,
    /// What to tell a person although it changes nothing.
    pub notes: &'a [String],
}

/// The status that follows from `previous` and what was learned.
///
/// What this reconcile has nothing to say about stays as it was. Equal input without writes gives an equal status, whatever
/// the time: a transition time moves only when the condition's status becomes another one.
pub fn next_status(previous: Option<&JobStatus>, input: &StatusInput<'_>, now: Timestamp) -> JobStatus {
    let now = whole_seconds(now);
    let before = previous.map(|previous| &previous.status);
    let kept_source = || previous.and_then(|previous| previous.metadata.source.clone());
    let kept_spec = || before.and_then(|before| before.observed_spec.clone());
    let (task_definition, schedules, events) = match &input.live {
        Some(live) => {
            let arn = live.task_definition.as_ref().map(|arn| arn.as_str().to_owned());
            (arn.map(|arn| TaskDefinitionStatus { arn }), live.schedules.clone(), live.events.clone())
        }
        None => {
            let kept =
                |before: &JobState| (before.task_definition.clone(), before.schedules.clone(), before.events.clone());
            before.map(kept).unwrap_or_default()
        }
    };
    let last_change = if input.actions.is_empty() {
        before.and_then(|before| before.last_change.clone())
    } else {
        let actions = input.actions.iter().map(|action| (*action).to_owned()).collect();
        Some(LastChange { time: now, actions })
    };
    let retry = input.retry.map(|(next, message)| Retry {
        next_at: whole_seconds(next.at),
        attempts: next.attempts,
        message: message.to_owned(),
    });
    JobStatus {
        api_version: ApiVersion::V1,
        kind: JobKind::EtlJobStatus,
        metadata: JobMetadata {
            name: input.job.as_str().to_owned(),
            source: input.origin.map(|origin| format!("{}:{}", origin.file, origin.line)).or_else(kept_source),
        },
        status: JobState {
            observed_spec: input.observed_spec.map(|digest| digest.as_str().to_owned()).or_else(kept_spec),
            conditions: conditions(previous, input.verdict, input.live.is_some() || still_waits(previous, input), now),
            task_definition,
            schedules,
            events,
            last_change,
            retry,
            notes: input.notes.to_vec(),
        },
    }
}

/// Whether a job goes on waiting for its turn in the call budget, for the same spec, after a look that showed what it waits for.
/// It is not looked at again before its turn, and what was seen stays true.
fn still_waits(previous: Option<&JobStatus>, input: &StatusInput<'_>) -> bool {
    let waits = matches!(input.verdict, Verdict::Waiting(Reason::WaitingForCallBudget, ..));
    waits
        && previous.is_some_and(|previous| {
            let ready = previous.condition(ConditionType::Ready);
            let spec = input.observed_spec.map(Digest::as_str);
            previous.status.observed_spec.as_deref() == spec
                && ready
                    .is_some_and(|ready| ready.reason == Reason::WaitingForCallBudget && ready.status == Status::False)
        })
}

/// `Ready`, and beside it whichever of the other two holds.
fn conditions(previous: Option<&JobStatus>, verdict: &Verdict, seen: bool, now: Timestamp) -> Vec<Condition> {
    let (ready, beside, reason, message) = match verdict {
        Verdict::Ready(reason, message) if seen => (Status::True, None, reason, message),
        // Nothing is called ready that was not seen.
        Verdict::Ready(reason, message) => (Status::Unknown, None, reason, message),
        Verdict::Waiting(reason, message, _) => {
            // Until AWS can be read, the job may well be as it should.
            let ready = if seen || !hides_aws(*reason) { Status::False } else { Status::Unknown };
            (ready, Some(ConditionType::Reconciling), reason, message)
        }
        Verdict::Stalled(reason, message) => (Status::False, Some(ConditionType::Stalled), reason, message),
        Verdict::Paused(reason, message) => (Status::Unknown, None, reason, message),
    };
    let condition = |kind, status| Condition {
        kind,
        status,
        reason: *reason,
        message: message.clone(),
        last_transition_time: previous
            .and_then(|previous| previous.condition(kind))
            .filter(|before| before.status == status)
            .map_or(now, |before| before.last_transition_time),
    };
    let ready = condition(ConditionType::Ready, ready);
    match beside {
        Some(beside) => vec![ready, condition(beside, Status::True)],
        // One is kept of each job: a list that grows would have room for four.
        None => vec![ready],
    }
}

/// Whether the reason is that AWS did not say how things are, rather than how they are.
fn hides_aws(reason: Reason) -> bool {
    match reason {
        Reason::WaitingForCallBudget
        | Reason::Throttled
        | Reason::AwsUnavailable
        | Reason::AccessDenied
        | Reason::DependencyNotReady
        | Reason::OwnershipUnknown
        | Reason::HeartbeatStale => true,
        Reason::Converged
        | Reason::Suspended
        | Reason::ReconcileDisabled
        | Reason::Progressing
        | Reason::Standby
        | Reason::WaitingForTick
        | Reason::ChangesHeld
        | Reason::QuotaExceeded
        | Reason::RejectedByAws
        | Reason::InvalidSpec
        | Reason::DuplicateName
        | Reason::ClusterNotFound
        | Reason::NotOwned
        | Reason::AdoptionRefused
        | Reason::DiffNotConverging
        | Reason::UnknownSpecVersion
        | Reason::DriftFight
        | Reason::PlanRefused
        | Reason::PendingDeletion
        | Reason::PruningBlocked
        | Reason::DeletionHeld
        | Reason::Retained
        | Reason::OtherSource
        | Reason::ShardUnknown
        | Reason::Removing
        | Reason::Removed
        | Reason::LocationLost => false,
    }
}

/// People read these times, and no decision hangs on less than a second.
fn whole_seconds(time: Timestamp) -> Timestamp {
    time.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor)).unwrap_or(time)
}
