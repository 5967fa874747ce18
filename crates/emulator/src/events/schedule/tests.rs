//! When expressions fire: against tables written by hand, and against a search minute by minute.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use proptest::collection::vec;
use proptest::prelude::*;

use super::Schedule;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first ticks after the last second of 2025, in short.
fn check(expression: &str, expected: &[&str]) {
    check_after("2025-12-31T23:59:59Z", expression, expected);
}

fn check_after(after: &str, expression: &str, expected: &[&str]) {
    let schedule = Schedule::parse(expression).unwrap();
    let (anchor, mut at) = (moment("1970-01-01T00:00:00Z"), moment(after));
    let mut ticks = Vec::new();
    for _ in expected {
        let Some(next) = schedule.next_after(anchor, at) else { break };
        ticks.push(next.strftime("%Y-%m-%d %H:%M").to_string());
        at = next;
    }
    assert_eq!(ticks, expected, "{expression} after {after}");
}

#[test]
fn minutes_and_hours_are_counted() {
    check("cron(* * * * ? *)", &["2026-01-01 00:00", "2026-01-01 00:01", "2026-01-01 00:02"]);
    check("cron(0/25 * * * ? *)", &["2026-01-01 00:00", "2026-01-01 00:25", "2026-01-01 00:50", "2026-01-01 01:00"]);
    check("cron(5,35 14 * * ? *)", &["2026-01-01 14:05", "2026-01-01 14:35", "2026-01-02 14:05"]);
    check("cron(59 23 31 12 ? *)", &["2026-12-31 23:59", "2027-12-31 23:59"]);
    check(
        "cron(*/40 20-2/3 1 1 ? *)",
        &["2026-01-01 02:00", "2026-01-01 02:40", "2026-01-01 20:00", "2026-01-01 20:40", "2026-01-01 23:00"],
    );
    check(
        "cron(30 22-1 * * ? *)",
        &["2026-01-01 00:30", "2026-01-01 01:30", "2026-01-01 22:30", "2026-01-01 23:30", "2026-01-02 00:30"],
    );
    check("cron(05, 08 * * ? *)", &["2026-01-01 08:05", "2026-01-02 08:05"]);
}

#[test]
fn months_and_days_of_the_month_are_counted() {
    check("cron(0 0 31 * ? *)", &["2026-01-31 00:00", "2026-03-31 00:00", "2026-05-31 00:00", "2026-07-31 00:00"]);
    check("cron(0 0 L * ? *)", &["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00", "2026-04-30 00:00"]);
    check("cron(0 0 1/14 feb ? *)", &["2026-02-01 00:00", "2026-02-15 00:00", "2027-02-01 00:00"]);
    check(
        "cron(0 0 30-2 * ? *)",
        &["2026-01-01 00:00", "2026-01-02 00:00", "2026-01-30 00:00", "2026-01-31 00:00", "2026-02-01 00:00"],
    );
    check(
        "cron(0 0 1 NOV-FEB ? *)",
        &["2026-01-01 00:00", "2026-02-01 00:00", "2026-11-01 00:00", "2026-12-01 00:00", "2027-01-01 00:00"],
    );
    check("cron(0 0 29 2 ? *)", &["2028-02-29 00:00", "2032-02-29 00:00"]);
    // 2026 begins on a Thursday. January ends on a Saturday, February the first is a Sunday.
    check("cron(0 0 LW * ? *)", &["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]);
    check("cron(0 0 1W * ? *)", &["2026-01-01 00:00", "2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"]);
    check("cron(0 0 3W 1 ? *)", &["2026-01-02 00:00", "2027-01-04 00:00"]);
    // The first of August 2026 is a Saturday: the Friday before is of another month.
    check("cron(0 0 1W 8 ? *)", &["2026-08-03 00:00"]);
    check("cron(0 0 31W * ? *)", &["2026-01-30 00:00", "2026-03-31 00:00", "2026-05-29 00:00"]);
}

#[test]
fn days_of_the_week_are_counted_from_sunday() {
    check("cron(0 0 ? * 1 *)", &["2026-01-04 00:00", "2026-01-11 00:00"]);
    check("cron(0 0 ? * L *)", &["2026-01-03 00:00", "2026-01-10 00:00"]);
    check("cron(0 0 ? * 6L *)", &["2026-01-30 00:00", "2026-02-27 00:00"]);
    check("cron(0 0 ? * SAT#3 *)", &["2026-01-17 00:00", "2026-02-21 00:00"]);
    check("cron(0 0 ? * THU#5 *)", &["2026-01-29 00:00", "2026-04-30 00:00"]);
    check(
        "cron(0 0 ? * FRI-MON *)",
        &["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00", "2026-01-05 00:00", "2026-01-09 00:00"],
    );
    check("cron(0 18 ? * MON-FRI *)", &["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]);
}

#[test]
fn years_end_a_schedule() {
    check("cron(15 10 ? * 6L 2002-2005)", &[]);
    check("cron(0 0 1 1 ? 2027,2031)", &["2027-01-01 00:00", "2031-01-01 00:00"]);
    check("cron(0 0 1 1 ? 2024/5)", &["2029-01-01 00:00", "2034-01-01 00:00"]);
    check("cron(0 20 * 12 ? 2500)", &["2500-12-01 20:00", "2500-12-02 20:00"]);
    check_after("2027-12-31T23:59:00Z", "cron(59 23 * * ? 2026-2027)", &[]);
    for never in
        ["cron(0 0 31 2 ? *)", "cron(0 0 30 FEB ? *)", "cron(0 0 31 2,4,6,9,11 ? *)", "cron(0 0 29 2 ? 2027/4)"]
    {
        let schedule = Schedule::parse(never).unwrap();
        assert_eq!(schedule.next_after(Timestamp::UNIX_EPOCH, moment("2026-01-01T00:00:00Z")), None, "{never}");
    }
}

#[test]
fn a_tick_is_later_than_what_it_comes_after() {
    check_after("2026-01-01T12:00:00Z", "cron(0/5 * * * ? *)", &["2026-01-01 12:05"]);
    check_after("2026-01-01T11:59:59.999Z", "cron(0/5 * * * ? *)", &["2026-01-01 12:00"]);
}

#[test]
fn a_rate_counts_from_its_anchor() {
    let anchor = moment("2026-01-01T10:00:07.5Z");
    let check = |expression: &str, after: &str, expected: &str| {
        let next = Schedule::parse(expression).unwrap().next_after(anchor, moment(after));
        assert_eq!(next, Some(moment(expected)), "{expression} after {after}");
    };
    check("rate(5 minutes)", "2026-01-01T10:00:07.5Z", "2026-01-01T10:05:07.5Z");
    check("rate(5 minutes)", "1970-01-01T00:00:00Z", "2026-01-01T10:05:07.5Z");
    check("rate(5 minutes)", "2026-01-01T10:05:07.499Z", "2026-01-01T10:05:07.5Z");
    check("rate(5 minutes)", "2026-01-01T10:05:07.5Z", "2026-01-01T10:10:07.5Z");
    check("rate(1 hour)", "2026-02-01T09:30:00Z", "2026-02-01T10:00:07.5Z");
    check("rate(7 days)", "2026-01-09T00:00:00Z", "2026-01-15T10:00:07.5Z");
}

/// Whether a field that is a list names a value; said in another way than the sets are made.
fn names(field: &str, (least, most): (i64, i64), value: i64) -> bool {
    field.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let stepped = item.contains('/');
        let (from, to) = match range.split_once('-') {
            None if range == "*" => (least, most),
            None => (range.parse().unwrap(), if stepped { most } else { range.parse().unwrap() }),
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
        };
        let width = most - least + 1;
        let along = (value - from).rem_euclid(width);
        along <= (to - from).rem_euclid(width) && along % step.parse::<i64>().unwrap() == 0
    })
}

fn weekday(date: Date) -> i64 {
    i64::from(date.weekday().to_sunday_one_offset())
}

fn is_workday(date: Date) -> bool {
    (2..=6).contains(&weekday(date))
}

/// Whether the two fields of days name a day.
fn is_day(of_month: &str, of_week: &str, date: Date) -> bool {
    let last = date.last_of_month();
    let nearest = |day: Date| {
        // One day aside, or two where one would leave the month.
        let within = |days: i64| {
            let near = day.checked_add(days.days()).unwrap();
            (near.month() == day.month() && is_workday(near)).then_some(near)
        };
        let order = if weekday(day) == 7 { [0, -1, 2] } else { [0, 1, -2] };
        order.into_iter().find_map(within)
    };
    if of_week == "?" {
        return match (of_month, of_month.strip_suffix('W')) {
            ("L", _) => date == last,
            ("LW", _) => nearest(last) == Some(date),
            (_, Some(day)) => {
                let day: i8 = day.parse().unwrap();
                day <= last.day() && nearest(date.with().day(day).build().unwrap()) == Some(date)
            }
            (_, None) => names(of_month, (1, 31), i64::from(date.day())),
        };
    }
    let next_week = date.checked_add(7.days()).unwrap();
    match (of_week, of_week.split_once('#'), of_week.strip_suffix('L')) {
        ("L", _, _) => weekday(date) == 7,
        (_, Some((day, nth)), _) => day == weekday(date).to_string() && nth == ((date.day() - 1) / 7 + 1).to_string(),
        (_, _, Some(day)) => day == weekday(date).to_string() && next_week.month() != date.month(),
        (list, None, None) => names(list, (1, 7), weekday(date)),
    }
}

/// The first tick in the days after a moment, found by looking at every day and every minute.
fn searched(fields: &[String; 5], after: Timestamp, days: i64) -> Option<Timestamp> {
    let [minute, hour, of_month, month, of_week] = fields;
    let start = after.to_zoned(jiff::tz::TimeZone::UTC).date();
    for offset in 0..days {
        let date = start.checked_add(offset.days()).unwrap();
        if !names(month, (1, 12), i64::from(date.month())) || !is_day(of_month, of_week, date) {
            continue;
        }
        for at in 0..24 * 60 {
            let named = names(hour, (0, 23), at / 60) && names(minute, (0, 59), at % 60);
            let tick = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp() + at.minutes();
            if named && tick > after {
                return Some(tick);
            }
        }
    }
    None
}

fn item(least: i64, most: i64, steps: bool) -> impl Strategy<Value = String> {
    let range = prop_oneof![
        2 => (least..=most).prop_map(|value| value.to_string()),
        2 => (least..=most, least..=most).prop_map(|(from, to)| format!("{from}-{to}")),
        1 => Just("*".to_owned()),
    ];
    (range, prop::option::of(1..=12_i64.min(most))).prop_map(move |(range, step)| match step {
        Some(step) if steps => format!("{range}/{step}"),
        Some(_) | None => range,
    })
}

fn list(least: i64, most: i64, steps: bool) -> impl Strategy<Value = String> {
    vec(item(least, most, steps), 1..3).prop_map(|items| items.join(","))
}

fn days() -> impl Strategy<Value = (String, String)> {
    let of_month = prop_oneof![
        3 => list(1, 31, true),
        1 => Just("L".to_owned()),
        1 => Just("LW".to_owned()),
        2 => (1..=31).prop_map(|day| format!("{day}W")),
    ];
    let of_week = prop_oneof![
        3 => list(1, 7, false),
        1 => Just("L".to_owned()),
        1 => (1..=7).prop_map(|day| format!("{day}L")),
        2 => (1..=7, 1..=5).prop_map(|(day, nth)| format!("{day}#{nth}")),
    ];
    let open = || Just("?".to_owned());
    prop_oneof![(of_month, open()), (open(), of_week)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_next_tick_is_the_one_that_a_search_finds(
        minute in list(0, 59, true),
        hour in list(0, 23, true),
        month in list(1, 12, true),
        (of_month, of_week) in days(),
        after in 1_700_000_000_000_i64..1_900_000_000_000,
    ) {
        let expression = format!("cron({minute} {hour} {of_month} {month} {of_week} *)");
        let after = Timestamp::from_millisecond(after).unwrap();
        let next = Schedule::parse(&expression).unwrap().next_after(Timestamp::UNIX_EPOCH, after);
        let fields = [minute, hour, of_month, month, of_week];
        match searched(&fields, after, 800) {
            Some(found) => prop_assert_eq!(next, Some(found), "{}", expression),
            // Rare days: at least it is none that the search has passed.
            None => prop_assert!(next.is_none_or(|next| next > after + (799 * 24).hours()), "{} {:?}", expression, next),
        }
    }
}
