//! `ecs-etl plan [DIR]`.

use std::process::ExitCode;

use ecs_etl_controller::preview::{self, Preview};
use ecs_etl_controller::pruning::Pruning;
use ecs_etl_controller::verdict;
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::explain;
use ecs_etl_plan::prune::PruneDecision;
use ecs_etl_plan::step::Kind;
use serde_json::{Value, json};

use crate::args::{Output, Plan};
use crate::commands::connect::{self, Session};
use crate::commands::validate;
use crate::diagnostics;
use crate::output::{Terminal, Tone, toned};

/// Exit code of `--detailed-exitcode` when something would change.
const CHANGES: u8 = 2;

/// Shows what a pass would do.
pub fn run(args: &Plan, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    connect::runtime()?.block_on(plan(args, terminal))
}

async fn plan(args: &Plan, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let session = connect::connect(&args.dir.dir, &args.aws, args.select.selector(), terminal).await?;
    let preview = preview::preview(&session.cx, &session.manifests).await;
    let prune = pruning(args, &session, &preview);
    match args.output {
        Output::Json => terminal.json(&as_json(&session, &preview, &prune))?,
        Output::Text => {
            diagnostics::print(&args.dir.dir, &session.scan, &session.manifests, terminal)?;
            text(&session, &preview, &prune, terminal)?;
        }
    }
    let failed = preview.jobs.values().any(Result::is_err)
        || !preview.unknown.is_empty()
        || !preview.unreadable.is_empty()
        || !validate::is_valid(&session.manifests);
    let changes = preview.jobs.values().flatten().any(|(plan, _)| !plan.steps.is_empty()) || !prune.remove.is_empty();
    session.cx.aws.clone().close().await;
    Ok(match (failed, changes && args.detailed_exitcode) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(CHANGES),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// What `apply --prune` would remove.
fn pruning(args: &Plan, session: &Session, preview: &Preview) -> PruneDecision {
    let mut pruning = Pruning::default();
    pruning.skip_grace = true;
    pruning.approvals = Some(args.status.status_dir.clone()).filter(|directory| directory.is_dir());
    for left in &preview.left_behind {
        pruning.found(&left.place, &left.job, Some(left.clone()));
    }
    for ((place, job), stopped) in &preview.unknown {
        pruning.unknown(place, job, stopped.to_string());
    }
    for (place, stopped) in &preview.unreadable {
        pruning.swept(place, Some(stopped));
    }
    pruning.decide(&session.cx, &session.manifests)
}

fn text(session: &Session, preview: &Preview, prune: &PruneDecision, terminal: &mut Terminal) -> anyhow::Result<()> {
    let (mut created, mut changed, mut same, mut stuck) = (0, 0, 0, 0);
    for (job, result) in &preview.jobs {
        match result {
            Err(stopped) => {
                stuck += 1;
                let verdict = verdict::of_interruption(stopped);
                let (reason, message) = verdict::words(&verdict);
                terminal.line(format!("{} {job}: {reason:?}: {message}", toned(Tone::Bad, "!")))?;
            }
            Ok((plan, _)) => {
                match plan.kind {
                    Kind::None => same += 1,
                    Kind::Create => created += 1,
                    Kind::Change | Kind::Move | Kind::Remove | Kind::CleanUp => changed += 1,
                }
                let (reason, message) = verdict::words(&plan.verdict);
                if !plan.steps.is_empty() {
                    let mark = if plan.kind == Kind::Create { toned(Tone::Good, "+") } else { toned(Tone::Warn, "~") };
                    terminal.line(format!("{mark} {}", toned(Tone::Bold, job)))?;
                    terminal.line(explain::text(plan).trim_end())?;
                } else if !matches!(plan.verdict, Verdict::Ready(..)) {
                    terminal.line(format!("{} {job}: {reason:?}: {message}", toned(Tone::Warn, "!")))?;
                }
                for note in &plan.notes {
                    terminal.line(format!("    note: {note}"))?;
                }
            }
        }
    }
    for (job, blocked) in &session.manifests.directory.blocked {
        terminal.line(format!("{} {job}: {:?}: {}", toned(Tone::Bad, "!"), blocked.reason, blocked.message))?;
    }
    for (job, verdict) in &prune.verdicts {
        let (reason, message) = verdict::words(verdict);
        terminal.line(if reason == Reason::Removing {
            let job = toned(Tone::Bold, job);
            let mark = toned(Tone::Bad, "-");
            format!("{mark} {job}  its manifest is gone; `apply --prune` removes it, or `run` after the grace period")
        } else {
            format!("{} {job}: {reason:?}: {message}", toned(Tone::Warn, "!"))
        })?;
    }
    for (place, stopped) in &preview.unreadable {
        terminal.line(format!("{} {}: {stopped}", toned(Tone::Bad, "cannot read"), place.region))?;
    }
    for ((place, job), stopped) in &preview.unknown {
        terminal.line(format!("{} what {job} left in {}: {stopped}", toned(Tone::Bad, "cannot read"), place.region))?;
    }
    terminal.line(format!(
        "{created} to create, {changed} to change, {} to remove, {same} as they should be{}",
        prune.remove.len(),
        if stuck > 0 { format!(", {stuck} not known") } else { String::new() }
    ))?;
    Ok(())
}

fn as_json(session: &Session, preview: &Preview, prune: &PruneDecision) -> Value {
    let jobs: serde_json::Map<String, Value> = preview
        .jobs
        .iter()
        .map(|(job, result)| {
            let value = match result {
                Ok((plan, _)) => explain::json(plan),
                Err(stopped) => json!({"error": stopped.to_string()}),
            };
            (job.as_str().to_owned(), value)
        })
        .collect();
    let left: serde_json::Map<String, Value> = prune
        .verdicts
        .iter()
        .map(|(job, verdict)| {
            let (reason, message) = verdict::words(verdict);
            (job.as_str().to_owned(), json!({"reason": reason, "message": message}))
        })
        .collect();
    json!({
        "endpoint": session.endpoint,
        "jobs": jobs,
        "remove": prune.remove,
        "leftBehind": left,
        "held": prune.held.as_ref().map(|held| json!({"digest": held.digest, "jobs": held.jobs, "why": held.why})),
        "blocked": session.manifests.directory.blocked.iter().map(|(job, blocked)| (job.as_str().to_owned(),
            json!({"reason": format!("{:?}", blocked.reason), "message": blocked.message}))).collect::<serde_json::Map<_, _>>(),
        "diagnostics": session.manifests.directory.diagnostics,
        "incomplete": session.manifests.incomplete,
    })
}
