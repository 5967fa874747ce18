//! Promise 8 and the silence of promise 1: failed tries stay few, and at rest nothing is written.

use std::collections::{BTreeMap, VecDeque};

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::Call;

use super::Finding;
use crate::fault::{self, Drawn};

/// Failed tries of one thing that ten minutes may see: the backoff starts at a second and doubles.
const MOST_TRIES: usize = 30;
const WINDOW: i64 = 600_000;

/// How the names of groups of schedules begin, which all jobs of a controller share.
const GROUP: &str = "ecs-etl-";

/// A resync and its jitter, in milliseconds.
const QUIET: i64 = 66 * 60_000;

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Polite {
    failed: BTreeMap<(usize, String, String), VecDeque<i64>>,
    last_write: Option<(i64, String)>,
}

impl Polite {
    pub fn failed(&mut self, millis: i64, process: usize, drawn: &Drawn, call: &Call, request: &Request) -> Finding {
        drawn.kind.code(&call.operation)?;
        let about = subject(request);
        let tries = self.failed.entry((process, call.operation.clone(), about.clone())).or_default();
        while tries.front().is_some_and(|at| *at <= millis - WINDOW) {
            tries.pop_front();
        }
        tries.push_back(millis);
        let count = tries.len();
        // A role is assumed, an account asked for, and a group of schedules read, for every job that needs it, each with its own backoff.
        let is_of_any_job = call.operation.starts_with("sts:") || about.starts_with(GROUP);
        let most = if is_of_any_job { 8 * MOST_TRIES } else { MOST_TRIES };
        (count > most).then(|| format!("{} of {about} failed {count} times within ten minutes", call.operation))
    }

    pub fn wrote(&mut self, millis: i64, process: usize, call: &Call) {
        let tidies =
            matches!(call.operation.as_str(), "ecs:TagResource" | "ecs:UntagResource" | "ecs:DeregisterTaskDefinition");
        if fault::is_write(&call.operation) && !tidies {
            self.last_write = Some((millis, format!("{} by process {process}", call.operation)));
        }
    }

    /// The last write since then, if there was one.
    pub fn written_since(&self, since: i64) -> Finding {
        self.last_write.as_ref().filter(|(at, _)| *at > since).map(|(_, what)| what.clone())
    }

    /// Nothing but clean-up may have been written for a resync.
    pub fn silence(&self, millis: i64) -> Finding {
        let (at, what) = self.last_write.as_ref()?;
        (*at > millis - QUIET)
            .then(|| format!("{what}, {} s before the end, although all was at rest", (millis - at) / 1000))
    }
}

/// What a request is about: the name or ARN in its body.
pub(crate) fn subject(request: &Request) -> String {
    // EventBridge Scheduler has it in the path.
    if request.path.len() > 1 {
        let path = request.path.split('?').next().unwrap_or_default().replace("%2F", "/");
        return path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let members =
        ["Rule", "Name", "family", "familyPrefix", "taskDefinition", "resourceArn", "ResourceARN", "NamePrefix"];
    let found = members.iter().find_map(|member| body.get(member)?.as_str());
    let Some(name) = found else {
        // A call about nothing in particular is about the place that it is signed for.
        let scope = request.header("authorization").and_then(|header| header.split("Credential=").nth(1));
        return scope.and_then(|scope| scope.split("/aws4").next()).unwrap_or_default().to_owned();
    };
    name.rsplit('/').next().unwrap_or(name).to_owned()
}
