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

/// What is refused again within so many resyncs is tried with each of them.
const AGAIN: i64 = 3 * QUIET;

/// A process, what it asked for, of what, and in which Region.
type Errand = (usize, String, String, String);

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Polite {
    failed: BTreeMap<Errand, VecDeque<i64>>,
    /// When AWS refused a write the last time and the time before, and in which words.
    refused: BTreeMap<Errand, (i64, i64, [String; 2])>,
    last_write: Option<(i64, String)>,
}

impl Polite {
    pub fn failed(&mut self, millis: i64, process: usize, drawn: &Drawn, call: &Call, request: &Request) -> Finding {
        drawn.kind.code(&call.operation)?;
        let about = subject(request);
        let tries = self.failed.entry((process, call.operation.clone(), about.clone(), region(request))).or_default();
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

    /// Something was written that was not due to be tidied away.
    pub fn wrote(&mut self, millis: i64, process: usize, call: &Call, name: &str) {
        if fault::is_write(&call.operation) {
            self.last_write = Some((millis, format!("{} of {name} by process {process}", call.operation)));
        }
    }

    /// AWS refused a request of its own accord.
    pub fn refused(&mut self, millis: i64, process: usize, call: &Call, request: &Request, text: &str) {
        if !fault::is_write(&call.operation) {
            return;
        }
        let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let member = |names: [&str; 2]| names.iter().find_map(|name| answer.get(name)?.as_str()).unwrap_or_default();
        let words = [member(["__type", "code"]), member(["message", "Message"])].map(str::to_owned);
        let errand = (process, call.operation.clone(), subject(request), region(request));
        let before = self.refused.get(&errand).map_or(i64::MIN, |(last, ..)| *last);
        self.refused.insert(errand, (millis, before, words));
    }

    /// A write that is tried with each resync although AWS refuses it, while no status says so in AWS's words.
    pub fn in_vain(&self, millis: i64, is_told: impl Fn(usize, &str) -> bool) -> Finding {
        self.refused.iter().find_map(|((process, operation, about, _), (last, before, words))| {
            let is_at_rest = *before > millis - AGAIN && *last > millis - QUIET;
            let is_told = words.iter().any(|words| !words.is_empty() && is_told(*process, words));
            (is_at_rest && !is_told)
                .then(|| format!("{operation} of {about} is refused again and again, and no status says so: {words:?}"))
        })
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

/// The Region that a request is signed for.
fn region(request: &Request) -> String {
    let scope = request.header("authorization").and_then(|header| header.split("Credential=").nth(1));
    scope.and_then(|scope| scope.split('/').nth(2)).unwrap_or_default().to_owned()
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
