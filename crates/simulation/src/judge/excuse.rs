//! What a job may wait for without any other being in its way: what is its own, and a place that has not answered yet.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::status::ControllerStatus;
use jiff::SignedDuration;

use super::Rules;
use super::book::Books;

/// Places whose lists a process has not read since it was started, by the words of its status. Before they are read nobody knows
/// what is there, so nothing is written for any job; a list that fails later is no reason for an edit to wait.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Those that do not answer.
    silent: BTreeSet<String>,
    /// Those of which a job was seen live.
    read: BTreeSet<String>,
    /// When those that had been read were named no more.
    lost: BTreeMap<String, i64>,
}

impl Places {
    /// Whether jobs of a place wait for its lists.
    pub fn is_unread(&self, place: &str) -> bool {
        self.silent.contains(place) && !self.read.contains(place)
    }

    /// Forgets those that are not named any more.
    pub fn keep(&mut self, millis: i64, is_named: impl Fn(&str) -> bool) {
        self.silent.retain(|place| is_named(place));
        self.lost.extend(self.read.extract_if(.., |place| !is_named(place)).map(|place| (place, millis)));
    }

    /// Takes the status of the controller. Those that its jobs waited for until now.
    pub fn told(&mut self, status: &ControllerStatus, books: &Books, rules: &Rules) -> BTreeSet<String> {
        let before: BTreeSet<String> = self.silent.iter().filter(|place| self.is_unread(place)).cloned().collect();
        self.silent = status.status.problems.iter().filter_map(|problem| place_of(&problem.about)).collect();
        let Some(shelf) = books.shelves.first() else { return before };
        for (job, seen) in &status.status.jobs {
            let Some(page) = shelf.pages.get(job) else { continue };
            let Some(wanted) = &page.wanted else { continue };
            // Before it moved, it was seen in another place; and what no cluster names for a while is forgotten.
            let lost = self.lost.get(&wanted.place).copied().unwrap_or_default();
            let since = rules.at(page.since.max(shelf.vanished).max(lost));
            if since.saturating_add(SignedDuration::from_millis(rules.skew)).is_ok_and(|since| *seen > since) {
                self.read.insert(wanted.place.clone());
            }
        }
        before
    }
}

/// The place that a problem of the controller is about: `place/REGION`, and the role that leads to another's account.
fn place_of(about: &str) -> Option<String> {
    let place = about.strip_prefix("place/")?;
    let (region, role) = place.split_once('/').map_or((place, None), |(region, role)| (region, Some(role)));
    Some(crate::sketch::place(region, role))
}

/// Whether a status says that AWS did not answer, or not yet.
pub(super) fn tells_of_aws(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AwsUnavailable
            | Reason::AccessDenied
            | Reason::Throttled
            | Reason::WaitingForCallBudget
            | Reason::QuotaExceeded
            | Reason::RejectedByAws
    )
}

/// Whether a job waits for what is its own: a tick to keep away from, a person's word, what others own.
pub(super) fn is_excuse(reason: Reason) -> bool {
    match reason {
        Reason::WaitingForTick
        | Reason::ChangesHeld
        | Reason::ReconcileDisabled
        | Reason::NotOwned
        | Reason::AdoptionRefused
        | Reason::DriftFight
        | Reason::LocationLost => true,
        Reason::Converged
        | Reason::Suspended
        | Reason::Progressing
        | Reason::WaitingForCallBudget
        | Reason::Standby
        | Reason::Throttled
        | Reason::AwsUnavailable
        | Reason::AccessDenied
        | Reason::QuotaExceeded
        | Reason::DependencyNotReady
        | Reason::RejectedByAws
        | Reason::InvalidSpec
        | Reason::DuplicateName
        | Reason::ClusterNotFound
        | Reason::OwnershipUnknown
        | Reason::DiffNotConverging
        | Reason::UnknownSpecVersion
        | Reason::PlanRefused
        | Reason::PendingDeletion
        | Reason::PruningBlocked
        | Reason::DeletionHeld
        | Reason::Retained
        | Reason::OtherSource
        | Reason::ShardUnknown
        | Reason::Removing
        | Reason::Removed
        | Reason::HeartbeatStale => false,
    }
}
