//! The benchmarks, which are a program of their own: built for release, they run the shipped `ecs-etl` beside it.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{cargo, root, target};

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// What is to be measured; `--help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the benchmarks and what they measure, and runs them.
///
/// # Errors
/// If something does not build, does not work, or is over its budget.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let build = Command::new(cargo())
        .args(["build", "--quiet", "--release", "--package", "ecs-etl", "--package", "ecs-etl-bench"])
        .current_dir(root())
        .status()
        .context("cargo did not start")?;
    ensure!(build.success(), "the build ended with {build}");
    let release = target().join("release");
    let status = Command::new(release.join("ecs-etl-bench"))
        .arg("--program")
        .arg(release.join("ecs-etl"))
        .args(&args.arguments)
        .status()
        .context("the benchmarks did not start")?;
    ensure!(status.success(), "the benchmarks ended with {status}");
    Ok(())
}
