//! The engine: keys in, outcomes out. It decides *when* to look at a key, never *what* to do about it.
//!
//! One key has one worker. What a worker could not finish comes back as an outcome, and the queue waits; so a job that
//! fails, and a place that does not answer, delay nobody else.

mod again;
mod intake;
mod leaving;
mod lost;
mod outcome;
mod place;
mod remembered;
mod start;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::lease::Standing;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Digest, JobName};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::context::{Context, Interrupted};
use crate::fight::Fights;
use crate::manifests::Manifests;
use crate::once::Progress;
use crate::orphans;
use crate::pace::Pace;
use crate::pruning::Pruning;
use crate::queue::{Jitter, Urgency, Work, WorkQueue};
use crate::reconcile::Outcome;
use crate::report::Reporter;
use crate::slots::Slots;
use crate::tidy;
use crate::world::Sweep;
use lost::Beside;

/// What the queue holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Read a place's lists.
    Sweep(Place),
    /// Converge a job.
    Job(JobName),
    /// Look after what a job left behind in a place.
    Orphan(Place, JobName),
    /// Tidy away what a job's changes have replaced.
    Tidy(JobName),
}

/// Whether the engine goes on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It resyncs, and retries for ever.
    Daemon,
    /// It comes to an end: each key is tried a few times, and nothing is scheduled anew.
    OnePass,
}

/// What a worker brings back.
#[derive(Debug)]
enum Found {
    Sweep(Result<Sweep, Interrupted>),
    Job(Box<Result<Outcome, Interrupted>>, Option<Result<tidy::Outcome, Interrupted>>),
    Orphan(Box<Result<orphans::Outcome, Interrupted>>),
    Tidy(Result<tidy::Outcome, Interrupted>),
}

/// A key at work.
#[derive(Debug)]
struct Running {
    work: Work<Key>,
    /// Which of our identities it works for.
    identity: u64,
}

/// Keys, workers, and what is known of each.
#[derive(Debug)]
pub struct Engine {
    pub(crate) cx: Arc<Context>,
    pub(crate) manifests: Arc<Manifests>,
    /// What is reported.
    pub reporter: Reporter,
    pruning: Pruning,
    queue: WorkQueue<Key>,
    slots: Slots<Key>,
    mode: Mode,
    pace: Pace<Key>,
    fights: Fights,
    workers: JoinSet<Found>,
    running: HashMap<tokio::task::Id, Running>,
    /// Counts who we were: what a worker finds for an earlier identity is of no use to this one.
    identity: u64,
    /// Spec that each job was last handled for.
    handled: BTreeMap<JobName, Digest>,
    /// Jobs that were looked at since the start, whatever came of it.
    seen: BTreeSet<JobName>,
    /// The jobs of each place, as the directory said last when it said who we are.
    homes: BTreeMap<Place, BTreeSet<JobName>>,
    /// Places that have not been swept yet, nor have refused to be.
    unread: BTreeSet<Place>,
    /// Jobs that were another shard's, or new, when the directory was last read: they may run where that one had them.
    arrivals: BTreeSet<JobName>,
    /// Jobs to create that wait for those: they may be there already, and move.
    creations: BTreeMap<JobName, Urgency>,
    /// Jobs whose place no document names any more.
    lost: BTreeMap<JobName, Place>,
    /// Jobs that still run in such a place: created elsewhere, they would run twice.
    beside: BTreeMap<JobName, Beside>,
    /// Jobs that were seen in a place whose lists were not read, and are wanted elsewhere since: they may run there.
    unread_homes: BTreeMap<JobName, Place>,
    /// Keys that have something to write and wait for the lease.
    standing_by: BTreeMap<Key, Urgency>,
    /// Tells when it changes hands.
    lease: Option<watch::Receiver<Standing>>,
    /// What may be removed once it is released, and what was.
    removable: Vec<JobName>,
    removed: BTreeSet<JobName>,
    round_began: Timestamp,
}

impl Engine {
    /// An engine with nothing to do yet.
    pub fn new(cx: Arc<Context>, reporter: Reporter, mode: Mode) -> Self {
        let round_began = cx.clock.now();
        let lease = cx.lease().map(|seat| seat.changes());
        Self {
            cx,
            manifests: Arc::new(Manifests::nothing(round_began)),
            reporter,
            pruning: Pruning::default(),
            queue: WorkQueue::new(),
            slots: Slots::default(),
            mode,
            pace: Pace::new(Jitter::from_entropy()),
            fights: Fights::default(),
            workers: JoinSet::new(),
            running: HashMap::new(),
            identity: 0,
            handled: BTreeMap::new(),
            seen: BTreeSet::new(),
            homes: BTreeMap::new(),
            unread: BTreeSet::new(),
            arrivals: BTreeSet::new(),
            creations: BTreeMap::new(),
            lost: BTreeMap::new(),
            beside: BTreeMap::new(),
            unread_homes: BTreeMap::new(),
            standing_by: BTreeMap::new(),
            lease,
            removable: Vec::new(),
            removed: BTreeSet::new(),
            round_began,
        }
    }

    /// Draws its jitter from this seed, so that a simulated history can be run again.
    #[must_use]
    pub fn with_jitter(mut self, seed: u64) -> Self {
        self.pace = Pace::new(Jitter::seeded(seed));
        self
    }

    /// What has to be looked at from time to time: deletions whose grace is over, approvals.
    pub fn tick(&mut self) {
        self.pruning.read_approvals();
        self.prune();
        self.release_held();
        self.cx.seams().remembers(&|| self.remembered());
    }

    /// Whether no worker is busy and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.workers.is_empty() && self.queue.is_empty()
    }

    /// How many wanted jobs have no status yet.
    pub fn unseen(&self) -> usize {
        self.manifests.wanted().filter(|job| !self.reporter.jobs().contains_key(&job.name)).count()
    }

    /// How far a pass is.
    pub fn progress(&self) -> Progress {
        let jobs = self.homes.values().map(BTreeSet::len).sum();
        let waiting = if self.workers.is_empty() { self.queue.next_in().filter(|wait| !wait.is_zero()) } else { None };
        let left = self.cx.aws.last_turn().map(|last| last.saturating_duration_since(Instant::now()));
        let in_line = self.reporter.waiting_for_budget();
        let seen = self.reporter.looked_at().min(jobs);
        Progress { done: seen.saturating_sub(in_line), seen, jobs, waiting, left, in_line }
    }

    /// Waits for the next thing to do or to have been done, and handles it. Never returns on an engine that is idle.
    ///
    /// May be dropped at any await: keys in flight stay in flight.
    pub async fn turn(&mut self) {
        tokio::select! {
            biased;
            Some(done) = self.workers.join_next_with_id(), if !self.workers.is_empty() => self.finished(done),
            () = moved(&mut self.lease) => self.lease_moved(),
            work = self.queue.next() => self.start(work),
        }
        // Whoever was in the way of others may have gone.
        for (key, urgency) in self.slots.free() {
            self.queue.schedule(key, urgency);
        }
    }

    /// Lets what is in flight finish, for at most `limit`; then gives it up. Every prefix of a plan is safe. Whether it finished.
    pub async fn drain(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.workers.is_empty() {
            match tokio::time::timeout_at(deadline, self.workers.join_next_with_id()).await {
                Ok(Some(done)) => self.finished(done),
                Ok(None) => break,
                Err(_elapsed) => {
                    tracing::warn!(
                        in_flight = self.workers.len(),
                        "shutdown limit reached, work in flight is given up"
                    );
                    self.workers.shutdown().await;
                    return false;
                }
            }
        }
        true
    }
}

/// Waits until a lease changes hands; for ever where there is none.
async fn moved(lease: &mut Option<watch::Receiver<Standing>>) {
    if let Some(changes) = lease
        && changes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
