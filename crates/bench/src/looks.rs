//! Calls of looks that change nothing, and of one edit among many jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use ecs_etl_aws::Share;
use ecs_etl_controller::scan::Scan;
use tokio::time::sleep;

use crate::figure::{Figure, Figures, Unit};
use crate::fleet::{Fleet, manifest, path};
use crate::stage::{Stage, specs};

/// The fleet's `resyncSeconds`.
const RESYNC: Duration = Duration::from_secs(600);

/// Resyncs that a warm controller is watched over: in so many, every tag is verified once.
const ROUNDS: u32 = 20;

/// Things on a page of a list.
const PAGE: usize = 100;

/// Looks at a fleet that is as it should be: from a cold start, then warm, then with one file edited.
///
/// # Errors
///
/// Jobs do not converge.
pub async fn measure(jobs: usize) -> anyhow::Result<Vec<Figure>> {
    let stage = Stage::new()?;
    let fleet = Fleet { jobs, version: 1 };
    let wanted = specs(&fleet.scan(), stage.now());
    ensure!(wanted.len() == jobs, "only {} of {jobs} manifests are valid", wanted.len());
    let patience = Duration::from_secs(3600 + 10 * jobs as u64);
    let first = stage.daemon(Share::HALF, fleet.scan()).await?;
    first.converged(&wanted, patience).await?;
    first.stop().await?;

    let mut cold = Figures::of(format!("cold start {jobs}"));
    stage.wire.take();
    let daemon = stage.daemon(Share::HALF, fleet.scan()).await?;
    let took = daemon.converged(&wanted, patience).await?;
    let counts = stage.wire.take();
    let lists = 2 * jobs.div_ceil(PAGE);
    // Who we are, and whether there is a group of schedules, is asked once.
    cold.hold("reads", counts.reads() as f64, Unit::Count, (2 * jobs + jobs.div_ceil(20) + lists + 2) as f64);
    cold.hold("writes", counts.writes() as f64, Unit::Count, 0.0);
    cold.tell("AWS's time until every job is Ready", took.as_secs_f64(), Unit::Seconds);

    let mut warm = Figures::of(format!("warm resync {jobs}"));
    sleep(RESYNC * 2).await;
    stage.wire.take();
    sleep(RESYNC * ROUNDS).await;
    let counts = stage.wire.take();
    let rounds = f64::from(ROUNDS);
    // A resync comes up to a tenth early, so one more may fall into the time.
    let budget = (jobs + jobs.div_ceil(20) + lists) as f64 * (rounds + 1.0) / rounds;
    warm.hold("reads a resync", counts.reads() as f64 / rounds, Unit::Count, budget);
    warm.hold("writes", counts.writes() as f64, Unit::Count, 0.0);

    let mut edit = Figures::of(format!("one edit of {jobs}"));
    daemon.feed(edited(fleet, jobs / 2));
    sleep(Duration::from_secs(2)).await;
    let counts = stage.wire.take();
    edit.hold("calls in all", counts.total() as f64, Unit::Count, (6 + between(jobs)) as f64);
    edit.hold("writes", counts.writes() as f64, Unit::Count, 2.0);
    daemon.stop().await?;
    Ok([cold, warm, edit].into_iter().flat_map(Figures::into_vec).collect())
}

/// Looks of the resync that may fall into the two seconds that an edit is given, by their even spread.
fn between(jobs: usize) -> usize {
    (2 * jobs).div_ceil(600) * 4
}

/// A fleet with one job's image changed.
fn edited(fleet: Fleet, index: usize) -> Scan {
    let mut files: BTreeMap<_, _> = fleet.files();
    files.insert(path(index), std::sync::Arc::from(manifest(index, fleet.version + 1).as_bytes()));
    Scan::of_files(files.iter().map(|(path, bytes)| (path.as_str(), bytes)))
}
