//! The state machine: a request in, a reply out, and time only as an argument.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::context::{ACTS_AS, Cause, Context};
use crate::firing::Firing;
use crate::id::id_from;
use crate::lag::Lagging;
use crate::model::{self, Model, Violation};
use crate::place::Place;
use crate::reply::{Answer, Protocol, Refusal, Reply};
use crate::request::{Operation, Request, Service};
use crate::settings::Settings;
use crate::state::{Change, Due, State};
use crate::{ecs, events, retry, scheduler, sqs, sts, tagging};

/// The embedded AWS: all accounts, all Regions, no input or output of its own.
#[derive(Debug)]
pub struct Emulator {
    settings: Settings,
    state: State,
    /// What lists are read from instead, when they are to lag.
    lists: Option<Lagging>,
    requests: u64,
    unwritten: Vec<Change>,
}

impl Emulator {
    /// An AWS in which nothing was ever made.
    pub fn new(settings: Settings) -> Self {
        Self::with_state(settings, State::default())
    }

    /// An AWS that goes on from what another one that [kept book](Emulator::keep_book) told by [`Emulator::take_changes`], all of it and in
    /// that order.
    ///
    /// # Errors
    ///
    /// When a change has not the form of what it changes.
    pub fn resume(settings: Settings, changes: impl IntoIterator<Item = Change>) -> Result<Self, serde_json::Error> {
        let mut state = State::default();
        changes.into_iter().try_for_each(|change| state.apply(change))?;
        Ok(Self::with_state(settings, state))
    }

    /// An AWS that goes on from what a journal remembers.
    pub(crate) fn with_state(settings: Settings, mut state: State) -> Self {
        let agenda = [ecs::agenda(&state, &settings), tagging::agenda(&state), retry::agenda(&state)].concat();
        for (when, due) in agenda {
            state.remind(Some(when), due);
        }
        events::resume(&mut state, &settings);
        scheduler::resume(&mut state, &settings);
        let lists = Lagging::behind(&state, settings.list_lag);
        Self { settings, state, lists, requests: 0, unwritten: Vec::new() }
    }

    /// Applies one request and answers it. `now` should not go backwards (docs/aws.md, On the wire).
    ///
    /// Every input is answered, garbage with AWS's own refusals.
    pub fn handle(&mut self, now: Timestamp, request: &Request) -> Reply {
        self.advance(now);
        self.requests += 1;
        // Unlike any before it in this process.
        let id = id_from(&format!("{}/{}", now.as_nanosecond(), self.requests));
        let mut reply = match request.operation() {
            None => Refusal::new("UnknownOperationException", "The embedded AWS does not speak this service.")
                .reply(Protocol::Json11),
            Some(operation) => self.operate(now, request, &operation, &id),
        };
        if let Some(change) = self.state.take_change(now) {
            if let Some(lists) = &mut self.lists {
                lists.note(now, &change);
            }
            self.unwritten.push(change);
        }
        reply.headers.push(("x-amzn-requestid".to_owned(), id));
        reply
    }

    /// Lets time do its work: what was to end or to be seen by `now` has ended and is seen.
    pub fn advance(&mut self, now: Timestamp) {
        if let Some(lists) = &mut self.lists {
            lists.advance(now);
        }
        let Self { state, settings, .. } = self;
        while let Some((when, due)) = state.pop_due(now) {
            match due {
                Due::Tick(key) => events::fire(state, settings, &key, when, now),
                Due::Alarm(key) => scheduler::fire(state, settings, &key, when, now),
                Due::Retry(key) => retry::again(state, settings, &key, when),
                Due::Former(key) => events::turn(state, settings, &key, when),
                Due::Phase(key) => ecs::tell_phase(state, settings, &key, when),
                Due::Revision(key) => ecs::expire_revision(state, settings, &key, when),
                Due::Index(key) => tagging::settle_one(state, &key, now),
                Due::Task(key) => ecs::expire_task(state, &key),
            }
        }
    }

    /// When [`Emulator::advance`] next has something to do, if ever.
    pub fn next_due(&self) -> Option<Timestamp> {
        let lists = self.lists.as_ref().and_then(Lagging::next_due);
        [self.state.next_due(), lists].into_iter().flatten().min()
    }

    /// Has what time makes told with the next change of a request from now on, for [`Emulator::resume`] to know of all of it.
    pub fn keep_book(&mut self) {
        self.state.keep_book();
    }

    /// What requests changed since the last call, to be written down before they are answered.
    #[must_use = "changes that are not written are lost with the process"]
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.unwritten)
    }

    /// The ticks that came due and the events that rules matched since the last call, in the order of their time; of very
    /// many, the latest ones.
    ///
    /// One emulator tells each of them once. After a restart, those since the last write are told again.
    #[must_use = "a tick is told once"]
    pub fn take_firings(&mut self) -> Vec<Firing> {
        self.state.take_firings()
    }

    /// The moment of the latest change; no later request should come with an earlier time.
    pub fn latest(&self) -> Option<Timestamp> {
        self.state.as_of()
    }

    /// Everything there is, in a form that is equal byte for byte when the state is equal.
    pub fn snapshot(&self) -> Value {
        crate::snapshot::of(&self.state)
    }

    fn operate(&mut self, now: Timestamp, request: &Request, operation: &Operation, id: &str) -> Reply {
        let place = Place::of(request);
        if self.settings.throttle && !self.state.buckets.admit(now, &place, operation) {
            return crate::throttle::refusal(operation.service);
        }
        let answer = match operation.service {
            Service::Sts => return sts::handle(now, &place, request, &operation.name, id),
            Service::Emulator => {
                self.state.reset();
                return Reply::json(200, &json!({"status": "ok"}));
            }
            Service::Ecs | Service::Events | Service::Tag | Service::Scheduler | Service::Sqs => {
                self.answer(now, place, request, operation)
            }
        };
        let protocol = Protocol::of(operation.service);
        match answer {
            Ok(members) => Reply::of(protocol, 200, &Value::Object(members)),
            Err(refusal) => refusal.reply(protocol),
        }
    }

    /// Reads the body as the operation's input and hands it to the service.
    fn answer(&mut self, now: Timestamp, place: Place, request: &Request, operation: &Operation) -> Answer {
        let unknown = || Refusal::unknown(operation);
        let service_model = Model::of(operation.service).ok_or_else(unknown)?;
        let input = service_model.input(&operation.name).ok_or_else(unknown)?;
        let body = match operation.service {
            Service::Scheduler => scheduler::input(request)?,
            Service::Ecs | Service::Events | Service::Tag | Service::Sqs | Service::Sts | Service::Emulator => {
                parse_body(&request.body)?
            }
        };
        let body = model::cast(service_model, input, body)?;
        let context = Context {
            now,
            place,
            settings: &self.settings,
            request: Some(request),
            acts_as: request.header(ACTS_AS).map(str::to_owned),
            cause: Cause::Request,
        };
        let state = match &mut self.lists {
            Some(lists) if Lagging::shows(operation) => lists.view(),
            Some(_) | None => &mut self.state,
        };
        let given = Input { body: &body, broken: model::violations(service_model, input, &body) };
        match operation.service {
            Service::Ecs => ecs::answer(state, &context, operation, &given),
            Service::Events => events::answer(state, &context, operation, &given),
            Service::Tag => tagging::answer(state, &context, operation, &given),
            Service::Scheduler => scheduler::answer(state, &context, operation, &given),
            Service::Sqs => sqs::answer(state, &context, operation, &given),
            Service::Sts | Service::Emulator => Err(unknown()),
        }
    }
}

/// A request body that has the types of its operation's input, and what of the model's bounds it breaks.
pub(crate) struct Input<'a> {
    pub body: &'a Value,
    pub broken: Vec<Violation>,
}

/// Reads a JSON body; no body at all means no members (docs/aws.md, On the wire).
fn parse_body(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Refusal::new("SerializationException", "Unexpected field type")),
        // AWS gives no reason for a body that is no JSON.
        Err(_) => Err(Refusal::new("SerializationException", "")),
    }
}
