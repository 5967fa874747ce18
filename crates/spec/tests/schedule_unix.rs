//! Unix cron, macros and what becomes of them in AWS.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use ecs_etl_spec::schedule::Schedule;

fn check(text: &str, expected: &str) {
    match Schedule::parse(text) {
        Ok(schedule) => assert_eq!(schedule.expression(), expected, "{text}"),
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
fn days_of_the_month_and_of_the_week_move_to_the_field_that_says_them() {
    check("0 2 * * *", "cron(0 2 * * ? *)");
    check("0 0 1 * *", "cron(0 0 1 * ? *)");
    check("0 0 * * 1", "cron(0 0 ? * MON *)");
    check("30 4 1,15 * *", "cron(30 4 1,15 * ? *)");
    check("  0 2 * * *\n", "cron(0 2 * * ? *)");
    check("0\t2   * * *", "cron(0 2 * * ? *)");
}

#[test]
fn the_days_of_the_week_are_named_since_aws_counts_them_otherwise() {
    for (number, name) in ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"].iter().enumerate() {
        check(&format!("0 0 * * {number}"), &format!("cron(0 0 ? * {name} *)"));
    }
    check("0 9 * * 1-5", "cron(0 9 ? * MON-FRI *)");
    check("0 9 * * mon-Fri", "cron(0 9 ? * MON-FRI *)");
    check("0 9 * * 0,6", "cron(0 9 ? * SUN,SAT *)");
    check("0 9 * * 1-3,5", "cron(0 9 ? * MON-WED,FRI *)");
    check("0 9 * * 0,7", "cron(0 9 ? * SUN *)");
}

#[test]
fn steps_in_the_week_and_ranges_across_its_end_become_lists() {
    check("0 9 * * 5-7", "cron(0 9 ? * FRI,SAT,SUN *)");
    check("0 9 * * FRI-MON", "cron(0 9 ? * FRI,SAT,SUN,MON *)");
    check("0 9 * * 6-0", "cron(0 9 ? * SAT,SUN *)");
    check("0 9 * * 1-5/2", "cron(0 9 ? * MON,WED,FRI *)");
    check("0 9 * * */2", "cron(0 9 ? * SUN,TUE,THU,SAT *)");
    check("0 9 * * 1-7/2", "cron(0 9 ? * MON,WED,FRI,SUN *)");
    for every in ["0-6", "0-7", "1-7", "*/1", "MON-SUN", "0,1,2,3,4,5,6"] {
        check(&format!("0 9 * * {every}"), "cron(0 9 * * ? *)");
    }
}

#[test]
fn the_canonical_form_has_no_leading_zeros_no_star_steps_and_no_repeats() {
    check("05 02 01 01 *", "cron(5 2 1 1 ? *)");
    check("*/15 * * * *", "cron(0/15 * * * ? *)");
    check("0 */6 */2 */3 *", "cron(0 0/6 1/2 1/3 ? *)");
    check("10-50/20 8-8 * * *", "cron(10-50/20 8 * * ? *)");
    check("0,0,30 * * jan,JUL *", "cron(0,30 * * 1,7 ? *)");
    check("5/10 * 2/7 * *", "cron(5/10 * 2/7 * ? *)");
    check("0 0 * JAN-MAR *", "cron(0 0 * 1-3 ? *)");
    check("0-59 0-23 1-31 1-12 *", "cron(* * * * ? *)");
    check("*/1 */1 */1 */1 *", "cron(* * * * ? *)");
}

#[test]
fn macros_have_one_expression_each() {
    check("@hourly", "cron(0 * * * ? *)");
    check("@daily", "cron(0 0 * * ? *)");
    check("@midnight", "cron(0 0 * * ? *)");
    check("@weekly", "cron(0 0 ? * SUN *)");
    check("@monthly", "cron(0 0 1 * ? *)");
    check("@yearly", "cron(0 0 1 1 ? *)");
    check("@annually", "cron(0 0 1 1 ? *)");
    refused("@reboot", "`@reboot` is not a schedule", "no start of a machine");
    refused("@dayly", "`@dayly`", "did you mean `@daily`?");
    refused("@every 5m", "is not a schedule", "rate(5 minutes)");
    refused("@", "is not a schedule", "@daily");
}

#[test]
fn a_union_of_both_day_fields_is_refused_with_the_two_schedules_it_takes() {
    refused("0 0 1 * 1", "fires on days that are either", "`0 0 1 * *` and `0 0 * * 1`");
    refused("0 0 1 * 1", "", "allowOverlap: true");
    refused("0 0 1-31 * MON", "either", "two schedules");
    refused("0 0 1 * 0-6", "either", "two schedules");
}

#[test]
fn a_star_with_a_step_beside_another_day_is_refused_with_both_readings() {
    refused("0 0 */2 * 1", "some crons fire on days that are both, others on days that are either", "two schedules");
    refused("0 0 1 * */2", "some crons fire on days that are both", "cannot be said in one AWS expression");
}

#[test]
fn seconds_and_years_are_told_apart() {
    refused("0 0 2 * * ?", "has 6", "`cron(0 2 * * ? *)`");
    refused("0 0 2 * * ? *", "has 7", "`cron(0 2 * * ? *)`");
    refused("0 2 * * ? *", "has 6", "`cron(0 2 * * ? *)`");
    refused("30 0 2 * * *", "has 6", "AWS knows no seconds");
    refused("0 2 * *", "has 4", "`0 2 * * *`");
    refused("0 2 * * MON-FRI 2026 extra more", "has 8", "such as `0 2 * * *`");
}

#[test]
fn time_zones_are_named_where_they_belong() {
    refused("CRON_TZ=Asia/Tokyo 0 2 * * *", "takes no `CRON_TZ=`", "spec.timeZone");
    refused("TZ=UTC 0 2 * * *", "takes no `TZ=`", "spec.timeZone");
}

#[test]
fn steps_that_cannot_be_taken_name_the_limit() {
    refused("*/60 * * * *", "greater than 59", "first value alone");
    refused("0 */24 * * *", "greater than 23", "first value alone");
    refused("0 0 */32 * *", "greater than 31", "first value alone");
    refused("*/0 * * * *", "is 0", "");
    refused("*/x * * * *", "is not a number", "");
    refused("0 0 * * 1/2", "crons differ", "`1-6/2`");
    refused("0 0 * * 5-1/2", "across the end of the week", "write the values: 5,7");
}

#[test]
fn values_and_ranges_outside_a_field_name_its_range() {
    refused("60 * * * *", "minute `60` is out of range", "");
    refused("0 24 * * *", "hour `24` is out of range: 0 to 23", "");
    refused("0 0 0 * *", "day of month `0` is out of range: 1 to 31", "");
    refused("0 0 * 13 *", "month `13`", "");
    refused("0 0 * * 8", "day of week `8`", "");
    refused("0 22-2 * * *", "runs backwards", "22-23,0-2");
    refused("0 0 * NOV-FEB *", "runs backwards", "11-12,1-2");
    refused("0 0 * * MONDAY", "`MONDAY` is not a valid day of week", "SUN to SAT");
    refused("0 0 * JANUARY *", "is not a valid month", "JAN to DEC");
    refused("1,,2 * * * *", "`` is not a valid minute", "0 to 59");
    refused("-5 * * * *", "is not a valid minute", "");
    refused("*,5 * * * *", "includes the rest", "`*` alone");
    refused("", "must not be empty", "`0 2 * * *`");
    refused("hello", "`hello` is not a schedule", "@daily");
}

#[test]
fn what_belongs_to_aws_cron_is_shown_as_such() {
    refused("0 0 L * *", "AWS cron", "`cron(0 0 L * ? *)`");
    refused("0 0 15W * *", "AWS cron", "`cron(0 0 15W * ? *)`");
    refused("0 0 * * MON#1", "AWS cron", "`cron(0 0 ? * MON#1 *)`");
    refused("0 0 * * 5#1", "AWS cron", "where 1 is Sunday");
    refused("0 0 ? * MON", "AWS cron", "`cron(0 0 ? * MON *)`");
    refused("0 2 * * ?", "AWS cron", "`cron(0 2 * * ? *)`");
    refused("0 2 ? * *", "AWS cron", "`cron(0 2 ? * * *)`");
}

#[test]
fn days_that_no_year_has_parse_and_are_known_never_to_fire() {
    for (text, fires) in
        [("0 0 30 2 *", false), ("0 0 31 4,6,9,11 *", false), ("0 0 29 2 *", true), ("0 0 31 * *", true)]
    {
        assert_eq!(Schedule::parse(text).expect("valid").can_ever_fire(), fires, "{text}");
    }
}
