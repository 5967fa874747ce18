//! The engine: keys in, outcomes out. It decides *when* to look at a key, never *what* to do about it.
//!
//! One key has one worker. What a worker could not finish comes back as an outcome, and the queue waits; so a job that
//! fails, and a place that does not answer, delay nobody else.

mod leaving;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::condition::Verdict;
use ecs_etl_plan::failure::RetryClass;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Digest, JobName};
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::context::{Context, Interrupted, Settings};
use crate::fight::Fights;
use crate::manifests::Manifests;
use crate::once::Progress;
use crate::orphans;
use crate::pace::{Pace, spread};
use crate::pruning::Pruning;
use crate::queue::{Jitter, Urgency, Work, WorkQueue};
use crate::reconcile::{self, Outcome};
use crate::report::{Reporter, Retrying};
use crate::sweep;
use crate::tidy;
use crate::world::{Names, Sweep};

/// Reconciles in flight at once. Reads wait for their budget inside; this bounds memory and connections.
const MAX_WORKERS: usize = 32;

/// How often one pass tries a key that fails, before it gives up.
const TRIES_OF_ONE_PASS: u32 = 5;

/// The same where nothing answers at all: rarely a matter of seconds, and a person waits.
const TRIES_WITHOUT_ANSWER: u32 = 3;

/// Longest that one pass waits for a key's next turn, unless it waits for the call budget.
const PATIENCE_OF_ONE_PASS: Duration = Duration::from_secs(600);

/// How long keys wait while the directory does not say who we are.
const IDENTITY_WAIT: Duration = Duration::from_secs(10);

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

/// Keys, workers, and what is known of each.
#[derive(Debug)]
pub struct Engine {
    pub(crate) cx: Arc<Context>,
    pub(crate) manifests: Arc<Manifests>,
    /// What is reported.
    pub reporter: Reporter,
    pub(crate) pruning: Pruning,
    pub(crate) queue: WorkQueue<Key>,
    mode: Mode,
    pace: Pace<Key>,
    fights: Fights,
    workers: JoinSet<Found>,
    running: HashMap<tokio::task::Id, Work<Key>>,
    /// Spec that each job was last handled for.
    handled: BTreeMap<JobName, Digest>,
    /// Jobs that were looked at since the start, whatever came of it.
    seen: BTreeSet<JobName>,
    /// Jobs whose place no document names any more.
    lost: BTreeSet<JobName>,
    /// What may be removed once it is released, and what was.
    removable: Vec<JobName>,
    removed: Vec<JobName>,
    round_began: Timestamp,
}

impl Engine {
    /// An engine with nothing to do yet.
    pub fn new(cx: Arc<Context>, reporter: Reporter, mode: Mode) -> Self {
        let round_began = cx.clock.now();
        Self {
            cx,
            manifests: Arc::new(Manifests::nothing(round_began)),
            reporter,
            pruning: Pruning::default(),
            queue: WorkQueue::new(),
            mode,
            pace: Pace::new(Jitter::from_entropy()),
            fights: Fights::default(),
            workers: JoinSet::new(),
            running: HashMap::new(),
            handled: BTreeMap::new(),
            seen: BTreeSet::new(),
            lost: BTreeSet::new(),
            removable: Vec::new(),
            removed: Vec::new(),
            round_began,
        }
    }

    /// Takes what the directory says now, and schedules what that changes.
    pub fn take_manifests(&mut self, manifests: Manifests, git_source: &str) {
        let now = self.cx.clock.now();
        let before = std::mem::replace(&mut self.manifests, Arc::new(manifests));
        let manifests = Arc::clone(&self.manifests);
        self.reporter.manifests(&manifests, now);
        if manifests.directory.controller_problem.is_some() {
            // Who we are is not known: nothing may be written until it is.
            return;
        }
        let settings = manifests.settings(git_source);
        self.cx.gate().begin(settings.max_changes, manifests.wanted().map(|job| job.name.clone()));
        self.take_settings(settings);
        self.cx.gate().approve(self.pruning.approved(&self.cx));
        let places = manifests.places();
        self.lost.retain(|job| !manifests.mentions(job));
        for lost in before.places().difference(&places) {
            let jobs = before.wanted().filter(|job| job.place == *lost && !manifests.mentions(&job.name));
            let jobs: Vec<JobName> = jobs.map(|job| job.name.clone()).collect();
            self.reporter.place_lost(lost, &jobs, now);
            self.lost.extend(jobs);
            self.pruning.swept(lost, None);
        }
        self.cx.world().keep_places(&places);
        for place in places {
            self.reporter.place_named(&place);
            if self.cx.world().sweep(&place).is_none() {
                self.queue.schedule(Key::Sweep(place), Urgency::Edit);
            }
        }
        for job in manifests.wanted().filter(|job| self.handled.get(&job.name) != Some(&job.digest)) {
            let key = Key::Job(job.name.clone());
            // A new spec is tried at once, whatever became of the old one.
            self.pace.reset(&key);
            self.fights.forget(&job.name);
            if self.cx.world().sweep(&job.place).is_some() {
                self.queue.schedule(key, Urgency::Edit);
            }
        }
        // What is blocked now is looked at again once it is not, even if it says what it said before.
        self.handled.retain(|job, _| manifests.job(job).is_some());
        self.seen.retain(|job| manifests.mentions(job));
        self.look_after_orphans(None);
    }

    /// Takes what the EtlController says now: what was concluded from other words is concluded anew.
    fn take_settings(&mut self, settings: Settings) {
        let before = self.cx.settings();
        if before.prefix != settings.prefix {
            self.cx.world().keep_places(&BTreeSet::new());
        }
        if before.prefix != settings.prefix || before.identity != settings.identity {
            self.handled.clear();
            self.seen.clear();
        }
        if self.mode == Mode::Daemon && settings.resync < before.resync {
            for place in self.cx.world().places() {
                self.queue.schedule_after(Key::Sweep(place.clone()), settings.resync, Urgency::Drift);
            }
        }
        self.cx.set_settings(settings);
    }

    /// Takes approvals from this status directory too.
    pub fn read_approvals_in(&mut self, directory: &std::path::Path) {
        self.pruning.approvals = Some(directory.to_path_buf());
        self.cx.gate().approve(self.pruning.approved(&self.cx));
    }

    /// Removes without grace: `apply --prune`.
    pub fn skip_grace(&mut self, skip: bool) {
        self.pruning.skip_grace = skip;
    }

    /// Looks at every place's lists again, now.
    pub fn resync(&mut self) {
        for place in self.manifests.places() {
            self.queue.schedule(Key::Sweep(place), Urgency::Drift);
        }
    }

    /// What has to be looked at from time to time: deletions whose grace is over, approvals.
    pub fn tick(&mut self) {
        self.prune();
        let held_before = self.cx.gate().held();
        self.cx.gate().approve(self.pruning.approved(&self.cx));
        if held_before.is_some() {
            self.look_again_at_held();
        }
    }

    /// Whether no worker is busy and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.workers.is_empty() && self.queue.is_empty()
    }

    /// How far a pass is.
    pub fn progress(&self) -> Progress {
        let jobs = self.manifests.wanted().count();
        let waiting = if self.workers.is_empty() { self.queue.next_in().filter(|wait| !wait.is_zero()) } else { None };
        Progress { done: self.reporter.looked_at().min(jobs), jobs, waiting }
    }

    /// Waits for the next thing to do or to have been done, and handles it. Never returns on an engine that is idle.
    ///
    /// May be dropped at any await: keys in flight stay in flight.
    pub async fn turn(&mut self) {
        let room = self.workers.len() < MAX_WORKERS;
        tokio::select! {
            biased;
            Some(done) = self.workers.join_next_with_id(), if !self.workers.is_empty() => self.finished(done),
            work = self.queue.next(), if room => self.start(work),
        }
    }

    /// Lets what is in flight finish, for at most `limit`; then gives it up. Every prefix of a plan is safe.
    pub async fn drain(&mut self, limit: Duration) {
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
                }
            }
        }
    }

    fn start(&mut self, work: Work<Key>) {
        if self.manifests.directory.controller_problem.is_some() {
            // Who we are is not known, so nobody may write: the key waits.
            self.queue.schedule_after(work.key().clone(), IDENTITY_WAIT, work.urgency());
            return;
        }
        let cx = Arc::clone(&self.cx);
        let urgency = work.urgency();
        let calls = of_calls(urgency);
        let handle = match work.key().clone() {
            Key::Sweep(place) => self.workers.spawn(async move { Found::Sweep(sweep::sweep(&cx, &place).await) }),
            Key::Job(name) => {
                let Some(job) = self.manifests.job(&name).cloned() else { return };
                self.handled.insert(name, job.digest.clone());
                let span = tracing::info_span!("reconcile", job = %job.name, cause = urgency.as_str());
                let tidies = self.mode == Mode::Daemon;
                let work = async move {
                    let result = reconcile::reconcile(&cx, &job, calls).await;
                    let tidied = match &result {
                        Ok(outcome) if tidies && outcome.is_quiet() => {
                            Some(tidy::tidy(&cx, &job, Some(&outcome.observed)).await)
                        }
                        Ok(_) | Err(_) => None,
                    };
                    Found::Job(Box::new(result), tidied)
                };
                self.workers.spawn(work.instrument(span))
            }
            Key::Orphan(place, name) => {
                let task = self.pruning.task(&place, &name);
                let span = tracing::info_span!("reconcile", job = %name, cause = "gone");
                let look = async move { Found::Orphan(Box::new(orphans::look_after(&cx, &place, &name, task).await)) };
                self.workers.spawn(look.instrument(span))
            }
            Key::Tidy(name) => {
                let Some(job) = self.manifests.job(&name).cloned() else { return };
                let span = tracing::info_span!("reconcile", job = %name, cause = "clean-up");
                self.workers.spawn(async move { Found::Tidy(tidy::tidy(&cx, &job, None).await) }.instrument(span))
            }
        };
        self.running.insert(handle.id(), work);
    }

    fn finished(&mut self, done: Result<(tokio::task::Id, Found), tokio::task::JoinError>) {
        let (id, found) = match done {
            Ok((id, found)) => (id, Some(found)),
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(%error, "a reconcile panicked; this is a defect of ecs-etl, please report it");
                }
                (error.id(), None)
            }
        };
        let Some(work) = self.running.remove(&id) else { return };
        let key = work.key().clone();
        drop(work);
        match (key, found) {
            (Key::Sweep(place), Some(Found::Sweep(result))) => self.after_sweep(place, result),
            (Key::Job(name), Some(Found::Job(result, tidied))) => {
                self.after_job(name.clone(), *result);
                if let Some(tidied) = tidied {
                    self.after_tidy(name, tidied);
                }
            }
            (Key::Orphan(place, name), Some(Found::Orphan(result))) => self.after_orphan(place, name, *result),
            (Key::Tidy(name), Some(Found::Tidy(result))) => self.after_tidy(name, result),
            // A worker that brought nothing back panicked or was given up.
            (key, None) => {
                self.again(key, RetryClass::Slow, TRIES_OF_ONE_PASS);
            }
            (Key::Sweep(_) | Key::Job(_) | Key::Orphan(..) | Key::Tidy(_), Some(_)) => {}
        }
    }

    fn after_sweep(&mut self, place: Place, result: Result<Sweep, Interrupted>) {
        let key = Key::Sweep(place.clone());
        let now = self.cx.clock.now();
        let sweep = match result {
            Ok(sweep) => sweep,
            Err(stopped) => {
                let retrying = self.retry(key, &stopped);
                self.reporter.place_failed(&self.manifests, &place, &stopped, retrying, now);
                self.pruning.swept(&place, Some(&stopped));
                self.prune();
                return;
            }
        };
        let resync = self.cx.settings().resync;
        let first = self.cx.world().sweep(&place).is_none();
        let changed = self.cx.world().take_sweep(&place, sweep);
        self.reporter.place_swept(&place);
        self.pruning.swept(&place, None);
        self.pace.reset(&key);
        if self.mode == Mode::Daemon {
            let wait = self.pace.resync(resync);
            self.queue.schedule_after(key, wait, Urgency::Drift);
            if !first {
                let jobs = self.manifests.wanted().count();
                self.reporter.summarise(jobs, self.round_began, now);
                self.cx.gate().next_pass();
                self.round_began = now;
            }
        }
        for job in self.manifests.wanted().filter(|job| job.place == place) {
            let key = Key::Job(job.name.clone());
            let new = self.handled.get(&job.name) != Some(&job.digest);
            let names = Names::of(&self.cx.settings().prefix, &job.name);
            let seen_to_change = names.is_some_and(|names| changed.contains(&names.family));
            let urgency = if new { Urgency::Edit } else { Urgency::Drift };
            let at_once = new || first || seen_to_change;
            let wait = if at_once { Duration::ZERO } else { spread(job.name.as_str(), resync) };
            self.queue.schedule_after(key.clone(), self.pace.at_least(&key, wait), urgency);
        }
        self.look_after_orphans(Some(&place));
    }

    fn after_job(&mut self, name: JobName, result: Result<Outcome, Interrupted>) {
        let key = Key::Job(name.clone());
        let now = self.cx.clock.now();
        let counted = self.cx.gate().seen(&name);
        if !matches!(result, Err(Interrupted::Budget { .. })) {
            self.seen.insert(name.clone());
        }
        let Some(job) = self.manifests.job(&name).cloned() else { return };
        let (retrying, fight) = match &result {
            Ok(Outcome { stopped: None, .. }) => (None, None),
            Ok(Outcome { stopped: Some(stopped), .. }) | Err(stopped) => (self.retry(key.clone(), stopped), None),
        };
        let fight = match &result {
            Ok(outcome) if outcome.stopped.is_none() => self.next_look(&job, outcome),
            Ok(_) | Err(_) => fight,
        };
        self.reporter.job(&job, &result, retrying, fight, now);
        if counted {
            self.look_again_at_held();
        }
        // The spec may have changed while the worker was busy with the old one.
        if self.handled.get(&name) != Some(&job.digest) {
            self.queue.schedule(key, Urgency::Edit);
        }
    }

    /// Schedules the next look at a job whose reconcile came to its end; a verdict if somebody keeps undoing our repairs.
    fn next_look(&mut self, job: &ecs_etl_spec::job::Job, outcome: &Outcome) -> Option<Verdict> {
        let key = Key::Job(job.name.clone());
        let settings = self.cx.settings();
        match &outcome.verdict {
            Verdict::Ready(..) | Verdict::Paused(..) | Verdict::Stalled(..) => {
                self.pace.reset(&key);
                if let Some(names) = Names::of(&settings.prefix, &job.name).filter(|_| outcome.is_quiet()) {
                    self.cx.world().rotate(&job.place, &job.name, &names);
                }
            }
            Verdict::Waiting(_, _, Some(at)) => {
                let wait = Duration::try_from(at.duration_since(self.cx.clock.now())).unwrap_or_default();
                if self.mode == Mode::Daemon || wait <= PATIENCE_OF_ONE_PASS {
                    self.queue.schedule_after(key.clone(), wait, Urgency::Drift);
                }
            }
            Verdict::Waiting(_, _, None) => {
                self.again(key.clone(), RetryClass::Soon, TRIES_OF_ONE_PASS);
            }
        }
        let fight = self.fights.seen(&job.name, outcome, settings.resync, self.cx.clock.now())?;
        self.pace.slow_down(&key, fight.wait);
        Some(fight.verdict)
    }

    fn after_tidy(&mut self, name: JobName, result: Result<tidy::Outcome, Interrupted>) {
        match result {
            Ok(outcome) => {
                if let Some(wait) = outcome.next_due(self.cx.clock.now()).filter(|_| self.mode == Mode::Daemon) {
                    self.queue.schedule_after(Key::Tidy(name), wait, Urgency::CleanUp);
                }
            }
            Err(stopped) => {
                tracing::warn!(job = %name, error = %stopped, "clean-up will be tried again");
                self.retry(Key::Tidy(name), &stopped);
            }
        }
    }

    /// Schedules another try of a key that was interrupted, unless only a person can help or the pass gives up.
    pub(crate) fn retry(&mut self, key: Key, stopped: &Interrupted) -> Option<Retrying> {
        match stopped {
            Interrupted::Failed(failure) => {
                let tries = if failure.is_unanswered() { TRIES_WITHOUT_ANSWER } else { TRIES_OF_ONE_PASS };
                self.again(key, failure.class, tries)
            }
            Interrupted::Budget { wait, .. } => {
                self.queue.schedule_after(key, *wait, Urgency::Drift);
                Some(Retrying { wait: *wait, attempts: 0 })
            }
            Interrupted::Counting | Interrupted::Held(_) => None,
            Interrupted::Refused(_) | Interrupted::Undecided | Interrupted::Unbound(_) => {
                self.again(key, RetryClass::Terminal, TRIES_OF_ONE_PASS)
            }
        }
    }

    fn again(&mut self, key: Key, class: RetryClass, tries: u32) -> Option<Retrying> {
        let wait = self.pace.failed(&key, class);
        let attempts = self.pace.failures(&key);
        let gives_up = match (self.mode, class) {
            (Mode::Daemon, _) => false,
            (Mode::OnePass, RetryClass::Soon | RetryClass::Throttled) => attempts >= tries,
            (Mode::OnePass, RetryClass::Slow | RetryClass::Terminal | RetryClass::NotFound) => true,
        };
        if gives_up {
            return None;
        }
        self.queue.schedule_after(key, wait, Urgency::Drift);
        Some(Retrying { wait, attempts })
    }

    /// Every job has been counted, or a held set was approved: those that wait for it are looked at again.
    fn look_again_at_held(&mut self) {
        for job in self.cx.gate().waiting() {
            self.queue.schedule(Key::Job(job), Urgency::Edit);
        }
        let held = self.cx.gate().held();
        self.reporter.held_changes(held.as_ref());
    }
}

/// The priority of a key's calls in the budget.
fn of_calls(urgency: Urgency) -> ecs_etl_aws::Urgency {
    match urgency {
        Urgency::Edit => ecs_etl_aws::Urgency::Edit,
        Urgency::New => ecs_etl_aws::Urgency::Create,
        Urgency::Drift => ecs_etl_aws::Urgency::Drift,
        Urgency::CleanUp => ecs_etl_aws::Urgency::CleanUp,
    }
}
