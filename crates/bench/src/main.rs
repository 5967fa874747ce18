//! `cargo xtask bench`: what the controller costs, and whether that is within its budgets.
//!
//! Each scenario runs in a process of its own, so that its CPU time and its peak memory are its own.

mod cost;
mod figure;
mod fleet;
mod floor;
mod neighbour;
mod stage;
mod wire;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use ecs_etl_aws::Share;

use crate::figure::{Figure, Figures, Unit};
use crate::floor::Terms;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", about = "What the controller costs, and whether that is within its budgets")]
struct Args {
    #[arg(long, default_value_t = 100)]
    jobs: usize,
    #[arg(long, default_value = "0.5")]
    share: Share,
    #[arg(long)]
    neighbour: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let terms = Terms { jobs: args.jobs, share: args.share, neighbour: args.neighbour };
    let mut figures = runtime.block_on(floor::measure(terms))?;
    let mut own = Figures::of("process");
    own.tell("CPU", cost::cpu_seconds(cost::OWN)?, Unit::Seconds);
    own.tell("peak memory", cost::peak_memory(cost::OWN)? as f64 / 1e6, Unit::Megabytes);
    figures.extend(own.into_vec());
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", figure::head())?;
    for figure in &figures {
        writeln!(out, "{figure}")?;
    }
    Ok(if figures.iter().all(Figure::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
