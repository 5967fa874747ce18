//! `ecs-etl validate`.

use std::process::ExitCode;

use ecs_etl_controller::manifests::Manifests;
use ecs_etl_spec::diagnostic::Severity;
use serde_json::json;

use crate::args::{Output, Validate};
use crate::commands::connect;
use crate::diagnostics;
use crate::output::{Terminal, Tone, toned};

/// Checks every manifest of a directory.
pub fn run(args: &Validate, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let (scan, manifests) = connect::manifests(&args.dir.dir, ecs_etl_controller::selector::Selector::default());
    let valid = is_valid(&manifests);
    match args.output {
        Output::Json => terminal.json(&json!({
            "valid": valid,
            "jobs": manifests.directory.jobs.keys().collect::<Vec<_>>(),
            "clusters": manifests.directory.clusters.keys().collect::<Vec<_>>(),
            "diagnostics": manifests.directory.diagnostics,
            "unreadable": manifests.incomplete,
        }))?,
        Output::Text => {
            diagnostics::print(&args.dir.dir, &scan, &manifests, terminal)?;
            let summary = format!(
                "{} jobs, {} clusters, {} files: {}",
                manifests.directory.jobs.len(),
                manifests.directory.clusters.len(),
                scan.files.len(),
                if valid { toned(Tone::Good, "valid") } else { toned(Tone::Bad, "not valid") }
            );
            terminal.line(summary)?;
        }
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether nothing in the directory is an error.
pub fn is_valid(manifests: &Manifests) -> bool {
    manifests.incomplete.is_empty()
        && manifests.directory.blocked.is_empty()
        && manifests.directory.diagnostics.iter().all(|found| found.severity < Severity::Error)
}
