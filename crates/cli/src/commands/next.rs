//! `ecs-etl next EXPR`.

use std::process::ExitCode;

use anyhow::anyhow;
use ecs_etl_spec::schedule::{Kind, Schedule, Timing, Zone};
use jiff::Timestamp;
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
        Some(From::Local(time)) => {
            zone.moment(time).ok_or_else(|| anyhow!("there is no {time} in {zone}: a change of clocks skips it"))?
        }
        None => Timestamp::from_second(Timestamp::now().as_second())?,
    };
    let runs = runs(&schedule, from, zone, args.count as usize);
    match args.output {
        Output::Json => {
            terminal.json(&json!({
                "apiVersion": "ecs-etl/v1",
                "kind": "EtlNextRuns",
                "expression": args.expression,
                "aws": schedule.expression(),
                "timeZone": zone.as_str(),
                "from": from.to_string(),
                "next": runs.iter().map(Timestamp::to_string).collect::<Vec<_>>(),
                "periodSeconds": schedule.period_seconds(),
            }))?;
        }
        Output::Text => text(args, &schedule, &runs, terminal)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(args: &Next, schedule: &Schedule, runs: &[Timestamp], terminal: &mut Terminal) -> anyhow::Result<()> {
    terminal.line(format!("{}  {}", toned(Tone::Dim, "in AWS"), toned(Tone::Bold, schedule.expression())))?;
    match schedule.kind() {
        Kind::Rate(rate) => {
            terminal
                .line(format!("every {}, counted from when AWS creates the rule", period(rate.period_seconds())))?;
        }
        Kind::Cron(_) | Kind::Once(_) if runs.is_empty() => terminal.line("never fires again")?,
        Kind::Cron(_) | Kind::Once(_) => {
            let seconds = if matches!(schedule.kind(), Kind::Once(_)) { ":%S" } else { "" };
            for run in runs {
                let run = run.in_tz(args.time_zone.as_str())?;
                terminal.line(run.strftime(&format!("%a %Y-%m-%d %H:%M{seconds} %Z")))?;
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

/// The next runs of a schedule in `zone`; none of a rate's.
fn runs(schedule: &Schedule, from: Timestamp, zone: &Zone, count: usize) -> Vec<Timestamp> {
    let timing = Timing::of(schedule.clone(), zone.clone());
    std::iter::successors(timing.next_after(from), |run| timing.next_after(*run)).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, zone: &str, from: &str, expected: &[&str]) {
        let schedule = Schedule::parse(expression).unwrap();
        let runs = runs(&schedule, from.parse().unwrap(), &Zone::new(zone).unwrap(), expected.len());
        let runs: Vec<String> = runs.iter().map(Timestamp::to_string).collect();
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
