//! `ecs-etl completions SHELL`.

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::output::Terminal;

/// Prints a completion script.
pub fn run(shell: clap_complete::Shell, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ecs-etl", &mut script);
    terminal.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
