//! The life of a revision after it was registered (docs/aws.md, Revision lifecycle).
//!
//! ACTIVE, then INACTIVE, then DELETE_IN_PROGRESS, then gone; there is no way back, and no number is given twice.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{bad_token, client, invalid, items, max_results, tasks, text};
use crate::context::{Context, epoch_seconds};
use crate::page::{self, Ask};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::settings::Settings;
use crate::state::{Due, Revision, State, Status};
use crate::tagging;

/// The words for a task definition that is not there; clients match on them (docs/aws.md, Revision lifecycle).
pub(super) const NOT_THERE: &str = "Unable to describe task definition.";

/// How many revisions one DeleteTaskDefinitions takes.
const DELETE_AT_ONCE: usize = 10;

/// A task definition as callers name it: `family`, `family:revision`, or the ARN of either.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub family: &'a str,
    pub revision: Option<u32>,
}

/// Reads a task definition's name; `None` when it is none, or the ARN of something elsewhere.
pub(super) fn parse<'a>(place: &Place, name: &'a str) -> Option<Name<'a>> {
    let short = match name.strip_prefix("arn:") {
        None => name,
        Some(_) => name.strip_prefix(&place.arn("ecs", "task-definition/"))?,
    };
    let (family, revision) = match short.split_once(':') {
        None => (short, None),
        Some((family, revision)) => (family, Some(revision.parse().ok().filter(|number| *number > 0)?)),
    };
    let named = !family.is_empty() && family.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    named.then_some(Name { family, revision })
}

/// The ARN of a revision.
pub(super) fn arn(place: &Place, family: &str, revision: u32) -> String {
    place.arn("ecs", format_args!("task-definition/{family}:{revision}"))
}

/// A revision as Describe, Register and Deregister give it back.
pub(super) fn shown(revision: &Revision) -> Value {
    let mut shown = revision.definition.clone();
    shown.insert("status".to_owned(), json!(revision.status.as_str()));
    if let Some(at) = revision.deregistered_at {
        shown.insert("deregisteredAt".to_owned(), epoch_seconds(at));
    }
    if let Some(at) = revision.delete_requested_at {
        shown.insert("deleteRequestedAt".to_owned(), epoch_seconds(at));
    }
    Value::Object(shown)
}

/// DescribeTaskDefinition: of a family the latest ACTIVE revision, of a revision whatever its status.
/// The rule is in docs/aws.md, Revision lifecycle.
pub(super) fn describe(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let place = &context.place;
    let given = text(body, "taskDefinition").unwrap_or_default();
    if given.is_empty() {
        return Err(client("Task Definition can not be blank."));
    }
    let name = parse(place, given).ok_or_else(|| client(NOT_THERE))?;
    let found = match name.revision {
        None => state.latest_active(place, name.family).map(|(_, revision)| revision),
        Some(number) => state.revisions.get(&(place.clone(), name.family.to_owned(), number)),
    };
    let revision = found.ok_or_else(|| client(NOT_THERE))?;
    let mut answer = Map::new();
    answer.insert("taskDefinition".to_owned(), shown(revision));
    if items(body, "include").iter().any(|field| field == "TAGS") {
        answer.insert("tags".to_owned(), super::tags::shown(&revision.tags));
    }
    Ok(answer)
}

/// ListTaskDefinitions: `familyPrefix` is a whole family name here, and only ACTIVE ones are listed unless asked.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let place = &context.place;
    let status = text(body, "status").unwrap_or("ACTIVE");
    let descending = text(body, "sort") == Some("DESC");
    let family = text(body, "familyPrefix").filter(|family| !family.is_empty());
    let listed: Box<dyn DoubleEndedIterator<Item = _>> = match family {
        Some(family) => Box::new(state.revisions_of(place, family).map(move |(number, it)| (family, number, it))),
        None => Box::new(state.revisions_at(place)),
    };
    let listed = listed.map(|item @ (name, number, _)| ((name, number), item));
    let listed: Box<dyn Iterator<Item = _>> = if descending { Box::new(listed.rev()) } else { Box::new(listed) };
    let listing = format!("task-definitions/{status}/{descending}/{}", family.unwrap_or_default());
    let ask = Ask { listing: &listing, token: text(body, "nextToken"), limit: max_results(body)?, descending };
    let wanted = |(_, _, revision): &(&str, u32, &Revision)| revision.status.as_str() == status;
    let page = page::cut(listed, ask, wanted).map_err(bad_token)?;
    let arns: Vec<_> = page.items.iter().map(|(family, number, _)| arn(place, family, *number)).collect();
    Ok(page::members(("taskDefinitionArns", json!(arns)), ("nextToken", page.next)))
}

/// ListTaskDefinitionFamilies: `familyPrefix` is a true prefix here; a family is ACTIVE with its first ACTIVE revision.
pub(super) fn list_families(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let place = &context.place;
    let status = text(body, "status").unwrap_or("ALL");
    let prefix = text(body, "familyPrefix").unwrap_or_default();
    let families = crate::state::starting_with(&state.families, place, prefix).map(|(name, _)| ((name, 0), name));
    let listing = format!("families/{status}/{prefix}");
    let ask = Ask { listing: &listing, token: text(body, "nextToken"), limit: max_results(body)?, descending: false };
    let wanted = |family: &&str| match status {
        "ACTIVE" => state.latest_active(place, family).is_some(),
        "INACTIVE" => state.latest_active(place, family).is_none(),
        _ => true,
    };
    let page = page::cut(families, ask, wanted).map_err(bad_token)?;
    Ok(page::members(("families", json!(page.items)), ("nextToken", page.next)))
}

/// DeregisterTaskDefinition: once, and only of an ACTIVE revision (docs/aws.md, Revision lifecycle).
pub(super) fn deregister(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let place = &context.place;
    let given = text(body, "taskDefinition").unwrap_or_default();
    let name = parse(place, given).ok_or_else(|| match given.rsplit_once(':') {
        Some((_, number)) => invalid(format!("Invalid revision number. Number: {number}")),
        None => client("Invalid task definition identifier."),
    })?;
    let number = name.revision.ok_or_else(|| client("Revision is missing."))?;
    let key = (place.clone(), name.family.to_owned(), number);
    match state.revisions.get(&key).map(|revision| revision.status) {
        None => return Err(client(NOT_THERE)),
        Some(Status::Inactive) => {
            return Err(invalid(
                "The specified task definition is inactive. You must specify an active task definition and try again.",
            ));
        }
        Some(Status::DeleteInProgress) => {
            return Err(invalid(
                "The specified task definition is in the process of being deleted. You must specify an active task definition and try again.",
            ));
        }
        Some(Status::Active) => {}
    }
    let shown = state.revisions.update(&key, |revision| {
        revision.status = Status::Inactive;
        revision.deregistered_at = Some(context.now);
        shown(revision)
    });
    let mut answer = Map::new();
    answer.insert("taskDefinition".to_owned(), shown.unwrap_or_default());
    Ok(answer)
}

/// DeleteTaskDefinitions: each revision on its own, those that cannot go in `failures` of a 200.
/// The rule is in docs/aws.md, Revision lifecycle.
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let asked = items(body, "taskDefinitions");
    if asked.is_empty() {
        return Err(client("Task definitions can not be empty."));
    }
    if asked.len() > DELETE_AT_ONCE {
        return Err(invalid("The number of task definitions can not be more than 10."));
    }
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for given in asked.iter().filter_map(Value::as_str) {
        match delete_one(state, context, given) {
            Ok(shown) => deleted.push(shown),
            Err(refusal) => failures.push(json!({"arn": given, "reason": refusal.message})),
        }
    }
    let mut answer = Map::new();
    answer.insert("taskDefinitions".to_owned(), Value::Array(deleted));
    answer.insert("failures".to_owned(), Value::Array(failures));
    Ok(answer)
}

/// Follows docs/aws.md, Revision lifecycle.
fn delete_one(state: &mut State, context: &Context<'_>, given: &str) -> Result<Value, Refusal> {
    let place = &context.place;
    let Some(Name { family, revision: Some(number) }) = parse(place, given) else {
        return Err(client(
            "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.",
        ));
    };
    let key = (place.clone(), family.to_owned(), number);
    match state.revisions.get(&key).map(|revision| revision.status) {
        None => {
            return Err(client(
                "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
            ));
        }
        Some(Status::Active) => {
            return Err(client(
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            ));
        }
        Some(Status::Inactive | Status::DeleteInProgress) => {}
    }
    let settings = context.settings;
    let changed = state.revisions.update(&key, |revision| {
        revision.status = Status::DeleteInProgress;
        revision.delete_requested_at.get_or_insert(context.now);
        (shown(revision), gone_at(revision, settings))
    });
    let (shown, gone_at) = changed.unwrap_or_default();
    state.remind(gone_at, Due::Revision(key));
    Ok(shown)
}

/// A revision whose deletion has had its time at `when` is gone, unless a task still runs from it: then with the last one.
pub(super) fn expire(state: &mut State, settings: &Settings, key: &(Place, String, u32), when: Timestamp) {
    if state.revisions.get(key).and_then(|revision| gone_at(revision, settings)).is_none_or(|due| due > when) {
        return;
    }
    if let Some(end) = tasks::last_end(state, settings, key, when) {
        return state.remind(Some(end), Due::Revision(key.clone()));
    }
    state.revisions.expire(key);
    tagging::expire(state, settings, when, &key.0, &arn(&key.0, &key.1, key.2));
}

/// When a revision whose deletion was asked for is gone, if nothing uses it.
pub(super) fn gone_at(revision: &Revision, settings: &Settings) -> Option<Timestamp> {
    revision.delete_requested_at.and_then(|at| at.checked_add(settings.deletion_takes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_definition_is_named_by_family_revision_or_arn() {
        let place = Place { account: "123456789012".to_owned(), region: "eu-west-1".to_owned() };
        let check = |name: &str, expected: Option<(&str, Option<u32>)>| {
            let expected = expected.map(|(family, revision)| Name { family, revision });
            assert_eq!(parse(&place, name), expected, "{name}");
        };
        check("etl-a", Some(("etl-a", None)));
        check("etl-a:3", Some(("etl-a", Some(3))));
        check("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:3", Some(("etl-a", Some(3))));
        check("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a", Some(("etl-a", None)));
        check("arn:aws:ecs:us-east-1:123456789012:task-definition/etl-a:3", None);
        check("etl-a:0", None);
        check("etl-a:x", None);
        check("etl-a:3:4", None);
        check("etl a", None);
        check("", None);
    }
}
