//! `ecs-etl validate`.

use std::process::ExitCode;

use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::manifests::Reader;
use ecs_etl_controller::verdict;
use ecs_etl_spec::diagnostic::Severity;
use serde_json::{Value, json};

use crate::args::{Output, Validate};
use crate::commands::connect;
use crate::diagnostics;
use crate::output::{Terminal, Tone, count, toned};

/// Checks every manifest of a directory.
pub fn run(args: &Validate, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let (scan, manifests) = connect::manifests(&args.dir.dir, &Reader::default())?;
    let valid = is_valid(&manifests);
    match args.output {
        Output::Json => terminal.json(&json!({
            "apiVersion": "ecs-etl/v1",
            "kind": "EtlValidation",
            "valid": valid,
            "jobs": manifests.directory.jobs.keys().collect::<Vec<_>>(),
            "clusters": manifests.directory.clusters.keys().collect::<Vec<_>>(),
            "blocked": blocked(&manifests),
            "diagnostics": manifests.directory.diagnostics,
            "incomplete": manifests.incomplete,
        }))?,
        Output::Text => {
            diagnostics::print(&args.dir.dir, &scan, &manifests, terminal)?;
            terminal.line(format!(
                "{}, {}, {}: {}",
                count(manifests.directory.jobs.len(), "valid job"),
                count(manifests.directory.clusters.len(), "cluster"),
                count(scan.files.len(), "file"),
                if valid { toned(Tone::Good, "valid") } else { toned(Tone::Bad, "not valid") }
            ))?;
        }
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Jobs that are written and cannot be used, for machines.
pub fn blocked(manifests: &Manifests) -> Value {
    let blocked = manifests.directory.blocked.iter().map(|(job, blocked)| {
        (job.as_str().to_owned(), json!({"reason": verdict::of_blocked(blocked.reason), "message": blocked.message}))
    });
    Value::Object(blocked.collect())
}

/// Whether nothing in the directory is an error.
pub fn is_valid(manifests: &Manifests) -> bool {
    manifests.incomplete.is_empty()
        && manifests.directory.blocked.is_empty()
        && manifests.directory.diagnostics.iter().all(|found| found.severity < Severity::Error)
}
