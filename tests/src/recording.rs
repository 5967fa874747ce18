//! What AWS answered to a tour of calls (`cargo xtask record`), as a yardstick of the emulator.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::Outcome;
use crate::differential::compare;
use crate::raw::{ApiError, Aws};
use crate::server::Server;
use crate::tools;

/// Stands in a call for the token of the answer before it.
const TOKEN: &str = "${token}";

/// A recorded tour.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Who answered: `aws`, or `endpoint` for whatever played AWS.
    pub from: String,
    /// The Region.
    pub region: String,
    /// The day.
    pub date: String,
    /// The calls, in order.
    pub calls: Vec<Recorded>,
}

/// One call and its answer, without what is the account's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// `ecs`, `events`, `tagging` or `sts`.
    pub service: String,
    /// AWS's name of the operation.
    pub operation: String,
    /// What was asked.
    pub input: Value,
    /// The status code.
    pub status: u16,
    /// The code of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was answered; the `message` of a refusal.
    pub answer: Value,
}

impl Recording {
    /// Reads a recording.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Makes the calls again, on `server`, and tells in what the answers differ.
    pub fn replay(&self, server: &Server) -> Vec<String> {
        server.reset();
        let aws = Aws::new(server.address()).in_region(&self.region);
        let mut differences = Vec::new();
        let mut token = None;
        for (number, call) in self.calls.iter().enumerate() {
            let answer = aws.try_call(&call.service, &call.operation, &with_token(&call.input, &token));
            token =
                answer.as_ref().ok().and_then(|answer| answer.get("NextToken").or(answer.get("nextToken")).cloned());
            let (now, then) = (Outcome::of(answer, &[]), Outcome::of(call.outcome(), &[]));
            for difference in compare::compare(&now, &then, &BTreeSet::new()) {
                let name = format!("{number} {}:{} {}", call.service, call.operation, call.input);
                differences.push(format!("{name}\n    {difference}"));
            }
        }
        differences
    }
}

impl Recorded {
    fn outcome(&self) -> Result<Value, ApiError> {
        match &self.code {
            None => Ok(self.answer.clone()),
            Some(code) => {
                let message = self.answer["message"].as_str().unwrap_or_default().to_owned();
                Err(ApiError { code: code.clone(), message })
            }
        }
    }
}

fn with_token(input: &Value, token: &Option<Value>) -> Value {
    let mut input = input.clone();
    for (_, value) in input.as_object_mut().into_iter().flatten() {
        if value == TOKEN {
            *value = token.clone().unwrap_or_default();
        }
    }
    input
}

/// All recordings that are kept with the tests.
pub fn kept() -> Vec<PathBuf> {
    let folder = tools::root().join("tests").join("recorded");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    paths
}
