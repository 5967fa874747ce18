//! What an event does to a target (docs/aws.md, When a rule fires, and with what).

use std::sync::Arc;

use serde_json::Value;

use super::dead_letter::{self, Lost};
use super::event::Event;
use super::input::Input;
use super::launch::launch;
use super::text;
use crate::context::Context;
use crate::ecs::{self, Launch, Starter};
use crate::firing::Outcome;
use crate::place::Place;
use crate::reply::Refusal;
use crate::retry::{Attempt, Next, Policy};
use crate::sqs::{self, Letter};
use crate::state::State;

/// A target, ready to be called.
#[derive(Debug)]
pub(super) struct Delivery {
    arn: String,
    call: Call,
    /// The ARN of the queue for what cannot be delivered.
    dead_letters: Option<String>,
    policy: Policy,
}

/// What calling a target means.
#[derive(Debug)]
enum Call {
    /// It is of a service that is not emulated.
    NotEmulated(Input),
    /// No RunTask can be made of it.
    Broken(Refusal),
    /// The same RunTask each time.
    Fixed(Launch),
    /// A RunTask whose overrides are made from the event.
    Made(Launch, Input),
    /// A message to a queue.
    Send(Input),
}

impl Delivery {
    /// Reads a target as it was put.
    pub(super) fn of(place: &Place, rule: &str, target: &Value) -> Self {
        let arn = text(target, "Arn").unwrap_or_default().to_owned();
        let dead_letters = target.get("DeadLetterConfig").and_then(|config| text(config, "Arn")).map(str::to_owned);
        Self { call: Call::of(place, rule, target, &arn), arn, dead_letters, policy: Policy::of(target) }
    }

    /// Calls the target for one event. What it refuses goes to its dead-letter queue, unless it is to be tried again.
    pub(super) fn deliver(
        &self,
        state: &mut State,
        context: &Context<'_>,
        event: &Event<'_>,
        attempt: Attempt,
    ) -> Outcome {
        let done = match &self.call {
            Call::NotEmulated(input) => Ok(Outcome::NotEmulated { arn: self.arn.clone(), input: input.make(event) }),
            Call::Broken(refusal) => Err(refusal.clone()),
            Call::Fixed(launch) => start(state, context, launch, event, attempt),
            Call::Made(launch, input) => {
                told(launch, &input.make(event)).and_then(|launch| start(state, context, &launch, event, attempt))
            }
            Call::Send(input) => {
                let letter = Letter { body: input.make(event), attributes: Vec::new(), seed: &event.seed() };
                let sent = sqs::deliver(state, context, &self.arn, letter);
                sent.map(|message_id| Outcome::Queued { queue: self.arn.clone(), message_id })
            }
        };
        let refusal = match done {
            Ok(outcome) => return outcome,
            Err(refusal) => refusal,
        };
        let code = refusal.code.to_owned();
        match self.policy.next(&refusal, attempt, &event.seed(), context.now) {
            Next::Again(again) => Outcome::Failed { code, message: refusal.message, again },
            Next::GivenUp(exhausted) => {
                let lost = Lost { target: &self.arn, refusal: &refusal, retries: attempt.retries, exhausted };
                let queue = self.dead_letters.as_deref();
                let dead_letter = queue.and_then(|queue| dead_letter::send(state, context, event, queue, &lost));
                Outcome::Refused { code, message: refusal.message, exhausted, dead_letter }
            }
        }
    }
}

impl Call {
    fn of(place: &Place, rule: &str, target: &Value, arn: &str) -> Self {
        let input = Input::of(target);
        let Some(parameters) = target.get("EcsParameters") else {
            return if arn.split(':').nth(2) == Some("sqs") { Self::Send(input) } else { Self::NotEmulated(input) };
        };
        let launch = match launch(place, &format!("events-rule/{rule}"), target, parameters) {
            Ok(launch) => launch,
            Err(refusal) => return Self::Broken(refusal),
        };
        match input {
            // Without any input a task is told nothing of the event.
            Input::Whole => Self::Fixed(launch),
            Input::Fixed(input) => told(&launch, &input).map_or_else(Self::Broken, Self::Fixed),
            Input::Path(_) | Input::Template(_) => Self::Made(launch, input),
        }
    }
}

/// The same RunTask with this input.
fn told(launch: &Launch, input: &str) -> Result<Launch, Refusal> {
    ecs::overrides(input).map(|overrides| Launch { overrides: Arc::new(overrides), ..launch.clone() })
}

fn start(
    state: &mut State,
    context: &Context<'_>,
    launch: &Launch,
    event: &Event<'_>,
    attempt: Attempt,
) -> Result<Outcome, Refusal> {
    let started = ecs::start(state, context, launch, Starter::Event { seed: &event.seed(), attempt })?;
    Ok(started.outcome(event.place, launch))
}
