//! sim
use std::time::Instant;
use ecs_etl_simulation::{generate, history};
use std::io::Write as _;

/// Half of a history's time goes into small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    if let Ok(seed) = std::env::var("SIM_TELL") {
        let report = history::run(&generate::story(seed.parse()?), None, true)?;
        for (millis, line) in &report.lines {
            writeln!(std::io::stdout(), "{} {line}", ecs_etl_simulation::log::clock(*millis))?;
        }
        writeln!(std::io::stdout(), "{:?}", report.broken)?;
        return Ok(());
    }
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (from, to) = (args.first().copied().unwrap_or(0), args.get(1).copied().unwrap_or(10));
    let begin = Instant::now();
    let mut calls = 0;
    let mut out = std::io::stdout();
    for seed in from..to {
        let one = Instant::now();
        let report = history::run(&generate::story(seed), None, false)?;
        calls += report.stats.calls;
        if let Some(broken) = &report.broken {
            writeln!(out, "{seed} BROKEN {} at {}: {}", broken.oracle, ecs_etl_simulation::log::clock(broken.millis), broken.what)?;
        }
        if to - from <= 20 {
            writeln!(out, "{seed} {:x} {:?} {:?}", report.digest, report.stats, one.elapsed())?;
        }
    }
    let took = begin.elapsed().as_secs_f64();
    writeln!(out, "{} histories, {:.1}/s, {} calls, {:.0}/s", to - from, (to - from) as f64 / took, calls, calls as f64 / took)?;
    Ok(())
}
