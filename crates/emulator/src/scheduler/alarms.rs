//! Schedules that fire: when each does next, and what becomes of it after the last time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::errand::{Errand, Ring};
use super::timetable::Timetable;
use crate::context::Context;
use crate::events::seen_for;
use crate::firing::{Firing, Outcome};
use crate::place::Place;
use crate::retry::{self, Attempt};
use crate::settings::Settings;
use crate::state::{Due, Retry, ScheduleRow, State, Undelivered};

/// A schedule is called within the minute of its moment, and not with its first second.
const LATEST: SignedDuration = SignedDuration::from_secs(59);

/// No call is sooner after its moment, so that what is due at once is due after the request that made it so.
const SOONEST: SignedDuration = SignedDuration::from_secs(1);

/// A schedule that fires.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    acting: Arc<Acting>,
    /// The moment that the schedule names.
    due: Timestamp,
    /// When its target is called.
    at: Timestamp,
}

#[derive(Debug)]
struct Acting {
    timetable: Timetable,
    errand: Errand,
    deletes_itself: bool,
}

/// Has a schedule fire as it was put, from `at` on.
///
/// What it was called for already is not called for again, however its window changes; what it is still to be called for comes, if
/// the schedule keeps that moment.
pub(super) fn turn(state: &mut State, settings: &Settings, key: &(Place, String), at: Timestamp) {
    let before = state.alarms.remove(key);
    if let Some(before) = &before {
        state.forget_reminder(Some(before.at), Due::Alarm(key.clone()));
    }
    let Some(acting) = state.schedules.get(key).and_then(|row| Acting::ready(key, row)) else { return };
    let acting = Arc::new(acting);
    match before {
        Some(Alarm { due, .. }) if due <= at && acting.timetable.has(due) => {
            let call = due.checked_add(delay(key, due, acting.timetable.window(due, usual(settings)))).unwrap_or(due);
            let soonest = at.checked_add(SOONEST).unwrap_or(Timestamp::MAX);
            set(state, key, Alarm { acting, due, at: call.max(soonest) });
        }
        Some(_) => plan(state, settings, key, acting, at, at),
        // What is due at once is still to come, as its call is.
        None => {
            let from = at.checked_sub(SOONEST).unwrap_or(Timestamp::MIN);
            plan(state, settings, key, acting, from, at);
        }
    }
}

/// What is on the agenda in a state that was just read.
pub(crate) fn resume(state: &mut State, settings: &Settings) {
    // What was due by the last write was done before it.
    let done = state.as_of().unwrap_or(Timestamp::MIN);
    let ready = state.schedules.iter().filter_map(|(key, row)| Some((key.clone(), Acting::ready(key, row)?)));
    for (key, acting) in ready.collect::<Vec<_>>() {
        let longest = acting.timetable.longest_window(usual(settings)).max(SOONEST);
        let from = done.checked_sub(longest).unwrap_or(Timestamp::MIN);
        plan(state, settings, &key, Arc::new(acting), from, done);
    }
}

/// Calls the target of a schedule whose moment came `at`, and puts the next one on the agenda.
pub(crate) fn fire(state: &mut State, settings: &Settings, key: &(Place, String), at: Timestamp, now: Timestamp) {
    let Some(Alarm { acting, due, .. }) = state.alarms.remove(key) else { return };
    // After a long sleep, ticks of which nobody could see anything any more are passed over.
    let seen = now.checked_sub(seen_for(settings)).unwrap_or(Timestamp::MIN);
    plan(state, settings, key, Arc::clone(&acting), due.max(seen), at.max(seen));

    let context = Context::of_time(at, &key.0, settings);
    let target = |state: &State| state.schedules.get(key)?.members.get("Target").cloned();
    attempt(state, &context, key, &acting.errand, (due, Attempt::first(at)), target);
    if acting.deletes_itself {
        end(state, key);
    }
}

/// Calls the target of a schedule once more.
pub(crate) fn retry(state: &mut State, context: &Context<'_>, retry: &Retry, schedule: &str, due: Timestamp) {
    let key = (context.place.clone(), schedule.to_owned());
    let errand = Errand::of(&context.place, schedule, &retry.target);
    let number = Attempt { retries: retry.retries, since: retry.since };
    attempt(state, context, &key, &errand, (due, number), |_| Some(retry.target.clone()));
    let member = |name: &str| state.schedules.get(&key)?.members.get(name)?.as_str();
    if member("State") == Some("ENABLED") && member("ActionAfterCompletion") == Some("DELETE") {
        end(state, &key);
    }
}

/// Deletes a schedule that has nothing to do any more.
fn end(state: &mut State, key: &(Place, String)) {
    if !state.alarms.contains_key(key) && !retry::pending(state, key) {
        state.schedules.wither(key);
    }
}

/// Calls a target, tells what came of it, and has it called again if it failed in a way that passes.
fn attempt(
    state: &mut State,
    context: &Context<'_>,
    (place, name): &(Place, String),
    errand: &Errand,
    (due, attempt): (Timestamp, Attempt),
    target: impl FnOnce(&State) -> Option<Value>,
) {
    let outcome = errand.run(state, context, Ring { place, due, attempt });
    if let Outcome::Failed { again, .. } = &outcome
        && let Some(target) = target(state)
    {
        let event = Undelivered::ScheduleTick { schedule: name.clone(), due };
        let retry = Retry { event, target, retries: attempt.retries + 1, since: attempt.since, at: *again };
        retry::keep(state, context, retry);
    }
    let (group, name) = name.split_once('/').unwrap_or(("", name));
    state.tell(Firing {
        account: place.account.clone(),
        region: place.region.clone(),
        schedule_group: Some(group.to_owned()),
        rule: name.to_owned(),
        target: errand.target.clone(),
        due,
        at: context.now,
        retries: attempt.retries,
        outcome,
    });
}

/// Puts the first tick later than `from` on the agenda whose call is later than `after`, if there is one.
fn plan(
    state: &mut State,
    settings: &Settings,
    key: &(Place, String),
    acting: Arc<Acting>,
    from: Timestamp,
    after: Timestamp,
) {
    let mut due = from;
    loop {
        let Some(next) = acting.timetable.next_after(due) else { return };
        let window = acting.timetable.window(next, usual(settings));
        let at = next.checked_add(delay(key, next, window)).unwrap_or(next);
        if at > after {
            return set(state, key, Alarm { acting, due: next, at });
        }
        due = next;
    }
}

/// Puts a tick on the agenda.
fn set(state: &mut State, key: &(Place, String), alarm: Alarm) {
    state.remind(Some(alarm.at), Due::Alarm(key.clone()));
    state.alarms.insert(key.clone(), alarm);
}

fn usual(settings: &Settings) -> SignedDuration {
    settings.fires_within.clamp(SignedDuration::ZERO, LATEST)
}

/// How much later than its moment a target is called: some seconds that follow from schedule and tick.
fn delay((place, name): &(Place, String), due: Timestamp, window: SignedDuration) -> SignedDuration {
    let digest = Sha256::digest(format!("schedule/{}/{}/{name}/{}", place.account, place.region, due.as_second()));
    let chance = digest.iter().take(4).fold(0_i64, |chance, byte| chance << 8 | i64::from(*byte));
    SignedDuration::from_secs(chance % (window.as_secs().max(0) + 1)).max(SOONEST)
}

impl Acting {
    /// Reads what was put; `None` for a schedule that is disabled.
    fn ready((place, name): &(Place, String), row: &ScheduleRow) -> Option<Self> {
        let text = |member: &str| row.members.get(member).and_then(serde_json::Value::as_str);
        if text("State") == Some("DISABLED") {
            return None;
        }
        let timetable = Timetable::read(&row.members, row.anchored_at)?;
        let errand = Errand::of(place, name, row.members.get("Target")?);
        Some(Self { timetable, errand, deletes_itself: text("ActionAfterCompletion") == Some("DELETE") })
    }
}
