//! Messages: sent, received and hidden, deleted (docs/aws.md, Queues).

use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::queues::{self, members};
use super::{invalid, no_queue, queue, text};
use crate::context::{Cause, Context};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::state::{Message, Queue, State, starting_with};

/// A message on its way into a queue.
#[derive(Debug)]
pub(crate) struct Letter<'a> {
    pub body: String,
    /// Attributes with a text each.
    pub attributes: Vec<(&'a str, String)>,
    /// What makes its id unlike all others.
    pub seed: &'a str,
}

/// Puts a message into the queue of that ARN, and tells its id.
///
/// # Errors
///
/// `QueueDoesNotExist`, also for a queue of another account or Region.
pub(crate) fn deliver(
    state: &mut State,
    context: &Context<'_>,
    queue: &str,
    letter: Letter<'_>,
) -> Result<String, Refusal> {
    let name = queue.strip_prefix(context.place.arn("sqs", "").as_str()).ok_or_else(no_queue)?;
    let told = |(name, value): (&str, String)| (name.to_owned(), json!({"DataType": "String", "StringValue": value}));
    let attributes = letter.attributes.into_iter().map(told).collect();
    put(state, context, name, letter.seed, letter.body, attributes)
}

/// SendMessage (docs/aws.md, Queues).
pub(super) fn send(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = queue(state, &context.place, body)?.0.to_owned();
    let sent = text(body, "MessageBody").unwrap_or_default();
    if sent.is_empty() {
        return Err(Refusal::new("MissingParameter", "The request must contain the parameter MessageBody."));
    }
    let attributes = body.get("MessageAttributes").and_then(Value::as_object).cloned().unwrap_or_default();
    let seed = format!("{}/{}", context.now, state.count_event());
    let id = put(state, context, &name, &seed, sent.to_owned(), attributes)?;
    Ok(members([("MessageId", json!(id)), ("MD5OfMessageBody", json!(md5(sent)))]))
}

fn put(
    state: &mut State,
    context: &Context<'_>,
    name: &str,
    seed: &str,
    body: String,
    attributes: Map<String, Value>,
) -> Result<String, Refusal> {
    let place = &context.place;
    let queue = state.queues.get(&(place.clone(), name.to_owned())).ok_or_else(no_queue)?;
    let oldest = oldest(queue, context.now);
    let stale: Vec<_> = starting_with(&state.messages, place, &format!("{name}/"))
        .take_while(|(_, message)| message.sent_at < oldest)
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in stale {
        state.messages.wither(&(place.clone(), key));
    }
    let id = crate::id::id_from(&format!("message/{}/{}/{name}/{seed}", place.account, place.region));
    let message = Message {
        id: id.clone(),
        body,
        attributes,
        sent_at: context.now,
        visible_at: context.now,
        received: 0,
        first_received_at: None,
    };
    // In the order in which they were sent.
    let key = (place.clone(), format!("{name}/{:014}/{id}", context.now.as_millisecond().max(0)));
    match context.cause {
        Cause::Request => state.messages.insert(key, message),
        Cause::Time => state.messages.grow(key, message),
    }
    Ok(id)
}

/// ReceiveMessage: up to ten that are not hidden, which hides them for a while (docs/aws.md, Queues). It does
/// not wait for any.
pub(super) fn receive(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (place, now) = (&context.place, context.now);
    let (name, queue) = queue(state, place, body)?;
    let given = |member: &str| body.get(member).and_then(Value::as_i64);
    let most = given("MaxNumberOfMessages").unwrap_or(1);
    let most = usize::try_from(most).ok().filter(|most| (1..=10).contains(most)).ok_or_else(|| {
        invalid(format!(
            "Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        ))
    })?;
    let hidden_for = given("VisibilityTimeout").unwrap_or_else(|| queues::visibility(queue)).clamp(0, 43_200);
    let visible_at = now.checked_add(SignedDuration::from_secs(hidden_for)).unwrap_or(Timestamp::MAX);
    let keys: Vec<_> = of(state, place, name, queue, now)
        .filter(|(_, message)| message.visible_at <= now)
        .take(most)
        .map(|(key, _)| (place.clone(), key.to_owned()))
        .collect();
    let mut received = Vec::with_capacity(keys.len());
    for key in keys {
        received.extend(state.messages.update(&key, |message| {
            message.visible_at = visible_at;
            message.received += 1;
            message.first_received_at.get_or_insert(now);
            shown(&key.1, message, body)
        }));
    }
    Ok(if received.is_empty() { Map::new() } else { members([("Messages", Value::Array(received))]) })
}

/// DeleteMessage: what is gone already is deleted (docs/aws.md, Queues).
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (name, _) = queue(state, &context.place, body)?;
    let handle = text(body, "ReceiptHandle").unwrap_or_default();
    let key = read_handle(handle).filter(|key| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')));
    let invalid = || {
        Refusal::new(
            "ReceiptHandleIsInvalid",
            format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
        )
    };
    let key = (context.place.clone(), key.ok_or_else(invalid)?);
    if state.messages.get(&key).is_some() {
        state.messages.remove(&key);
    }
    Ok(Map::new())
}

/// Takes everything out of a queue.
pub(super) fn clear(state: &mut State, place: &Place, name: &str) {
    let keys: Vec<_> =
        starting_with(&state.messages, place, &format!("{name}/")).map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        state.messages.remove(&(place.clone(), key));
    }
}

/// The messages of a queue that are young enough to be there, the oldest first.
pub(super) fn of<'a>(
    state: &'a State,
    place: &Place,
    name: &str,
    queue: &Queue,
    now: Timestamp,
) -> impl Iterator<Item = (&'a str, &'a Message)> + use<'a> {
    let (from, to) = ((place.clone(), format!("{name}/")), (place.clone(), format!("{name}0")));
    let oldest = oldest(queue, now);
    state
        .messages
        .range(from..to)
        .map(|((_, key), message)| (key.as_str(), message))
        .filter(move |(_, message)| message.sent_at >= oldest)
}

fn oldest(queue: &Queue, now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(queues::retention(queue))).unwrap_or(Timestamp::MIN)
}

fn shown(key: &str, message: &Message, body: &Value) -> Value {
    let names = |member: &str| -> Vec<&str> {
        let names = body.get(member).and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let mut shown = members([
        ("MessageId", json!(message.id)),
        ("ReceiptHandle", json!(handle(key, message.received))),
        ("MD5OfBody", json!(md5(&message.body))),
        ("Body", json!(message.body)),
    ]);
    let system = [names("AttributeNames"), names("MessageSystemAttributeNames")].concat();
    let first = message.first_received_at.unwrap_or(message.sent_at);
    let facts = [
        ("SentTimestamp", message.sent_at.as_millisecond().to_string()),
        ("ApproximateReceiveCount", message.received.to_string()),
        ("ApproximateFirstReceiveTimestamp", first.as_millisecond().to_string()),
    ];
    let asked = |name: &str| system.iter().any(|asked| *asked == "All" || *asked == name);
    let facts: Map<String, Value> = facts
        .into_iter()
        .filter(|(name, _)| asked(name))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    if !facts.is_empty() {
        shown.insert("Attributes".to_owned(), Value::Object(facts));
    }
    let wanted = names("MessageAttributeNames");
    let wants = |name: &str| {
        wanted.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => *wanted == "All" || *wanted == name,
        })
    };
    let mut attributes = message.attributes.clone();
    attributes.retain(|name, _| wants(name));
    if !attributes.is_empty() {
        shown.insert("MessageAttributes".to_owned(), Value::Object(attributes));
    }
    Value::Object(shown)
}

/// What a message is deleted by: its key, and which receipt of it this is.
fn handle(key: &str, received: u32) -> String {
    format!("{received}:{key}").bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read_handle(handle: &str) -> Option<String> {
    let pairs = (0..handle.len()).step_by(2).map(|at| handle.get(at..at + 2));
    let bytes: Option<Vec<u8>> = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    text.split_once(':').map(|(_, key)| key.to_owned())
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
