//! A plan for people.

use std::collections::BTreeMap;

use ecs_etl_controller::preview::Preview;
use ecs_etl_controller::verdict;
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::explain;
use ecs_etl_plan::prune::{Held, PruneDecision};
use ecs_etl_plan::status::HeldKind;
use ecs_etl_plan::step::Kind;
use ecs_etl_spec::name::JobName;

use crate::commands::connect::Session;
use crate::output::{Terminal, Tone, count, names, toned};
use crate::reach::Shared;

/// Prints what would change, why, and how far it reaches.
pub fn print(
    session: &Session,
    preview: &Preview,
    prune: &PruneDecision,
    held: &[(HeldKind, Held)],
    shared: &[Shared],
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let (mut created, mut changed, mut same, mut stuck) = (0, 0, 0, 0);
    let mut stops: BTreeMap<String, Vec<&JobName>> = BTreeMap::new();
    for (job, result) in &preview.jobs {
        let plan = match result {
            Ok((plan, _)) => plan,
            Err(stopped) => {
                stuck += 1;
                stops.entry(words(&verdict::of_interruption(stopped))).or_default().push(job);
                continue;
            }
        };
        match plan.kind {
            Kind::None => same += 1,
            Kind::Create => created += 1,
            Kind::Change | Kind::Move | Kind::Remove | Kind::CleanUp => changed += 1,
        }
        if !plan.steps.is_empty() {
            let mark = if plan.kind == Kind::Create { toned(Tone::Good, "+") } else { toned(Tone::Warn, "~") };
            terminal.line(format!("{mark} {}", toned(Tone::Bold, job)))?;
            terminal.line(explain::text(plan).trim_end())?;
        } else if !matches!(plan.verdict, Verdict::Ready(..)) {
            terminal.line(format!("{} {job}: {}", toned(Tone::Warn, "!"), words(&plan.verdict)))?;
        }
        for note in &plan.notes {
            terminal.line(format!("    note: {note}"))?;
        }
    }
    for (words, jobs) in &stops {
        terminal.line(format!("{} {}: {words}", toned(Tone::Bad, "!"), names(jobs.iter().copied())))?;
    }
    for (job, blocked) in &session.manifests.directory.blocked {
        terminal.line(format!("{} {job}: {:?}: {}", toned(Tone::Bad, "!"), blocked.reason, blocked.message))?;
    }
    let mut stays: BTreeMap<String, Vec<&JobName>> = BTreeMap::new();
    for (job, verdict) in &prune.verdicts {
        if verdict::words(verdict).0 != Reason::Removing {
            stays.entry(words(verdict)).or_default().push(job);
            continue;
        }
        let (mark, job) = (toned(Tone::Bad, "-"), toned(Tone::Bold, job));
        terminal.line(format!(
            "{mark} {job}  its manifest is gone; `apply --prune` removes it, or `run` after the grace period"
        ))?;
    }
    for (words, jobs) in &stays {
        terminal.line(format!("{} {}: {words}", toned(Tone::Warn, "!"), names(jobs.iter().copied())))?;
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
    for shared in shared {
        terminal.line(shared.text())?;
    }
    let reached = super::reached(preview, prune);
    if reached > 0 {
        terminal.line(format!("this reaches {reached} of {}", count(super::known(session, prune), "job")))?;
    }
    for (kind, held) in held {
        let word = toned(Tone::Warn, "held");
        let what = match kind {
            HeldKind::Deletions => "removals",
            HeldKind::Changes => "changes",
        };
        terminal.line(format!("{word} {what}: {}", held.why))?;
        terminal
            .line(format!("  to release them, commit under `spec` of the EtlController: approved: {}", held.digest))?;
    }
    Ok(())
}

/// Reason and message.
fn words(verdict: &Verdict) -> String {
    let (reason, message) = verdict::words(verdict);
    format!("{reason:?}: {message}")
}
