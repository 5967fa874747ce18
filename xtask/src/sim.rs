//! The simulation, which is a program of its own: it must be built for speed, with all of the AWS SDK in it.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::root;

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// What the simulation is to do; `--help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The simulation's cargo arguments, up to its own.
const RUN: [&str; 6] = ["run", "--quiet", "--release", "--package", "ecs-etl-simulation", "--"];

/// The daemon's allocator gives free pages back at once, to be small. The simulation would ask for them again with its next call.
const ALLOCATOR: (&str, &str) = ("_RJEM_MALLOC_CONF", "dirty_decay_ms:-1,muzzy_decay_ms:-1");

/// Builds the simulation and runs it.
///
/// # Errors
/// If it does not build, or says that a promise was broken.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let status = Command::new(crate::cargo())
        .args(RUN)
        .args(&args.arguments)
        .env(ALLOCATOR.0, ALLOCATOR.1)
        .current_dir(root())
        .status()
        .context("the simulation did not start")?;
    ensure!(status.success(), "the simulation ended with {status}");
    Ok(())
}
