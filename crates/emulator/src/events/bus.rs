//! The event bus: events come in, and go to every rule whose pattern they match (docs/aws.md, Events).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::acting::Acting;
use super::event::{What, to_the_second};
use super::pattern::Leaves;
use super::{BUS, items, text, validation};
use crate::context::Context;
use crate::id::id_from;
use crate::place::Place;
use crate::reply::Answer;
use crate::state::State;

/// The largest request, in bytes of all its entries (docs/aws.md, Events).
const LARGEST: usize = 1024 * 1024;

/// Whether a rule may ask for an event of which these values are known. Most events are nobody's, and this costs less than to make one.
pub(crate) fn may_concern(state: &State, place: &Place, known: &Value) -> bool {
    let patterns = || state.listening_at(place).filter_map(|(_, acting)| acting.pattern.as_ref());
    let leaves = Leaves::of(known, patterns());
    patterns().any(|pattern| pattern.may_match(&leaves))
}

/// Hands an event to the rules that ask for it, in the order of their names.
pub(crate) fn publish(state: &mut State, context: &Context<'_>, event: &Value) {
    if !state.listens(&context.place) {
        return;
    }
    let patterns = state.listening_at(&context.place).filter_map(|(_, acting)| acting.pattern.as_ref());
    let leaves = Leaves::of(event, patterns);
    let asks = |acting: &Acting| acting.pattern.as_ref().is_some_and(|pattern| pattern.matches(&leaves));
    let matching: Vec<_> = state
        .listening_at(&context.place)
        .filter(|(_, acting)| asks(acting))
        .map(|(rule, acting)| (rule.to_owned(), Arc::clone(acting)))
        .collect();
    drop(leaves);
    for (rule, acting) in matching {
        acting.call(state, context, &rule, What::Told(event));
    }
}

/// An event of a service of AWS, whole (docs/aws.md, Events).
pub(crate) fn event(context: &Context<'_>, seed: &str, told: Told<'_>) -> Value {
    let Told { source, detail_type, time, resources, detail } = told;
    let mut event = json!({
        "version": "0",
        "id": id_from(seed),
        "detail-type": detail_type,
        "source": source,
        "account": context.place.account,
        "time": to_the_second(time),
        "region": context.place.region,
    });
    if let Value::Object(members) = &mut event {
        // The macro would copy these.
        members.insert("resources".to_owned(), resources);
        members.insert("detail".to_owned(), detail);
    }
    event
}

/// What is told of by an event.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub source: &'a str,
    pub detail_type: &'a str,
    pub time: jiff::Timestamp,
    pub resources: Value,
    pub detail: Value,
}

/// PutEvents: each entry comes in or fails for itself (docs/aws.md, Events).
pub(super) fn put(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let entries = items(body, "Entries");
    if entries.iter().map(size).sum::<usize>() >= LARGEST {
        return Err(validation("Total size of the entries in the request is over the limit."));
    }
    let mut told = Vec::with_capacity(entries.len());
    let mut failed = 0;
    for entry in entries {
        match read(state, context, entry) {
            Ok(event) => {
                told.push(json!({"EventId": event.get("id")}));
                // A bus that is not there takes what it is given, and nothing comes of it.
                if text(entry, "EventBusName").is_none_or(|bus| is_default(&context.place, bus)) {
                    publish(state, context, &event);
                }
            }
            Err((code, message)) => {
                failed += 1;
                told.push(json!({"ErrorCode": code, "ErrorMessage": message}));
            }
        }
    }
    let mut answer = Map::new();
    answer.insert("FailedEntryCount".to_owned(), json!(failed));
    answer.insert("Entries".to_owned(), Value::Array(told));
    Ok(answer)
}

/// Whether a name or an ARN is that of the default bus.
pub(super) fn is_default(place: &Place, bus: &str) -> bool {
    bus == BUS || bus == place.arn("events", "event-bus/default")
}

/// How much an entry counts (docs/aws.md, Events).
fn size(entry: &Value) -> usize {
    let texts = ["Source", "DetailType", "Detail"].iter().filter_map(|member| text(entry, member));
    let resources = items(entry, "Resources").iter().filter_map(Value::as_str);
    let time = if entry.get("Time").is_some() { 14 } else { 0 };
    texts.chain(resources).map(str::len).sum::<usize>() + time
}

/// The event of an entry, or the code and the words with which it fails (docs/aws.md, Events).
fn read(state: &mut State, context: &Context<'_>, entry: &Value) -> Result<Value, (&'static str, String)> {
    let required = |member: &str| {
        text(entry, member).filter(|value| !value.is_empty()).ok_or_else(|| {
            ("InvalidArgument", format!("Parameter {member} is not valid. Reason: {member} is a required argument."))
        })
    };
    let (source, detail_type, detail) = (required("Source")?, required("DetailType")?, required("Detail")?);
    let detail: Option<Value> = serde_json::from_str(detail).ok().filter(Value::is_object);
    let detail = detail.ok_or(("MalformedDetail", "Detail is malformed.".to_owned()))?;
    if source.starts_with("aws.") {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".to_owned()));
    }
    let given = entry.get("Time").and_then(Value::as_f64).map(|seconds| (seconds * 1000.0) as i64);
    let time = given.and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok());
    let Place { account, region } = &context.place;
    let seed = format!("put/{account}/{region}/{}/{}", context.now, state.count_event());
    let resources = entry.get("Resources").cloned().unwrap_or_else(|| json!([]));
    let time = time.unwrap_or(context.now);
    Ok(event(context, &seed, Told { source, detail_type, time, resources, detail }))
}
