//! Deliveries that fail for a reason that passes, and are tried again (docs/aws.md, Retries).

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::context::{Cause, Context};
use crate::firing::Exhausted;
use crate::place::Place;
use crate::reply::Refusal;
use crate::settings::Settings;
use crate::state::{Due, Retry, State, Undelivered, starting_with};
use crate::{events, scheduler};

/// Where a target says nothing of it (docs/aws.md, Retries).
const MOST_RETRIES: u32 = 185;

/// Likewise, in seconds.
const OLDEST: i64 = 86_400;

/// The first wait is about a second, each is twice the one before, and none is longer than this on average.
const LONGEST_WAIT: i64 = 480_000;

/// How often and how long a delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    retries: u32,
    age: SignedDuration,
}

/// The how-manieth time a delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// How often it was tried before.
    pub retries: u32,
    /// When it was tried first.
    pub since: Timestamp,
}

/// What becomes of an event that could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is tried again then.
    Again(Timestamp),
    /// It is given up, since trying again would not help, or since it was tried enough.
    GivenUp(Option<Exhausted>),
}

impl Attempt {
    /// The first one.
    pub(crate) fn first(now: Timestamp) -> Self {
        Self { retries: 0, since: now }
    }
}

impl Policy {
    /// That of a target, of a rule or of a schedule; what it leaves out has AWS's defaults (docs/aws.md, Retries).
    pub(crate) fn of(target: &Value) -> Self {
        let given = |member: &str| target.get("RetryPolicy").and_then(|policy| policy.get(member)?.as_i64());
        let retries = given("MaximumRetryAttempts").and_then(|most| u32::try_from(most).ok());
        let age = given("MaximumEventAgeInSeconds").unwrap_or(OLDEST);
        Self { retries: retries.unwrap_or(MOST_RETRIES), age: SignedDuration::from_secs(age) }
    }

    /// What becomes of an event whose delivery failed `now` with that refusal (docs/aws.md, Retries).
    pub(crate) fn next(self, refusal: &Refusal, attempt: Attempt, seed: &str, now: Timestamp) -> Next {
        if !passes(refusal) {
            return Next::GivenUp(None);
        }
        if attempt.retries >= self.retries {
            return Next::GivenUp(Some(Exhausted::MaximumRetryAttempts));
        }
        let end = attempt.since.checked_add(self.age).unwrap_or(Timestamp::MAX);
        if now >= end {
            return Next::GivenUp(Some(Exhausted::MaximumEventAgeInSeconds));
        }
        Next::Again(now.checked_add(wait(attempt.retries, seed)).unwrap_or(end).min(end))
    }
}

/// Whether a delivery that failed so may succeed later: throttles and failures of the service do (docs/aws.md, Retries).
fn passes(refusal: &Refusal) -> bool {
    refusal.code == "ThrottlingException" || refusal.status == 429 || refusal.status >= 500
}

/// How long to wait after so many retries: between the half and the one and a half of what doubles each time.
fn wait(retries: u32, seed: &str) -> SignedDuration {
    let usual = (1000_i64 << retries.min(16)).min(LONGEST_WAIT);
    let digest = Sha256::digest(format!("wait/{seed}/{retries}"));
    let chance = digest.iter().take(4).fold(0_i64, |chance, byte| chance << 8 | i64::from(*byte));
    SignedDuration::from_millis(usual / 2 + chance % (usual + 1))
}

/// Has a delivery tried again.
pub(crate) fn keep(state: &mut State, context: &Context<'_>, retry: Retry) {
    let key = (context.place.clone(), name(&retry));
    state.remind(Some(retry.at), Due::Retry(key.clone()));
    match context.cause {
        Cause::Request => state.retries.insert(key, retry),
        Cause::Time => state.retries.grow(key, retry),
    }
}

/// Tries a delivery again whose time came `at`.
pub(crate) fn again(state: &mut State, settings: &Settings, key: &(Place, String), at: Timestamp) {
    let Some(retry) = state.retries.get(key).cloned() else { return };
    // The next one has a name of its own, so that no row is both written down and changed since.
    state.retries.wither(key);
    let context = Context::of_time(at, &key.0, settings);
    match &retry.event {
        Undelivered::RuleTick { .. } | Undelivered::RuleEvent { .. } => events::retry(state, &context, &retry),
        Undelivered::ScheduleTick { schedule, due } => scheduler::retry(state, &context, &retry, schedule, *due),
    }
}

/// What is on the agenda in a state that was just read.
pub(crate) fn agenda(state: &State) -> Vec<(Timestamp, Due)> {
    state.retries.iter().map(|(key, retry)| (retry.at, Due::Retry(key.clone()))).collect()
}

/// Whether a delivery of this schedule is to be tried again.
pub(crate) fn pending(state: &State, (place, schedule): &(Place, String)) -> bool {
    starting_with(&state.retries, place, &format!("schedule/{schedule}/")).next().is_some()
}

/// Unlike that of any other attempt.
fn name(retry: &Retry) -> String {
    let number = retry.retries;
    match &retry.event {
        Undelivered::RuleTick { rule, target_id, due } => {
            format!("rule/{rule}/{target_id}/{}/{number}", due.as_millisecond())
        }
        Undelivered::RuleEvent { rule, target_id, event } => {
            let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
            format!("rule/{rule}/{target_id}/{id}/{number}")
        }
        Undelivered::ScheduleTick { schedule, due } => {
            format!("schedule/{schedule}/{}/{number}", due.as_millisecond())
        }
    }
}
