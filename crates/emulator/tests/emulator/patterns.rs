//! Event patterns, held against what AWS answered to TestEventPattern (docs/aws.md, Event patterns).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Aws;

/// One answer of AWS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    pattern: Value,
    event: Value,
    /// Whether they match; `None` where the pattern was refused.
    #[serde(rename = "match")]
    matches: Option<bool>,
    /// The words of the refusal.
    refused: Option<String>,
    #[serde(rename = "source")]
    _source: String,
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../data/event-patterns.json")).unwrap()
}

#[test]
fn aws_was_asked_about_each_of_these() {
    let rows = rows();
    assert_eq!(rows.len(), 155);
    let mut aws = Aws::new();
    let mut wrong = Vec::new();
    for row in rows {
        let input = json!({"EventPattern": row.pattern.to_string(), "Event": row.event.to_string()});
        let answer = aws.events("TestEventPattern", input).map(|answer| answer["Result"].as_bool().unwrap());
        let expected = match (row.matches, &row.refused) {
            (Some(matches), None) => Ok(matches),
            (None, Some(words)) => Err(format!("InvalidEventPatternException: {words}")),
            (matches, refused) => panic!("{}: {matches:?} and {refused:?}", row.name),
        };
        if answer != expected {
            wrong.push(format!("{}: {answer:?}, but AWS: {expected:?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_rule_takes_the_patterns_that_aws_takes() {
    let mut aws = Aws::new();
    for row in rows() {
        let put = aws.events("PutRule", json!({"Name": "a", "EventPattern": row.pattern.to_string()}));
        assert_eq!(
            put.err(),
            row.refused.map(|words| format!("InvalidEventPatternException: {words}")),
            "{}",
            row.name
        );
    }
}

#[test]
fn a_tested_event_has_what_every_event_has() {
    let mut aws = Aws::new();
    let mut test =
        |event: &str| aws.events("TestEventPattern", json!({"EventPattern": r#"{"id": ["1"]}"#, "Event": event}));
    let invalid = Err("ValidationException: Parameter Event is not valid.".to_owned());
    let event = r#"{"id": "1", "account": "1", "source": "a", "time": "t", "region": "r", "detail-type": "d"}"#;
    assert_eq!(test(event), Ok(json!({"Result": true})));
    assert_eq!(test(&event.replace("\"id\"", "\"di\"")), invalid);
    assert_eq!(test("no JSON"), invalid);
    assert_eq!(test("[]"), invalid);
}
