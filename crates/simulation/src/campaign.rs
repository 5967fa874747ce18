//! Many seeds on all cores: resumable, with figures, and a story for each failure.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::world::Stats;
use crate::{generate, history};

/// Seeds that one thread takes at a time; what is written down is whole portions.
const PORTION: u64 = 50;

/// One seed in so many is run twice: both histories must be the same.
const TWICE: u64 = 50;

/// How often progress is written down.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// What a campaign has come to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Histories run.
    pub histories: u64,
    /// Simulated time, in seconds.
    pub simulated: u64,
    /// Time spent by all threads together, in milliseconds.
    pub spent: u64,
    /// Counts.
    pub stats: Stats,
    /// Seeds that broke a promise, with the oracle and what it found.
    pub failures: Vec<Failure>,
    /// Portions that are done, by number.
    done: BTreeSet<u64>,
}

/// A seed that broke a promise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The oracle.
    pub oracle: String,
    /// What it found.
    pub what: String,
}

/// What tells this build from others: progress of another program is none.
fn build() -> anyhow::Result<u64> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let bytes = fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Ok(hasher.finish())
}

/// Runs the seeds that are not done yet, on `threads` threads, and goes on where an earlier run of the same campaign was stopped.
///
/// `progress` is told of the figures from time to time.
///
/// # Errors
///
/// The progress cannot be read or written, or a runtime cannot be made.
pub fn run(
    seeds: Range<u64>,
    threads: usize,
    notes: &Path,
    progress: &(dyn Fn(&Figures) + Sync),
) -> anyhow::Result<Figures> {
    let file = notes.join(format!("seeds-{}-{}-{:016x}.json", seeds.start, seeds.end, build()?));
    let earlier = match fs::read(&file) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).with_context(|| format!("{} does not read; remove it", file.display()))?
        }
        Err(_absent) => Figures::default(),
    };
    let portions = (seeds.end.saturating_sub(seeds.start)).div_ceil(PORTION);
    let next = AtomicU64::new(0);
    let shared = Mutex::new((earlier, Instant::now()));
    let work = || -> anyhow::Result<()> {
        loop {
            let portion = next.fetch_add(1, Ordering::Relaxed);
            if portion >= portions {
                return Ok(());
            }
            if shared.lock().unwrap_or_else(PoisonError::into_inner).0.done.contains(&portion) {
                continue;
            }
            let from = seeds.start + portion * PORTION;
            let mut part = self::portion(from..(from + PORTION).min(seeds.end))?;
            part.done.insert(portion);
            let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let (figures, written) = &mut *held;
            figures.add(part);
            progress(figures);
            if written.elapsed() >= WRITTEN_EVERY {
                *written = Instant::now();
                write(&file, figures)?;
            }
        }
    };
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })?;
    let (figures, _) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    write(&file, &figures)?;
    Ok(figures)
}

fn portion(seeds: Range<u64>) -> anyhow::Result<Figures> {
    let begin = Instant::now();
    let mut figures = Figures::default();
    for seed in seeds {
        let story = generate::story(seed);
        let run = std::panic::catch_unwind(|| history::run(&story, None, false));
        figures.histories += 1;
        let failure = match run {
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Some(("hang".to_owned(), error.to_string())),
            Ok(report) => {
                let report = report?;
                if seed % TWICE == 0 && history::run(&story, None, true)?.digest != report.digest {
                    let what = "the same seed gave another history when it was run again".to_owned();
                    figures.failures.push(Failure { seed, oracle: "determinism".to_owned(), what });
                }
                figures.stats.add(&report.stats);
                figures.simulated += u64::from(story.end) / 1000;
                report.broken.map(|broken| (broken.oracle.to_owned(), broken.what))
            }
            Err(_panic) => Some(("panic".to_owned(), "the history panicked".to_owned())),
        };
        figures.failures.extend(failure.map(|(oracle, what)| Failure { seed, oracle, what }));
    }
    figures.spent = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(figures)
}

fn write(file: &PathBuf, figures: &Figures) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let text = serde_json::to_vec_pretty(figures)?;
    // A campaign that is stopped while it writes must find the whole of what it wrote before.
    let fresh = file.with_extension("new");
    fs::write(&fresh, text)
        .and_then(|()| fs::rename(&fresh, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

impl Figures {
    fn add(&mut self, other: Self) {
        let Self { histories, simulated, spent, stats, failures, done } = other;
        self.histories += histories;
        self.simulated += simulated;
        self.spent += spent;
        self.stats.add(&stats);
        self.failures.extend(failures);
        self.failures.sort_by_key(|failure| failure.seed);
        self.done.extend(done);
    }
}
