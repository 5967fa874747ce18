//! `cron(...)`, `rate(...)` and `at(...)` as AWS takes and refuses them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use ecs_etl_spec::schedule::{Kind, Schedule};

fn taken(text: &str) {
    match Schedule::parse(text) {
        Ok(schedule) => assert_eq!(schedule.expression(), text),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// `text` is refused; the message holds `reason`, the help `instead`, and every schedule the help suggests is taken.
fn refused(text: &str, reason: &str, instead: &str) {
    let error = match Schedule::parse(text) {
        Ok(schedule) => panic!("{text} became {schedule}"),
        Err(error) => error,
    };
    let help = error.help.clone().unwrap_or_default();
    assert!(error.message.contains(reason), "{text}: {:?} does not say {reason:?}", error.message);
    assert!(help.contains(instead), "{text}: {help:?} does not say {instead:?}");
    for suggested in help.split('`').skip(1).step_by(2) {
        let whole =
            suggested.starts_with("cron(") || suggested.starts_with("rate(") || suggested.matches(' ').count() == 4;
        if whole && !suggested.contains("hour ") && !suggested.contains("()") && !suggested.contains("...") {
            assert!(Schedule::parse(suggested).is_ok(), "{text}: {suggested:?} is suggested, and refused itself");
        }
    }
}

#[test]
fn the_documented_examples_are_taken() {
    for text in [
        "cron(0 10 * * ? *)",
        "cron(15 12 * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 8 1 * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(0/10 * ? * MON-FRI *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(0/30 20-2 ? * MON-FRI *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 0 3W * ? *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 ? * L *)",
        "cron(0 0 ? * 6L *)",
        "cron(0 0 ? * FRIL *)",
        "cron(1/10 * * JAN,FEB,MAR ? 2026-2030)",
        "cron(0 0 1 1 ? 2026,2030,2040/5)",
    ] {
        taken(text);
    }
}

#[test]
fn forms_seen_to_be_taken_with_one_meaning_are_taken() {
    for text in [
        "cron(0 18 LW * ? *)",
        "cron(0 18 ? * mOn *)",
        "cron(00 07 * * ? *)",
        "cron(0 0 ? * SAT-THU *)",
        "cron(50-10 * * * ? *)",
        "cron(0 0 28-3 NOV-FEB ? *)",
        "cron(0 20-2/2 * * ? *)",
        "cron(*/15 * * * ? *)",
        "cron(0  2 * * ?\t*)",
    ] {
        taken(text);
    }
    assert_eq!(Schedule::parse(" cron(0 2 * * ? *)\n").expect("valid").expression(), "cron(0 2 * * ? *)");
}

#[test]
fn exactly_one_of_the_day_fields_is_a_question_mark() {
    refused("cron(0 1 * * * *)", "must be `?`", "`cron(0 1 * * ? *)`");
    refused("cron(15 0 * * MON-FRI *)", "must be `?`", "`cron(15 0 ? * MON-FRI *)`");
    refused("cron(15 0 1 * * *)", "must be `?`", "`cron(15 0 1 * ? *)`");
    refused("cron(0 0 1 * MON *)", "must be `?`", "`cron(0 0 1 * ? *)` and `cron(0 0 ? * MON *)`");
    refused("cron(0 0 ? * ? *)", "both `?`", "`cron(0 0 * * ? *)`");
}

#[test]
fn forms_that_no_document_explains_are_refused_with_the_documented_one() {
    refused("cron(0 2 L-3 * ? *)", "documents no day of month `L-3`", "each length of month");
    refused("cron(0 2 1,L * ? *)", "documents no day of month", "stand alone");
    refused("cron(0 2 1-15W * ? *)", "documents no day of month", "`15W`");
    refused("cron(0 2 W * ? *)", "is not a valid day of month", "");
    refused("cron(0 2 32W * ? *)", "out of range", "");
    refused("cron(0 2 ? * L-2 *)", "documents no day of week", "`FRIL`");
    refused("cron(0 2 ? * FRIL,MON *)", "documents no day of week", "stands alone");
    refused("cron(0 2 ? * 2-6/2 *)", "no step in the day of week", "MON,WED,FRI");
    refused("cron(0 2 ? * */2 *)", "no step in the day of week", "SUN,TUE,THU,SAT");
    refused("cron( 0 2 * * ? * )", "single blanks", "`cron(0 2 * * ? *)`");
}

#[test]
fn the_n_th_weekday_stands_alone_and_has_five_weeks() {
    refused("cron(0 0 ? * 3#1,6#3 *)", "single day of week with `#`", "list of schedules");
    refused("cron(0 0 ? * MON#6 *)", "which of the month's five weeks", "`MON#1`");
    refused("cron(0 0 ? * MON#0 *)", "which of the month's five weeks", "");
    refused("cron(0 0 ? * MON# *)", "which of the month's five weeks", "");
    refused("cron(0 0 ? * #1 *)", "is not a valid day of week", "");
    refused("cron(0 0 ? * 8#1 *)", "out of range", "");
}

#[test]
fn values_outside_a_field_name_its_range() {
    refused("cron(71 8 1 * ? *)", "minute `71` is out of range: 0 to 59", "");
    refused("cron(0 24 * * ? *)", "hour `24`", "");
    refused("cron(0 dummy ? * MON-FRI *)", "`dummy` is not a valid hour", "0 to 23");
    refused("cron(7 20 * * NOT *)", "`NOT` is not a valid day of week", "SUN to SAT");
    refused("cron(0 0 ? * 0 *)", "day of week `0` is out of range: 1 to 7", "");
    refused("cron(0 0 ? * 02 *)", "has leading zeros", "write `2`");
    refused("cron(000 0 * * ? *)", "has leading zeros", "write `0`");
    refused("cron(0 0 * * ? 1969)", "year `1969` is out of range: 1970 to 2199", "");
    refused("cron(0 0 * * ? 2200)", "year `2200`", "");
    refused("cron(0 0 * * ? 2030-2026)", "runs backwards", "2026-2030");
    refused("cron(? 0 * * ? *)", "is not a valid minute", "");
    refused("cron(*/60 * * * ? *)", "greater than 59", "");
    refused("cron(15/65 10 * * ? *)", "greater than 59", "");
    refused("cron(0 0/24 * * ? *)", "greater than 23", "");
    refused("cron(0,,5 0 * * ? *)", "is not a valid minute", "");
    refused("cron(0 0 * * ? 99999999999999999999)", "out of range", "");
}

#[test]
fn a_wrong_number_of_fields_is_shown_the_right_one() {
    refused("cron(0 2 * * ?)", "has 5", "`cron(0 2 * * ? *)`");
    refused("cron(0 2 * * *)", "has 5", "`cron(0 2 * * ? *)`");
    refused("cron(0 2 * * 1)", "has 5", "without `cron()`: `0 2 * * 1`");
    refused("cron(0 0 2 * * ? *)", "has 7", "no seconds");
    refused("cron()", "has 0", "year");
    refused("cron(INVALID)", "has 1", "year");
    refused("cron(0 2 * * ? *", "parenthesis", "");
    refused("cron(0 2 * * ? *) x", "parenthesis", "");
    refused("Cron(0 2 * * ? *)", "is not a kind of schedule", "lower case");
    refused("cron (0 2 * * ? *)", "is not a kind of schedule", "no blank");
}

#[test]
fn rates_agree_in_number_and_are_written_exactly_so() {
    for (text, seconds) in [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(1 hour)", 3_600),
        ("rate(12 hours)", 43_200),
        ("rate(1 day)", 86_400),
        ("rate(7 days)", 604_800),
    ] {
        taken(text);
        assert_eq!(Schedule::parse(text).expect("valid").period_seconds(), Some(seconds), "{text}");
    }
    refused("rate(1 minutes)", "AWS does not take", "`rate(1 minute)`");
    refused("rate(10 minute)", "AWS does not take", "`rate(10 minutes)`");
    refused("rate(10 MINUTES)", "AWS does not take", "`rate(10 minutes)`: lower case");
    refused("rate(010 minutes)", "AWS does not take", "`rate(10 minutes)`");
    refused(" rate(10 minutes)", "no blanks around", "`rate(10 minutes)`");
    refused("rate(10 minutes)\n", "no blanks around", "`rate(10 minutes)`");
    refused("rate( 10 minutes )", "is not a rate", "rate(15 minutes)");
    refused("rate(10  minutes)", "AWS does not take", "one blank");
    refused("rate(0 minutes)", "never fires", "suspend: true");
    refused("rate(-10 minutes)", "is not a rate", "");
    refused("rate(1.5 hours)", "is not a rate", "whole number");
    refused("rate(10 seconds)", "`seconds` is not a unit", "minutes, hours or days");
    refused("rate(10 years)", "`years` is not a unit", "minutes, hours or days");
    refused("rate(10 minutess)", "is not a unit", "minutes");
    refused("rate(10)", "is not a rate", "");
    refused("rate()", "is not a rate", "");
    refused("rate(99999999999 minutes)", "too large", "");
    refused("Rate(10 minutes)", "is not a kind of schedule", "lower case");
}

#[test]
fn a_single_moment_is_taken_to_the_letter() {
    taken("at(2026-12-31T09:30:00)");
    taken("at(2022-12-31T23:59:59)");
    refused("at(tomorrow)", "is not a moment", "`at(2026-12-31T09:30:00)`");
    refused("at(2021-12-31)", "does not take", "`at(2021-12-31T00:00:00)`");
    refused("at(2021-12-31T23:59:59Z)", "is not a moment", "timeZone");
    refused("at(2021-12-31 23:59:59)", "does not take", "`at(2021-12-31T23:59:59)`");
    refused("at(2021-02-29T00:00:00)", "is not a moment", "");
    refused("at(2026-12-31T09:30:00", "does not end", "");
    refused("at(9999-12-31T00:00:00)", "1970 to 2199", "");
    refused("At(2026-12-31T09:30:00)", "is not a kind of schedule", "lower case");
}

#[test]
fn what_is_too_long_for_aws_is_refused() {
    let list = |values: std::ops::Range<u8>| values.map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    taken(&format!("cron({} {} 1 * ? *)", list(1..60), list(1..24)));
    // 252 characters as typed, 260 as AWS would get them.
    refused(&format!("{} {} {} * *", list(1..60), list(1..20), list(1..15)), "more than 256", "list");
    refused(&"*".repeat(257), "at most 256", "list");
    refused(&"é".repeat(1_000_000), "at most 256", "list");
}

#[test]
fn schedules_that_fire_at_the_same_times_are_known_to() {
    for (a, b) in [
        ("cron(0/30 2 * * ? *)", "cron(0,30 2 * * ? *)"),
        ("cron(0 2 ? * 2 *)", "cron(0 2 ? * MON *)"),
        ("cron(0 2 ? * * *)", "cron(0 2 * * ? *)"),
        ("cron(0 2 ? * L *)", "0 2 * * 6"),
        ("*/20 * * * *", "0,20,40 * * * *"),
    ] {
        let (a, b) = (Schedule::parse(a).expect("valid"), Schedule::parse(b).expect("valid"));
        assert!(a.same_ticks(&b), "{a} and {b}");
    }
    let other = Schedule::parse("cron(0 2 ? * 1 *)").expect("valid");
    assert!(!Schedule::parse("cron(0 2 ? * MON *)").expect("valid").same_ticks(&other));
}

#[test]
fn the_suffix_depends_on_the_expression_alone() {
    let suffix = |text: &str| Schedule::parse(text).expect("valid").suffix();
    assert_eq!(suffix("0 2 * * *"), suffix("cron(0 2 * * ? *)"));
    assert_ne!(suffix("0 2 * * *"), suffix("0 3 * * *"));
    assert_eq!(suffix("0 2 * * *"), "c048b7");
    assert!(matches!(Schedule::parse("rate(1 hour)").expect("valid").kind(), Kind::Rate(_)));
}

#[test]
fn a_schedule_is_shown_and_serialized_as_its_expression() {
    let schedule = Schedule::parse("0 2 * * *").expect("valid");
    assert_eq!(schedule.to_string(), "cron(0 2 * * ? *)");
    assert_eq!(serde_json::to_string(&schedule).expect("a string"), "\"cron(0 2 * * ? *)\"");
}
