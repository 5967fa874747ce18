//! Tags of rules (docs/aws.md, Rules and schedules).

use serde_json::{Map, Value, json};

use super::{items, not_found, refuse_managed, rule_not_found, text, validation};
use crate::context::Context;
use crate::reply::{Answer, Refusal};
use crate::state::{State, Tags};
use crate::tagging;

/// How many tags a rule may have.
const MOST: usize = 50;

/// Reads a list of `{Key, Value}` (docs/aws.md, Names).
pub(super) fn read(given: &[Value]) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for tag in given {
        let (key, value) = (text(tag, "Key").unwrap_or_default(), text(tag, "Value").unwrap_or_default());
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(validation("System tags cannot be added/updated by requester."));
        }
        if let Some(bad) = [key, value].into_iter().find(|text| !text.chars().all(crate::model::tag_character)) {
            return Err(validation(format!("Tag contains invalid characters: {bad}")));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(validation("Invalid parameter: Duplicated keys are not allowed."));
        }
    }
    within_limit(&tags)?;
    Ok(tags)
}

/// Follows docs/aws.md, Names.
fn within_limit(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > MOST {
        return Err(validation("The number of tags exceeds the maximum of 50."));
    }
    Ok(())
}

/// The rule that an ARN names.
fn rule_of<'a>(context: &Context<'_>, arn: &'a str) -> Result<&'a str, Refusal> {
    let prefix = context.place.arn("events", "rule/");
    match arn.strip_prefix(&prefix) {
        Some(name) => Ok(name.strip_prefix("default/").unwrap_or(name)),
        None if arn.starts_with("arn:") => Err(not_found(format!("Resource {arn} does not exist."))),
        None => Err(super::not_an_arn(arn)),
    }
}

/// TagResource: adds and overwrites, never takes away.
pub(super) fn tag(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let added = read(items(body, "Tags"))?;
    change(state, context, body, |tags| {
        tags.extend(added);
        within_limit(tags)
    })
}

/// UntagResource: keys that are not there are no error.
pub(super) fn untag(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let keys: Vec<&str> = items(body, "TagKeys").iter().filter_map(Value::as_str).collect();
    change(state, context, body, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })
}

/// ListTagsForResource.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let name = rule_of(context, text(body, "ResourceARN").unwrap_or_default())?;
    let rule = state.rules.get(&(context.place.clone(), name.to_owned())).ok_or_else(|| rule_not_found(name))?;
    let mut answer = Map::new();
    let tags = rule.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    answer.insert("Tags".to_owned(), tags.collect());
    Ok(answer)
}

fn change(
    state: &mut State,
    context: &Context<'_>,
    body: &Value,
    change: impl FnOnce(&mut Tags) -> Result<(), Refusal>,
) -> Answer {
    let arn = text(body, "ResourceARN").unwrap_or_default();
    let name = rule_of(context, arn)?;
    let key = (context.place.clone(), name.to_owned());
    let rule = state.rules.get(&key).ok_or_else(|| rule_not_found(name))?;
    refuse_managed(context, name, rule, false)?;
    let mut tags = rule.tags.clone();
    change(&mut tags)?;
    state.rules.update(&key, |rule| rule.tags.clone_from(&tags));
    tagging::note(state, context, &super::rule_arn(&context.place, name), &tags);
    Ok(Map::new())
}
