//! What a schedule does when it fires (docs/aws.md, Scheduler).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::text;
use crate::context::Context;
use crate::ecs::{self, Launch, Starter};
use crate::events::{self, Told, to_the_second};
use crate::firing::{Exhausted, Outcome};
use crate::id::id_from;
use crate::place::Place;
use crate::reply::Refusal;
use crate::retry::{Attempt, Next, Policy};
use crate::sqs::{self, Letter};
use crate::state::State;

/// The target of a schedule, ready to be called.
#[derive(Debug)]
pub(super) struct Errand {
    schedule_arn: String,
    /// The schedule's key, of which everything's ids follow.
    schedule: String,
    /// The ARN of the target.
    pub(super) target: String,
    call: Call,
    /// Text with context attributes in it, if any was given.
    input: Option<String>,
    dead_letters: Option<String>,
    policy: Policy,
}

/// What calling a target means.
#[derive(Debug)]
enum Call {
    /// It is of a service that is not emulated.
    NotEmulated,
    /// No RunTask can be made of it.
    Broken(Refusal),
    Run(Box<Launch>),
    /// A message to a queue.
    Send,
}

/// One attempt at one time that a schedule fires.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ring<'a> {
    pub place: &'a Place,
    /// The moment that the schedule names.
    pub due: Timestamp,
    pub attempt: Attempt,
}

impl Errand {
    /// Reads a target as it was put.
    pub(super) fn of(place: &Place, schedule: &str, target: &Value) -> Self {
        let arn = text(target, "Arn").unwrap_or_default().to_owned();
        let name = schedule.rsplit('/').next().unwrap_or_default();
        let call = match target.get("EcsParameters") {
            Some(parameters) => {
                let parameters = with_tags(parameters);
                events::launch(place, &format!("chronos-schedule/{name}"), target, &parameters)
                    .map_or_else(Call::Broken, |launch| Call::Run(Box::new(launch)))
            }
            None if arn.split(':').nth(2) == Some("sqs") => Call::Send,
            None => Call::NotEmulated,
        };
        Self {
            schedule_arn: place.arn("scheduler", format_args!("schedule/{schedule}")),
            schedule: schedule.to_owned(),
            target: arn,
            call,
            input: text(target, "Input").map(str::to_owned),
            dead_letters: target.get("DeadLetterConfig").and_then(|config| text(config, "Arn")).map(str::to_owned),
            policy: Policy::of(target),
        }
    }

    /// Calls the target. What it refuses goes to its dead-letter queue, unless it is to be tried again.
    pub(super) fn run(&self, state: &mut State, context: &Context<'_>, ring: Ring<'_>) -> Outcome {
        let seed = self.seed(ring);
        let done = match &self.call {
            Call::NotEmulated => {
                Ok(Outcome::NotEmulated { arn: self.target.clone(), input: self.input(context, ring) })
            }
            Call::Broken(refusal) => Err(refusal.clone()),
            Call::Run(launch) => self.start(state, context, launch, ring),
            Call::Send => {
                let letter = Letter { body: self.input(context, ring), attributes: Vec::new(), seed: &seed };
                let sent = sqs::deliver(state, context, &self.target, letter);
                sent.map(|message_id| Outcome::Queued { queue: self.target.clone(), message_id })
            }
        };
        let refusal = match done {
            Ok(outcome) => return outcome,
            Err(refusal) => refusal,
        };
        let code = refusal.code.to_owned();
        match self.policy.next(&refusal, ring.attempt, &seed, context.now) {
            Next::Again(again) => Outcome::Failed { code, message: refusal.message, again },
            Next::GivenUp(exhausted) => {
                let dead_letter = self.bury(state, context, ring, &refusal, exhausted);
                Outcome::Refused { code, message: refusal.message, exhausted, dead_letter }
            }
        }
    }

    fn start(
        &self,
        state: &mut State,
        context: &Context<'_>,
        launch: &Launch,
        ring: Ring<'_>,
    ) -> Result<Outcome, Refusal> {
        let mut launch = launch.clone();
        if self.input.is_some() {
            launch.overrides = Arc::new(ecs::overrides(&self.input(context, ring))?);
        }
        let starter = Starter::Event { seed: &self.seed(ring), attempt: ring.attempt };
        let started = ecs::start(state, context, &launch, starter)?;
        Ok(started.outcome(ring.place, &launch))
    }

    /// The target's input: what was given, with the context of this call, or an event.
    fn input(&self, context: &Context<'_>, ring: Ring<'_>) -> String {
        let Some(input) = &self.input else {
            let told = Told {
                source: "aws.scheduler",
                detail_type: "Scheduled Event",
                time: ring.due,
                resources: json!([self.schedule_arn]),
                detail: json!("{}"),
            };
            return events::event(context, &self.seed(ring), told).to_string();
        };
        if !input.contains("<aws.scheduler.") {
            return input.clone();
        }
        let facts = [
            ("<aws.scheduler.schedule-arn>", self.schedule_arn.clone()),
            ("<aws.scheduler.scheduled-time>", to_the_second(ring.due)),
            ("<aws.scheduler.execution-id>", self.execution_id(ring)),
            ("<aws.scheduler.attempt-number>", (ring.attempt.retries + 1).to_string()),
        ];
        facts.iter().fold(input.clone(), |input, (name, value)| input.replace(name, value))
    }

    /// Puts what could not be delivered into the dead-letter queue, if there is one, and tells the message's id. Its
    /// attributes are those of docs/aws.md, Dead letters.
    fn bury(
        &self,
        state: &mut State,
        context: &Context<'_>,
        ring: Ring<'_>,
        refusal: &Refusal,
        exhausted: Option<Exhausted>,
    ) -> Option<String> {
        let queue = self.dead_letters.as_deref()?;
        let mut attributes = vec![
            ("ERROR_CODE", refusal.code.to_owned()),
            ("ERROR_MESSAGE", refusal.message.clone()),
            ("EXECUTION_ID", self.execution_id(ring)),
            ("IS_PAYLOAD_TRUNCATED", "false".to_owned()),
            ("RETRY_ATTEMPTS", ring.attempt.retries.to_string()),
            ("SCHEDULED_TIME", to_the_second(ring.due)),
            ("SCHEDULE_ARN", self.schedule_arn.clone()),
            ("TARGET_ARN", self.target.clone()),
        ];
        attributes.extend(exhausted.map(|why| ("EXHAUSTED_RETRY_CONDITION", why.as_str().to_owned())));
        let seed = format!("dead/{}", self.seed(ring));
        let letter = Letter { body: self.input(context, ring), attributes, seed: &seed };
        sqs::deliver(state, context, queue, letter).ok()
    }

    /// Another one for each attempt (docs/aws.md, Scheduler).
    fn execution_id(&self, ring: Ring<'_>) -> String {
        let number = match ring.attempt.retries {
            0 => String::new(),
            retries => format!("/{retries}"),
        };
        id_from(&format!("execution/{}{number}", self.seed(ring)))
    }

    /// What makes the ids that follow from this call unlike all others.
    fn seed(&self, Ring { place, due, attempt: _ }: Ring<'_>) -> String {
        format!("schedule/{}/{}/{}/{}", place.account, place.region, self.schedule, due.as_millisecond())
    }
}

/// Scheduler has tags as maps where EventBridge's rules have keys and values.
fn with_tags(parameters: &Value) -> Value {
    let mut parameters = parameters.clone();
    let tags = parameters.get("Tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let tags: Value = tags.flatten().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    if let Value::Object(members) = &mut parameters {
        members.insert("Tags".to_owned(), tags);
    }
    parameters
}
