//! One life of a controller: the shipped daemon, on a directory and a disk that exist in memory only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecs_etl_aws::{Aws, Endpoint, Options};
use ecs_etl_controller::clock::Clock;
use ecs_etl_controller::context::Context;
use ecs_etl_controller::daemon;
use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::manifests::Reader;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::scan::Scan;
use ecs_etl_controller::seams::{AsItIs, Seams};
use ecs_etl_controller::status::{StatusSink, StatusWriteError};
use ecs_etl_controller::watch::ManifestWatch;
use ecs_etl_emulator::door::{Hook, InProcess};
use ecs_etl_plan::status::{ControllerStatus, JobStatus};
use ecs_etl_spec::name::JobName;
use jiff::SignedDuration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::mutant::Mutant;
use crate::watched::Watched;
use crate::wire::Wire;
use crate::world::World;

/// The status directory, which may outlive a process.
pub type Disk = Arc<Mutex<BTreeMap<String, String>>>;

/// What a life is given.
#[derive(Debug)]
pub struct Birth {
    /// Everything else that happens.
    pub world: Arc<World>,
    /// AWS.
    pub door: InProcess,
    /// The wire to it.
    pub wire: Arc<Wire>,
    /// The status directory.
    pub disk: Disk,
    /// What the directory says when it starts.
    pub scan: Arc<Scan>,
    /// What its jitter is drawn from.
    pub jitter: u64,
    /// Whether calls are kept inside the budget.
    pub limits: bool,
    /// Whether its requests leave out the SDK's orchestrator.
    pub short: bool,
    /// How often it writes its heartbeat.
    pub heartbeat: Duration,
    /// How far its wall clock is off.
    pub skew: Arc<Mutex<SignedDuration>>,
    /// Whether the disk refuses.
    pub full: Arc<AtomicBool>,
    /// A wrong controller, to see whether it is noticed.
    pub mutant: Option<Mutant>,
    /// Which process it is.
    pub process: usize,
}

/// A controller that runs.
#[derive(Debug)]
pub struct Life {
    task: JoinHandle<()>,
    stop: CancellationToken,
    feed: watch::Sender<Option<Arc<Scan>>>,
    /// The sender keeps the daemon from believing that SIGHUP can no longer come.
    _look: mpsc::Sender<()>,
    /// Its wire.
    pub wire: Arc<Wire>,
}

impl Life {
    /// Starts it.
    pub fn begin(birth: Birth) -> Self {
        let (feed, fed) = watch::channel(None);
        let (look, looks) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let wire = Arc::clone(&birth.wire);
        let task = tokio::spawn(live(birth, ManifestWatch::fed(fed), looks, stop.clone()));
        Self { task, stop, feed, _look: look, wire }
    }

    /// Hands it a new state of the directory.
    pub fn feed(&self, scan: Arc<Scan>) {
        self.feed.send_replace(Some(scan));
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.wire.die();
        self.task.abort();
    }

    /// SIGTERM, and the end of the process.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }

    /// Whether it has come to an end by itself.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

async fn live(birth: Birth, watch: ManifestWatch, looks: mpsc::Receiver<()>, stop: CancellationToken) {
    let Birth { world, door, wire, disk, scan, jitter, limits, short, heartbeat, skew, full, mutant, process } = birth;
    let door = door.with_hook(Hook::new(wire));
    let limits = limits && mutant.is_none_or(Mutant::keeps_budget);
    let options = Options { limits: Some(limits), short, ..Options::default() };
    let Ok(aws) = Aws::connect(Endpoint::InProcess(door), options).await else { return };
    let clock = {
        let world = Arc::clone(&world);
        Clock::from_fn(move || {
            let skew = *skew.lock().unwrap_or_else(PoisonError::into_inner);
            world.now().checked_add(skew).unwrap_or_else(|_overflow| world.now())
        })
    };
    let reader = Reader { git_source: "simulation".to_owned(), needs_controller: true, ..Reader::default() };
    let manifests = reader.read(&scan, clock.now());
    let mut cx = Context::new(aws, clock.clone(), manifests.settings(&reader.git_source));
    let seams = mutant.map_or_else(|| Arc::new(AsItIs) as Arc<dyn Seams>, |mutant| mutant.seams(jitter));
    cx = cx.with_seams(Arc::new(Watched::new(Arc::clone(&world), process, seams)));
    let mut reporter = Reporter::default();
    reporter.resume(earlier(&disk));
    let mut engine = Engine::new(Arc::new(cx), reporter, Mode::Daemon).with_jitter(jitter);
    engine.take_manifests(manifests, &reader.git_source);
    let sink = Sink { world, disk, full, process, tells_problems: mutant.is_none_or(Mutant::tells_problems) };
    let publisher = Publisher::new(Some(Box::new(sink)), "simulation".to_owned(), "manifests".to_owned(), clock.now());
    daemon::run(engine, publisher.with_heartbeat(heartbeat), watch, reader, looks, stop).await;
}

fn earlier(disk: &Disk) -> Vec<JobStatus> {
    let files = disk.lock().unwrap_or_else(PoisonError::into_inner);
    files
        .iter()
        .filter(|(name, _)| *name != CONTROLLER)
        .filter_map(|(_, text)| serde_json::from_str(text).ok())
        .collect()
}

/// A job's status in a line.
fn told(job: &JobStatus, process: usize) -> String {
    let conditions: Vec<String> = job
        .status
        .conditions
        .iter()
        .map(|condition| {
            format!("{:?}={:?} {:?}: {}", condition.kind, condition.status, condition.reason, condition.message)
        })
        .collect();
    let retry = job.status.retry.as_ref().map(|retry| format!("; {} tries: {}", retry.attempts, retry.message));
    format!("process {process} tells of {}: {}{}", job.metadata.name, conditions.join(", "), retry.unwrap_or_default())
}

const CONTROLLER: &str = "_controller";

/// Writes statuses to a disk in memory and shows them to the judge.
#[derive(Debug)]
struct Sink {
    world: Arc<World>,
    disk: Disk,
    full: Arc<AtomicBool>,
    process: usize,
    /// Whether what belongs to no job is told.
    tells_problems: bool,
}

impl Sink {
    /// Whether the disk takes anything.
    fn room(&self) -> Result<(), StatusWriteError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StatusWriteError::Write {
                path: PathBuf::from("status"),
                source: std::io::Error::from(std::io::ErrorKind::StorageFull),
            });
        }
        Ok(())
    }

    fn put(&self, name: &str, text: String) {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), text);
    }
}

impl StatusSink for Sink {
    fn write_jobs(&mut self, jobs: &[&JobStatus]) -> Result<(), StatusWriteError> {
        self.room()?;
        let millis = self.world.millis();
        for job in jobs {
            let text = serde_json::to_string(job).unwrap_or_default();
            let mut state = self.world.state();
            state.stats.statuses += 1;
            let crate::world::State { mirror, log, judge, .. } = &mut *state;
            log.hash(millis, text.as_str());
            log.remark(millis, || told(job, self.process));
            judge.job_status(millis, self.process, &text, mirror);
            drop(state);
            self.put(&job.metadata.name, text);
        }
        Ok(())
    }

    fn remove_job(&mut self, job: &JobName) -> Result<(), StatusWriteError> {
        self.room()?;
        let millis = self.world.millis();
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).remove(job.as_str());
        let mut state = self.world.state();
        state.log.hash(millis, job.as_str());
        state.judge.job_status_gone(self.process, job.as_str());
        Ok(())
    }

    fn write_controller(&mut self, status: &ControllerStatus) -> Result<(), StatusWriteError> {
        self.room()?;
        let text = if self.tells_problems {
            serde_json::to_string(status).unwrap_or_default()
        } else {
            let mut silent = status.clone();
            silent.status.problems.clear();
            serde_json::to_string(&silent).unwrap_or_default()
        };
        let millis = self.world.millis();
        let mut state = self.world.state();
        let problems = &status.status.problems;
        if !problems.is_empty() {
            state.log.remark(millis, || format!("process {} tells of problems: {problems:?}", self.process));
        }
        state.judge.controller_status(millis, self.process, &text);
        drop(state);
        self.put(CONTROLLER, text);
        Ok(())
    }
}
