//! Wrong controllers, each made by bending data where it passes: what is sent and what arrives on the wire, and what the
//! controller's own seams let through. A simulation that lets one of them live is worth nothing.

mod inside;
mod wire;

use std::sync::Arc;

use ecs_etl_controller::seams::{AsItIs, Seams};

use crate::story::Story;
use inside::Bent;

pub use wire::Memory;

/// A wrong controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// Takes the old target away before it makes the new revision.
    BreakBeforeMake,
    /// Takes what it cannot read for what is not there.
    UnreadableIsEmpty,
    /// Takes a 200 for success, whatever became of its entries.
    IgnoreFailedEntries,
    /// Puts rules without their state.
    ForgetState,
    /// Registers revisions without the digest of their spec.
    DropDigest,
    /// Deregisters what is replaced as soon as it sees it.
    DeregisterAtOnce,
    /// Tries again at once, whatever failed.
    RetryWithoutBackoff,
    /// Believes lists that are an hour behind.
    BelieveTheIndex,
    /// Calls a job ready when it begins to write.
    ReadyBeforeTheEffect,
    /// Counts failures for ever.
    NeverResetBackoff,
    /// Counts deletions by the pass, not by the hour.
    CapPerPass,
    /// Removes a job as soon as its manifest is gone.
    NoGrace,
    /// Takes every rule of the right name for its own.
    NameIsProof,
    /// Puts its target under a new Id whenever it changes.
    NewTargetId,
    /// Registers a new revision and leaves the schedule at the old one.
    NeverRepin,
    /// Takes other people's targets away with its own.
    RemoveTheirs,
    /// Writes in a status what it was about to write.
    TellEverything,
    /// Does not heed the tag that says to leave a job alone.
    IgnorePause,
    /// Puts targets without their retry policy.
    DropRetryPolicy,
    /// Puts schedules without their time zone.
    ForgetZone,
    /// Puts schedules without their state.
    ForgetScheduleState,
    /// Gives a job other schedules, in rules or in EventBridge Scheduler, and leaves what was there before.
    LeaveTheOld,
    /// Starts a job after whatever end of another's run.
    AnyEnd,
    /// Tells nobody apart: what starts after one job starts after each of its cluster.
    AnyRun,
    /// Takes over what exists without putting its mark on it first.
    TakeUnmarked,
    /// Writes nothing for any job as long as another one fails.
    WaitForTheFailing,
    /// Keeps what it knew of jobs that nobody wants any more.
    RememberTheGone,
    /// Tidies nothing away.
    NeverCleanUp,
    /// Marks what is replaced, and never deregisters it.
    NeverDeregister,
    /// Keeps one revision less than it is told to.
    KeepOneLess,
    /// Leaves the mark of what was retired on what it pins again.
    NeverUnmark,
    /// Marks once more what it has marked as retired before.
    MarkAgain,
    /// Marks what is retired in a way that AWS refuses, and says nothing of it.
    RefusedInSilence,
    /// Writes to its log what it is about to write to AWS.
    TellTheLog,
    /// Makes its calls whenever it likes.
    IgnoreBudget,
    /// Never says that somebody undoes its repairs.
    NameNoFight,
    /// Labels what it looks after with what only this process knows.
    StampTheProcess,
    /// Writes a label again whenever it reads the tags of a rule.
    LabelAgain,
    /// Forgets what went five minutes before the hour is over.
    ShortHour,
    /// Writes rates anew with each resync, so that AWS begins to count again.
    RestartRates,
    /// Starts runs in no group of their own.
    ForgetGroup,
    /// Writes no labels.
    ForgetLabels,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 42] = [
        Self::BreakBeforeMake,
        Self::UnreadableIsEmpty,
        Self::IgnoreFailedEntries,
        Self::ForgetState,
        Self::DropDigest,
        Self::DeregisterAtOnce,
        Self::RetryWithoutBackoff,
        Self::BelieveTheIndex,
        Self::ReadyBeforeTheEffect,
        Self::NeverResetBackoff,
        Self::CapPerPass,
        Self::NoGrace,
        Self::NameIsProof,
        Self::NewTargetId,
        Self::NeverRepin,
        Self::RemoveTheirs,
        Self::TellEverything,
        Self::IgnorePause,
        Self::DropRetryPolicy,
        Self::ForgetZone,
        Self::ForgetScheduleState,
        Self::LeaveTheOld,
        Self::AnyEnd,
        Self::AnyRun,
        Self::TakeUnmarked,
        Self::WaitForTheFailing,
        Self::RememberTheGone,
        Self::NeverCleanUp,
        Self::NeverDeregister,
        Self::KeepOneLess,
        Self::NeverUnmark,
        Self::MarkAgain,
        Self::RefusedInSilence,
        Self::TellTheLog,
        Self::IgnoreBudget,
        Self::NameNoFight,
        Self::StampTheProcess,
        Self::LabelAgain,
        Self::ShortHour,
        Self::RestartRates,
        Self::ForgetGroup,
        Self::ForgetLabels,
    ];

    /// Whether a story is one in which it can be noticed: what is replaced stays for a day, and most stories are over by then.
    pub fn may_show_in(self, story: &Story) -> bool {
        self != Self::NeverDeregister || story.end > 24 * 3_600_000
    }

    /// The oracles that may notice it: any other would do so by accident.
    pub fn nemeses(self) -> &'static [&'static str] {
        match self {
            Self::BreakBeforeMake => &["ticks"],
            Self::UnreadableIsEmpty | Self::DeregisterAtOnce | Self::CapPerPass | Self::NoGrace => &["deletion"],
            Self::IgnoreFailedEntries => &["status", "named", "ticks"],
            Self::ForgetState => &["status", "convergence"],
            Self::DropDigest => &["churn"],
            Self::RetryWithoutBackoff | Self::NeverResetBackoff => &["attempts"],
            Self::BelieveTheIndex => &["churn", "convergence", "silence", "status"],
            Self::ReadyBeforeTheEffect => &["status", "named"],
            Self::NameIsProof | Self::RemoveTheirs | Self::IgnorePause => &["collateral"],
            Self::NewTargetId => &["ticks", "status", "convergence"],
            Self::NeverRepin => &["convergence", "ticks", "silence"],
            Self::TellEverything => &["status"],
            Self::DropRetryPolicy => &["convergence", "status"],
            Self::ForgetZone => &["ticks", "status", "convergence"],
            Self::ForgetScheduleState => &["status", "convergence"],
            Self::LeaveTheOld => &["ticks", "status", "convergence"],
            Self::AnyEnd | Self::AnyRun => &["chains"],
            Self::TakeUnmarked => &["collateral"],
            Self::WaitForTheFailing => &["isolation"],
            Self::RememberTheGone => &["memory"],
            Self::NeverCleanUp | Self::NeverDeregister | Self::KeepOneLess | Self::NeverUnmark => &["clean-up"],
            Self::ShortHour => &["deletion"],
            Self::MarkAgain => &["twin", "silence"],
            Self::RefusedInSilence | Self::LabelAgain => &["silence"],
            Self::TellTheLog => &["discreet"],
            Self::IgnoreBudget => &["polite"],
            Self::NameNoFight => &["rivals"],
            Self::StampTheProcess => &["twin"],
            Self::RestartRates => &["ticks"],
            Self::ForgetGroup | Self::ForgetLabels => &["status", "convergence"],
        }
    }

    /// Whether it keeps its calls within the budget that it was given.
    pub fn keeps_budget(self) -> bool {
        self != Self::IgnoreBudget
    }

    /// Whether its status tells of problems that belong to no job.
    pub fn tells_problems(self) -> bool {
        self != Self::RefusedInSilence
    }

    /// What it bends inside, in a life that `life` tells from others.
    pub fn seams(self, life: u64) -> Arc<dyn Seams> {
        match self {
            Self::IgnoreFailedEntries
            | Self::ForgetState
            | Self::DropDigest
            | Self::BelieveTheIndex
            | Self::NameIsProof
            | Self::RemoveTheirs
            | Self::IgnorePause
            | Self::DropRetryPolicy
            | Self::ForgetZone
            | Self::ForgetScheduleState
            | Self::AnyEnd
            | Self::AnyRun
            | Self::MarkAgain
            | Self::RefusedInSilence
            | Self::IgnoreBudget
            | Self::LabelAgain
            | Self::ForgetGroup
            | Self::ForgetLabels => Arc::new(AsItIs),
            Self::BreakBeforeMake
            | Self::UnreadableIsEmpty
            | Self::DeregisterAtOnce
            | Self::RetryWithoutBackoff
            | Self::ReadyBeforeTheEffect
            | Self::NeverResetBackoff
            | Self::CapPerPass
            | Self::NoGrace
            | Self::NewTargetId
            | Self::NeverRepin
            | Self::TellEverything
            | Self::LeaveTheOld
            | Self::TakeUnmarked
            | Self::WaitForTheFailing
            | Self::RememberTheGone
            | Self::NeverCleanUp
            | Self::NeverDeregister
            | Self::KeepOneLess
            | Self::NeverUnmark
            | Self::ShortHour
            | Self::TellTheLog
            | Self::NameNoFight
            | Self::StampTheProcess
            | Self::RestartRates => Arc::new(Bent::new(self, life)),
        }
    }
}
