//! `cargo xtask bench`: what the controller costs, and whether that is within its budgets.
//!
//! Each scenario runs in a process of its own, so that its CPU time and its peak memory are its own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};

use ecs_etl_bench::figure::{self, Figure};
use ecs_etl_bench::scenario::{Scenario, list};
use ecs_etl_bench::work;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", about = "What the controller costs, and whether that is within its budgets")]
struct Args {
    /// Only scenarios whose name contains this
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// Leave out what takes minutes: ten thousand jobs and more
    #[arg(long)]
    quick: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// The `ecs-etl` to measure, built for release; without it, scenarios of real processes are left out
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write the work out, so that another tool can be run on it: manifests, Terraform, and plain requests
    Work(work::Args),
    /// Run one scenario in this process and print its figures as JSON
    #[command(hide = true)]
    Scenario {
        /// Its name
        name: String,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut out = std::io::stdout().lock();
    match &args.task {
        Some(Task::Work(work)) => work::write(work, &mut out).map(|()| ExitCode::SUCCESS),
        Some(Task::Scenario { name }) => {
            let scenarios = list();
            let scenario = scenarios.iter().find(|scenario| scenario.name == *name).context("no such scenario")?;
            let program = args.program.as_ref().map(std::path::absolute).transpose()?;
            let figures = scenario.run(program.as_deref())?;
            writeln!(out, "{}", serde_json::to_string(&figures)?)?;
            Ok(ExitCode::SUCCESS)
        }
        None => all(&args, &mut out),
    }
}

fn all(args: &Args, out: &mut impl std::io::Write) -> anyhow::Result<ExitCode> {
    let mut figures = Vec::new();
    let chosen = |scenario: &Scenario| {
        args.only.as_ref().is_none_or(|part| scenario.name.contains(part.as_str()))
            && !(args.quick && scenario.takes_minutes)
            && !(args.program.is_none() && scenario.needs_program())
    };
    if !args.json {
        writeln!(out, "{}", figure::head())?;
    }
    for scenario in list().into_iter().filter(chosen) {
        let found = apart(args, &scenario)?;
        if !args.json {
            for figure in &found {
                writeln!(out, "{figure}")?;
            }
            out.flush()?;
        }
        figures.extend(found);
    }
    ensure!(!figures.is_empty(), "no scenario is called so");
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(if figures.iter().all(Figure::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a scenario in a process of its own.
fn apart(args: &Args, scenario: &Scenario) -> anyhow::Result<Vec<Figure>> {
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(program) = &args.program {
        command.arg("--program").arg(program);
    }
    let output = command.args(["scenario", &scenario.name]).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "scenario {} ended with {}", scenario.name, output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}
