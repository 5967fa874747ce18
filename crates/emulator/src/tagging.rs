//! The Resource Groups Tagging API: an index over everybody's tags that runs behind (docs/aws.md, Consistency).
//!
//! It shows what was tagged at some time, also resources that are gone, and does not show at once what is new. So it is
//! a hint of what may exist, never a proof.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::context::Context;
use crate::emulator::Input;
use crate::model;
use crate::page;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::settings::Settings;
use crate::state::{Indexed, State, Tags};

/// Tells the index of a resource's tags, which it will show after its lag.
pub(crate) fn note(state: &mut State, context: &Context<'_>, arn: &str, tags: &Tags) {
    // A resource enters the index with its first tag, and stays in it without any.
    let key = (context.place.clone(), arn.to_owned());
    if tags.is_empty() && state.index.get(&key).is_none() {
        return;
    }
    let due = context.now.checked_add(context.settings.tagging_lag).unwrap_or(Timestamp::MAX);
    schedule(state, key, due, context.now, Some(tags.clone()));
}

/// Tells the index that a resource is gone, which it will notice after its lag and more.
pub(crate) fn forget(state: &mut State, settings: &Settings, now: Timestamp, place: &Place, arn: &str) {
    let key = (place.clone(), arn.to_owned());
    if state.index.get(&key).is_none() {
        return;
    }
    let behind = settings.tagging_lag.saturating_add(settings.tagging_ghosts);
    let due = now.checked_add(behind).unwrap_or(Timestamp::MAX);
    schedule(state, key, due, now, None);
}

fn schedule(state: &mut State, key: (Place, String), due: Timestamp, now: Timestamp, tags: Option<Tags>) {
    let mut entry = state.index.get(&key).cloned().unwrap_or(Indexed { seen: None, pending: Vec::new() });
    entry.pending.push((due, tags));
    settle(&mut entry, now);
    if is_nothing(&entry) {
        state.index.remove(&key);
    } else {
        state.index.insert(key, entry);
    }
}

/// Lets the index see what it is due to see by `now`.
pub(crate) fn advance(state: &mut State, now: Timestamp) {
    state.index.expire(|_, entry| {
        settle(entry, now);
        is_nothing(entry)
    });
}

/// When the index next changes by itself.
pub(crate) fn next_due(state: &State) -> Option<Timestamp> {
    state.index.iter().flat_map(|(_, entry)| entry.pending.iter().map(|(due, _)| *due)).min()
}

fn settle(entry: &mut Indexed, now: Timestamp) {
    while entry.pending.first().is_some_and(|(due, _)| *due <= now) {
        entry.seen = entry.pending.remove(0).1;
    }
}

fn is_nothing(entry: &Indexed) -> bool {
    entry.seen.is_none() && entry.pending.is_empty()
}

/// Answers one operation.
pub(crate) fn answer(state: &State, context: &Context<'_>, operation: &str, input: &Input<'_>) -> Answer {
    if !input.broken.is_empty() {
        return Err(invalid(model::message(&input.broken)));
    }
    match operation {
        "GetResources" => get_resources(state, context, input.body),
        "GetTagKeys" => Ok(get_tag_words(state, context, input.body, "TagKeys", |tags, words| {
            words.extend(tags.keys().cloned());
        })?),
        "GetTagValues" => {
            let key = input.body.get("Key").and_then(Value::as_str).unwrap_or_default();
            get_tag_words(state, context, input.body, "TagValues", |tags, words| words.extend(tags.get(key).cloned()))
        }
        _ => Err(Refusal::new("UnknownOperationException", "")),
    }
}

/// What the index shows of one place, by ARN.
fn shown<'a>(state: &'a State, context: &'a Context<'_>) -> impl Iterator<Item = (&'a str, &'a Tags)> {
    crate::state::starting_with(&state.index, &context.place, "")
        .filter_map(|(arn, entry)| entry.seen.as_ref().map(|tags| (arn, tags)))
}

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
    let found = shown(state, context).filter(|(arn, tags)| {
        (arns.is_empty() || arns.iter().any(|asked| asked == arn))
            && (types.is_empty() || types.iter().filter_map(Value::as_str).any(|wanted| is_of_type(arn, wanted)))
            && filters.iter().all(|filter| passes(tags, filter))
    });
    let items = found.map(|(arn, tags)| {
        let tags: Value = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        (arn.to_owned(), json!({"ResourceARN": arn, "Tags": tags}))
    });
    let page = page::cut(items, "resources", token, limit, false).map_err(|_| expired())?;
    // AWS ends a listing with an empty token rather than with none.
    let next = Some(page.next.unwrap_or_default());
    Ok(page::members(("ResourceTagMappingList", Value::Array(page.items)), ("PaginationToken", next)))
}

/// All tag keys, or all values of one, once each.
fn get_tag_words(
    state: &State,
    context: &Context<'_>,
    body: &Value,
    member: &str,
    collect: impl Fn(&Tags, &mut std::collections::BTreeSet<String>),
) -> Answer {
    let mut words = std::collections::BTreeSet::new();
    for (_, tags) in shown(state, context) {
        collect(tags, &mut words);
    }
    let token = body.get("PaginationToken").and_then(Value::as_str).filter(|token| !token.is_empty());
    let items = words.into_iter().map(|word| (word.clone(), word));
    let page = page::cut(items, member, token, 100, false).map_err(|_| expired())?;
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

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

fn expired() -> Refusal {
    Refusal::new("PaginationTokenExpiredException", "The pagination token has expired or is not valid.")
}
