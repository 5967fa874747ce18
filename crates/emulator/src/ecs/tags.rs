//! Tags of task definitions, clusters and tasks (docs/aws.md, Names).

use serde_json::{Map, Value, json};

use super::{client, invalid, items, revisions, text};
use crate::context::Context;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::state::{State, Tags};
use crate::tagging;

/// How many tags a resource may have.
const MOST: usize = 50;

/// Reads a list of `{key, value}`; later ones win, a missing value is empty (docs/aws.md, Names).
///
/// # Errors
///
/// Keys under `aws:`, and more tags than a resource may have.
pub(super) fn read(given: &[Value]) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for tag in given {
        let key = text(tag, "key").ok_or_else(|| invalid("Tag key can not be null or empty."))?;
        let value = text(tag, "value").unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys and values can not start with 'aws:'."));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
    }
    within_limit(&tags)?;
    Ok(tags)
}

/// Tags as ECS lists them.
pub(super) fn shown(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// TagResource: adds and overwrites, never takes away.
pub(super) fn tag(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let added = read(items(body, "tags"))?;
    change(state, context, body, |tags| {
        tags.extend(added);
        within_limit(tags)
    })
}

/// UntagResource: keys that are not there are no error.
pub(super) fn untag(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let keys: Vec<&str> = items(body, "tagKeys").iter().filter_map(Value::as_str).collect();
    change(state, context, body, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })
}

/// ListTagsForResource.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let arn = text(body, "resourceArn").unwrap_or_default();
    let tags = match Resource::parse(&context.place, arn)? {
        Resource::Revision(key) => state.revisions.get(&key).map(|revision| &revision.tags),
        Resource::Cluster(key) => {
            state.clusters.get(&key).filter(|cluster| cluster.deleted_at.is_none()).map(|cluster| &cluster.tags)
        }
        Resource::Task(key) => state.tasks.get(&key).map(|task| &task.tags),
    };
    let tags = tags.ok_or_else(|| not_found(arn))?;
    let mut answer = Map::new();
    answer.insert("tags".to_owned(), shown(tags));
    Ok(answer)
}

/// What an ARN names.
enum Resource {
    Revision((Place, String, u32)),
    Cluster((Place, String)),
    Task((Place, String)),
}

impl Resource {
    /// Follows docs/aws.md, Names.
    fn parse(place: &Place, arn: &str) -> Result<Self, Refusal> {
        if !arn.starts_with("arn:") {
            return Err(invalid(format!(
                "Invalid identifier: Identifier is for {arn}. Your accountId is {}",
                place.account
            )));
        }
        if let Some(name) = arn.strip_prefix(&place.arn("ecs", "cluster/")) {
            return Ok(Self::Cluster((place.clone(), name.to_owned())));
        }
        if let Some((_, id)) = arn.strip_prefix(&place.arn("ecs", "task/")).and_then(|name| name.rsplit_once('/')) {
            return Ok(Self::Task((place.clone(), id.to_owned())));
        }
        match revisions::parse(place, arn) {
            Some(revisions::Name { family, revision: Some(number) }) => {
                Ok(Self::Revision((place.clone(), family.to_owned(), number)))
            }
            // Tags belong to revisions; a family has none.
            Some(revisions::Name { revision: None, .. }) | None => {
                Err(invalid("The specified ARN is invalid. Specify a valid ARN and try again."))
            }
        }
    }
}

/// Changes the tags of the resource named, and lets the tagging index know.
fn change(
    state: &mut State,
    context: &Context<'_>,
    body: &Value,
    change: impl FnOnce(&mut Tags) -> Result<(), Refusal>,
) -> Answer {
    let arn = text(body, "resourceArn").unwrap_or_default();
    let resource = Resource::parse(&context.place, arn)?;
    let mut tags = match &resource {
        Resource::Revision(key) => state.revisions.get(key).map(|revision| revision.tags.clone()),
        Resource::Cluster(key) => {
            state.clusters.get(key).filter(|cluster| cluster.deleted_at.is_none()).map(|cluster| cluster.tags.clone())
        }
        Resource::Task(key) => state.tasks.get(key).map(|task| task.tags.clone()),
    }
    .ok_or_else(|| not_found(arn))?;
    change(&mut tags)?;
    match resource {
        Resource::Revision(key) => state.revisions.update(&key, |revision| revision.tags.clone_from(&tags)),
        Resource::Cluster(key) => state.clusters.update(&key, |cluster| cluster.tags.clone_from(&tags)),
        // The index knows no tasks.
        Resource::Task(key) => {
            state.tasks.update(&key, |task| task.tags = tags);
            return Ok(Map::new());
        }
    };
    tagging::note(state, context, arn, &tags);
    Ok(Map::new())
}

/// Follows docs/aws.md, Names.
fn within_limit(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > MOST {
        return Err(invalid("Too many tags: a resource can have a maximum of 50 tags."));
    }
    Ok(())
}

/// Follows docs/aws.md, On the wire.
fn not_found(arn: &str) -> Refusal {
    if arn.contains(":cluster/") {
        return Refusal::new("ClusterNotFoundException", "Cluster not found.");
    }
    if arn.contains(":task/") {
        return invalid("The specified task is not found. Specify a valid task and try again.");
    }
    client(revisions::NOT_THERE)
}
