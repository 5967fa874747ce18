//! Event patterns that were put to EventBridge: what it refused is refused here, and nothing else is.

#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use ecs_etl_spec::check;
use ecs_etl_spec::diagnostic::Severity;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One row: a pattern, whether EventBridge refused it, and who recorded that.
#[derive(Deserialize)]
struct Row {
    name: String,
    pattern: Map<String, Value>,
    refused: bool,
}

/// How complex a pattern may be is not documented: a warning is all that can be said.
const TOO_COMPLEX: &str = "content_wildcard_complex_EXC";

#[test]
fn what_eventbridge_refuses_is_refused_and_nothing_else() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/event-patterns.json");
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(rows.iter().filter(|row| row.refused).count() > 30);
    for Row { name, pattern, refused } in rows {
        let problems = check::event_pattern(&pattern);
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        if name == TOO_COMPLEX {
            assert!(errors.is_empty() && !problems.is_empty(), "{name}: {problems:?}");
        } else {
            assert_eq!(!errors.is_empty(), refused, "{name}: {errors:?}\n{pattern:?}");
        }
    }
}
