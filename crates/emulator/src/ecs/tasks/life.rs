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
    /// Whether somebody ended it.
    pub by_user: bool,
    created_at: Timestamp,
    has_network: bool,
}

impl Life {
    pub(crate) fn of(task: &Task, settings: &Settings) -> Self {
        let starts = later(task.created_at, settings.task_starts_after);
        let ends = later(starts, settings.task_runs_for);
        let stop = task.stop.as_ref().map(|stop| stop.at);
        let (stopping_at, stopped_at) = match stop {
            Some(at) => (at, later(at, STOPPING_TAKES)),
            None => (ends, ends),
        };
        Self {
            started_at: stop.is_none_or(|at| at >= starts).then_some(starts),
            stopping_at,
            stopped_at,
            gone_at: later(stopped_at, settings.stopped_task_stays),
            by_user: stop.is_some(),
            created_at: task.created_at,
            has_network: task.blueprint.network_mode == "awsvpc",
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
            // The first half of the way goes to the network interface, where a task gets one of its own.
            Some(at)
                if self.has_network && now.duration_since(self.created_at) < at.duration_since(self.created_at) / 2 =>
            {
                Phase::Provisioning
            }
            Some(_) | None => Phase::Pending,
        }
    }
}

/// How long a task that nobody stops is shown, from its start to the end of its afterlife.
pub(crate) fn visible_for(settings: &Settings) -> SignedDuration {
    settings.task_starts_after.saturating_add(settings.task_runs_for).saturating_add(settings.stopped_task_stays)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
