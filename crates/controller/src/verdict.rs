//! What an interruption means, in the words of a condition.

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::failure::{Failure, RetryClass};
use ecs_etl_spec::directory::BlockedReason;

use crate::context::Interrupted;

/// The verdict on a job whose reconcile stopped early.
pub fn of_interruption(stopped: &Interrupted) -> Verdict {
    match stopped {
        Interrupted::Failed(failure) => of_failure(failure),
        Interrupted::Budget { .. } => Verdict::Waiting(Reason::WaitingForCallBudget, stopped.to_string(), None),
        Interrupted::Counting => Verdict::Waiting(Reason::Progressing, stopped.to_string(), None),
        Interrupted::Standby => Verdict::Waiting(Reason::Standby, stopped.to_string(), None),
        Interrupted::Held(_) => Verdict::Stalled(Reason::ChangesHeld, stopped.to_string()),
        Interrupted::Refused(_) | Interrupted::Undecided => Verdict::Stalled(
            Reason::PlanRefused,
            format!("{stopped}; nothing was written; this is a defect of ecs-etl, please report it"),
        ),
        Interrupted::Doubtful(_) => Verdict::Stalled(Reason::OwnershipUnknown, stopped.to_string()),
        Interrupted::Panicked => Verdict::Stalled(
            Reason::PlanRefused,
            format!("{stopped}; it is tried again; this is a defect of ecs-etl, please report it"),
        ),
        Interrupted::Unbound(_) => Verdict::Stalled(Reason::InvalidSpec, stopped.to_string()),
    }
}

/// A failure that passes by itself is waited for; one that needs a person stalls the job, even if it is tried again.
fn of_failure(failure: &Failure) -> Verdict {
    let said = failure.to_string();
    let message = format!("{}; {}", said.trim_end_matches('.'), failure.advice());
    match (failure.class, failure.reason()) {
        (RetryClass::Terminal | RetryClass::NotFound, reason)
        | (RetryClass::Slow, reason @ (Reason::AccessDenied | Reason::QuotaExceeded)) => {
            Verdict::Stalled(reason, message)
        }
        (RetryClass::Throttled | RetryClass::Soon | RetryClass::Slow, reason) => {
            Verdict::Waiting(reason, message, None)
        }
    }
}

/// The condition's reason for a manifest that cannot be used.
pub fn of_blocked(reason: BlockedReason) -> Reason {
    match reason {
        BlockedReason::InvalidSpec => Reason::InvalidSpec,
        BlockedReason::DuplicateName => Reason::DuplicateName,
        BlockedReason::ClusterNotFound => Reason::ClusterNotFound,
    }
}

/// The reason and message of a verdict.
pub fn words(verdict: &Verdict) -> (Reason, &str) {
    match verdict {
        Verdict::Ready(reason, message)
        | Verdict::Waiting(reason, message, _)
        | Verdict::Stalled(reason, message)
        | Verdict::Paused(reason, message) => (*reason, message),
    }
}
