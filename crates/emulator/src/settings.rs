//! How the embedded AWS behaves where AWS leaves room, or where a test wants to see the worst of it.

use jiff::SignedDuration;

/// Settings of an [`crate::Emulator`]; the default is an unthrottled AWS in a good mood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Answer `ThrottlingException` when AWS's token buckets are empty (docs/aws.md, Throttles and quotas).
    pub throttle: bool,
    /// Rules per event bus, as a raised quota; without it AWS's usual one (docs/aws.md, Throttles and quotas).
    pub rules_per_bus: Option<usize>,
    /// How long the tagging index is behind; AWS: minutes to hours (docs/aws.md, Consistency).
    pub tagging_lag: SignedDuration,
    /// How much longer a deleted resource haunts the tagging index; AWS: hours to days.
    pub tagging_ghosts: SignedDuration,
    /// How long a revision stays DELETE_IN_PROGRESS when nothing uses it.
    pub deletion_takes: SignedDuration,
    /// How long a deleted cluster can still be described, as INACTIVE.
    pub inactive_cluster_stays: SignedDuration,
    /// How long lists over many resources do not show a change; AWS promises nothing.
    pub list_lag: SignedDuration,
    /// How long a registration occupies its family: another one meanwhile is refused as concurrent.
    pub registration_takes: SignedDuration,
    /// How long targets that were removed still keep their rule from being deleted.
    pub removed_targets_linger: SignedDuration,
    /// How long a task takes from its start to RUNNING.
    pub task_starts_after: SignedDuration,
    /// How long it runs before its containers exit with 0.
    pub task_runs_for: SignedDuration,
    /// How long a stopped task can still be described; AWS: "at least one hour" (docs/aws.md, Tasks).
    pub stopped_task_stays: SignedDuration,
    /// How long a deregistered revision still starts tasks; AWS: up to ten minutes (docs/aws.md, Revision lifecycle).
    pub deregistration_takes: SignedDuration,
    /// How long rules fire as they did before a change; AWS: "a short period of time" (docs/aws.md, Consistency).
    ///
    /// What is read of a rule shows a change at once.
    pub changes_take: SignedDuration,
    /// The most that a tick comes after its time, less than a minute (docs/aws.md, Rules and schedules).
    pub fires_within: SignedDuration,
    /// Give containers back in another order than they came, which AWS is free to do.
    pub reorder_containers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            throttle: false,
            rules_per_bus: None,
            tagging_lag: SignedDuration::ZERO,
            tagging_ghosts: SignedDuration::ZERO,
            deletion_takes: SignedDuration::from_hours(1),
            inactive_cluster_stays: SignedDuration::from_hours(1),
            list_lag: SignedDuration::ZERO,
            registration_takes: SignedDuration::ZERO,
            removed_targets_linger: SignedDuration::ZERO,
            task_starts_after: SignedDuration::from_secs(5),
            task_runs_for: SignedDuration::from_mins(1),
            stopped_task_stays: SignedDuration::from_hours(1),
            deregistration_takes: SignedDuration::from_mins(10),
            changes_take: SignedDuration::ZERO,
            fires_within: SignedDuration::from_secs(59),
            reorder_containers: false,
        }
    }
}
