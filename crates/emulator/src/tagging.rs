//! The Resource Groups Tagging API: an index over everybody's tags that runs behind (docs/aws.md, The tagging API).
//!
//! It shows what was tagged at some time, also resources that are gone, and does not show at once what is new. So it is
//! a hint of what may exist, never a proof.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::context::Context;
use crate::emulator::Input;
use crate::model;
use crate::page::{self, Ask};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::request::Operation;
use crate::settings::Settings;
use crate::state::{Due, Indexed, State, Tags};

/// Tells the index of a resource's tags, which it will show after its lag.
pub(crate) fn note(state: &mut State, context: &Context<'_>, arn: &str, tags: &Tags) {
    // A resource enters the index with its first tag, and stays in it without any.
    let key = (context.place.clone(), arn.to_owned());
    if tags.is_empty() && state.index.get(&key).is_none() {
        return;
    }
    let due = later(context.now, context.settings.tagging_lag);
    let entry = schedule(state.index.get(&key), due, context.now, Some(tags.clone()));
    remind(state, &key, &entry);
    state.index.insert(key, entry);
}

/// Tells the index that a resource was deleted, which it will notice after its lag and more.
pub(crate) fn forget(state: &mut State, context: &Context<'_>, arn: &str) {
    let key = (context.place.clone(), arn.to_owned());
    let Some(entry) = state.index.get(&key) else { return };
    let entry = schedule(Some(entry), gone(context.settings, context.now), context.now, None);
    remind(state, &key, &entry);
    if is_nothing(&entry) {
        state.index.remove(&key);
    } else {
        state.index.insert(key, entry);
    }
}

/// The same for a resource that time took away at `now`: it leaves no trace of its own either.
pub(crate) fn expire(state: &mut State, settings: &Settings, now: Timestamp, place: &Place, arn: &str) {
    let key = (place.clone(), arn.to_owned());
    let Some(entry) = state.index.get(&key) else { return };
    let entry = schedule(Some(entry), gone(settings, now), now, None);
    amend(state, &key, entry);
}

/// Lets the index see what it is due to see of one resource by `now`.
pub(crate) fn settle_one(state: &mut State, key: &(Place, String), now: Timestamp) {
    let Some(mut entry) = state.index.get(key).cloned() else { return };
    settle(&mut entry, now);
    amend(state, key, entry);
}

fn amend(state: &mut State, key: &(Place, String), entry: Indexed) {
    remind(state, key, &entry);
    if is_nothing(&entry) {
        state.index.expire(key);
    } else {
        state.index.amend(key, |row| *row = entry);
    }
}

fn gone(settings: &Settings, now: Timestamp) -> Timestamp {
    later(now, settings.tagging_lag.saturating_add(settings.tagging_ghosts))
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The entry with one more change to come, and those that came already settled.
///
/// What was to come no earlier than this change is overtaken by it.
fn schedule(entry: Option<&Indexed>, due: Timestamp, now: Timestamp, tags: Option<Tags>) -> Indexed {
    let mut entry = entry.cloned().unwrap_or(Indexed { seen: None, pending: Vec::new() });
    entry.pending.retain(|(earlier, _)| *earlier < due);
    entry.pending.push((due, tags));
    settle(&mut entry, now);
    entry
}

/// Has the entry that is about to be written looked at when it is due, and not when the one before it was.
fn remind(state: &mut State, key: &(Place, String), entry: &Indexed) {
    let before = state.index.get(key).and_then(next);
    state.forget_reminder(before, Due::Index(key.clone()));
    state.remind(next(entry), Due::Index(key.clone()));
}

/// When the index next sees something of a resource; changes to come are in the order of their time.
fn next(entry: &Indexed) -> Option<Timestamp> {
    entry.pending.first().map(|(due, _)| *due)
}

/// What the index has still to see in a state that was just read.
pub(crate) fn agenda(state: &State) -> Vec<(Timestamp, Due)> {
    state.index.iter().filter_map(|(key, entry)| Some((next(entry)?, Due::Index(key.clone())))).collect()
}

fn settle(entry: &mut Indexed, now: Timestamp) {
    while next(entry).is_some_and(|due| due <= now) {
        entry.seen = entry.pending.remove(0).1;
    }
}

fn is_nothing(entry: &Indexed) -> bool {
    entry.seen.is_none() && entry.pending.is_empty()
}

/// Answers one operation (docs/aws.md, On the wire).
pub(crate) fn answer(state: &State, context: &Context<'_>, operation: &Operation, input: &Input<'_>) -> Answer {
    if !input.broken.is_empty() {
        return Err(invalid(model::message(&input.broken)));
    }
    match operation.name.as_str() {
        "GetResources" => get_resources(state, context, input.body),
        "GetTagKeys" => Ok(get_tag_words(state, context, input.body, "TagKeys", |tags, words| {
            words.extend(tags.keys().cloned());
        })?),
        "GetTagValues" => {
            let key = input.body.get("Key").and_then(Value::as_str).unwrap_or_default();
            get_tag_words(state, context, input.body, "TagValues", |tags, words| words.extend(tags.get(key).cloned()))
        }
        _ => Err(Refusal::unknown(operation)),
    }
}

/// What the index shows of one place, by ARN.
fn shown<'a>(state: &'a State, context: &'a Context<'_>) -> impl Iterator<Item = (&'a str, &'a Tags)> {
    crate::state::starting_with(&state.index, &context.place, "")
        .filter_map(|(arn, entry)| entry.seen.as_ref().map(|tags| (arn, tags)))
}

/// Follows docs/aws.md, The tagging API.
fn get_resources(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let list = |member: &str| body.get(member).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (arns, filters, types) = (list("ResourceARNList"), list("TagFilters"), list("ResourceTypeFilters"));
    let token = body.get("PaginationToken").and_then(Value::as_str).filter(|token| !token.is_empty());
    let per_page = body.get("ResourcesPerPage").and_then(Value::as_i64);
    if !arns.is_empty() && (!filters.is_empty() || !types.is_empty() || token.is_some() || per_page.is_some()) {
        return Err(invalid("ResourceARNList can't be used with other parameters"));
    }
    let limit = match per_page {
        None => 100,
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|asked| (1..=100).contains(asked))
            .ok_or_else(|| invalid("ResourcesPerPage must be between 1 and 100"))?,
    };
    let wanted = |(arn, tags): &(&str, &Tags)| {
        (arns.is_empty() || arns.iter().any(|asked| asked == *arn))
            && (types.is_empty() || types.iter().filter_map(Value::as_str).any(|wanted| is_of_type(arn, wanted)))
            && filters.iter().all(|filter| passes(tags, filter))
    };
    let ask = Ask { listing: "resources", token, limit, descending: false };
    let found = shown(state, context).map(|found| ((found.0, 0), found));
    let page = page::cut(found, ask, wanted).map_err(|_| expired())?;
    let mappings = page.items.into_iter().map(|(arn, tags)| {
        let tags: Value = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({"ResourceARN": arn, "Tags": tags})
    });
    let mappings = mappings.collect();
    // AWS ends a listing with an empty token rather than with none.
    let next = Some(page.next.unwrap_or_default());
    Ok(page::members(("ResourceTagMappingList", mappings), ("PaginationToken", next)))
}

/// All tag keys, or all values of one, once each.
fn get_tag_words(
    state: &State,
    context: &Context<'_>,
    body: &Value,
    member: &str,
    collect: impl Fn(&Tags, &mut BTreeSet<String>),
) -> Answer {
    let mut words = BTreeSet::new();
    for (_, tags) in shown(state, context) {
        collect(tags, &mut words);
    }
    let token = body.get("PaginationToken").and_then(Value::as_str).filter(|token| !token.is_empty());
    let ask = Ask { listing: member, token, limit: 100, descending: false };
    let page = page::cut(words.iter().map(|word| ((word.as_str(), 0), word)), ask, |_| true).map_err(|_| expired())?;
    Ok(page::members((member, json!(page.items)), ("PaginationToken", Some(page.next.unwrap_or_default()))))
}

/// Whether an ARN is of a type such as `ecs:task-definition`, or of a whole service such as `events`.
fn is_of_type(arn: &str, wanted: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2).unwrap_or_default();
    let kind = parts.nth(2).unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
    match wanted.split_once(':') {
        None => wanted == service,
        Some((of_service, of_kind)) => of_service == service && of_kind == kind,
    }
}

/// One filter: the key is there, and one of the values, if any are asked for.
fn passes(tags: &Tags, filter: &Value) -> bool {
    let Some(value) = filter.get("Key").and_then(Value::as_str).and_then(|key| tags.get(key)) else { return false };
    let values = filter.get("Values").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    values.is_empty() || values.iter().any(|wanted| wanted == value)
}

/// Follows docs/aws.md, The tagging API.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// Follows docs/aws.md, The tagging API.
fn expired() -> Refusal {
    Refusal::new("PaginationTokenExpiredException", "The pagination token has expired or is not valid.")
}
