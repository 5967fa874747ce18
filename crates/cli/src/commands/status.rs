//! `ecs-etl status [JOB]`.

use std::process::ExitCode;

use anyhow::anyhow;
use ecs_etl_controller::status::{StatusSnapshot, read_all};
use ecs_etl_plan::condition::Status as ConditionStatus;
use ecs_etl_plan::status::{ConditionType, JobStatus};
use ecs_etl_spec::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::args::{Output, Status};
use crate::commands::live;
use crate::output::{Terminal, Tone, toned};
use crate::table::Table;

/// Shows what is true of the jobs.
pub fn run(args: &Status, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now();
    let snapshot = if args.live { live::snapshot(args, terminal)? } else { read_all(&args.status.status_dir)? };
    let stale = snapshot.controller.is_stale(now);
    let snapshot = snapshot.as_of(now);
    let jobs: Vec<&JobStatus> = match &args.job {
        None => snapshot.jobs.values().collect(),
        Some(name) => {
            let found = snapshot.jobs.get(name.as_str());
            vec![found.ok_or_else(|| anyhow!("no status of a job {name}; `ecs-etl status` lists those there are"))?]
        }
    };
    match args.output {
        Output::Json => terminal.json(&json!({
            "apiVersion": "ecs-etl/v1",
            "kind": "EtlStatus",
            "stale": stale,
            "controller": snapshot.controller,
            "jobs": jobs,
        }))?,
        Output::Text => {
            heading(&snapshot, stale, now, terminal)?;
            if args.job.is_some() {
                for job in &jobs {
                    in_full(job, now, terminal)?;
                }
            } else {
                table(&jobs, now, terminal)?;
            }
        }
    }
    let unready = args.exit_code && jobs.iter().any(|job| !job.is_ready());
    Ok(if stale || unready || !snapshot.unreadable.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn heading(snapshot: &StatusSnapshot, stale: bool, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let controller = &snapshot.controller;
    let state = &controller.status;
    let alive = match state.finished {
        Some(finished) => format!("finished {} ago", age(now, finished)),
        None if stale => toned(Tone::Bad, format!("no heartbeat for {}", age(now, state.heartbeat))),
        None => format!("alive {} ago", age(now, state.heartbeat)),
    };
    let revision = state.manifests.revision.as_deref().map(|revision| format!(" at {}", short(revision)));
    terminal.line(format!(
        "controller {} on {}, {alive}; manifests {}{}",
        toned(Tone::Bold, &controller.metadata.name),
        state.endpoint,
        state.manifests.directory,
        revision.unwrap_or_default(),
    ))?;
    for problem in state.problems.iter().chain(&state.manifests.problems) {
        terminal.line(format!("{} {}: {}", toned(Tone::Bad, "problem"), problem.about, problem.message))?;
    }
    for (file, why) in &snapshot.unreadable {
        terminal.line(format!("{} status file {file}: {why}", toned(Tone::Bad, "problem")))?;
    }
    if let Some(blocked) = &state.pruning_blocked {
        let file = blocked.file.as_deref().map(|file| format!(" ({file})")).unwrap_or_default();
        let since = age(now, blocked.since);
        terminal.line(format!("{} {}{file}, for {since}", toned(Tone::Warn, "pruning blocked:"), blocked.why))?;
    }
    for held in &state.held {
        terminal.line(format!("{} {} (`ecs-etl approve` shows how)", toned(Tone::Warn, "held:"), held.message))?;
    }
    Ok(())
}

fn table(jobs: &[&JobStatus], now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    if jobs.is_empty() {
        terminal.line("no jobs")?;
        return Ok(());
    }
    let mut table = Table::new(["JOB", "READY", "REASON", "SCHEDULE", "NEXT RUN", "REV", "AGE", "MESSAGE"]);
    for job in jobs {
        let ready = job.condition(ConditionType::Ready);
        let (mark, tone) = match ready.map(|ready| ready.status) {
            Some(ConditionStatus::True) => ("True", Tone::Good),
            Some(ConditionStatus::False) => ("False", Tone::Bad),
            Some(ConditionStatus::Unknown) | None => ("Unknown", Tone::Warn),
        };
        table.row([
            (job.metadata.name.clone(), None),
            (mark.to_owned(), Some(tone)),
            (ready.map(|ready| format!("{:?}", ready.reason)).unwrap_or_default(), None),
            (schedules(job), None),
            (next_run(job, now), None),
            (revision(job), None),
            (ready.map(|ready| age(now, ready.last_transition_time)).unwrap_or_default(), None),
            (ready.map(|ready| ready.message.clone()).unwrap_or_default(), Some(Tone::Dim)),
        ]);
    }
    for line in table.lines(terminal.width()) {
        terminal.line(line)?;
    }
    Ok(())
}

fn in_full(job: &JobStatus, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let state = &job.status;
    terminal.line(format!(
        "{}  {}",
        toned(Tone::Bold, &job.metadata.name),
        job.metadata.source.as_deref().unwrap_or("")
    ))?;
    for condition in &state.conditions {
        terminal.line(format!(
            "  {:?}={:?} {:?} for {}: {}",
            condition.kind,
            condition.status,
            condition.reason,
            age(now, condition.last_transition_time),
            condition.message
        ))?;
    }
    if let Some(definition) = &state.task_definition {
        terminal.line(format!("  task definition {}", definition.arn))?;
    }
    for schedule in &state.schedules {
        terminal.line(format!("  schedule {} {} {}", schedule.name, schedule.expression, schedule.state))?;
    }
    terminal.line(format!("  next run {}", next_run(job, now)))?;
    if let Some(change) = &state.last_change {
        terminal.line(format!("  last change {}: {}", change.time, change.actions.join(", ")))?;
    }
    if let Some(retry) = &state.retry {
        terminal.line(format!("  next try {} after {} failed: {}", retry.next_at, retry.attempts, retry.message))?;
    }
    for note in &state.notes {
        terminal.line(format!("  note: {note}"))?;
    }
    Ok(())
}

fn schedules(job: &JobStatus) -> String {
    match job.status.schedules.as_slice() {
        [] => "-".to_owned(),
        [only] => only.expression.clone(),
        [first, rest @ ..] => format!("{} +{}", first.expression, rest.len()),
    }
}

fn next_run(job: &JobStatus, now: Timestamp) -> String {
    let enabled = || job.status.schedules.iter().filter(|schedule| schedule.state != "DISABLED");
    if job.status.schedules.is_empty() {
        return "-".to_owned();
    }
    if enabled().next().is_none() {
        return "suspended".to_owned();
    }
    let parsed: Vec<Schedule> = enabled().filter_map(|schedule| Schedule::parse(&schedule.expression).ok()).collect();
    match parsed.iter().filter_map(|schedule| schedule.next_after(now)).min() {
        Some(next) => next.strftime("%Y-%m-%d %H:%M").to_string(),
        None if parsed.iter().any(|schedule| schedule.fires_after(now)) => "by rate".to_owned(),
        None => "never".to_owned(),
    }
}

fn revision(job: &JobStatus) -> String {
    let arn = job.status.task_definition.as_ref().map(|definition| definition.arn.as_str());
    arn.and_then(|arn| arn.rsplit(':').next()).unwrap_or("-").to_owned()
}

fn short(revision: &str) -> &str {
    let is_commit = revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    if is_commit { revision.get(..12).unwrap_or(revision) } else { revision }
}

/// How long ago, in one unit, as kubectl shows it.
fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
