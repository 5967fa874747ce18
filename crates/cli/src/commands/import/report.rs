//! What an import says about itself: for people on standard error, or as JSON.

use std::path::{Path, PathBuf};

use ecs_etl_import::{Import, Kind};
use serde_json::json;

use crate::args::Output;
use crate::output::{Terminal, Tone, count, toned};

/// Reports what was written and what a person should know.
pub fn print(
    import: &Import,
    output: &Path,
    written: &[PathBuf],
    form: Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    match form {
        Output::Json => terminal.json(&json!({
            "apiVersion": "ecs-etl/v1",
            "kind": "EtlImport",
            "output": output,
            "jobs": import.jobs,
            "files": import.manifests.iter().map(|manifest| json!({"path": manifest.path, "secret": manifest.secret})).collect::<Vec<_>>(),
            "findings": import.findings,
        })),
        Output::Text => text(import, output, written, terminal),
    }
}

fn text(import: &Import, output: &Path, written: &[PathBuf], terminal: &mut Terminal) -> anyhow::Result<()> {
    for finding in &import.findings {
        let tone = match finding.kind {
            Kind::FillIn | Kind::NotCarriedOver => Tone::Warn,
            Kind::Check => Tone::Bold,
        };
        terminal.note(format!("{} {finding}", toned(tone, format!("{}:", finding.kind.words()))))?;
    }
    for path in written {
        terminal.line(path.display())?;
    }
    let of = |kind: Kind| import.findings.iter().filter(|finding| finding.kind == kind).count();
    terminal.note(format!(
        "{} written: {} to fill in, {} not carried over, {} to check; `ecs-etl validate {}` says what is still missing",
        count(import.jobs.len(), "job"),
        of(Kind::FillIn),
        of(Kind::NotCarriedOver),
        of(Kind::Check),
        output.display()
    ))?;
    Ok(())
}
