//! Queues: made, named, looked at, emptied, deleted (docs/aws.md, Queues).

use serde_json::{Map, Value, json};

use super::{invalid, messages, no_queue, number, queue, text};
use crate::context::Context;
use crate::page::{self, Ask};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::state::{Queue, State, starting_with};

/// Attributes of a queue for which nothing was given (docs/aws.md, Queues).
const DEFAULTS: [(&str, &str); 5] = [
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("VisibilityTimeout", "30"),
];

/// CreateQueue: a queue that is there with the same attributes is given back (docs/aws.md, Queues).
pub(super) fn create(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "QueueName").unwrap_or_default();
    let attributes = body.get("Attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if stem.is_empty() || name.len() > 80 || !stem.chars().all(letters) {
        return Err(invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"));
    }
    let fifo = attributes.get("FifoQueue").is_some_and(|fifo| fifo == "true");
    if fifo != name.ends_with(".fifo") {
        return Err(invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or \
                            underscores, must end with .fifo suffix and be 1 to 80 in length.",
        ));
    }
    let key = (context.place.clone(), name.to_owned());
    match state.queues.get(&key) {
        Some(queue) if attributes.iter().any(|(name, value)| of(queue, name) != Some(value.clone())) => {
            return Err(Refusal::new(
                "QueueNameExists",
                "A queue already exists with the same name and a different value for an attribute.",
            ));
        }
        Some(_) => {}
        None => state.queues.insert(key, Queue { attributes, created_at: context.now }),
    }
    Ok(members([("QueueUrl", json!(url(&context.place, name)))]))
}

/// DeleteQueue: with all that is in it.
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = queue(state, &context.place, body)?.0.to_owned();
    messages::clear(state, &context.place, &name);
    state.queues.remove(&(context.place.clone(), name));
    Ok(Map::new())
}

/// PurgeQueue: what is in it is gone.
pub(super) fn purge(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = queue(state, &context.place, body)?.0.to_owned();
    messages::clear(state, &context.place, &name);
    Ok(Map::new())
}

/// GetQueueUrl.
pub(super) fn url_of(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "QueueName").unwrap_or_default();
    let known = state.queues.get(&(context.place.clone(), name.to_owned())).is_some();
    if known { Ok(members([("QueueUrl", json!(url(&context.place, name)))])) } else { Err(no_queue()) }
}

/// ListQueues, in the order of names (docs/aws.md, Queues).
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let prefix = text(body, "QueueNamePrefix").unwrap_or_default();
    let limit = body.get("MaxResults").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    let ask = Ask {
        listing: &format!("queues/{prefix}"),
        token: text(body, "NextToken"),
        limit: limit.unwrap_or(1000).clamp(1, 1000),
        descending: false,
    };
    let queues = starting_with(&state.queues, &context.place, prefix).map(|(name, _)| ((name, 0), name));
    let page = page::cut(queues, ask, |_| true).map_err(|page::BadToken| invalid("Invalid or expired next token."))?;
    let urls: Vec<_> = page.items.iter().map(|name| url(&context.place, name)).collect();
    Ok(page::members(("QueueUrls", json!(urls)), ("NextToken", page.next)))
}

/// GetQueueAttributes: those that are asked for, or all (docs/aws.md, Queues).
pub(super) fn attributes(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let (name, queue) = queue(state, &context.place, body)?;
    let (mut visible, mut hidden) = (0, 0);
    for message in messages::of(state, &context.place, name, queue, context.now) {
        if message.1.visible_at <= context.now { visible += 1 } else { hidden += 1 }
    }
    let created_at = queue.created_at.as_second().to_string();
    let mut all = queue.attributes.clone();
    for (name, value) in [
        ("QueueArn", context.place.arn("sqs", name)),
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", hidden.to_string()),
        ("ApproximateNumberOfMessagesDelayed", "0".to_owned()),
        ("CreatedTimestamp", created_at.clone()),
        ("LastModifiedTimestamp", created_at),
        ("SqsManagedSseEnabled", "true".to_owned()),
    ] {
        all.insert(name.to_owned(), json!(value));
    }
    for (name, value) in DEFAULTS {
        all.entry(name).or_insert_with(|| json!(value));
    }
    let asked = body.get("AttributeNames").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !asked.iter().any(|name| name == "All") {
        all.retain(|name, _| asked.iter().any(|asked| asked == name));
    }
    Ok(members([("Attributes", Value::Object(all))]))
}

/// An attribute as it counts.
fn of(queue: &Queue, name: &str) -> Option<Value> {
    let default = || DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, value)| json!(value));
    queue.attributes.get(name).cloned().or_else(default)
}

/// For how many seconds a received message is hidden from others.
pub(super) fn visibility(queue: &Queue) -> i64 {
    number(&queue.attributes, "VisibilityTimeout", 30)
}

/// For how many seconds a message stays (docs/aws.md, Queues).
pub(super) fn retention(queue: &Queue) -> i64 {
    number(&queue.attributes, "MessageRetentionPeriod", 345_600)
}

fn url(place: &Place, name: &str) -> String {
    format!("https://sqs.{}.amazonaws.com/{}/{name}", place.region, place.account)
}

pub(super) fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
