//! `ecs-etl apply [DIR]`.

mod text;

use std::collections::BTreeSet;
use std::process::ExitCode;

use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::lock::StatusDir;
use ecs_etl_controller::once;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::status::StatusWriter;
use ecs_etl_plan::condition::{Reason, Status};
use ecs_etl_plan::status::{ConditionType, JobStatus};
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::args::{Apply, Output};
use crate::commands::connect::{self, Session};
use crate::commands::validate;
use crate::diagnostics;
use crate::output::{Terminal, count, names};
use crate::progress::Bar;
use crate::signals;

/// Converges once.
pub fn run(args: &Apply, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    connect::runtime()?.block_on(apply(args, terminal))
}

async fn apply(args: &Apply, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let stop = signals::shutdown()?;
    let started = Timestamp::now();
    let session = connect::connect(&args.dir.dir, &args.aws, args.part.reader(&args.select), terminal).await?;
    let files = StatusWriter::new(StatusDir::open(&args.status.status_dir, &args.dir.dir, started)?);
    if args.output == Output::Text {
        diagnostics::print(&args.dir.dir, &session.scan, &session.manifests, terminal)?;
    }
    let mut reporter = Reporter::default();
    reporter.resume(files.earlier().into_values());
    let mut engine = session.engine(reporter, Mode::OnePass);
    engine.read_approvals_in(&args.status.status_dir);
    engine.skip_grace(args.prune);
    let shown = args.dir.dir.display().to_string();
    let mut publisher = Publisher::new(Some(Box::new(files)), session.endpoint.clone(), shown, started);

    let bar = Bar::new(terminal);
    let mut whole = once::settle(&mut engine, &stop, &mut |progress| bar.show(&progress)).await;
    if whole && args.prune {
        let confirmed = confirm(args, &engine, &stop, terminal, &bar).await?;
        whole = once::prune(&mut engine, &stop, &mut |progress| bar.show(&progress), confirmed).await;
    }
    bar.clear();
    publisher.publish(&mut engine, true);
    // Jobs stay that were to go, which only matters to whoever asked for it.
    let pruned = !args.prune || engine.reporter.pruning_blocked.is_none();
    let good = whole && pruned && session.manifests.incomplete.is_empty() && is_good(&engine, &session);
    match args.output {
        Output::Text => text::print(args, &engine, &session, whole, terminal)?,
        Output::Json => terminal.json(&json!({
            "apiVersion": "ecs-etl/v1",
            "kind": "EtlApply",
            "converged": good,
            "interrupted": !whole,
            "jobs": engine.reporter.jobs().values().collect::<Vec<_>>(),
            "blocked": validate::blocked(&session.manifests),
            "removed": removed(&engine),
            "removable": engine.removable(),
            "held": engine.reporter.held,
            "pruningBlocked": engine.reporter.pruning_blocked,
            "problems": engine.reporter.problems(),
            "diagnostics": session.manifests.directory.diagnostics,
        }))?,
    }
    drop(engine);
    session.cx.aws.clone().close().await;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks before anything is removed, unless told not to.
async fn confirm(
    args: &Apply,
    engine: &Engine,
    stop: &CancellationToken,
    terminal: &mut Terminal,
    bar: &Bar,
) -> anyhow::Result<bool> {
    let jobs = engine.removable();
    if jobs.is_empty() || args.yes {
        return Ok(true);
    }
    let names = names(jobs);
    bar.clear();
    if !terminal.can_ask() {
        terminal
            .note(format!("not removed, since nobody can be asked here: {names} (--yes removes without asking)"))?;
        return Ok(false);
    }
    let question = format!("remove {} whose manifest is gone: {names}?", count(jobs.len(), "job"));
    Ok(terminal.ask(&question, stop).await?)
}

/// Whether every job is as its manifest says and nothing waits for a person.
fn is_good(engine: &Engine, session: &Session) -> bool {
    let jobs = engine.reporter.jobs();
    let fine = |job: &JobName| jobs.get(job).is_some_and(is_fine);
    let converged =
        session.manifests.wanted().all(|job| fine(&job.name)) && session.manifests.directory.blocked.is_empty();
    converged
        && engine.reporter.held.is_empty()
        && engine.reporter.problems().is_empty()
        && engine.removable().is_empty()
}

/// Jobs that were removed, by name.
fn removed(engine: &Engine) -> BTreeSet<&JobName> {
    engine.removed().iter().collect()
}

/// Ready, or left alone on purpose.
fn is_fine(status: &JobStatus) -> bool {
    let ready = status.condition(ConditionType::Ready);
    ready.is_some_and(|ready| ready.status == Status::True || ready.reason == Reason::ReconcileDisabled)
}
