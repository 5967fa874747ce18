//! Time against the floor: creating jobs, changing every image, and taking that back, inside AWS's limits.

use std::time::Duration;

use anyhow::ensure;
use ecs_etl_aws::{Bucket, Share};
use jiff::{SignedDuration, Timestamp, ToSpan as _, Unit as TimeUnit};

use crate::figure::{Figure, Figures, Unit};
use crate::fleet::Fleet;
use crate::neighbour::{self, Neighbour};
use crate::stage::{Daemon, Stage, specs};
use crate::wire::Counts;

/// The most that a phase may take of the time that the share allows.
const ALONE: f64 = 1.05;

/// The same beside a neighbour, of what that one leaves.
const BESIDE: f64 = 1.2;

/// Long enough for every bucket to fill up.
const REST: Duration = Duration::from_secs(120);

/// How the work is done.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How many jobs.
    pub jobs: usize,
    /// The controller's share.
    pub share: Share,
    /// Whether somebody else takes half of AWS's rate all the while.
    pub neighbour: bool,
}

/// What one phase is, and which calls it cannot do without.
struct Phase {
    name: &'static str,
    version: u32,
    /// Calls for each job.
    registers: u64,
    /// Writes to EventBridge for each job.
    puts: u64,
    /// Reads of EventBridge for each job: before a write, rule, tags and targets are read anew.
    looks: u64,
    /// Whether the buckets are full when it begins; after a start they hold one call.
    rested: bool,
}

const PHASES: [Phase; 3] = [
    Phase { name: "create", version: 1, registers: 1, puts: 2, looks: 1, rested: false },
    Phase { name: "change every image", version: 2, registers: 1, puts: 1, looks: 3, rested: true },
    Phase { name: "roll all back", version: 1, registers: 0, puts: 1, looks: 3, rested: true },
];

/// Goes through the phases one after another.
///
/// # Errors
///
/// Jobs do not converge, or a tick was missed or doubled.
pub async fn measure(terms: Terms) -> anyhow::Result<Vec<Figure>> {
    let Terms { jobs, share, neighbour } = terms;
    let stage = Stage::new()?;
    let scan = |version| Fleet { jobs, version }.scan();
    let mut all = Vec::new();
    let mut running: Option<Daemon> = None;
    let beside = if neighbour { Some(Neighbour::begin(&stage)) } else { None };
    for phase in &PHASES {
        let wanted = specs(&scan(phase.version), stage.now());
        ensure!(wanted.len() == jobs, "only {} of {jobs} manifests are valid", wanted.len());
        stage.wire.take();
        let began = stage.now();
        let daemon = match running.take() {
            None => stage.daemon(share, scan(phase.version)).await?,
            Some(daemon) => {
                daemon.feed(scan(phase.version));
                daemon
            }
        };
        let floor = phase.floor(terms);
        let took = daemon.converged(&wanted, floor * 4 + REST).await?;
        let counts = stage.wire.take();
        let mut figures = Figures::of(label(phase, terms));
        tell(&mut figures, phase, terms, took, &counts);
        tokio::time::sleep(REST).await;
        stage.door.catch_up().await?;
        let ticks = ticks(&stage, &counts, (began, stage.now()), jobs, phase.rested)?;
        figures.tell("ticks meanwhile, each started once", ticks as f64, Unit::Count);
        all.extend(figures.into_vec());
        running = Some(daemon);
    }
    if let Some(daemon) = running {
        daemon.stop().await?;
    }
    drop(beside);
    Ok(all)
}

fn label(phase: &Phase, terms: Terms) -> String {
    format!("{} {}", phase.name, terms.jobs)
}

fn tell(figures: &mut Figures, phase: &Phase, terms: Terms, took: Duration, counts: &Counts) {
    let floor = phase.floor(terms);
    let most = if terms.neighbour { BESIDE } else { ALONE };
    figures.tell("AWS's time", took.as_secs_f64(), Unit::Seconds);
    figures.hold("ratio to what the share allows", took.as_secs_f64() / floor.as_secs_f64(), Unit::Ratio, most);
    let writes = (counts.writes() - counts.clean_up()) as f64 / terms.jobs as f64;
    let throttled = counts.throttled as f64;
    if !terms.neighbour || terms.share <= Share::HALF {
        figures.hold("throttled calls", throttled, Unit::Count, 0.0);
        figures.hold("writes a job", writes, Unit::Calls, (phase.registers + phase.puts) as f64);
    } else {
        // Both ask for all that AWS allows: who is throttled asks again.
        figures.tell("throttled calls", throttled, Unit::Count);
        figures.tell("writes a job", writes, Unit::Calls);
    }
    figures.tell("writes of clean-up, out of the spare budget", counts.clean_up() as f64, Unit::Count);
    figures.tell("reads a job, resyncs included", counts.reads() as f64 / terms.jobs as f64, Unit::Calls);
    for (operation, count) in &counts.calls {
        figures.tell(operation.clone(), *count as f64, Unit::Count);
    }
}

impl Phase {
    /// The least time that the share allows for the calls that the phase cannot do without.
    fn floor(&self, terms: Terms) -> Duration {
        let jobs = terms.jobs as u64;
        let of = |bucket: Bucket, calls: u64| {
            let share = terms.share.as_f64();
            let rate = bucket.rate();
            // What the neighbour leaves of AWS's rate is less than a share of more than half of it.
            let left = if terms.neighbour { share.min(1.0 - neighbour::PART) } else { share };
            let held = if self.rested { (f64::from(rate.burst) * share).floor().max(1.0) } else { 1.0 };
            ((jobs * calls) as f64 - held).max(0.0) / (f64::from(rate.per_second) * left)
        };
        let register = of(Bucket::TaskDefinitionModify, self.registers);
        let events = of(Bucket::Events, self.puts + self.looks);
        Duration::from_secs_f64(register.max(events).max(1.0))
    }
}

/// How many ticks came due between two moments; each must have started its job once.
fn ticks(
    stage: &Stage,
    counts: &Counts,
    (from, to): (Timestamp, Timestamp),
    jobs: usize,
    were_there: bool,
) -> anyhow::Result<usize> {
    let mut started = counts.started.clone();
    let later = stage.wire.take();
    started.extend(later.started);
    let failed: Vec<&String> = counts.failed.iter().chain(&later.failed).collect();
    ensure!(failed.is_empty(), "{} ticks came to nothing, first {}", failed.len(), failed[0]);
    ensure!(started.values().all(|count| *count == 1), "a tick started its job more than once");
    if !were_there {
        return Ok(started.len());
    }
    // AWS fires up to a minute late.
    let (first, last) = (from.checked_add(1.minute())?, to.checked_sub(1.minute())?);
    let mut expected = 0;
    for index in 0..jobs {
        let rule = format!("etl-{}", Fleet::name(index));
        for due in dues(index, first, last)? {
            ensure!(started.contains_key(&(rule.clone(), due)), "{rule} did not start at {due}");
            expected += 1;
        }
    }
    Ok(expected)
}

/// When the daily schedule of a job comes due between two moments, by counting minutes.
fn dues(index: usize, from: Timestamp, to: Timestamp) -> anyhow::Result<Vec<Timestamp>> {
    let day = from
        .to_zoned(jiff::tz::TimeZone::UTC)
        .round(jiff::ZonedRound::new().smallest(TimeUnit::Day).mode(jiff::RoundMode::Floor))?;
    let minutes = i64::try_from(index % 60 + (8 + index / 60) % 24 * 60)?;
    let first = day.timestamp().checked_add(SignedDuration::from_mins(minutes))?;
    let mut dues = Vec::new();
    let mut due = first;
    while due < to {
        if due > from {
            dues.push(due);
        }
        due = due.checked_add(SignedDuration::from_hours(24))?;
    }
    Ok(dues)
}
