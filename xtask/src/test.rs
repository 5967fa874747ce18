//! Every check there is, in one run.

use std::io::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::{root, target, venv};

/// The same properties are tried on every run, so that what turns red was turned red by the change.
const PROPTEST_RNG_SEED: &str = "20260101";

/// Whatever once failed, every call of every scenario, and many seeds.
const SIMULATION: [&str; 10] =
    ["run", "--quiet", "--package", "xtask", "--", "sim", "--kept", "--exhaustive", "--seeds", "0..2000"];

/// Runs everything that a change must pass: layout, lints, all tests, the end-to-end ones included, and the simulation.
///
/// # Errors
/// If any of it fails; the rest still runs, so that one run shows everything.
pub fn run() -> anyhow::Result<()> {
    let begin = Instant::now();
    let environment = venv::ensure()?;
    let steps: [(&str, &[&str]); 6] = [
        ("layout", &["fmt", "--all", "--check"]),
        ("codegen", &["run", "--quiet", "--package", "xtask", "--", "codegen", "--check"]),
        ("lints", &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
        // The program comes with its own tests. Built apart, with other features of the SDK, it would take as long again.
        ("binary", &["test", "--workspace", "--no-run"]),
        ("tests", &["test", "--workspace", "--no-fail-fast"]),
        ("simulation", &SIMULATION),
    ];
    let mut results = Vec::new();
    for (name, arguments) in steps {
        let start = Instant::now();
        let passed = cargo(arguments, &environment)?;
        results.push((name, passed, start.elapsed()));
    }
    summary(&results, begin.elapsed())?;
    match results.iter().filter(|(_, passed, _)| !passed).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} steps failed", results.len()),
    }
}

fn cargo(arguments: &[&str], environment: &Path) -> anyhow::Result<bool> {
    // Tests of whole processes wait more than they work.
    let threads = 2 * std::thread::available_parallelism().map_or(1, NonZero::get);
    let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| PROPTEST_RNG_SEED.to_owned());
    say(&format!("$ cargo {}", arguments.join(" ")))?;
    let status = Command::new(crate::cargo())
        .args(arguments)
        .current_dir(root())
        .env("PROPTEST_RNG_SEED", seed)
        .env("RUST_TEST_THREADS", threads.to_string())
        .env("ECS_ETL_VENV", environment)
        .env("ECS_ETL_BIN", target().join("debug").join("ecs-etl"))
        .status()
        .with_context(|| format!("cargo {} did not start", arguments.join(" ")))?;
    Ok(status.success())
}

fn summary(results: &[(&str, bool, Duration)], total: Duration) -> anyhow::Result<()> {
    say("")?;
    for (name, passed, took) in results {
        say(&format!("{:10} {:6} {:>5} s", name, if *passed { "passed" } else { "FAILED" }, took.as_secs()))?;
    }
    say(&format!("{:10} {:6} {:>5} s", "all", "", total.as_secs()))
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}
