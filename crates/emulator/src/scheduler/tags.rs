//! Tags, which groups have and schedules have not (docs/aws.md, Scheduler).

use serde_json::{Map, Value, json};

use super::{group_arn, members, no_group, not_found, text, validation};
use crate::context::Context;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::state::{State, Tags};

/// Tags of one group.
const MOST_TAGS: usize = 50;

/// TagResource: adds tags and overwrites those of the same keys.
pub(super) fn tag(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (key, mut tags) = group(state, &context.place, body)?;
    tags.extend(read(body)?);
    within_limit(&tags)?;
    state.groups.update(&key, |group| group.tags = tags);
    Ok(Map::new())
}

/// UntagResource: keys that are not there are no error.
pub(super) fn untag(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (key, mut tags) = group(state, &context.place, body)?;
    let keys = body.get("TagKeys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    tags.retain(|key, _| !keys.iter().any(|gone| gone == key));
    state.groups.update(&key, |group| group.tags = tags);
    Ok(Map::new())
}

/// ListTagsForResource.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let (_, tags) = group(state, &context.place, body)?;
    let tags: Value = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(members([("Tags", tags)]))
}

/// The tags that a request gives (docs/aws.md, Names).
pub(super) fn read(body: &Value) -> Result<Tags, Refusal> {
    let given = body.get("Tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let pair = |tag: &Value| Some((text(tag, "Key")?.to_owned(), text(tag, "Value")?.to_owned()));
    let tags: Tags = given.iter().filter_map(pair).collect();
    if tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(validation("Tag keys cannot begin with aws:."));
    }
    within_limit(&tags)?;
    Ok(tags)
}

/// Follows docs/aws.md, Names.
fn within_limit(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > MOST_TAGS { Err(validation("A resource can have up to 50 tags.")) } else { Ok(()) }
}

/// The group whose ARN a request gives, with its tags. The default group has none, and takes none here.
fn group(state: &State, place: &Place, body: &Value) -> Result<((Place, String), Tags), Refusal> {
    let arn = text(body, "ResourceArn").unwrap_or_default();
    let elsewhere = || not_found(format!("Resource {arn} does not exist."));
    let name = arn.strip_prefix(&group_arn(place, "")).ok_or_else(elsewhere)?;
    let key = (place.clone(), name.to_owned());
    let tags = state.groups.get(&key).map(|group| group.tags.clone()).ok_or_else(|| no_group(name))?;
    Ok((key, tags))
}
