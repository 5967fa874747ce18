//! Schedule expressions that AWS was asked about: ours must be its answer for every rule.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use ecs_etl_spec::schedule::Schedule;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    expression: String,
    service: String,
    valid: bool,
    authority: String,
    source: String,
}

fn rows(service: &str) -> Vec<Row> {
    let rows: Vec<Row> = serde_json::from_str(include_str!("data/schedule-validity.json")).expect("the file is JSON");
    rows.into_iter().filter(|row| row.service == service).collect()
}

#[test]
fn every_expression_aws_was_asked_about_as_a_rule_gets_the_same_answer_here() {
    let rows = rows("rule");
    assert!(rows.len() > 45, "the data file lost rows: {}", rows.len());
    let differing: Vec<String> = rows
        .iter()
        .filter(|row| Schedule::parse(&row.expression).is_ok() != row.valid)
        .map(|row| format!("{:?} is valid: {} ({}, {})", row.expression, row.valid, row.authority, row.source))
        .collect();
    assert_eq!(differing, Vec::<String>::new());
}

#[test]
fn what_scheduler_answers_holds_for_rules_too_but_for_one_time_schedules() {
    let differing: Vec<String> = rows("scheduler")
        .iter()
        .filter(|row| !row.expression.starts_with("at("))
        .filter(|row| Schedule::parse(&row.expression).is_ok() != row.valid)
        .map(|row| format!("{:?} is valid: {} ({}, {})", row.expression, row.valid, row.authority, row.source))
        .collect();
    assert_eq!(differing, Vec::<String>::new());
}

#[test]
fn what_aws_takes_is_kept_to_the_letter() {
    for row in rows("rule").iter().filter(|row| row.valid) {
        let schedule = Schedule::parse(&row.expression).expect("valid");
        assert_eq!(schedule.expression(), row.expression);
    }
}
