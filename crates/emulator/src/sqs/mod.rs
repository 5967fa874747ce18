//! Amazon SQS, as much as a target of rules and a dead-letter queue need: queues, and messages that come and go
//! (docs/aws.md, Queues).

mod messages;
mod queues;

use serde_json::{Map, Value};

pub(crate) use messages::{Letter, deliver};

use crate::context::Context;
use crate::emulator::Input;
use crate::model;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::request::Operation;
use crate::state::{Queue, State};

/// Answers one operation (docs/aws.md, On the wire).
pub(crate) fn answer(state: &mut State, context: &Context<'_>, operation: &Operation, input: &Input<'_>) -> Answer {
    let body = input.body;
    // ReceiveMessage takes the names of messages' attributes where its model lists those of queues.
    let listed = |violation: &&model::Violation| violation.missing || operation.name != "ReceiveMessage";
    let broken: Vec<_> = input.broken.iter().filter(listed).cloned().collect();
    if !broken.is_empty() {
        return Err(invalid(model::message(&broken)));
    }
    match operation.name.as_str() {
        "CreateQueue" => queues::create(state, context, body),
        "DeleteQueue" => queues::delete(state, context, body),
        "GetQueueUrl" => queues::url_of(state, context, body),
        "GetQueueAttributes" => queues::attributes(state, context, body),
        "ListQueues" => queues::list(state, context, body),
        "PurgeQueue" => queues::purge(state, context, body),
        "SendMessage" => messages::send(state, context, body),
        "ReceiveMessage" => messages::receive(state, context, body),
        "DeleteMessage" => messages::delete(state, context, body),
        _ => Err(Refusal::unknown(operation)),
    }
}

/// The name of the queue that a request means by its URL, and the queue.
fn queue<'a>(state: &'a State, place: &Place, body: &'a Value) -> Result<(&'a str, &'a Queue), Refusal> {
    let name = text(body, "QueueUrl").unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let queue = state.queues.get(&(place.clone(), name.to_owned()));
    queue.map(|queue| (name, queue)).ok_or_else(no_queue)
}

/// Follows docs/aws.md, Queues.
fn no_queue() -> Refusal {
    Refusal::new("QueueDoesNotExist", "The specified queue does not exist.")
}

/// Follows docs/aws.md, Queues.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterValue", message)
}

/// A string member, if it was given.
fn text<'a>(body: &'a Value, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

/// A number among a queue's attributes, which are all texts.
fn number(attributes: &Map<String, Value>, name: &str, default: i64) -> i64 {
    attributes.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(default)
}
