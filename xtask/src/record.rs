//! A tour of AWS whose answers become fixtures for the emulator.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{root, venv};

/// How `cargo xtask record` is called.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A server that plays AWS, in place of AWS itself
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The Region, if not that of the AWS configuration
    #[arg(long)]
    region: Option<String>,
    /// A folder for the recording, if not tests/recorded
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// A role that EventBridge may assume, for the calls that AWS checks a role in; they are left out without one
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// Print the calls and make none
    #[arg(long)]
    dry_run: bool,
    /// Make no tour but remove what one left behind, by the name that it told
    #[arg(long, value_name = "NAME", conflicts_with = "dry_run")]
    clean_up: Option<String>,
}

/// Makes the tour in `tests/record`, and removes what it made.
///
/// The tour itself is Python, through the botocore that the tests pin: it has AWS's own reading of credentials, profiles and
/// endpoints, and, unlike the AWS CLI, it can be told to send what AWS is meant to refuse. So no AWS SDK is needed here.
///
/// # Errors
/// If the tour could not be made, or something that it made is still there; both are told on standard error.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let environment = venv::ensure()?;
    let output = args.output.clone().unwrap_or_else(|| root().join("tests").join("recorded"));
    let mut command = Command::new(environment.join("bin").join("python"));
    command
        .arg(root().join("tests").join("record").join("record.py"))
        .env("PYTHONPATH", environment.join("service-model"))
        .arg("--output")
        .arg(output);
    let options = [
        ("--endpoint", &args.endpoint),
        ("--region", &args.region),
        ("--role", &args.role),
        ("--clean-up", &args.clean_up),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    if args.dry_run {
        command.arg("--dry-run");
    }
    let status = command.status().context("python did not start")?;
    ensure!(status.success(), "the tour was not recorded, or did not clean up: {status}");
    Ok(())
}
