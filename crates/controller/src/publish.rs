//! Brings the status files up to date. A disk that refuses is an ERROR in the log; converging goes on.

use std::time::Duration;

use ecs_etl_plan::lease::Standing;
use ecs_etl_plan::status::{
    ApiVersion, ControllerKind, ControllerMetadata, ControllerState, ControllerStatus, Counts, LeaseStanding,
    LeaseState, Manifests as ManifestState, Problem,
};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::lease::Seat;
use crate::status::StatusSink;

/// How often the heartbeat is written at least. Readers take a heartbeat of 60 s for stale.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long changes are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(200);

/// How soon a disk that refused is tried again: it stays full for minutes or hours, and each try writes everything.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);

/// The controller's document names every job. With so many of them it is written with one change in two, and so on; the
/// heartbeat brings it up to date at the latest.
const JOBS_WITH_EVERY_CHANGE: usize = 250;

/// Writes the status of an engine into a directory.
#[derive(Debug)]
pub struct Publisher {
    files: Option<Box<dyn StatusSink>>,
    heartbeat: Duration,
    endpoint: String,
    manifests: String,
    started: Timestamp,
    written: Option<Instant>,
    /// When the controller's document was.
    told: Option<Instant>,
    failing: bool,
}

impl Publisher {
    /// A publisher through `files`; nowhere without them.
    pub fn new(files: Option<Box<dyn StatusSink>>, endpoint: String, manifests: String, started: Timestamp) -> Self {
        Self { files, heartbeat: HEARTBEAT, endpoint, manifests, started, written: None, told: None, failing: false }
    }

    /// With a heartbeat of another length.
    #[must_use]
    pub fn with_heartbeat(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// How often the heartbeat is written at least.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// Resolves when it is time to write: soon after a change, so that a thousand outcomes at once are a few writes.
    pub async fn due(&self, changed: bool) {
        let pause = if self.failing { AFTER_REFUSAL.min(self.heartbeat) } else { GATHER };
        match self.written {
            _ if self.files.is_none() || !changed => std::future::pending().await,
            Some(written) => tokio::time::sleep_until(written + pause).await,
            None => {}
        }
    }

    /// Writes what changed, and the heartbeat. `finished` marks the end of a process that will not come back.
    pub fn publish(&mut self, engine: &mut Engine, finished: bool) {
        let now = engine.cx.clock.now();
        let tells = finished || self.failing || self.is_due(engine.reporter.jobs().len());
        let state = tells.then(|| self.controller(engine, now, finished));
        let Some(files) = &mut self.files else { return };
        self.written = Some(Instant::now());
        let changed = engine.reporter.take_changed();
        let known = engine.reporter.jobs();
        let gone: Vec<_> = changed.iter().filter(|job| !known.contains_key(*job)).cloned().collect();
        let changed: Vec<_> = changed.iter().filter_map(|job| known.get(job)).collect();
        let written = files
            .write_jobs(&changed)
            .and_then(|()| gone.iter().try_for_each(|job| files.remove_job(job)))
            .and_then(|()| state.as_ref().map_or(Ok(()), |state| files.write_controller(state)));
        if tells {
            self.told = self.written;
        }
        match written {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("status files can be written again");
            }
            Ok(()) => {}
            Err(error) => {
                // Everything is written again once the disk takes it.
                engine.reporter.all_changed();
                gone.into_iter().for_each(|job| engine.reporter.still_gone(job));
                if !self.failing {
                    self.failing = true;
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "status files cannot be written; converging goes on"
                    );
                }
            }
        }
    }

    /// Whether it is time to write the controller's document, which is as long as there are jobs.
    fn is_due(&self, jobs: usize) -> bool {
        let changes = u32::try_from(jobs / JOBS_WITH_EVERY_CHANGE).unwrap_or(u32::MAX);
        let apart = GATHER.saturating_mul(changes).min(self.heartbeat.saturating_sub(GATHER));
        self.told.is_none_or(|told| told.elapsed() >= apart)
    }

    /// What is said of the controller itself.
    pub fn controller(&self, engine: &Engine, now: Timestamp, finished: bool) -> ControllerStatus {
        let settings = engine.cx.settings();
        let problems = engine.manifests.incomplete.iter();
        ControllerStatus {
            api_version: ApiVersion::V1,
            kind: ControllerKind::EtlControllerStatus,
            metadata: ControllerMetadata { name: settings.identity.controller.as_str().to_owned() },
            status: ControllerState {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                started: self.started,
                heartbeat: now,
                finished: finished.then_some(now),
                endpoint: self.endpoint.clone(),
                shard: Some(&engine.manifests.shard).filter(|shard| !shard.is_everything()).map(ToString::to_string),
                lease: engine.cx.lease().map(|seat| lease(seat)),
                accounts: engine.cx.accounts().iter().map(|account| account.as_str().to_owned()).collect(),
                manifests: ManifestState {
                    directory: self.manifests.clone(),
                    revision: engine.manifests.revision.clone(),
                    complete: engine.manifests.incomplete.is_empty(),
                    problems: problems
                        .map(|(about, message)| Problem { about: about.clone(), message: message.clone() })
                        .collect(),
                },
                counts: Counts::of(engine.reporter.jobs().values()).and_unseen(engine.unseen()),
                jobs: engine.reporter.last_seen().iter().map(|(job, at)| (job.as_str().to_owned(), *at)).collect(),
                problems: engine.reporter.problems(),
                held: engine.reporter.held.clone(),
                pruning_blocked: engine.reporter.pruning_blocked.clone(),
                last_resync: engine.reporter.last_resync.clone(),
            },
        }
    }
}

/// What is said of the lease.
fn lease(seat: &Seat) -> LeaseState {
    let (standing, holder) = match seat.standing() {
        Standing::Holder => (LeaseStanding::Holder, None),
        Standing::Standby(holder) => (LeaseStanding::Standby, holder),
    };
    LeaseState { table: seat.table().to_owned(), standing, holder, problem: seat.trouble() }
}
