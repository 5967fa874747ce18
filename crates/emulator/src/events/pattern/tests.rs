//! Patterns against small events; `tests/data/event-patterns.json` has those that AWS was asked about.

use serde_json::{Value, json};

use super::{Leaves, Pattern};

fn check(pattern: Value, event: Value, expected: bool) {
    let read = Pattern::read(&pattern.to_string()).unwrap();
    assert_eq!(read.matches(&Leaves::of(&event, [&read])), expected, "{pattern} on {event}");
    for member in event.as_object().unwrap().keys().filter(|_| expected) {
        let mut known = event.clone();
        known.as_object_mut().unwrap().remove(member);
        assert!(read.may_match(&Leaves::of(&known, [&read])), "{pattern} on {known}");
    }
}

#[test]
fn one_known_value_can_rule_a_pattern_out() {
    let read =
        Pattern::read(&json!({"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}}).to_string()).unwrap();
    let may_match = |known: Value| read.may_match(&Leaves::of(&known, [&read]));
    assert!(may_match(json!({})));
    assert!(may_match(json!({"source": "aws.ecs"})));
    assert!(may_match(json!({"source": "aws.ecs", "detail": {"lastStatus": "STOPPED"}})));
    assert!(!may_match(json!({"source": "aws.ecs", "detail": {"lastStatus": "RUNNING"}})));
    assert!(!may_match(json!({"source": "lake"})));
}

fn refused(pattern: &str, reason: &str) {
    let refusal = Pattern::read(pattern).unwrap_err();
    assert_eq!(refusal.message, format!("Event pattern is not valid. Reason: {reason}"), "{pattern}");
}

#[test]
fn conditions_on_objects_in_an_array_hold_in_the_same_element() {
    let pattern = || json!({"containers": {"name": ["main"], "exitCode": [0]}});
    let event = |containers: Value| json!({"containers": containers});
    check(pattern(), event(json!([{"name": "main", "exitCode": 0}])), true);
    check(pattern(), event(json!([{"name": "side", "exitCode": 1}, {"name": "main", "exitCode": 0}])), true);
    check(pattern(), event(json!([{"name": "side", "exitCode": 0}, {"name": "main", "exitCode": 1}])), false);
    check(pattern(), event(json!([{"name": "main"}, {"name": "side", "exitCode": 0}])), false);
    check(pattern(), event(json!([])), false);
}

#[test]
fn arrays_in_arrays_are_told_apart() {
    let pattern = || json!({"a": {"x": [1], "b": {"y": [2], "z": [3]}}});
    let event = |a: Value| json!({"a": a});
    check(pattern(), event(json!([{"x": 1, "b": [{"y": 2, "z": 0}, {"y": 2, "z": 3}]}])), true);
    check(pattern(), event(json!([{"x": 1, "b": [{"y": 2}, {"z": 3}]}])), false);
    check(pattern(), event(json!([{"x": 1, "b": [{"y": 2}]}, {"x": 0, "b": [{"y": 2, "z": 3}]}])), false);
    check(pattern(), event(json!([{"x": 0}, {"x": 1, "b": {"y": 2, "z": 3}}])), true);
}

#[test]
fn different_arrays_do_not_bind_each_other() {
    let pattern = json!({"a": {"x": [1]}, "b": {"x": [1]}});
    check(pattern, json!({"a": [{"x": 0}, {"x": 1}], "b": [{"x": 1}]}), true);
}

#[test]
fn what_leads_nowhere_is_not_tried_for_ever() {
    let mut event: serde_json::Map<String, Value> =
        (0..40).map(|n| (format!("a{n:02}"), json!(vec![json!({"x": 1, "y": 1}); 10]))).collect();
    event.insert("z".to_owned(), json!([{"x": 1}, {"y": 1}]));
    let fields = (0..40).map(|n| (format!("a{n:02}"), json!({"x": [1], "y": [1]})));
    let pattern: Value = fields.chain([("z".to_owned(), json!({"x": [1], "y": [1]}))]).collect();
    check(pattern, Value::Object(event), false);
}

#[test]
fn absence_is_absence_everywhere() {
    let pattern = || json!({"containers": {"name": ["main"], "exitCode": [{"exists": false}]}});
    check(pattern(), json!({"containers": [{"name": "main"}]}), true);
    check(pattern(), json!({"containers": [{"name": "main"}, {"name": "side", "exitCode": 0}]}), false);
    check(pattern(), json!({"containers": []}), false);
}

#[test]
fn one_of_several_objects_is_enough() {
    let pattern = || json!({"s": ["a"], "$or": [{"x": [1]}, {"y": {"z": [2]}, "w": [3]}]});
    check(pattern(), json!({"s": "a", "x": 1}), true);
    check(pattern(), json!({"s": "a", "y": {"z": 2}, "w": 3}), true);
    check(pattern(), json!({"s": "a", "y": {"z": 2}}), false);
    check(pattern(), json!({"s": "b", "x": 1}), false);
}

#[test]
fn an_or_that_is_none_is_a_field() {
    check(json!({"$or": ["x"]}), json!({"$or": "x"}), true);
    check(json!({"$or": [{"prefix": "x"}, {"prefix": "y"}]}), json!({"$or": "yes"}), true);
    check(json!({"$or": [{"prefix": "x"}, {"prefix": "y"}]}), json!({"prefix": "x"}), false);
}

#[test]
fn wildcards_fill_gaps_and_escape() {
    let check = |pattern: &str, text: &str, expected: bool| {
        check(json!({"a": [{"wildcard": pattern}]}), json!({"a": text}), expected);
    };
    check("a*c", "abc", true);
    check("a*c", "ac", true);
    check("a*a", "a", false);
    check("*b*", "abc", true);
    check("*ab*ab", "abab", true);
    check("*ab*ab*ab", "abab", false);
    check(r"a\*c", "a*c", true);
    check(r"a\*c", "abc", false);
    check(r"a\\*", r"a\b", true);
}

#[test]
fn ranges_of_numbers_have_bounds() {
    let check = |words: Value, number: Value, expected: bool| {
        check(json!({"a": [{"numeric": words}]}), json!({"a": number}), expected);
    };
    check(json!(["=", 5]), json!(5.0), true);
    check(json!([">", 0, "<=", 5]), json!(5), true);
    check(json!([">", 0, "<=", 5]), json!(0), false);
    check(json!([">=", -1.5]), json!(-1.5), true);
    check(json!(["<", 3]), json!(3), false);
    check(json!(["<", 3]), json!("2"), false);
}

#[test]
fn what_makes_no_sense_is_refused() {
    refused("{", "Filter is not valid JSON");
    refused("[]", "Filter is not an object");
    refused(r#"{"a": {}}"#, "Empty objects are not allowed");
    refused(r#"{"a": [["b"]]}"#, "Match value must be String, number, true, false, or null");
    refused(r#"{"a": [{"prefix": "b", "suffix": "c"}]}"#, "Only one key allowed in match expression");
    refused(r#"{"a": [{"exists": "yes"}]}"#, "exists match pattern must be either true or false.");
    refused(r#"{"a": [{"numeric": []}]}"#, "Unrecognized numeric range operator: ]");
    refused(r#"{"a": [{"numeric": [">", 5, "<", 5]}]}"#, "Bottom must be less than top");
    refused(r#"{"a": [{"cidr": "10.0.0.0/33"}]}"#, "IPv4 mask bits must not exceed 32");
    refused(
        r#"{"a": [{"anything-but": ["x", 1]}]}"#,
        "Inside anything but list, either all values are number or string, mixed type is not supported",
    );
}

#[test]
fn combinations_of_alternatives_have_a_limit() {
    let or = |n: usize| (0..n).map(|n| json!({ "x": [n] })).collect::<Vec<_>>();
    let pattern = |n: usize| json!({"a": {"$or": or(10)}, "b": {"$or": or(10)}, "c": {"$or": or(n)}}).to_string();
    assert!(Pattern::read(&pattern(10)).is_ok());
    assert!(Pattern::read(&pattern(11)).is_err());
}
