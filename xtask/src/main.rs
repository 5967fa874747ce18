//! Development tasks of ecs-etl, run as `cargo xtask TASK`.

mod bench;
mod codegen;
mod fuzz;
mod record;
mod sim;
mod test;
mod venv;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Development tasks of ecs-etl")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure what the controller costs, and whether that is within its budgets
    Bench(bench::Args),
    /// Generate the shapes of AWS and their SDK conversions from AWS's service models
    Codegen(codegen::Args),
    /// Search for inputs that break what must hold for any input
    Fuzz(fuzz::Args),
    /// Ask AWS, in an account of yours, what the emulator should answer, and keep the answers
    Record(record::Args),
    /// Simulate whole histories of the controller: manifests, AWS, time and faults, all from one seed
    Sim(sim::Args),
    /// Run every check: layout, lints, all tests, the end-to-end ones included, and the simulation
    Test,
    /// Make the tests' Python environment in target/venv, or bring it up to date
    Venv,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Bench(args) => bench::run(&args),
        Task::Codegen(args) => codegen::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Record(args) => record::run(&args),
        Task::Sim(args) => sim::run(&args),
        Task::Test => test::run(),
        Task::Venv => venv::ensure().map(|_| ()),
    }
}

/// Root of the repository.
fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs us.
fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
