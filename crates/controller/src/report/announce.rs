//! Says in the log what has become of a job.

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::status::JobStatus;
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;

use crate::verdict;

/// Logs a change of state: INFO when it is good, WARN when it will be tried again, ERROR when a person is needed.
pub(super) fn announce(
    job: &JobName,
    before: Option<&JobStatus>,
    after: &JobStatus,
    verdict: &Verdict,
    now: Timestamp,
) {
    let words = |status: &JobStatus| {
        status.status.conditions.first().map(|ready| (ready.status, ready.reason, ready.message.clone()))
    };
    if before.and_then(words) == words(after) {
        return;
    }
    let waits = |status: &JobStatus| words(status).is_some_and(|(_, reason, _)| reason == Reason::WaitingForCallBudget);
    if before.is_some_and(waits) && waits(after) {
        // Only its time has changed, which the status tells.
        return;
    }
    let (reason, message) = verdict::words(verdict);
    let retry = after.status.retry.as_ref();
    let attempt = retry.map(|retry| retry.attempts);
    let delay_ms = retry.and_then(|retry| u64::try_from(retry.next_at.duration_since(now).as_millis()).ok());
    match verdict {
        Verdict::Ready(..) | Verdict::Paused(..) => tracing::info!(%job, ?reason, detail = message, "job state"),
        Verdict::Waiting(
            Reason::Progressing
            | Reason::Standby
            | Reason::WaitingForTick
            | Reason::WaitingForCallBudget
            | Reason::PendingDeletion
            | Reason::Removing,
            ..,
        ) => {
            tracing::info!(%job, ?reason, detail = message, "job state");
        }
        Verdict::Waiting(..) => tracing::warn!(%job, ?reason, detail = message, attempt, delay_ms, "job state"),
        Verdict::Stalled(..) => tracing::error!(%job, ?reason, detail = message, attempt, delay_ms, "job state"),
    }
}
