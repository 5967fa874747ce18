//! What of a rule acts at present, ready to.

use jiff::Timestamp;

use super::delivery::Delivery;
use super::event::{Event, What};
use super::pattern::Pattern;
use super::schedule::Schedule;
use crate::context::Context;
use crate::firing::Firing;
use crate::place::Place;
use crate::state::{Acts, State};

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
        let due = match what {
            What::Tick(due) => due,
            What::Told(_) => context.now,
        };
        for (id, delivery) in &self.deliveries {
            let event = Event { place, rule, target: id, what, at: context.now };
            let outcome = delivery.deliver(state, context, &event);
            state.tell(Firing {
                account: place.account.clone(),
                region: place.region.clone(),
                schedule_group: None,
                rule: rule.to_owned(),
                target: id.clone(),
                due,
                at: context.now,
                outcome,
            });
        }
    }
}
