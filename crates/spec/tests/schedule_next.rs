//! When schedules fire: dates known from the calendar, one line each.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a clock bounds the time")]

use std::time::{Duration, Instant};

use ecs_etl_spec::schedule::{Kind, Overlap, Schedule, coincide};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn parse(text: &str) -> Schedule {
    Schedule::parse(text).expect("valid")
}

/// The next runs of `text` strictly after `from` are `expected`, written to the minute; `never` ends the list.
fn check(text: &str, from: &str, expected: &[&str]) {
    let schedule = parse(text);
    let mut time = at(from);
    for expected in expected {
        let next = schedule.next_after(time);
        let shown = next.map_or("never".to_owned(), |next| next.strftime("%Y-%m-%d %H:%M").to_string());
        assert_eq!(shown, *expected, "{text} after {time}");
        let Some(next) = next else { return };
        time = next;
    }
}

#[test]
fn a_run_is_strictly_after_the_time_given() {
    check("0 2 * * *", "2026-11-23T02:00:00Z", &["2026-11-24 02:00"]);
    check("0 2 * * *", "2026-11-23T01:59:59.999Z", &["2026-11-23 02:00"]);
    check("0 2 * * *", "2026-11-23T02:00:00.000000001Z", &["2026-11-24 02:00"]);
    check("* * * * *", "2026-12-31T23:59:30Z", &["2027-01-01 00:00", "2027-01-01 00:01"]);
}

#[test]
fn a_step_begins_anew_with_each_hour_and_each_day() {
    check("*/7 * * * *", "2026-11-23T00:50:00Z", &["2026-11-23 00:56", "2026-11-23 01:00", "2026-11-23 01:07"]);
    check("0 */10 * * *", "2026-11-23T11:00:00Z", &["2026-11-23 20:00", "2026-11-24 00:00", "2026-11-24 10:00"]);
    check("0 0 */2 * *", "2026-11-29T00:00:00Z", &["2026-12-01 00:00", "2026-12-03 00:00"]);
    check("0 0 */2 * *", "2026-12-31T00:00:00Z", &["2027-01-01 00:00"]);
    check(
        "cron(0 0 2/10 * ? *)",
        "2026-11-23T00:00:00Z",
        &["2026-12-02 00:00", "2026-12-12 00:00", "2026-12-22 00:00"],
    );
}

#[test]
fn hours_that_begin_anew_span_midnight() {
    check(
        "cron(0/30 20-2 ? * MON-FRI *)",
        "2026-11-23T22:59:00Z",
        &[
            "2026-11-23 23:00",
            "2026-11-23 23:30",
            "2026-11-24 00:00",
            "2026-11-24 00:30",
            "2026-11-24 01:00",
            "2026-11-24 01:30",
            "2026-11-24 02:00",
            "2026-11-24 02:30",
            "2026-11-24 20:00",
        ],
    );
    check(
        "cron(0 0 ? * SAT-MON *)",
        "2026-11-23T00:00:00Z",
        &["2026-11-28 00:00", "2026-11-29 00:00", "2026-11-30 00:00"],
    );
    check(
        "cron(0 0 1 NOV-FEB ? *)",
        "2026-11-23T00:00:00Z",
        &["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00", "2027-11-01 00:00"],
    );
    check(
        "cron(0 0 30-1 * ? *)",
        "2027-01-30T12:00:00Z",
        &["2027-01-31 00:00", "2027-02-01 00:00", "2027-03-01 00:00", "2027-03-30 00:00"],
    );
    check(
        "cron(58-1 0 1 1 ? *)",
        "2026-06-01T00:00:00Z",
        &["2027-01-01 00:00", "2027-01-01 00:01", "2027-01-01 00:58", "2027-01-01 00:59"],
    );
}

#[test]
fn the_last_day_follows_the_month() {
    check(
        "cron(0 0 L * ? *)",
        "2028-01-15T00:00:00Z",
        &["2028-01-31 00:00", "2028-02-29 00:00", "2028-03-31 00:00", "2028-04-30 00:00"],
    );
    check(
        "cron(0 18 LW * ? *)",
        "2026-10-01T00:00:00Z",
        &["2026-10-30 18:00", "2026-11-30 18:00", "2026-12-31 18:00", "2027-01-29 18:00"],
    );
    check("cron(0 0 ? * 6L *)", "2026-10-31T00:00:00Z", &["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]);
    check("cron(0 0 ? * L *)", "2026-11-23T00:00:00Z", &["2026-11-28 00:00", "2026-12-05 00:00"]);
}

#[test]
fn the_nearest_weekday_stays_within_the_month() {
    check(
        "cron(0 0 3W * ? *)",
        "2026-09-30T00:00:00Z",
        &["2026-10-02 00:00", "2026-11-03 00:00", "2026-12-03 00:00", "2027-01-04 00:00"],
    );
    // 1 August 2026 is a Saturday: the Friday before is July, so it is Monday the 3rd.
    check("cron(0 0 1W 8 ? 2026)", "2026-01-01T00:00:00Z", &["2026-08-03 00:00", "never"]);
    // 31 January 2027 is a Sunday: the Monday after is February, so it is Friday the 29th. February has no 31st.
    check("cron(0 0 31W * ? *)", "2027-01-01T00:00:00Z", &["2027-01-29 00:00", "2027-03-31 00:00"]);
}

#[test]
fn the_n_th_weekday_skips_months_without_it() {
    check("cron(0 9 ? * 2#1 *)", "2026-11-02T09:00:00Z", &["2026-12-07 09:00", "2027-01-04 09:00"]);
    check("cron(0 9 ? * MON#5 *)", "2026-11-01T00:00:00Z", &["2026-11-30 09:00", "2027-03-29 09:00"]);
}

#[test]
fn short_months_have_no_run_on_days_they_lack() {
    check("0 0 31 * *", "2027-01-31T00:00:00Z", &["2027-03-31 00:00", "2027-05-31 00:00"]);
    check("0 0 29 2 *", "2026-11-23T00:00:00Z", &["2028-02-29 00:00", "2032-02-29 00:00"]);
    check("0 0 29 2 *", "2096-03-01T00:00:00Z", &["2104-02-29 00:00"]);
    check("0 0 30 2 *", "2026-11-23T00:00:00Z", &["never"]);
}

#[test]
fn years_bound_a_schedule() {
    check("cron(15 10 ? * 6L 2002-2005)", "2005-11-01T00:00:00Z", &["2005-11-25 10:15", "2005-12-30 10:15", "never"]);
    check(
        "cron(0 0 1 1 ? 2030,2026/2)",
        "2026-06-01T00:00:00Z",
        &["2028-01-01 00:00", "2030-01-01 00:00", "2032-01-01 00:00"],
    );
    check("cron(59 23 31 12 ? *)", "2199-06-01T00:00:00Z", &["2199-12-31 23:59", "never"]);
    check("cron(0 0 1 1 ? *)", "1815-12-10T00:00:00Z", &["1970-01-01 00:00", "1971-01-01 00:00"]);
    check("cron(0 0 1 1 ? 1970)", "1969-12-31T23:59:59.5Z", &["1970-01-01 00:00", "never"]);
    assert!(!parse("cron(15 10 ? * 6L 2002-2005)").fires_after(at("2026-11-23T00:00:00Z")));
    assert!(parse("cron(15 10 ? * 6L 2002-2005)").can_ever_fire());
    assert_eq!(parse("* * * * *").next_after(Timestamp::MAX), None);
    assert_eq!(parse("* * * * *").next_after(Timestamp::MIN), Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn a_rate_has_no_run_that_can_be_known_and_still_fires() {
    let rate = parse("rate(5 minutes)");
    assert_eq!(rate.next_after(at("2026-11-23T00:00:00Z")), None);
    assert!(rate.fires_after(at("2026-11-23T00:00:00Z")) && rate.can_ever_fire());
}

#[test]
fn the_ticks_of_a_window_begin_with_its_first_minute_and_leave_its_end_out() {
    let schedule = parse("*/20 * * * *");
    let Kind::Cron(cron) = schedule.kind() else { panic!("a cron") };
    let ticks = |from: &str, until: &str| -> Vec<String> {
        cron.ticks(at(from), at(until)).map(|tick| tick.strftime("%H:%M").to_string()).collect()
    };
    assert_eq!(ticks("2026-11-23T00:00:00Z", "2026-11-23T01:00:00Z"), ["00:00", "00:20", "00:40"]);
    assert_eq!(ticks("2026-11-23T00:00:01Z", "2026-11-23T01:00:01Z"), ["00:20", "00:40", "01:00"]);
    assert!(ticks("2026-11-23T00:01:00Z", "2026-11-23T00:20:00Z").is_empty());
}

#[test]
fn schedules_of_one_job_coincide_exactly_when_a_minute_is_both() {
    let from = at("2026-11-23T00:00:00Z");
    let check = |a: &str, b: &str, expected: Overlap| {
        assert_eq!(coincide(&parse(a), &parse(b), from), expected, "{a} and {b}");
    };
    check("0 2 * * *", "0 3 * * *", Overlap::Never);
    check("0 2 * * *", "0 2 * * MON", Overlap::At(at("2026-11-23T02:00:00Z")));
    check("0 0 1 * *", "0 0 * * 1", Overlap::At(at("2027-02-01T00:00:00Z")));
    check("0 0 29 2 *", "0 0 * * FRI", Overlap::At(at("2036-02-29T00:00:00Z")));
    check("*/15 * * * *", "5-59/15 * * * *", Overlap::Never);
    check("cron(0 0 ? * MON#5 2027)", "cron(0 0 29 3 ? 2027)", Overlap::At(at("2027-03-29T00:00:00Z")));
    check("cron(0 0 * * ? 2020)", "0 0 * * *", Overlap::Never);
    check("cron(0 0 L 2 ? *)", "0 0 30 * *", Overlap::Never);
    check("rate(1 hour)", "0 0 * * *", Overlap::Possible);
    check("rate(1 hour)", "rate(2 hours)", Overlap::Possible);
    check("rate(1 hour)", "cron(0 0 * * ? 2020)", Overlap::Never);
}

#[test]
fn sparse_and_impossible_schedules_cost_no_more_than_a_look_at_every_month() {
    let started = Instant::now();
    for _ in 0..20 {
        check("cron(0 0 29 2 ? 2199)", "1970-01-01T00:00:00Z", &["never"]);
        check("0 0 30 2 *", "1970-01-01T00:00:00Z", &["never"]);
        let (leap_day, friday) = (parse("0 0 29 2 *"), parse("cron(0 0 ? * FRI#5 *)"));
        assert_ne!(coincide(&leap_day, &friday, at("2036-03-01T00:00:00Z")), Overlap::Never);
    }
    // A search minute by minute would take minutes; the bound leaves room for a busy machine and no optimisation.
    assert!(started.elapsed() < Duration::from_secs(5), "took {:?}", started.elapsed());
}
