//! What an event does to a target (docs/aws.md, When a rule fires, and with what).

use std::sync::Arc;

use serde_json::Value;

use super::event::Event;
use super::input::Input;
use super::launch::launch;
use super::text;
use crate::context::Context;
use crate::ecs::{self, Launch, Starter};
use crate::firing::Outcome;
use crate::place::Place;
use crate::reply::Refusal;
use crate::state::State;

/// A target, ready to be called.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It is of a service that is not emulated.
    NotEmulated { arn: String, input: Input },
    /// No RunTask can be made of it.
    Broken(Refusal),
    /// The same RunTask each time.
    Fixed(Launch),
    /// A RunTask whose overrides are made from the event.
    Made(Launch, Input),
}

impl Delivery {
    /// Reads a target as it was put.
    pub(super) fn of(place: &Place, rule: &str, target: &Value) -> Self {
        let input = Input::of(target);
        let Some(parameters) = target.get("EcsParameters") else {
            return Self::NotEmulated { arn: text(target, "Arn").unwrap_or_default().to_owned(), input };
        };
        let launch = match launch(place, rule, target, parameters) {
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

    /// Calls the target for one event.
    pub(super) fn deliver(&self, state: &mut State, context: &Context<'_>, event: &Event<'_>) -> Outcome {
        let started = match self {
            Self::NotEmulated { arn, input } => {
                return Outcome::NotEmulated { arn: arn.clone(), input: input.make(event) };
            }
            Self::Broken(refusal) => Err(refusal.clone()),
            Self::Fixed(launch) => start(state, context, launch, event),
            Self::Made(launch, input) => {
                told(launch, &input.make(event)).and_then(|launch| start(state, context, &launch, event))
            }
        };
        started.unwrap_or_else(|refusal| Outcome::Refused { code: refusal.code.to_owned(), message: refusal.message })
    }
}

/// The same RunTask with this input.
fn told(launch: &Launch, input: &str) -> Result<Launch, Refusal> {
    ecs::overrides(input).map(|overrides| Launch { overrides: Arc::new(overrides), ..launch.clone() })
}

fn start(state: &mut State, context: &Context<'_>, launch: &Launch, event: &Event<'_>) -> Result<Outcome, Refusal> {
    let started = ecs::start(state, context, launch, Starter::Event(&event.seed()))?;
    let cluster = launch.cluster.as_deref().unwrap_or_default();
    Ok(Outcome::Started {
        task_definition: started.task_definition,
        tasks: started.ids.iter().map(|id| ecs::task_arn(event.place, cluster, id)).collect(),
        group: launch.group(),
    })
}
