//! Targets of rules: put and removed by Id, each Id for itself (docs/aws.md, Rules and targets).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{cut, items, limit_exceeded, refuse_managed, rule_not_found, target, text, ticks, validation};
use crate::context::Context;
use crate::page;
use crate::reply::Answer;
use crate::state::{Acts, State};

/// Targets per rule, which no quota raises (docs/aws.md, Throttles and quotas).
const MOST_TARGETS: usize = 5;

/// PutTargets: replaces the targets of these Ids whole, and leaves those of other Ids alone.
/// The rule is in docs/aws.md, Rules and targets.
pub(super) fn put(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Rule").unwrap_or_default();
    let mut put = BTreeMap::new();
    for given in items(body, "Targets") {
        target::check(&context.place, given)?;
        let id = text(given, "Id").unwrap_or_default();
        if put.insert(id.to_owned(), given.clone()).is_some() {
            return Err(validation(format!(
                "Parameter targets is not valid. Reason: More than one target with Id '{id}' is provided."
            )));
        }
    }
    let key = (context.place.clone(), name.to_owned());
    let rule = state.rules.get(&key).ok_or_else(|| rule_not_found(name))?;
    refuse_managed(context, name, rule, false)?;
    let mut targets = rule.targets.clone();
    targets.extend(put);
    if targets.len() > MOST_TARGETS {
        return Err(limit_exceeded());
    }
    if targets != rule.targets {
        let was = Acts::of(rule);
        state.rules.update(&key, |rule| rule.targets = targets);
        ticks::changed(state, context, &key, was);
    }
    Ok(no_failures())
}

/// RemoveTargets: Ids that are not there are removed already.
pub(super) fn remove(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Rule").unwrap_or_default();
    let key = (context.place.clone(), name.to_owned());
    let rule = state.rules.get(&key).ok_or_else(|| rule_not_found(name))?;
    refuse_managed(context, name, rule, body.get("Force") == Some(&Value::Bool(true)))?;
    let ids: Vec<&str> = items(body, "Ids").iter().filter_map(Value::as_str).collect();
    if ids.iter().any(|id| rule.targets.contains_key(*id)) {
        let was = Acts::of(rule);
        state.rules.update(&key, |rule| {
            rule.targets.retain(|id, _| !ids.contains(&id.as_str()));
            rule.targets_removed_at = Some(context.now);
        });
        ticks::changed(state, context, &key, was);
    }
    Ok(no_failures())
}

/// ListTargetsByRule: in the order of Ids, each as it was put; no default is filled in.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Rule").unwrap_or_default();
    let rule = state.rules.get(&(context.place.clone(), name.to_owned())).ok_or_else(|| rule_not_found(name))?;
    let targets = rule.targets.iter().map(|(id, target)| ((id.as_str(), 0), target));
    let page = cut(targets, &format!("targets/{name}"), body)?;
    Ok(page::members(("Targets", json!(page.items)), ("NextToken", page.next)))
}

/// Nothing fails halfway here; a door's hook can make it.
fn no_failures() -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("FailedEntryCount".to_owned(), json!(0));
    answer.insert("FailedEntries".to_owned(), json!([]));
    answer
}
