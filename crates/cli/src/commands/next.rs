//! `ecs-etl next EXPR`.

use std::process::ExitCode;

use anyhow::anyhow;
use ecs_etl_spec::schedule::{Cron, Kind, Schedule};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde_json::json;

use crate::args::{From, Next, Output};
use crate::output::{Terminal, Tone, count, toned};

/// Prints when an expression fires.
pub fn run(args: &Next, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let schedule = Schedule::parse(&args.expression).map_err(|error| match &error.help {
        Some(help) => anyhow!("{error}\n  help: {help}"),
        None => anyhow!("{error}"),
    })?;
    let zone = &args.time_zone;
    let from = match args.from {
        Some(From::Instant(time)) => time,
        Some(From::Local(time)) => time.to_zoned(zone.clone())?.timestamp(),
        None => Timestamp::from_second(Timestamp::now().as_second())?,
    };
    let runs = match schedule.kind() {
        Kind::Cron(cron) => runs(cron, from, zone, args.count as usize),
        Kind::Rate(_) => Vec::new(),
    };
    match args.output {
        Output::Json => {
            let period = match schedule.kind() {
                Kind::Rate(rate) => Some(rate.period_seconds()),
                Kind::Cron(_) => None,
            };
            terminal.json(&json!({
                "apiVersion": "ecs-etl/v1",
                "kind": "EtlNextRuns",
                "expression": args.expression,
                "aws": schedule.expression(),
                "timeZone": zone.iana_name(),
                "from": from.to_string(),
                "next": runs.iter().map(|run| run.timestamp().to_string()).collect::<Vec<_>>(),
                "periodSeconds": period,
            }))?;
        }
        Output::Text => text(args, &schedule, &runs, terminal)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(args: &Next, schedule: &Schedule, runs: &[Zoned], terminal: &mut Terminal) -> anyhow::Result<()> {
    terminal.line(format!("{}  {}", toned(Tone::Dim, "in AWS"), toned(Tone::Bold, schedule.expression())))?;
    match schedule.kind() {
        Kind::Rate(rate) => {
            terminal
                .line(format!("every {}, counted from when AWS creates the rule", period(rate.period_seconds())))?;
        }
        Kind::Cron(_) if runs.is_empty() => terminal.line("never fires again")?,
        Kind::Cron(_) => {
            for run in runs {
                terminal.line(run.strftime("%a %Y-%m-%d %H:%M %Z"))?;
            }
            if runs.len() < args.count as usize {
                terminal.line("and never again")?;
            }
        }
    }
    Ok(())
}

/// A period in its largest whole unit.
fn period(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let unit = UNITS.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    unit.map_or_else(|| count(seconds, "second"), |(unit, name)| count(seconds / unit, name))
}

/// The next runs of `cron`, read as local time of `zone`: a local time that a change of clocks skips does not run, one that
/// comes twice runs the first time (docs/aws.md, Schedule expressions).
fn runs(cron: &Cron, from: Timestamp, zone: &TimeZone, count: usize) -> Vec<Zoned> {
    let mut runs = Vec::new();
    // Cron knows no zones: local times are walked as if they were UTC. A day earlier is early enough for any offset.
    let day = jiff::SignedDuration::from_hours(25);
    let local = zone.to_datetime(from).to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    let mut at = local.ok().and_then(|at| at.checked_sub(day).ok()).unwrap_or(from);
    while runs.len() < count {
        let Some(next) = cron.next_after(at) else { break };
        at = next;
        let ambiguous = zone.to_ambiguous_zoned(TimeZone::UTC.to_datetime(next));
        let skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        match ambiguous.earlier() {
            Ok(run) if !skipped && run.timestamp() > from => runs.push(run),
            Ok(_) => {}
            Err(_out_of_range) => break,
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, zone: &str, from: &str, expected: &[&str]) {
        let schedule = Schedule::parse(expression).unwrap();
        let Kind::Cron(cron) = schedule.kind() else { panic!("{expression} is a rate") };
        let zone = TimeZone::get(zone).unwrap();
        let runs = runs(cron, from.parse().unwrap(), &zone, expected.len());
        let runs: Vec<String> = runs.iter().map(|run| run.timestamp().to_string()).collect();
        assert_eq!(runs, expected, "{expression}");
    }

    #[test]
    fn a_period_is_said_in_its_largest_unit() {
        for (seconds, words) in [(60, "1 minute"), (5400, "90 minutes"), (7200, "2 hours"), (86_400, "1 day")] {
            assert_eq!(period(seconds), words);
        }
    }

    #[test]
    fn runs_are_in_utc_by_default() {
        check("0 2 * * *", "UTC", "2026-11-23T02:00:00Z", &["2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z"]);
    }

    #[test]
    fn a_local_time_that_is_skipped_does_not_run() {
        let expected = ["2026-03-07T07:30:00Z", "2026-03-09T06:30:00Z"];
        check("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", &expected);
    }

    #[test]
    fn a_local_time_that_comes_twice_runs_once() {
        let expected = ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"];
        check("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", &expected);
    }

    #[test]
    fn a_run_just_before_local_midnight_is_not_lost_to_the_offset() {
        check("30 23 * * *", "Asia/Tokyo", "2026-11-23T14:00:00Z", &["2026-11-23T14:30:00Z"]);
    }
}
