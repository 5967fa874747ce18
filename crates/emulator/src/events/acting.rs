//! What of a rule acts at present, ready to.

use jiff::Timestamp;
use serde_json::Value;

use super::delivery::Delivery;
use super::event::{Event, What};
use super::pattern::Pattern;
use super::schedule::Schedule;
use crate::context::Context;
use crate::firing::{Firing, Outcome};
use crate::place::Place;
use crate::retry::{self, Attempt};
use crate::state::{Acts, Retry, State, Undelivered};

/// Calls a target once more with an event that it failed to take.
pub(crate) fn retry(state: &mut State, context: &Context<'_>, retry: &Retry) {
    let (rule, id, what) = match &retry.event {
        Undelivered::RuleTick { rule, target_id, due } => (rule, target_id, What::Tick(*due)),
        Undelivered::RuleEvent { rule, target_id, event } => (rule, target_id, What::Told(event)),
        Undelivered::ScheduleTick { .. } => return,
    };
    let delivery = Delivery::of(&context.place, rule, &retry.target);
    // The event stays what it was, and when.
    let event = Event { place: &context.place, rule, target: id, what, at: retry.since };
    let number = Attempt { retries: retry.retries, since: retry.since };
    attempt(state, context, &delivery, &event, number, |_| Some(retry.target.clone()));
}

/// Calls a target, tells what came of it, and has it called again if it failed in a way that passes.
fn attempt(
    state: &mut State,
    context: &Context<'_>,
    delivery: &Delivery,
    event: &Event<'_>,
    attempt: Attempt,
    target: impl FnOnce(&State) -> Option<Value>,
) {
    let outcome = delivery.deliver(state, context, event, attempt);
    let Event { place, rule, target: id, what, at } = *event;
    if let Outcome::Failed { again, .. } = &outcome
        && let Some(target) = target(state)
    {
        let event = event.undelivered();
        let retry = Retry { event, target, retries: attempt.retries + 1, since: attempt.since, at: *again };
        retry::keep(state, context, retry);
    }
    state.tell(Firing {
        account: place.account.clone(),
        region: place.region.clone(),
        schedule_group: None,
        rule: rule.to_owned(),
        target: id.to_owned(),
        due: match what {
            What::Tick(due) => due,
            What::Told(_) => at,
        },
        at: context.now,
        retries: attempt.retries,
        outcome,
    });
}

/// What a rule says of a target as it acts at present.
fn acting_target(state: &State, key: &(Place, String), id: &str) -> Option<Value> {
    match state.formers.get(key).and_then(|formers| formers.first()) {
        Some(former) => former.acts.as_ref()?.targets.get(id).cloned(),
        None => state.rules.get(key)?.targets.get(id).cloned(),
    }
}

/// A rule that is enabled and has targets.
#[derive(Debug)]
pub(crate) struct Acting {
    schedule: Option<Schedule>,
    pub(super) pattern: Option<Pattern>,
    since: Timestamp,
    /// By the Ids of targets.
    deliveries: Vec<(String, Delivery)>,
}

impl Acting {
    /// Reads what was put; `None` for a rule of an older grammar.
    pub(super) fn ready((place, rule): &(Place, String), acts: &Acts) -> Option<Self> {
        let schedule = acts.expression.as_deref().and_then(Schedule::parse);
        let pattern = acts.pattern.as_deref().and_then(|pattern| Pattern::read(pattern).ok());
        if schedule.is_none() && pattern.is_none() {
            return None;
        }
        let deliveries =
            acts.targets.iter().map(|(id, target)| (id.clone(), Delivery::of(place, rule, target))).collect();
        Some(Self { schedule, pattern, since: acts.since, deliveries })
    }

    /// The first moment after `after` that the schedule names, if there is one.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.as_ref()?.next_after(self.since, after)
    }

    /// Calls all targets for one event, and tells what came of it.
    pub(super) fn call(&self, state: &mut State, context: &Context<'_>, rule: &str, what: What<'_>) {
        let place = &context.place;
        for (id, delivery) in &self.deliveries {
            let event = Event { place, rule, target: id, what, at: context.now };
            let target = |state: &State| acting_target(state, &(place.clone(), rule.to_owned()), id);
            attempt(state, context, delivery, &event, Attempt::first(context.now), target);
        }
    }
}
