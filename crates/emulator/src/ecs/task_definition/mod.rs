//! RegisterTaskDefinition: check, fill in, number, remember.

mod attributes;
mod container;
mod fargate;
mod normalise;
mod size;
mod validate;

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::{revisions, tags, text};
use crate::context::{Context, epoch_seconds};
use crate::reply::{Answer, Refusal};
use crate::state::{Family, Revision, State, Status};
use crate::tagging;

use super::client;

/// Revisions of a family, deregistered and deleted ones counted (docs/aws.md, Throttles and quotas).
const MOST_REVISIONS: u32 = 1_000_000;

/// Registers the next revision of a family; equal content makes a new revision all the same.
/// The rule is in docs/aws.md, Revision lifecycle.
pub(super) fn register(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let tags = match body.get("tags").and_then(Value::as_array) {
        None => tags::read(&[])?,
        Some(given) if given.is_empty() => return Err(client("Tags can not be empty.")),
        Some(given) => tags::read(given)?,
    };
    validate::check(body)?;
    let mut definition = normalise::filled_in(body)?;
    let family = text(body, "family").unwrap_or_default().to_owned();

    let key = (context.place.clone(), family.clone());
    let occupied_until = state
        .families
        .get(&key)
        .and_then(|family| family.registered_at?.checked_add(context.settings.registration_takes).ok());
    if occupied_until.is_some_and(|until| until > context.now) {
        return Err(client("Too many concurrent attempts to create a new revision of the specified family."));
    }
    let number = state.families.get(&key).map_or(0, |family| family.last_revision) + 1;
    if number > MOST_REVISIONS {
        return Err(Refusal::new(
            "LimitExceededException",
            "The maximum number of revisions for the task definition family has been reached.",
        ));
    }
    let arn = revisions::arn(&context.place, &family, number);
    normalise::reorder(&mut definition, context.settings);
    definition.insert("compatibilities".to_owned(), json!(fargate::compatibilities(&definition)));
    definition.insert("requiresAttributes".to_owned(), attributes::required(&definition));
    definition.insert("revision".to_owned(), json!(number));
    definition.insert("registeredAt".to_owned(), epoch_seconds(context.now));
    definition.insert("registeredBy".to_owned(), json!(context.caller()));
    definition.insert("taskDefinitionArn".to_owned(), json!(arn));

    let revision = Revision {
        definition,
        tags,
        status: Status::Active,
        deregistered_at: None,
        delete_requested_at: None,
        blueprint: OnceLock::new(),
    };
    let mut answer = Map::new();
    answer.insert("taskDefinition".to_owned(), revisions::shown(&revision));
    if !revision.tags.is_empty() {
        answer.insert("tags".to_owned(), tags::shown(&revision.tags));
    }
    tagging::note(state, context, &arn, &revision.tags);
    state.families.insert(key, Family { last_revision: number, registered_at: Some(context.now) });
    state.revisions.insert((context.place.clone(), family, number), revision);
    Ok(answer)
}

/// A number member, if it was given.
fn number(body: &Value, member: &str) -> Option<i64> {
    body.get(member).and_then(Value::as_i64)
}

/// Whether a boolean member was given as true.
fn is_true(body: &Value, member: &str) -> bool {
    body.get(member).and_then(Value::as_bool) == Some(true)
}
