//! An AWS with its real throttle buckets and a clock of its own, and the shipped daemon on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use ecs_etl_aws::{Aws, Endpoint, Options, Share};
use ecs_etl_controller::clock::Clock;
use ecs_etl_controller::context::Context;
use ecs_etl_controller::daemon;
use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::manifests::Reader;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::scan::Scan;
use ecs_etl_controller::status::{StatusSink, StatusWriteError};
use ecs_etl_controller::watch::ManifestWatch;
use ecs_etl_emulator::door::{self, Hook, InProcess};
use ecs_etl_emulator::{Emulator, Settings};
use ecs_etl_plan::status::{ControllerStatus, JobStatus};
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::wire::Wire;

/// When AWS's clock starts.
pub const START: &str = "2026-11-23T08:00:30Z";

/// An AWS.
pub struct Stage {
    /// The way to it.
    pub door: InProcess,
    /// The controller's wire.
    pub wire: Arc<Wire>,
    clock: Clock,
}

/// A daemon that runs.
pub struct Daemon {
    task: JoinHandle<bool>,
    stop: CancellationToken,
    feed: watch::Sender<Option<Arc<Scan>>>,
    _look: mpsc::Sender<()>,
    board: Board,
}

/// Which spec of each job was last said to be ready.
type Board = Arc<Mutex<BTreeMap<String, String>>>;

impl Stage {
    /// An empty AWS whose buckets are full. Must be called in a runtime whose clock is paused.
    ///
    /// # Errors
    ///
    /// Never; the start is a constant that is a time.
    pub fn new() -> anyhow::Result<Self> {
        let start: Timestamp = START.parse()?;
        let wire = Arc::new(Wire::default());
        let settings = Settings { throttle: true, rules_per_bus: Some(1_000_000), ..Settings::default() };
        let hook = Hook::new(Arc::clone(&wire) as Arc<dyn door::Observer>);
        let door = InProcess::spawn(Emulator::new(settings), None, door::Clock::starting_at(start), hook);
        Ok(Self { door, wire, clock: Clock::with_tokio(start) })
    }

    /// What AWS's clock says.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Starts a daemon with nothing remembered.
    ///
    /// # Errors
    ///
    /// The embedded AWS cannot be opened.
    pub async fn daemon(&self, share: Share, scan: Scan) -> anyhow::Result<Daemon> {
        let options = Options { limits: Some(true), share, ..Options::default() };
        let aws = Aws::connect(Endpoint::InProcess(self.door.clone()), options).await?;
        let reader = Reader { git_source: "bench".to_owned(), ..Reader::default() };
        let manifests = reader.read(&scan, self.clock.now());
        let cx = Arc::new(Context::new(aws, self.clock.clone(), manifests.settings(&reader.git_source)));
        let mut engine = Engine::new(cx, Reporter::default(), Mode::Daemon).with_jitter(1);
        engine.take_manifests(manifests, &reader.git_source);
        let board = Board::default();
        let sink = Sink { board: Arc::clone(&board) };
        let publisher =
            Publisher::new(Some(Box::new(sink)), "bench".to_owned(), "manifests".to_owned(), self.clock.now());
        let (feed, fed) = watch::channel(None);
        let (look, looks) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let run = daemon::run(engine, publisher, ManifestWatch::fed(fed), reader, looks, stop.clone());
        Ok(Daemon { task: tokio::spawn(run), stop, feed, _look: look, board })
    }
}

impl Daemon {
    /// Hands it a new state of the directory.
    pub fn feed(&self, scan: Scan) {
        self.feed.send_replace(Some(Arc::new(scan)));
    }

    /// Waits until all of these jobs are ready for these specs, and says how long that took on AWS's clock.
    ///
    /// # Errors
    ///
    /// They are not after `patience`.
    pub async fn converged(&self, wanted: &BTreeMap<String, String>, patience: Duration) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let mut missing: Vec<(&String, &String)> = wanted.iter().collect();
        loop {
            {
                let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
                while missing.last().is_some_and(|(job, spec)| board.get(*job) == Some(spec)) {
                    missing.pop();
                }
                if missing.is_empty() {
                    // None of them may have ceased to be ready meanwhile.
                    missing = wanted.iter().filter(|(job, spec)| board.get(*job) != Some(spec)).collect();
                }
            }
            let Some((job, _)) = missing.last() else { return Ok(start.elapsed()) };
            if start.elapsed() > patience {
                bail!("{job} is not ready after {patience:?} of AWS's time");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Ends it in good order.
    ///
    /// # Errors
    ///
    /// It had panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let in_good_order = self.task.await.context("the daemon panicked")?;
        anyhow::ensure!(in_good_order, "the daemon did not end in good order");
        Ok(())
    }
}

/// The specs that a scan asks for, by job.
pub fn specs(scan: &Scan, now: Timestamp) -> BTreeMap<String, String> {
    let manifests = Reader::default().read(scan, now);
    manifests.wanted().map(|job| (job.name.to_string(), job.digest.as_str().to_owned())).collect()
}

/// Remembers what is ready, and no file.
#[derive(Debug)]
struct Sink {
    board: Board,
}

impl StatusSink for Sink {
    fn write_jobs(&mut self, jobs: &[&JobStatus]) -> Result<(), StatusWriteError> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            match job.status.observed_spec.clone().filter(|_| job.is_ready()) {
                Some(spec) => board.insert(job.metadata.name.clone(), spec),
                None => board.remove(&job.metadata.name),
            };
        }
        Ok(())
    }

    fn remove_job(&mut self, job: &JobName) -> Result<(), StatusWriteError> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).remove(job.as_str());
        Ok(())
    }

    fn write_controller(&mut self, _status: &ControllerStatus) -> Result<(), StatusWriteError> {
        Ok(())
    }
}
