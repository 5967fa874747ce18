//! The one table of what stand-ins do unlike AWS, as data with an experiment for each entry.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::differential::drive;
use crate::differential::excuse::Cover;
use crate::raw::Aws;
use crate::server::Kind;

/// One known difference.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Name by which a test excuses it.
    pub id: String,
    /// What the stand-in does.
    pub what: String,
    /// Where what AWS does is known from.
    pub source: String,
    /// `service:Operation` to its body; the last answer is looked at. `@task:N:K` is the K-th task that call N started.
    pub calls: Vec<BTreeMap<String, Value>>,
    /// JSON pointer into the last answer; the whole answer when empty.
    #[serde(default)]
    pub look: String,
    /// What AWS answers there.
    pub aws: Value,
    /// What each stand-in that differs answers there.
    pub seen: BTreeMap<String, Value>,
    /// The differences that the entry explains wherever else they show.
    #[serde(default)]
    pub covers: Vec<Cover>,
}

impl Deviation {
    /// What `kind` must answer.
    pub fn expected(&self, kind: Kind) -> &Value {
        self.seen.get(kind.name()).unwrap_or(&self.aws)
    }

    /// Makes the experiment and gives what is seen.
    pub fn observe(&self, aws: &Aws) -> Value {
        let (mut last, mut ids) = (Value::Null, Vec::new());
        for (number, (name, body)) in self.calls.iter().flatten().enumerate() {
            let (service, operation) = name.split_once(':').expect("a call reads service:Operation");
            let answer = aws.try_call(service, operation, &drive::with_ids(body, &ids));
            ids.extend(drive::started(number, answer.as_ref().ok()));
            last = match answer {
                Ok(answer) => answer.pointer(&self.look).cloned().unwrap_or(Value::Null),
                Err(error) => json!({"refused": error.code}),
            };
        }
        last
    }
}

/// The whole table.
pub fn table() -> Vec<Deviation> {
    let text = include_str!("../deviations.yaml");
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).expect("the table is YAML");
    value.apply_merge().expect("the table's merge keys");
    serde_yaml::from_value(value).expect("the table's shape")
}

/// Whether the table excuses `kind` from doing what AWS does under `id`; an `id` that is not in the table ends the test.
pub fn excuses(kind: Kind, id: &str) -> bool {
    let table = table();
    let entry = table.iter().find(|entry| entry.id == id);
    entry.unwrap_or_else(|| panic!("no deviation is called {id}")).seen.contains_key(kind.name())
}
