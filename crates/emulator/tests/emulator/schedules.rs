//! Schedule expressions: what AWS was seen to accept and refuse (docs/aws.md, Rules and schedules).

use serde_json::{Value, json};

use crate::client::Aws;

fn accepts(aws: &mut Aws, expression: &str) -> bool {
    let body = json!({"Name": "r", "ScheduleExpression": expression});
    match aws.events("PutRule", body) {
        Ok(_) => {
            let rule = aws.events("DescribeRule", json!({"Name": "r"})).unwrap();
            assert_eq!(rule["ScheduleExpression"], json!(expression), "kept word for word");
            true
        }
        Err(refusal) => {
            assert_eq!(refusal, "ValidationException: Parameter ScheduleExpression is not valid.", "{expression}");
            false
        }
    }
}

#[test]
fn expressions_recorded_against_aws_are_accepted_and_refused_as_there() {
    let recorded: Vec<Value> = serde_json::from_str(include_str!("../data/schedule-validity.json")).unwrap();
    let mut aws = Aws::new();
    let mut seen = 0;
    // Scheduler shares the grammar of cron and rate; only at(...) is its own.
    let rules = recorded
        .iter()
        .filter(|row| row["service"] == "rule" || !row["expression"].as_str().unwrap().starts_with("at("));
    for row in rules {
        let expression = row["expression"].as_str().unwrap();
        assert_eq!(accepts(&mut aws, expression), row["valid"].as_bool().unwrap(), "{expression}: {}", row["source"]);
        seen += 1;
    }
    assert!(seen > 60, "only {seen} expressions were looked at");
}

#[test]
fn the_grammar_is_read_in_full() {
    let mut aws = Aws::new();
    for valid in [
        "rate(1 day)",
        "rate(365 days)",
        "cron(0 0 L * ? *)",
        "cron(0 0 15W * ? *)",
        "cron(0 0 ? * L *)",
        "cron(0 0 ? * FRI#5 *)",
        "cron(0 22-4 * * ? *)",
        "cron(0 0 1,15 JAN,JUL ? *)",
        "cron(0 0 ? NOV-FEB MON-FRI *)",
        "cron(0 0 1/2 * ? *)",
        "cron(0 0 1 1/3 ? *)",
        "cron(0 0 1 * ? 2024/2)",
        "cron(0 0 1 * ? 1970-2199)",
        "cron(0 20 * * ? 2500)",
        "cron(05 08 * * ? *)",
        "cron(0  0\t* * ? *)",
        "cron(0 0 31 2 ? *)",
    ] {
        assert!(accepts(&mut aws, valid), "{valid}");
    }
    for invalid in [
        "x",
        "cron",
        "rate",
        "cron(0 0 * * ? *",
        "rate(5 minutes) ",
        "RATE(5 minutes)",
        "Cron(0 0 * * ? *)",
        "rate(5  minutes)",
        "rate(+5 minutes)",
        "rate(1.5 hours)",
        "rate(99999999999 days)",
        "rate(2 weeks)",
        "at(2030-01-01T00:00:00)",
        "cron(0 0 * * ?)",
        "cron(0 0 0 * * ? *)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 * * * *)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 1 0 ? *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 ? * MON#0 *)",
        "cron(0 0 ? * MON,TUE#2 *)",
        "cron(0 0 ? * 2/2 *)",
        "cron(0 0 1 * ? 1969)",
        "cron(0 0 1 * ? 99999)",
        "cron(0 0 1 * ? 2030-2020)",
        "cron(0/0 * * * ? *)",
        "cron(*/60 * * * ? *)",
        "cron(0 */24 * * ? *)",
        "cron(0 0 ? JANUARY MON *)",
        "cron(,1 0 * * ? *)",
        "cron(-5 0 * * ? *)",
        "cron(5- 0 * * ? *)",
        "cron(? 0 * * ? *)",
        "cron(0 L * * ? *)",
        "cron(0 0 L-3 * ? *)",
        "cron(0 0 W * ? *)",
        "cron(0 0 ? * 9L *)",
        "cron(@daily)",
    ] {
        assert!(!accepts(&mut aws, invalid), "{invalid}");
    }
}
