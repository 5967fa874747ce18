//! `ecs-etl plan [DIR]`.

mod text;

use std::process::ExitCode;

use ecs_etl_controller::preview::{self, Preview};
use ecs_etl_controller::pruning::Pruning;
use ecs_etl_controller::verdict;
use ecs_etl_plan::changes::{self, Changes};
use ecs_etl_plan::explain;
use ecs_etl_plan::prune::{Held, PruneDecision};
use ecs_etl_plan::status::HeldKind;
use ecs_etl_plan::step::Kind;
use serde_json::{Value, json};

use crate::args::{Output, Plan};
use crate::commands::connect::{self, Session};
use crate::commands::validate;
use crate::diagnostics;
use crate::output::Terminal;
use crate::reach::{self, Shared};

/// Exit code of `--detailed-exitcode` when something would change.
const CHANGES: u8 = 2;

/// Shows what a pass would do.
pub fn run(args: &Plan, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    connect::runtime()?.block_on(plan(args, terminal))
}

async fn plan(args: &Plan, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let session = connect::connect(&args.dir.dir, &args.aws, args.part.reader(&args.select), terminal).await?;
    let preview = preview::preview(&session.cx, &session.manifests).await;
    let (prune, held) = held(args, &session, &preview).await;
    let reach = shared(&session, &preview);
    match args.output {
        Output::Json => terminal.json(&as_json(&session, &preview, &prune, &held, &reach))?,
        Output::Text => {
            diagnostics::print(&args.dir.dir, &session.scan, &session.manifests, terminal)?;
            text::print(&session, &preview, &prune, &held, &reach, terminal)?;
        }
    }
    let failed = preview.jobs.values().any(Result::is_err)
        || !preview.unknown.is_empty()
        || !preview.unreadable.is_empty()
        || !validate::is_valid(&session.manifests);
    // What is held is a change too, that waits for a person.
    let changes = preview.jobs.values().flatten().any(|(plan, _)| !plan.steps.is_empty())
        || !prune.remove.is_empty()
        || prune.held.is_some();
    session.cx.aws.clone().close().await;
    Ok(match (failed, changes && args.detailed_exitcode) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(CHANGES),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// What `apply --prune` would remove, and what would be held.
async fn held(args: &Plan, session: &Session, preview: &Preview) -> (PruneDecision, Vec<(HeldKind, Held)>) {
    let mut pruning = Pruning::default();
    pruning.skip_grace = true;
    pruning.approvals = Some(args.status.status_dir.clone()).filter(|directory| directory.is_dir());
    pruning.read_approvals();
    for left in &preview.left_behind {
        pruning.found(&left.place, &left.job, Some(left.clone()));
    }
    for ((place, job), stopped) in &preview.unknown {
        pruning.unknown(place, job, stopped.to_string());
    }
    for (place, stopped) in &preview.unreadable {
        pruning.swept(place, Some(stopped));
    }
    let prune = pruning.decide(&session.cx, &session.manifests);
    let mut changes = Changes::new();
    for job in session.manifests.wanted() {
        let Some(Ok((plan, _))) = preview.jobs.get(&job.name) else { continue };
        let counts = match plan.kind {
            Kind::Change | Kind::Move => !plan.steps.is_empty(),
            Kind::None | Kind::Create | Kind::Remove | Kind::CleanUp => false,
        };
        if let (true, Ok(desired)) = (counts, session.cx.desired(job).await) {
            changes.insert(job.name.clone(), desired.observed_spec.clone());
        }
    }
    let max = session.cx.settings().max_changes;
    let approved = pruning.approved(&session.cx);
    let held_changes = changes::hold(&changes, &Changes::new(), max, &approved);
    let held = prune.held.clone().map(|held| (HeldKind::Deletions, held));
    let held = held.into_iter().chain(held_changes.map(|held| (HeldKind::Changes, held))).collect();
    (prune, held)
}

/// Which jobs change alike.
fn shared(session: &Session, preview: &Preview) -> Vec<Shared> {
    let directory = &session.manifests.directory;
    let plans = session.manifests.wanted().filter_map(|job| {
        let (plan, _) = preview.jobs.get(&job.name)?.as_ref().ok()?;
        Some((job.as_ref(), directory.clusters.get(&job.cluster), plan))
    });
    reach::shared(plans)
}

/// How many jobs would not stay as they are.
fn reached(preview: &Preview, prune: &PruneDecision) -> usize {
    preview.jobs.values().flatten().filter(|(plan, _)| !plan.steps.is_empty()).count() + prune.remove.len()
}

/// Jobs there are, written or left behind.
fn known(session: &Session, prune: &PruneDecision) -> usize {
    let written = session.manifests.wanted().count() + session.manifests.directory.blocked.len();
    written + prune.verdicts.keys().filter(|job| !session.manifests.mentions(job)).count()
}

fn as_json(
    session: &Session,
    preview: &Preview,
    prune: &PruneDecision,
    held: &[(HeldKind, Held)],
    shared: &[Shared],
) -> Value {
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
        "apiVersion": "ecs-etl/v1",
        "kind": "EtlPlan",
        "endpoint": session.endpoint,
        "jobs": jobs,
        "remove": prune.remove,
        "leftBehind": left,
        "held": held.iter().map(|(kind, held)| json!({
            "kind": kind, "digest": held.digest, "jobs": held.jobs, "message": held.why,
        })).collect::<Vec<_>>(),
        "reach": {"jobs": reached(preview, prune), "of": known(session, prune), "shared": shared},
        "blocked": validate::blocked(&session.manifests),
        "diagnostics": session.manifests.directory.diagnostics,
        "incomplete": session.manifests.incomplete,
    })
}
