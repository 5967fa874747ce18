//! `cargo xtask sim`: histories of the controller, each from one seed.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Parser;
use ecs_etl_simulation::campaign::{self, Figures};
use ecs_etl_simulation::exhaustive;
use ecs_etl_simulation::kept;
use ecs_etl_simulation::log::clock;
use ecs_etl_simulation::mutant::Mutant;
use ecs_etl_simulation::story::Story;
use ecs_etl_simulation::{generate, history, parallel, shrink, tell};

/// A third of a history's time goes into small allocations.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Simulate whole histories of the controller: manifests, AWS, time and faults, all from one seed
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sim", bin_name = "cargo xtask sim")]
struct Args {
    /// Run this history twice, compare the two, and tell it
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The same with a story that was kept
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    story: Option<PathBuf>,
    /// Run many histories: from A up to but not including B
    #[arg(long, value_name = "A..B", value_parser = range)]
    seeds: Option<(u64, u64)>,
    /// Crash after each call of each scenario, and let each write happen but be reported as failed
    #[arg(long)]
    exhaustive: bool,
    /// Run the wrong controllers until each is noticed
    #[arg(long)]
    mutants: bool,
    /// Of the wrong controllers, run those alone whose names hold this
    #[arg(long, value_name = "TEXT", requires = "mutants")]
    mutant: Option<String>,
    /// Run again what once failed
    #[arg(long)]
    kept: bool,
    /// With --seed or --story: print every line of the log
    #[arg(long)]
    log: bool,
    /// With --seed: keep the story among those that --kept runs
    #[arg(long, requires = "seed")]
    keep: bool,
    /// Threads for --seeds and --exhaustive
    #[arg(long, value_name = "N", default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
    /// Where progress is kept, so that --seeds goes on where it was stopped
    #[arg(long, value_name = "DIR", default_value = "target/simulation-progress")]
    progress: PathBuf,
    /// Forget earlier progress
    #[arg(long)]
    fresh: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match parts {
        Some((from, to)) if from < to => Ok((from, to)),
        Some(_) | None => Err("write it as A..B, with A below B".to_owned()),
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut sound = true;
    let one_story = args.seed.is_some() || args.story.is_some();
    let asked = one_story || args.seeds.is_some() || args.exhaustive || args.mutants || args.kept;
    ensure!(asked, "say what to run: --seed N, --story FILE, --seeds A..B, --exhaustive, --mutants or --kept");
    ensure!(one_story || !args.log, "--log tells one history: give --seed N or --story FILE with it");
    if let Some(file) = &args.story {
        sound &= one(&kept::read(file)?, args.log)?;
    }
    if let Some(seed) = args.seed {
        sound &= one(&generate::story(seed), args.log)?;
        if args.keep {
            kept::note(seed)?;
            say(&format!("the story is kept in {}", kept::keep(kept::folder(), &generate::story(seed))?.display()))?;
        }
    }
    if args.kept {
        sound &= again()?;
    }
    if args.exhaustive {
        sound &= every_call(args.threads)?;
    }
    if let Some((from, to)) = args.seeds {
        sound &= many(from, to, &args)?;
    }
    if args.mutants {
        sound &= mutants(args.mutant.as_deref().unwrap_or_default(), args.threads)?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}

/// Runs a history twice and tells it.
fn one(story: &Story, log: bool) -> anyhow::Result<bool> {
    let report = history::run(story, None, true)?;
    let again = history::run(story, None, true)?;
    if report.digest != again.digest {
        let parting = report.lines.iter().zip(&again.lines).find(|(one, other)| one != other);
        bail!("the story gives two histories, which part here: {parting:#?}");
    }
    if log {
        for (millis, line) in &report.lines {
            say(&format!("{} {line}", clock(*millis)))?;
        }
    }
    say(&tell::tell(story, &report))?;
    say(&format!("{} calls, log {:016x}, the same twice", report.stats.calls, report.digest))?;
    Ok(report.broken.is_none())
}

/// Runs a failing seed's story shorter and shorter and tells what is left.
fn explain(seed: u64) -> anyhow::Result<()> {
    let story = generate::story(seed);
    let report = history::run(&story, None, false)?;
    let Some(broken) = &report.broken else {
        return say(&format!("seed {seed} does not fail again: see --seed {seed}"));
    };
    let shrunk = shrink::shrink(&story, broken, &report.faults, None)?;
    let report = history::run(&shrunk.story, None, true)?;
    say(&tell::tell(&shrunk.story, &report))?;
    let file = kept::keep(kept::folder(), &shrunk.story)?;
    say(&format!("the story is kept in {}, and its seed beside it", file.display()))
}

fn many(from: u64, to: u64, args: &Args) -> anyhow::Result<bool> {
    if args.fresh && args.progress.exists() {
        std::fs::remove_dir_all(&args.progress)
            .with_context(|| format!("cannot remove {}", args.progress.display()))?;
    }
    let bar = if std::io::stderr().is_terminal() {
        let style =
            indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} histories, {per_sec}, {msg}, {eta} left")?;
        indicatif::ProgressBar::new(to - from).with_style(style)
    } else {
        indicatif::ProgressBar::hidden()
    };
    let begin = std::time::Instant::now();
    let counted = std::sync::atomic::AtomicU64::new(u64::MAX);
    let progress = |figures: &Figures| {
        counted.fetch_min(figures.histories, std::sync::atomic::Ordering::Relaxed);
        bar.set_position(figures.histories);
        bar.set_message(format!("{} failed", figures.failures.len()));
    };
    let figures = campaign::run(from..to, args.threads, &args.progress, &progress)?;
    bar.finish_and_clear();
    say(&summary(&figures, args.threads))?;
    say(&format!("{} s of wall clock", begin.elapsed().as_secs()))?;
    // Before anything else is done with them, which may fail too.
    figures.failures.iter().try_for_each(|failure| kept::note(failure.seed))?;
    for failure in &figures.failures {
        say(&format!("\nseed {}: {}: {}", failure.seed, failure.oracle, failure.what))?;
        let told = std::panic::catch_unwind(|| explain(failure.seed));
        if let Err(error) = told.unwrap_or_else(|_panic| Err(anyhow!("it panicked"))) {
            say(&format!("its story could not be told or kept: {error:#}; see --seed {}", failure.seed))?;
        }
    }
    Ok(figures.failures.is_empty())
}

fn summary(figures: &Figures, threads: usize) -> String {
    let seconds = (figures.spent as f64 / 1000.0 / threads.max(1) as f64).max(0.001);
    let stats = &figures.stats;
    let list = |counts: &std::collections::BTreeMap<String, u64>| {
        counts.iter().map(|(name, count)| format!("  {name} {count}")).collect::<Vec<_>>().join("\n")
    };
    format!(
        "{} histories, {:.1} simulated years, {} calls ({} of them writes), {} ticks, {} statuses; {} failed\n\
         {:.1} histories and {:.0} calls a second on {threads} threads\n\
         calls:\n{}\nfaults:\n{}\nkilled {} times, at {} points:\n{}",
        figures.histories,
        figures.simulated as f64 / 86_400.0 / 365.25,
        stats.calls,
        stats.writes,
        stats.ticks,
        stats.statuses,
        figures.failures.len(),
        figures.histories as f64 / seconds,
        stats.calls as f64 / seconds,
        list(&stats.operations),
        list(&stats.faults),
        stats.crashes.values().sum::<u64>(),
        stats.crashes.len(),
        list(&stats.crashes),
    )
}

fn every_call(threads: usize) -> anyhow::Result<bool> {
    let mut sound = true;
    let mut histories = 0;
    let scenarios = exhaustive::scenarios();
    let results = exhaustive::run_all(&scenarios, threads)?;
    for (scenario, result) in scenarios.iter().zip(results) {
        histories += result.histories;
        say(&format!(
            "{:24} {:4} calls, {:3} writes, {:5} histories{}",
            scenario.name,
            result.calls,
            result.writes,
            result.histories,
            if result.failures.is_empty() { "" } else { ", FAILED" }
        ))?;
        for failure in &result.failures {
            sound = false;
            say(&format!("  {failure}"))?;
        }
    }
    say(&format!("{histories} histories"))?;
    Ok(sound)
}

/// Stories that a wrong controller may survive before it counts as not noticed.
const PATIENCE: usize = 500;

/// Runs every wrong controller until an oracle that ought to notice it does. What others notice on the way counts for nothing.
fn mutants(named: &str, threads: usize) -> anyhow::Result<bool> {
    let asked: Vec<Mutant> = Mutant::ALL.into_iter().filter(|mutant| format!("{mutant:?}").contains(named)).collect();
    let rows = parallel::each(&asked, threads, |mutant| noticed(*mutant))?;
    say("| wrong controller | oracle | seeds | what it found |\n|---|---|---|---|")?;
    for (mutant, row) in asked.iter().zip(&rows) {
        let survived = || format!("**none** | {PATIENCE} | it survived");
        say(&format!("| {mutant:?} | {} |", row.clone().unwrap_or_else(survived)))?;
    }
    Ok(rows.iter().all(Option::is_some))
}

/// Which oracle notices a wrong controller, after how many seeds, and by what; none if it survives.
fn noticed(mutant: Mutant) -> std::io::Result<Option<String>> {
    let stories = (0_u64..).map(|seed| (seed, generate::story(seed))).filter(|(_, story)| mutant.may_show_in(story));
    for (seed, story) in stories.take(PATIENCE) {
        let report = history::run(&story, Some(mutant), false)?;
        if let Some(broken) = report.broken.filter(|broken| mutant.nemeses().contains(&broken.oracle)) {
            return Ok(Some(format!("{} | {} | {}", broken.oracle, seed + 1, broken.what)));
        }
    }
    Ok(None)
}

fn again() -> anyhow::Result<bool> {
    let mut sound = true;
    let folder: &Path = kept::folder();
    let stories = kept::stories(folder)?;
    for (name, story) in &stories {
        let report = history::run(story, None, true)?;
        if report.broken.is_some() {
            sound = false;
            say(&format!("{name} fails again:\n{}", tell::tell(story, &report)))?;
        }
    }
    say(&format!("{} kept stories run again", stories.len()))?;
    Ok(sound)
}
