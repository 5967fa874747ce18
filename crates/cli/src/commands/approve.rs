//! `ecs-etl approve`.

use std::process::ExitCode;

use ecs_etl_controller::approval::{Approval, write_approvals};
use ecs_etl_controller::status::read_all;
use ecs_etl_plan::status::{Held, HeldKind};
use ecs_etl_spec::name::Digest;
use jiff::Timestamp;
use serde_json::json;

use crate::args::{Approve, Output};
use crate::output::{Terminal, Tone, count, toned};

/// Shows what is held, and releases it with `--yes`.
pub fn run(args: &Approve, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let directory = &args.status.status_dir;
    let snapshot = read_all(directory)?;
    let state = &snapshot.controller.status;
    terminal.note(format!(
        "{} controller {} on {}",
        toned(Tone::Dim, "held by"),
        snapshot.controller.metadata.name,
        state.endpoint
    ))?;
    if args.yes && !state.held.is_empty() {
        write_approvals(directory, &approvals(&state.held)?)?;
    }
    let released: Vec<&str> = state.held.iter().filter(|_| args.yes).map(|set| set.digest.as_str()).collect();
    match args.output {
        Output::Json => terminal.json(&json!({
            "apiVersion": "ecs-etl/v1",
            "kind": "EtlApproval",
            "held": state.held,
            "released": released,
        }))?,
        Output::Text => text(&state.held, args, terminal)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn approvals(held: &[Held]) -> anyhow::Result<Vec<Approval>> {
    let at = Timestamp::now();
    held.iter().map(|set| Ok(Approval { digest: Digest::parse(&set.digest)?, at })).collect()
}

fn text(held: &[Held], args: &Approve, terminal: &mut Terminal) -> anyhow::Result<()> {
    let Some(first) = held.first() else { return Ok(terminal.line("nothing is held")?) };
    for set in held {
        let what = match set.kind {
            HeldKind::Deletions => count(set.jobs.len(), "removal"),
            HeldKind::Changes => count(set.jobs.len(), "change"),
        };
        terminal.line(format!("{} {what}: {}", toned(Tone::Warn, "held"), set.message))?;
        for job in &set.jobs {
            terminal.line(format!("  {job}"))?;
        }
        terminal.line(format!("  {}", toned(Tone::Bold, format!("approved: {}", set.digest))))?;
    }
    if args.yes {
        let what = if held.len() == 1 { "released" } else { "all released" };
        let who = "the daemon goes on within 10 seconds, or run `ecs-etl apply`";
        terminal.line(format!("{}; {who}", toned(Tone::Good, what)))?;
        return Ok(());
    }
    let it = if held.len() == 1 { "it, commit that line" } else { "a set, commit its line" };
    terminal.line(format!("To release {it} under `spec` of the EtlController,"))?;
    terminal.line(format!(
        "or release {} on this machine alone: ecs-etl approve --yes --status-dir {}",
        if held.len() == 1 { "it" } else { "all" },
        args.status.status_dir.display()
    ))?;
    if let [_, second, ..] = held {
        let kinds = [first.kind, second.kind].map(|kind| match kind {
            HeldKind::Deletions => "removals",
            HeldKind::Changes => "changes",
        });
        terminal
            .line(format!("The EtlController takes one digest at a time: {} first, then {}.", kinds[0], kinds[1]))?;
    }
    Ok(())
}
