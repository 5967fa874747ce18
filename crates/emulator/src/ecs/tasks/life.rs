//! The life of a task, which follows from when it was started and from how long things take (docs/aws.md, Tasks).

use jiff::{SignedDuration, Timestamp};

use crate::settings::Settings;
use crate::state::Task;

/// How long a task that is told to stop takes to do so.
const STOPPING_TAKES: SignedDuration = SignedDuration::from_secs(5);

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its network is being made.
    Provisioning,
    /// Its containers are about to start.
    Pending,
    /// Its containers run.
    Running,
    /// They were told to stop.
    Stopping,
    /// They have ended.
    Stopped,
}

impl Phase {
    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// The moments of a task's life, those to come among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// When its containers start; `None` for one that was stopped before.
    pub started_at: Option<Timestamp>,
    /// When it begins to end.
    pub stopping_at: Timestamp,
    /// When it has ended.
    pub stopped_at: Timestamp,
    /// From when on it is no longer shown.
    pub gone_at: Timestamp,
    created_at: Timestamp,
    /// When its network is there; the first half of the way to its start goes to that, where it gets one of its own.
    pending_at: Timestamp,
}

impl Life {
    pub(crate) fn of(task: &Task, settings: &Settings) -> Self {
        let created_at = task.created_at;
        let starts = later(created_at, settings.task_starts_after);
        let script = task.script.as_deref();
        let never_starts = script.is_some_and(|script| script.fails_to_start.is_some());
        let runs_for = script.map_or(settings.task_runs_for, |script| script.runs_for(settings.task_runs_for));
        let ends = if never_starts { starts } else { later(starts, runs_for) };
        let stop = task.stop.as_ref().map(|stop| stop.at);
        let (stopping_at, stopped_at) = match stop {
            Some(at) => (at, later(at, STOPPING_TAKES)),
            None => (ends, ends),
        };
        let has_network = task.blueprint.network_mode == "awsvpc";
        Self {
            started_at: (!never_starts && stop.is_none_or(|at| at >= starts)).then_some(starts),
            stopping_at,
            stopped_at,
            // Not before the event bus has heard of its end.
            gone_at: later(stopped_at, settings.stopped_task_stays.max(super::told::TAKES)),
            created_at,
            pending_at: if has_network { later(created_at, settings.task_starts_after / 2) } else { created_at },
        }
    }

    /// Where the task is at `now`.
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        if now >= self.stopped_at {
            return Phase::Stopped;
        }
        if now >= self.stopping_at {
            return Phase::Stopping;
        }
        match self.started_at {
            Some(at) if now >= at => Phase::Running,
            Some(_) | None if now < self.pending_at => Phase::Provisioning,
            Some(_) | None => Phase::Pending,
        }
    }

    /// The phases that the task goes through, and when each begins.
    pub(crate) fn changes(&self) -> Vec<(Timestamp, Phase)> {
        let moments = [
            Some(self.created_at),
            Some(self.pending_at),
            self.started_at,
            Some(self.stopping_at),
            Some(self.stopped_at),
        ];
        let mut changes: Vec<(Timestamp, Phase)> = Vec::with_capacity(moments.len());
        for at in moments.into_iter().flatten() {
            let phase = self.phase(at);
            if changes.last().is_none_or(|(_, before)| *before != phase) {
                changes.push((at, phase));
            }
        }
        changes
    }
}

/// How long a task that nobody stops is shown, from its start to the end of its afterlife.
pub(crate) fn visible_for(settings: &Settings) -> SignedDuration {
    settings.task_starts_after.saturating_add(settings.task_runs_for).saturating_add(settings.stopped_task_stays)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
