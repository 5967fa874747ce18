//! Next runs against two other ways to compute them: a day-by-day search written for these tests, and croner where its
//! dialect and AWS's agree. Then: nothing that is typed brings the parser down.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod by_search;

use ecs_etl_spec::schedule::{Kind, Overlap, Schedule, coincide};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A list of values, ranges and steps of a field that never begins anew.
fn list(min: u16, max: u16) -> impl Strategy<Value = String> {
    let item = (min..=max, min..=max, 1..=(max - min).max(1).min(max), 0..4_u8).prop_map(move |(a, b, step, form)| {
        let (a, b) = (a.min(b), a.max(b));
        match form {
            0 => format!("{a}"),
            1 => format!("{a}-{b}"),
            2 => format!("{a}-{b}/{step}"),
            _ => format!("*/{step}"),
        }
    });
    prop_oneof![
        2 => Just("*".to_owned()),
        3 => (min..=max).prop_map(|value| value.to_string()),
        3 => proptest::collection::vec(item, 1..4).prop_map(|items| items.join(",")),
    ]
}

/// What only AWS has beside the common forms: ranges that begin anew, and steps from a start.
fn aws_list(min: u16, max: u16, max_step: u16) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => list(min, max),
        1 => (min..=max, min..=max).prop_map(|(a, b)| format!("{a}-{b}")),
        1 => (min..=max, min..=max, 1..=max_step).prop_map(|(a, b, step)| format!("{a}-{b}/{step}")),
        1 => (min..=max, 1..=max_step).prop_map(|(a, step)| format!("{a}/{step}")),
    ]
}

fn days() -> impl Strategy<Value = (String, String)> {
    let weekday = || {
        prop_oneof![
            (1..=7_u16).prop_map(|day| day.to_string()),
            proptest::sample::select(&WEEKDAYS[..]).prop_map(str::to_owned)
        ]
    };
    let of_month = prop_oneof![
        2 => aws_list(1, 31, 31),
        1 => Just("L".to_owned()),
        1 => Just("LW".to_owned()),
        2 => (1..=31_u16).prop_map(|day| format!("{day}W")),
    ];
    let of_week = prop_oneof![
        1 => Just("*".to_owned()),
        1 => Just("L".to_owned()),
        2 => weekday(),
        2 => (weekday(), weekday()).prop_map(|(a, b)| format!("{a}-{b}")),
        2 => (weekday(), weekday()).prop_map(|(a, b)| format!("{a},{b}")),
        2 => weekday().prop_map(|day| format!("{day}L")),
        2 => (weekday(), 1..=5_u8).prop_map(|(day, n)| format!("{day}#{n}")),
    ];
    prop_oneof![of_month.prop_map(|day| (day, "?".to_owned())), of_week.prop_map(|day| ("?".to_owned(), day))]
}

fn months() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => aws_list(1, 12, 12),
        1 => (proptest::sample::select(&MONTHS[..]), proptest::sample::select(&MONTHS[..])).prop_map(|(a, b)| format!("{a}-{b}")),
    ]
}

fn years() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("*".to_owned()),
        1 => (2020..2035_u16).prop_map(|year| year.to_string()),
        1 => (2020..2030_u16, 0..9_u16).prop_map(|(year, more)| format!("{year}-{}", year + more)),
        1 => (2020..2030_u16, 2020..2030_u16).prop_map(|(a, b)| format!("{a},{b}")),
        1 => (2020..2030_u16, 1..9_u16).prop_map(|(year, step)| format!("{year}/{step}")),
    ]
}

fn aws_cron() -> impl Strategy<Value = String> {
    (aws_list(0, 59, 59), aws_list(0, 23, 23), days(), months(), years()).prop_map(
        |(minute, hour, (day_of_month, day_of_week), month, year)| {
            format!("cron({minute} {hour} {day_of_month} {month} {day_of_week} {year})")
        },
    )
}

fn moment() -> impl Strategy<Value = DateTime> {
    (2019..2032_i16, 1..=12_i8, 1..=28_i8, 0..24_i8, 0..60_i8, 0..60_i8).prop_map(
        |(year, month, day, hour, minute, second)| DateTime::constant(year, month, day, hour, minute, second, 0),
    )
}

fn utc(time: DateTime) -> Timestamp {
    TimeZone::UTC.to_timestamp(time).expect("in range")
}

/// As far as the search looks, in days: twelve years, and more than the eight between some leap days.
const HORIZON: i64 = 12 * 366;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_next_run_is_the_one_a_search_of_every_day_finds(expression in aws_cron(), from in moment()) {
        let schedule = Schedule::parse(&expression).map_err(|error| TestCaseError::fail(format!("{expression}: {error}")))?;
        let found = by_search::next(&expression, from, HORIZON).map(utc);
        let next = schedule.next_after(utc(from));
        match found {
            Some(found) => {
                prop_assert_eq!(next, Some(found), "{} after {}", expression, from);
                prop_assert!(by_search::fires(&expression, TimeZone::UTC.to_datetime(found)));
            }
            None => {
                let horizon = utc(from) + (24 * (HORIZON - 1)).hours();
                prop_assert!(next.is_none_or(|next| next > horizon), "{} after {}: {:?}", expression, from, next);
            }
        }
    }

    #[test]
    fn two_schedules_coincide_at_the_first_tick_that_both_have(
        (a, b) in (aws_cron(), aws_cron()), from in moment(),
    ) {
        let (a, b) = (Schedule::parse(&a).expect("valid"), Schedule::parse(&b).expect("valid"));
        let (Kind::Cron(ticks_of_a), from) = (a.kind(), utc(from)) else { panic!("a cron") };
        let until = from + (24 * 400).hours();
        let both = ticks_of_a
            .ticks(from, until)
            .take(20_000)
            .find(|tick| b.next_after(*tick - 1.second()) == Some(*tick));
        match (coincide(&a, &b, from), both) {
            (Overlap::At(at), Some(both)) => prop_assert_eq!(at, both),
            (Overlap::At(at), None) => {
                prop_assert_eq!(a.next_after(at - 1.second()), Some(at));
                prop_assert_eq!(b.next_after(at - 1.second()), Some(at));
            }
            (Overlap::Never, None) => {}
            (answer, both) => prop_assert!(false, "{} and {}: {:?} but {:?}", a, b, answer, both),
        }
        prop_assert_eq!(coincide(&a, &b, from), coincide(&b, &a, from));
    }

    #[test]
    fn a_run_is_the_next_one_until_it_comes(expression in aws_cron(), from in moment(), share in 0..1000_i64) {
        let schedule = Schedule::parse(&expression).expect("valid");
        let Some(next) = schedule.next_after(utc(from)) else { return Ok(()) };
        let between = utc(from) + (next.duration_since(utc(from)) * i32::try_from(share).expect("small") / 1000);
        prop_assert_eq!(schedule.next_after(between), Some(next), "{} after {}", expression, between);
        prop_assert!(schedule.next_after(next).is_none_or(|later| later > next));
    }

    #[test]
    fn the_runs_of_a_window_are_the_next_runs_within_it(expression in aws_cron(), from in moment(), days in 0..400_i64) {
        let schedule = Schedule::parse(&expression).expect("valid");
        let Kind::Cron(cron) = schedule.kind() else { panic!("a cron") };
        let (from, until) = (utc(from), utc(from) + (24 * days).hours());
        let first = schedule.next_after(from - 1.nanosecond());
        let runs = std::iter::successors(first, |run| schedule.next_after(*run)).take_while(|run| *run < until);
        prop_assert_eq!(cron.ticks(from, until).take(500).collect::<Vec<_>>(), runs.take(500).collect::<Vec<_>>());
    }

    #[test]
    fn who_fires_at_the_same_times_is_known_however_it_is_written(a in aws_cron(), b in aws_cron(), from in moment()) {
        let (a, b) = (Schedule::parse(&a).expect("valid"), Schedule::parse(&b).expect("valid"));
        // Upper and lower case, and leading zeros, say the same.
        let written = a.expression().replace("cron(", "").to_ascii_lowercase();
        let letters = |c: char| matches!(c, 'l' | 'w');
        let again = if written.contains(letters) { a.clone() } else { Schedule::parse(&format!("cron({written}")).expect("valid") };
        prop_assert!(a.same_ticks(&again), "{} and {}", a, again);
        if a.same_ticks(&b) {
            prop_assert_eq!(a.next_after(utc(from)), b.next_after(utc(from)), "{} and {}", a, b);
        }
    }

    #[test]
    fn unix_cron_fires_when_croner_says(
        minute in list(0, 59), hour in list(0, 23), month in list(1, 12),
        (day_of_month, day_of_week) in prop_oneof![
            list(1, 31).prop_map(|day| (day, "*".to_owned())),
            list(0, 6).prop_map(|day| ("*".to_owned(), day)),
        ],
        from in moment(),
    ) {
        let unix = format!("{minute} {hour} {day_of_month} {month} {day_of_week}");
        // croner takes a star within a list; steps alone are the common ground.
        let schedule = Schedule::parse(&unix).map_err(|error| TestCaseError::fail(format!("{unix}: {error}")))?;
        let theirs: croner::Cron = unix.parse().map_err(|error| TestCaseError::fail(format!("{unix}: {error}")))?;
        let from = utc(from);
        let start = chrono::DateTime::from_timestamp(from.as_second(), 0).expect("in range");
        let theirs = theirs.find_next_occurrence(&start, false).ok();
        prop_assert_eq!(schedule.next_after(from).map(Timestamp::as_second), theirs.map(|time| time.timestamp()), "{} as {}", unix, schedule);
    }

    #[test]
    fn what_becomes_of_a_unix_cron_is_taken_again_and_says_the_same(
        minute in list(0, 59), hour in list(0, 23), day_of_week in list(0, 7),
    ) {
        let schedule = Schedule::parse(&format!("{minute} {hour} * * {day_of_week}")).expect("valid");
        let again = Schedule::parse(schedule.expression()).expect("its own form is valid");
        prop_assert_eq!(again, schedule);
    }

    #[test]
    fn no_text_brings_the_parser_down(text in "\\PC{0,300}") {
        drop(Schedule::parse(&text));
    }

    #[test]
    fn nothing_made_of_cron_characters_brings_the_parser_down(
        text in "(cron\\(|rate\\(|at\\(|@|)[0-9LW#?*/, -]{0,40}( [0-9A-Z*?/#,-]{0,9}){0,7}\\)?",
    ) {
        if let Ok(schedule) = Schedule::parse(&text) {
            prop_assert!(schedule.expression().len() <= 256);
            prop_assert_eq!(schedule.can_ever_fire(), schedule.fires_after(Timestamp::UNIX_EPOCH - 1.second()));
        }
    }
}
