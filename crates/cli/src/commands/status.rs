//! `ecs-etl status [JOB]`.

use std::process::ExitCode;

use anyhow::anyhow;
use ecs_etl_controller::status::{StatusSnapshot, read_all};
use ecs_etl_plan::condition::{Reason, Status as ConditionStatus};
use ecs_etl_plan::status::{ConditionType, Counts, JobStatus, LeaseStanding, ScheduleStatus};
use ecs_etl_spec::name::JobName;
use ecs_etl_spec::schedule::Timing;
use ecs_etl_spec::suggest::nearest;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::args::{Output, Status};
use crate::commands::live;
use crate::output::{Terminal, Tone, count, toned};
use crate::table::{Column, Table};

/// Shows what is true of the jobs.
pub fn run(args: &Status, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now();
    let (snapshot, readable) = if args.live {
        live::snapshot(args, terminal)?
    } else {
        let snapshot = read_all(&args.status.status_dir)?;
        let readable = snapshot.unreadable.is_empty();
        (snapshot, readable)
    };
    let stale = snapshot.controller.is_stale(now);
    let snapshot = snapshot.as_of(now);
    let jobs: Vec<&JobStatus> = match &args.job {
        None => snapshot.jobs.values().collect(),
        Some(name) => {
            let found = snapshot.jobs.get(name.as_str());
            vec![found.ok_or_else(|| no_status(name, &snapshot))?]
        }
    };
    match args.output {
        Output::Json => terminal.json(&json!({
            "apiVersion": "ecs-etl/v1",
            "kind": "EtlStatus",
            "stale": stale,
            "unreadable": snapshot.unreadable,
            "nextRuns": jobs.iter().map(|job| (job.metadata.name.clone(), next_runs(job, now))).collect::<Map<_, _>>(),
            "controller": snapshot.controller,
            "jobs": jobs,
        }))?,
        Output::Text => {
            heading(&snapshot, stale, now, terminal)?;
            if args.job.is_some() {
                for job in &jobs {
                    let seen = snapshot.controller.status.jobs.get(&job.metadata.name);
                    in_full(job, seen.copied(), now, terminal)?;
                }
            } else {
                table(&jobs, now, terminal)?;
            }
        }
    }
    // Jobs that nobody has looked at yet have no file, and are not ready.
    let unseen = args.job.is_none() && snapshot.controller.status.counts.jobs > jobs.len();
    let unready = args.exit_code && (unseen || jobs.iter().any(|job| !job.is_ready()));
    Ok(if stale || unready || !readable { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn no_status(job: &JobName, snapshot: &StatusSnapshot) -> anyhow::Error {
    if let Some(why) = snapshot.unreadable.get(&format!("{job}.json")) {
        return anyhow!("the status of job {job} cannot be read: {why}; `ecs-etl apply` writes it anew");
    }
    match nearest(job.as_str(), snapshot.jobs.keys().map(String::as_str)) {
        Some(near) => anyhow!("no status of a job {job}; did you mean {near}?"),
        None => anyhow!("no status of a job {job}; `ecs-etl status` lists those there are"),
    }
}

fn heading(snapshot: &StatusSnapshot, stale: bool, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let controller = &snapshot.controller;
    let state = &controller.status;
    let alive = match state.finished {
        Some(finished) => format!("finished {} ago", age(now, finished)),
        None if stale => toned(Tone::Bad, format!("no heartbeat for {}", age(now, state.heartbeat))),
        None => format!("alive {} ago", age(now, state.heartbeat)),
    };
    let shard = state.shard.as_deref().map(|shard| format!(", shard {shard},"));
    let revision = state.manifests.revision.as_deref().map(|revision| format!(" at {}", short(revision)));
    terminal.line(format!(
        "controller {}{} on {}, {alive}; manifests {}{}",
        toned(Tone::Bold, &controller.metadata.name),
        shard.unwrap_or_default(),
        state.endpoint,
        state.manifests.directory,
        revision.unwrap_or_default(),
    ))?;
    if let Some(lease) = &state.lease {
        let holder = lease.holder.as_deref().unwrap_or("nobody that is known");
        let stands = match lease.standing {
            LeaseStanding::Holder => "holds the lease and writes".to_owned(),
            LeaseStanding::Standby => format!("standby, only looks; {holder} holds the lease"),
        };
        let problem = lease.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
        terminal.line(format!("{stands} (table {}){problem}", lease.table))?;
    }
    // What is wrong with the manifests stands in both lists.
    for problem in &state.problems {
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
    let mut table = Table::new([
        Column::new("JOB").shrinks_to(20),
        Column::new("READY"),
        Column::new("SCHEDULE").shrinks_to(16).expendable(1),
        Column::new("NEXT RUN (UTC)"),
        Column::new("REV").expendable(3),
        Column::new("AGE").expendable(2),
        Column::new("MESSAGE"),
    ]);
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
            (schedules(job), None),
            (next_run(job, now), None),
            (revision(job), None),
            (ready.map(|ready| age(now, ready.last_transition_time)).unwrap_or_default(), None),
            (message(job), Some(Tone::Dim)),
        ]);
    }
    for line in table.lines(terminal.width()) {
        terminal.line(line)?;
    }
    let counts = Counts::of(jobs.iter().copied());
    let others =
        [(counts.reconciling, "reconciling"), (counts.stalled, "stalled"), (counts.unknown, "left alone or unknown")];
    let mut summary = format!("{} of {} ready", counts.ready, count(counts.jobs, "job"));
    for (number, what) in others.into_iter().filter(|(number, _)| *number > 0) {
        summary.push_str(&format!(", {number} {what}"));
    }
    terminal.line(summary)?;
    Ok(())
}

/// Why a job is not ready, in a line; of a ready one only what is unusual.
fn message(job: &JobStatus) -> String {
    let Some(ready) = job.condition(ConditionType::Ready) else { return String::new() };
    match (ready.status, ready.reason) {
        (ConditionStatus::True, Reason::Converged) => String::new(),
        // The heading says since when.
        (ConditionStatus::True, reason) | (_, reason @ Reason::HeartbeatStale) => format!("{reason:?}"),
        (ConditionStatus::False | ConditionStatus::Unknown, reason) => format!("{reason:?}: {}", ready.message),
    }
}

fn in_full(job: &JobStatus, seen: Option<Timestamp>, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let state = &job.status;
    terminal.line(toned(Tone::Bold, &job.metadata.name))?;
    let mut row = |title: &str, text: String| terminal.line(format!("  {title:<16}{text}"));
    if let Some(source) = &job.metadata.source {
        row("manifest", source.clone())?;
    }
    for condition in &state.conditions {
        let kind = format!("{:?}", condition.kind);
        let since = age(now, condition.last_transition_time);
        row(&kind, format!("{:?} for {since}, {:?}: {}", condition.status, condition.reason, condition.message))?;
    }
    if let Some(definition) = &state.task_definition {
        row("task definition", definition.arn.clone())?;
    }
    for schedule in &state.schedules {
        let kind = if schedule.time_zone.is_some() { "schedule" } else { "rule" };
        row(kind, format!("{} {} {}", schedule.name, expression(schedule), schedule.state))?;
        if let Some(start) = schedule.start_date {
            row("from", format!("{start:.0}"))?;
        }
        if let Some(end) = schedule.end_date {
            row("until", format!("{end:.0}"))?;
        }
    }
    for event in &state.events {
        row("rule", format!("{} {} {}", event.name, event.pattern, event.state))?;
    }
    let next = next_run(job, now);
    let zone = if next.starts_with(|first: char| first.is_ascii_digit()) { " UTC" } else { "" };
    row("next run", format!("{next}{zone}"))?;
    if let Some(seen) = seen {
        row("last seen live", format!("{} ago", age(now, seen)))?;
    }
    if let Some(change) = &state.last_change {
        row("last change", format!("{} ago: {}", age(now, change.time), change.actions.join(", ")))?;
    }
    if let Some(retry) = &state.retry {
        let failed = count(retry.attempts, "failed try").replace("trys", "tries");
        row("next try", format!("{:.0}, after {failed}: {}", retry.next_at, retry.message))?;
    }
    for note in &state.notes {
        row("note", note.clone())?;
    }
    Ok(())
}

fn schedules(job: &JobStatus) -> String {
    match job.status.schedules.as_slice() {
        [] if !job.status.events.is_empty() => "on event".to_owned(),
        [] => "-".to_owned(),
        [only] => expression(only),
        [first, rest @ ..] => format!("{} +{}", expression(first), rest.len()),
    }
}

/// The expression, with its time zone where that is not UTC.
fn expression(schedule: &ScheduleStatus) -> String {
    let zone = schedule.time_zone.as_deref().filter(|zone| *zone != "UTC");
    let zone = zone.map(|zone| format!(" {zone}")).unwrap_or_default();
    format!("{}{zone}", schedule.expression)
}

/// Schedules that are not switched off.
fn enabled(job: &JobStatus) -> impl Iterator<Item = Timing> {
    let enabled = job.status.schedules.iter().filter(|schedule| schedule.state != "DISABLED");
    enabled.filter_map(ScheduleStatus::timing)
}

/// The next run that can be told; a rate's cannot, since AWS alone knows when it began.
fn next_runs(job: &JobStatus, now: Timestamp) -> Value {
    enabled(job).filter_map(|schedule| schedule.next_after(now)).min().map_or(Value::Null, |next| json!(next))
}

fn next_run(job: &JobStatus, now: Timestamp) -> String {
    let (schedules, events) = (&job.status.schedules, &job.status.events);
    let mut states = schedules.iter().map(|rule| &rule.state).chain(events.iter().map(|rule| &rule.state)).peekable();
    if states.peek().is_some() && states.all(|state| state == "DISABLED") {
        return "suspended".to_owned();
    }
    if schedules.is_empty() {
        return "-".to_owned();
    }
    match enabled(job).filter_map(|schedule| schedule.next_after(now)).min() {
        Some(next) => next.strftime("%Y-%m-%d %H:%M").to_string(),
        None if enabled(job).any(|timing| is_rate(&timing) && !timing.is_over(now)) => "by rate".to_owned(),
        None => "never".to_owned(),
    }
}

fn is_rate(timing: &Timing) -> bool {
    timing.schedule.period_seconds().is_some()
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
