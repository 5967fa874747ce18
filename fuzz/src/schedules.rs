//! Two schedules of any text, at any time: what they become, when they fire, and whether they coincide.

use ecs_etl_emulator::{Emulator, Request, Settings};
use ecs_etl_spec::schedule::{Kind, MAX_LENGTH, Overlap, Schedule, coincide};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// AWS cron read straight from its text, as the tests of schedules have it.
#[expect(dead_code, reason = "nobody searches here")]
#[path = "../../crates/spec/tests/by_search/mod.rs"]
mod by_search;

/// How many runs of a schedule are looked at.
const RUNS: usize = 6;

/// Parses two lines as schedules and looks at them from the time on the third, in seconds since 1970.
///
/// # Panics
/// If an expression is not taken again or not by AWS, runs are out of order or not in the fields, or who coincides depends
/// on who is asked first.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (first, second) = (line(), line());
    let now = line().trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let now = now.unwrap_or(Timestamp::UNIX_EPOCH);
    let schedules: Vec<Schedule> = [first, second].into_iter().filter_map(parsed).collect();
    for schedule in &schedules {
        aws_takes(schedule);
        fires_in_order(schedule, now);
        fires_when_its_fields_say(schedule, now);
    }
    for (a, b) in schedules.iter().zip(schedules.iter().skip(1)) {
        coincide_whoever_is_asked(a, b, now);
    }
    for schedule in &schedules {
        // Whoever fires at all after now coincides with himself then.
        let Ok(after) = now.checked_add(SignedDuration::from_nanos(1)) else { continue };
        assert_eq!(schedule.fires_after(now), coincide(schedule, schedule, after) != Overlap::Never, "{schedule}");
    }
}

fn parsed(text: &str) -> Option<Schedule> {
    match Schedule::parse(text) {
        Ok(schedule) => {
            let again = Schedule::parse(schedule.expression());
            assert_eq!(again.as_ref(), Ok(&schedule), "{text:?} is not what it becomes");
            assert!(schedule.expression().chars().count() <= MAX_LENGTH, "{text:?} becomes too long");
            assert_eq!(schedule.suffix().len(), 6);
            Some(schedule)
        }
        Err(error) => {
            let told = [Some(&error.message), error.help.as_ref()];
            for text in told.into_iter().flatten() {
                assert!(!text.is_empty() && !text.contains(|c: char| c.is_control()), "{text:?}");
            }
            None
        }
    }
}

/// The emulator reads schedules by a grammar of its own.
fn aws_takes(schedule: &Schedule) {
    let expression = schedule.expression();
    let (path, headers, body) = match schedule.kind() {
        Kind::Cron(_) | Kind::Rate(_) => {
            let target = ("x-amz-target".to_owned(), "AWSEvents.PutRule".to_owned());
            ("/", vec![target], json!({"Name": "a", "ScheduleExpression": expression}))
        }
        // A rule knows no single moment; EventBridge Scheduler does.
        Kind::Once(_) => {
            let role = "arn:aws:iam::123456789012:role/r";
            let target = json!({"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": role});
            let body =
                json!({"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target});
            ("/schedules/a", Vec::new(), body)
        }
    };
    let (method, path, body) = ("POST".to_owned(), path.to_owned(), body.to_string().into_bytes());
    let request = Request { method, path, headers, body };
    let reply = Emulator::new(Settings::default()).handle(Timestamp::UNIX_EPOCH, &request);
    assert_eq!(reply.status, 200, "{schedule}: {}", String::from_utf8_lossy(&reply.body));
}

fn fires_in_order(schedule: &Schedule, now: Timestamp) {
    let mut time = now;
    for _ in 0..RUNS {
        let Some(next) = schedule.next_after(time) else { break };
        assert!(next > time, "{schedule} fires at {next} after {time}");
        assert!(fires(schedule, next), "{schedule} does not fire at {next}");
        time = next;
    }
    assert_eq!(schedule.next_after(time).is_none() && schedule.period_seconds().is_none(), !schedule.fires_after(time));
    if let Kind::Cron(cron) = schedule.kind() {
        let ticks: Vec<Timestamp> = cron.ticks(now, Timestamp::MAX).take(RUNS).collect();
        assert!(ticks.is_sorted_by(|a, b| a < b), "{schedule}: {ticks:?}");
        let next = ticks.iter().copied().find(|tick| *tick > now);
        assert_eq!(next, schedule.next_after(now), "{schedule} from {now}");
    }
}

/// The other way round: a minute that the fields admit is not passed over.
fn fires_when_its_fields_say(schedule: &Schedule, now: Timestamp) {
    let start = now.as_second().div_euclid(60) * 60;
    for minute in [start, start + 60] {
        let Ok(minute) = Timestamp::from_second(minute) else { continue };
        let Some(before) = Timestamp::from_second(minute.as_second() - 1).ok() else { continue };
        if fires(schedule, minute) {
            assert_eq!(schedule.next_after(before), Some(minute), "{schedule} is late");
        }
    }
}

/// Whether a schedule fires at a time: the fields of a cron expression, read by the other reader, or the one moment.
fn fires(schedule: &Schedule, time: Timestamp) -> bool {
    let time = jiff::tz::TimeZone::UTC.to_datetime(time);
    match schedule.kind() {
        Kind::Cron(_) => by_search::fires(schedule.expression(), time),
        Kind::Once(at) => *at == time,
        Kind::Rate(_) => false,
    }
}

fn coincide_whoever_is_asked(a: &Schedule, b: &Schedule, from: Timestamp) {
    let overlap = coincide(a, b, from);
    assert_eq!(overlap, coincide(b, a, from), "{a} and {b}");
    match overlap {
        Overlap::At(time) => {
            assert!(time >= from, "{a} and {b} coincided at {time}");
            assert!(fires(a, time) && fires(b, time), "{a} and {b} do not coincide at {time}");
        }
        Overlap::Never => {
            let never = [a, b].into_iter().all(|schedule| !matches!(schedule.kind(), Kind::Rate(_)))
                || [a, b].into_iter().any(|schedule| !schedule.fires_after(from));
            assert!(never, "a rate may coincide: {a} and {b}");
        }
        Overlap::Possible => {
            let rate = [a, b].into_iter().any(|schedule| matches!(schedule.kind(), Kind::Rate(_)));
            assert!(rate, "two crons coincide or not: {a} and {b}");
        }
    }
}
