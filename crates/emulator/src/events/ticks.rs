//! Rules that fire: what acts at which moment, when the next tick is, and what is to be done then.
//!
//! A change of a rule takes effect after a while (docs/aws.md, Consistency). Until then, and with that moment, the rule
//! fires as it did before; from then on as it was put. A tick counts for what acts when it is delivered, some seconds
//! after its time, so that a change neither loses a tick nor doubles it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::acting::Acting;
use super::event::What;
use crate::context::Context;
use crate::ecs;
use crate::place::Place;
use crate::settings::Settings;
use crate::state::{Acts, Due, Former, State};

/// A minute has room for one tick, so no delivery is later than this.
const LATEST: SignedDuration = SignedDuration::from_secs(59);

/// A rule that fires.
#[derive(Debug, Clone)]
pub(crate) struct Ticking {
    acting: Arc<Acting>,
    /// The tick that is on the agenda.
    next: Tick,
}

/// A moment that a schedule names, and when it is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tick {
    due: Timestamp,
    at: Timestamp,
}

/// Has a rule that was just changed by a request fire so, after the time that changes take. `was` is how it fired before.
pub(super) fn changed(state: &mut State, context: &Context<'_>, key: &(Place, String), was: Option<Acts>) {
    let is = state.rules.get(key).and_then(Acts::of);
    if is == was {
        return;
    }
    let takes = context.settings.changes_take;
    if !takes.is_positive() {
        return turn(state, context.settings, key, context.now);
    }
    let until = context.now.checked_add(takes).unwrap_or(Timestamp::MAX);
    let former = Former { until, acts: was };
    match state.formers.get(key) {
        Some(_) => drop(state.formers.update(key, |formers| formers.push(former))),
        None => state.formers.insert(key.clone(), vec![former]),
    }
    state.remind(Some(until), Due::Former(key.clone()));
}

/// Lets what acts after `at` act, and puts its next tick on the agenda.
pub(crate) fn turn(state: &mut State, settings: &Settings, key: &(Place, String), at: Timestamp) {
    if let Some(before) = state.ticking.remove(key) {
        state.forget_reminder(Some(before.next.at), Due::Tick(key.clone()));
    }
    state.formers.amend(key, |formers| formers.retain(|former| former.until > at));
    if state.formers.get(key).is_some_and(Vec::is_empty) {
        state.formers.wither(key);
    }
    let acts = match state.formers.get(key).and_then(|formers| formers.first()) {
        Some(former) => former.acts.clone(),
        None => state.rules.get(key).and_then(Acts::of),
    };
    let acting = acts.and_then(|acts| Acting::ready(key, &acts)).map(Arc::new);
    listen(state, settings, key, acting.clone(), at);
    if let Some(acting) = acting {
        plan(state, settings, key, acting, at);
    }
}

/// What is on the agenda in a state that was just read.
pub(crate) fn resume(state: &mut State, settings: &Settings) {
    // What was due by the last write was done before it.
    let done = state.as_of().unwrap_or(Timestamp::MIN);
    let coming =
        state.formers.iter().flat_map(|(key, formers)| formers.iter().map(|former| (former.until, key.clone())));
    for (until, key) in coming.filter(|(until, _)| *until > done).collect::<Vec<_>>() {
        state.remind(Some(until), Due::Former(key));
    }
    let rules: Vec<_> =
        state.rules.iter().map(|(key, _)| key).chain(state.formers.iter().map(|(key, _)| key)).cloned().collect();
    for key in rules {
        turn(state, settings, &key, done);
    }
}

/// Has a rule match events from now on, or no longer.
fn listen(state: &mut State, settings: &Settings, key: &(Place, String), acting: Option<Arc<Acting>>, at: Timestamp) {
    let heard = state.listens(&key.0);
    match acting.filter(|acting| acting.pattern.is_some()) {
        Some(acting) => drop(state.listening.insert(key.clone(), acting)),
        None => drop(state.listening.remove(key)),
    }
    if !heard && state.listens(&key.0) {
        ecs::watch(state, settings, &key.0, at);
    }
}

/// Delivers the tick that came due `at`, and puts the next one on the agenda.
pub(crate) fn fire(state: &mut State, settings: &Settings, key: &(Place, String), at: Timestamp, now: Timestamp) {
    let Some(ticking) = state.ticking.remove(key) else { return };
    let Ticking { acting, next: tick } = ticking;
    // After a long sleep, ticks of which nobody could see anything any more are passed over.
    let seen = now.checked_sub(seen_for(settings)).unwrap_or(Timestamp::MIN);
    plan(state, settings, key, Arc::clone(&acting), at.max(seen));

    let (place, rule) = key;
    let context = Context::of_time(at, place, settings);
    acting.call(state, &context, rule, What::Tick(tick.due));
}

/// How long something is to be seen of a tick: its tasks, and in the tagging index the revision that they kept.
pub(crate) fn seen_for(settings: &Settings) -> SignedDuration {
    let index = settings.tagging_lag.saturating_add(settings.tagging_ghosts);
    crate::ecs::visible_for(settings).saturating_add(index)
}

/// Puts the first tick that is delivered later than `after` on the agenda, if there is one.
fn plan(state: &mut State, settings: &Settings, key: &(Place, String), acting: Arc<Acting>, after: Timestamp) {
    let latest = settings.fires_within.clamp(SignedDuration::ZERO, LATEST);
    let mut due = after.checked_sub(latest).unwrap_or(Timestamp::MIN);
    loop {
        let Some(next) = acting.next_after(due) else { return };
        let at = next.checked_add(delay(key, next, latest)).unwrap_or(next);
        if at > after {
            let next = Tick { due: next, at };
            state.remind(Some(at), Due::Tick(key.clone()));
            state.ticking.insert(key.clone(), Ticking { acting, next });
            return;
        }
        due = next;
    }
}

/// How much later than its time a tick is delivered: some seconds that follow from rule and tick.
fn delay((place, rule): &(Place, String), due: Timestamp, latest: SignedDuration) -> SignedDuration {
    let digest = Sha256::digest(format!("{}/{}/{rule}/{}", place.account, place.region, due.as_second()));
    let chance = digest.iter().take(4).fold(0_i64, |chance, byte| chance << 8 | i64::from(*byte));
    SignedDuration::from_secs(chance % (latest.as_secs() + 1))
}
