//! `ecs-etl schema`.

use std::process::ExitCode;

use crate::output::Terminal;

/// Prints the JSON Schema of the manifests.
pub fn run(terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    terminal.json(&ecs_etl_spec::schema::manifests())?;
    Ok(ExitCode::SUCCESS)
}
