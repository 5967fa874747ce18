//! What a pass did, for people.

use std::collections::BTreeMap;

use ecs_etl_controller::engine::Engine;
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_plan::status::{ConditionType, HeldKind, JobStatus};
use ecs_etl_spec::name::JobName;

use super::{is_fine, removed};
use crate::args::Apply;
use crate::commands::connect::Session;
use crate::output::{Terminal, Tone, count, names, toned};

/// How many jobs came to which end.
#[derive(Debug, Default)]
struct Tally {
    ready: usize,
    changed: usize,
    bad: usize,
}

/// Prints what was done and what is still to do.
pub fn print(
    args: &Apply,
    engine: &Engine,
    session: &Session,
    whole: bool,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let tally = jobs(engine, &session.manifests, terminal)?;
    for job in removed(engine) {
        terminal.line(format!("{} {job}", toned(Tone::Warn, "removed")))?;
    }
    for problem in engine.reporter.problems() {
        terminal.line(format!("{} {}: {}", toned(Tone::Bad, "problem"), problem.about, problem.message))?;
    }
    for held in &engine.reporter.held {
        let what = match held.kind {
            HeldKind::Deletions => "removals",
            HeldKind::Changes => "changes",
        };
        terminal.line(format!("{} {what}: {}", toned(Tone::Warn, "held"), held.message))?;
        let status_dir = args.status.status_dir.display();
        terminal
            .line(format!("  to release them, commit under `spec` of the EtlController: approved: {}", held.digest))?;
        terminal.line(format!("  or run: ecs-etl approve --yes --status-dir {status_dir}"))?;
    }
    left_behind(engine, &session.manifests, terminal)?;
    terminal.line(summary(args, engine, session, whole, &tally))?;
    Ok(())
}

/// A line for each job that changed, and one for each reason why jobs are not ready.
fn jobs(engine: &Engine, manifests: &Manifests, terminal: &mut Terminal) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut reasons: BTreeMap<String, Vec<&JobName>> = BTreeMap::new();
    for (name, status) in engine.reporter.jobs().iter().filter(|(name, _)| is_meant(manifests, name)) {
        let actions = engine.reporter.actions_of(name);
        if is_fine(status) {
            tally.ready += 1;
            if !actions.is_empty() {
                tally.changed += 1;
                terminal.line(format!("{} {name}: {}", toned(Tone::Good, "converged"), actions.join(", ")))?;
            }
            continue;
        }
        tally.bad += 1;
        if !actions.is_empty() {
            terminal.line(format!("{} {name}: {}", toned(Tone::Warn, "begun"), actions.join(", ")))?;
        }
        reasons.entry(words(status)).or_default().push(name);
    }
    for (words, jobs) in &reasons {
        terminal.line(format!("{} {}: {words}", toned(Tone::Bad, "not ready"), names(jobs.iter().copied())))?;
    }
    Ok(tally)
}

/// Whether this pass was about a job that is written.
fn is_meant(manifests: &Manifests, name: &JobName) -> bool {
    let blocked = manifests.directory.blocked.contains_key(name) && manifests.selector.selects_name(name);
    manifests.job(name).is_some() || blocked
}

/// Jobs whose manifest is gone and that are still there.
fn left_behind(engine: &Engine, manifests: &Manifests, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut reasons: BTreeMap<String, Vec<&JobName>> = BTreeMap::new();
    for (name, status) in engine.reporter.jobs() {
        if !manifests.mentions(name) && manifests.selector.is_everything() {
            reasons.entry(words(status)).or_default().push(name);
        }
    }
    for (words, jobs) in &reasons {
        terminal.line(format!("{} {}: {words}", toned(Tone::Warn, "left"), names(jobs.iter().copied())))?;
    }
    Ok(())
}

/// Reason and message of a job's Ready condition.
fn words(status: &JobStatus) -> String {
    status
        .condition(ConditionType::Ready)
        .map_or_else(|| "not known".to_owned(), |ready| format!("{:?}: {}", ready.reason, ready.message))
}

fn summary(args: &Apply, engine: &Engine, session: &Session, whole: bool, tally: &Tally) -> String {
    let Tally { ready, changed, bad } = tally;
    if session.manifests.wanted().next().is_none() && *bad == 0 && engine.removed().is_empty() {
        let selected = if session.manifests.selector.is_everything() { "" } else { " that is selected" };
        return format!("no job in {}{selected}", args.dir.dir.display());
    }
    let unchanged = ready - changed;
    let all = count(ready + bad, "job");
    let mut summary = format!("{ready} of {all} ready: {changed} changed, {unchanged} as they were");
    if !engine.removed().is_empty() {
        summary.push_str(&format!(", {} removed", engine.removed().len()));
    }
    if !whole {
        summary.push_str("; interrupted, run it again to go on");
    }
    summary
}
