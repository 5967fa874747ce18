//! Any requests to one embedded AWS: each is answered, a refusal changes nothing, and nothing is forgotten.

mod reply;
mod script;

use std::collections::BTreeSet;

use ecs_etl_emulator::{Emulator, Reply, Request, Settings};
use jiff::{SignedDuration, Timestamp};

use script::Line;

/// How many lines of an input are read.
const LINES: usize = 64;

/// Plays the input's lines (see the corpus for what they look like).
///
/// # Panics
/// If a reply is not one of AWS's, a refusal or a read changes anything, or what is read back from the changes is not
/// what there was.
pub fn check(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n').take(LINES).map(script::line).peekable();
    let settings = match lines.next_if(|line| matches!(line, Line::Settings(_))) {
        Some(Line::Settings(settings)) => settings,
        Some(Line::Wait(_) | Line::Request(_)) | None => Settings::default(),
    };
    let mut now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    let mut aws = Emulator::new(settings.clone());
    aws.keep_book();
    let mut ids = BTreeSet::new();
    let mut changes = Vec::new();
    for line in lines {
        match line {
            Line::Settings(_) => {}
            Line::Wait(seconds) => {
                now = now.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX);
            }
            Line::Request(request) => {
                aws.advance(now);
                let before = aws.snapshot();
                let reply = aws.handle(now, &request);
                let id = reply::sound(&request, &reply);
                assert!(ids.insert(id), "a request id is given twice");
                let changed = aws.take_changes();
                if must_change_nothing(&request, &reply) {
                    assert!(changed.is_empty(), "{request:?} changed {changed:?}");
                    assert_eq!(before, aws.snapshot(), "{request:?} changed what it did not tell of");
                }
                changes.extend(changed);
                assert!(aws.next_due().is_none_or(|due| due > now), "what is due was not done");
            }
        }
    }
    // The last line may be a wait.
    aws.advance(now);
    changes.extend(aws.take_changes());
    is_remembered(&aws, &settings, &changes, now);
}

fn must_change_nothing(request: &Request, reply: &Reply) -> bool {
    let reads = |name: &str| ["Describe", "List", "Get", "AssumeRole"].iter().any(|verb| name.starts_with(verb));
    reply.status != 200 || request.operation().is_none_or(|operation| reads(&operation.name))
}

/// What the changes say, written down and read again, is what there is.
fn is_remembered(aws: &Emulator, settings: &Settings, changes: &[ecs_etl_emulator::Change], now: Timestamp) {
    let written = serde_json::to_string(changes).expect("changes can be written");
    let read = serde_json::from_str::<Vec<_>>(&written).expect("what was written can be read");
    let mut again = Emulator::resume(settings.clone(), read).expect("what was read can be applied");
    again.advance(now);
    assert_eq!(again.snapshot(), aws.snapshot(), "something else is remembered");
    if settings.list_lag.is_zero() {
        assert_eq!(again.next_due(), aws.next_due(), "something is due at another time");
    }
}
