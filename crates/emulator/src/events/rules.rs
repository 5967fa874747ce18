//! Rules: put, described, listed, enabled, disabled, deleted (docs/aws.md, Rules and targets).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::pattern::Pattern;
use super::{
    BUS, cut, is_role, items, limit_exceeded, not_an_arn, refuse_managed, rule_arn, rule_not_found, schedule, tags,
    text, ticks, validation,
};
use crate::context::Context;
use crate::page;
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::state::{Acts, Rule, State};
use crate::tagging;

/// Rules per bus before the quota is raised, which is less in two Regions (docs/aws.md, Throttles and quotas).
fn most_rules(context: &Context<'_>) -> usize {
    let usual = if matches!(context.place.region.as_str(), "af-south-1" | "eu-south-1") { 100 } else { 300 };
    context.settings.rules_per_bus.unwrap_or(usual)
}

/// The longest event pattern before a quota is raised (docs/aws.md, Throttles and quotas).
const LONGEST_PATTERN: usize = 2048;

/// The members of PutRule that make up a rule; those that a PutRule leaves out are gone.
const MEMBERS: [&str; 4] = ["ScheduleExpression", "EventPattern", "Description", "RoleArn"];

/// PutRule: replaces all of a rule but its targets and its tags (docs/aws.md, Rules and targets).
///
/// A State left out is ENABLED, also for a rule that was disabled. Tags count for a new rule only.
pub(super) fn put(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    let key = (context.place.clone(), name.to_owned());
    check(body)?;
    let mut members = Map::new();
    for member in MEMBERS {
        if let Some(value) = text(body, member).filter(|value| !value.is_empty()) {
            members.insert(member.to_owned(), json!(value));
        }
    }
    members.insert("State".to_owned(), json!(text(body, "State").unwrap_or("ENABLED")));
    if let Some(service) = &context.acts_as {
        members.insert("ManagedBy".to_owned(), json!(service));
    }
    let given_tags = tags::read(items(body, "Tags"))?;

    let arn = rule_arn(&context.place, name);
    if let Some(rule) = state.rules.get(&key) {
        refuse_managed(context, name, rule, false)?;
        // Putting what is there already is no change worth remembering, and restarts no rate (assumed).
        if rule.members != members {
            let was = Acts::of(rule);
            state.rules.update(&key, |rule| {
                if rule.members.get("ScheduleExpression") != members.get("ScheduleExpression") {
                    rule.rescheduled_at = Some(context.now);
                }
                rule.members = members;
            });
            ticks::changed(state, context, &key, was);
        }
    } else {
        if state.rules_with_prefix(&context.place, "").count() >= most_rules(context) {
            return Err(limit_exceeded());
        }
        tagging::note(state, context, &arn, &given_tags);
        let rule = Rule {
            members,
            tags: given_tags,
            created_at: context.now,
            rescheduled_at: None,
            targets: BTreeMap::new(),
            targets_removed_at: None,
        };
        state.rules.insert(key, rule);
    }
    let mut answer = Map::new();
    answer.insert("RuleArn".to_owned(), json!(arn));
    Ok(answer)
}

/// Follows docs/aws.md, Rules and targets.
fn check(body: &Value) -> Result<(), Refusal> {
    let given = |member: &str| text(body, member).filter(|value| !value.is_empty());
    // A pattern without any field counts as none.
    let pattern = given("EventPattern").filter(|pattern| pattern.trim() != "{}");
    let expression = given("ScheduleExpression");
    if expression.is_none() && pattern.is_none() {
        return Err(validation("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    if expression.is_some_and(|expression| schedule::Schedule::parse(expression).is_none()) {
        return Err(validation("Parameter ScheduleExpression is not valid."));
    }
    if let Some(pattern) = pattern {
        check_pattern(text(body, "Name").unwrap_or_default(), pattern)?;
    }
    match given("RoleArn") {
        Some(role) if !is_role(role) => Err(not_an_arn(role)),
        Some(_) | None => Ok(()),
    }
}

/// A pattern that is short enough and asks for something that can be (docs/aws.md, Rules and targets).
fn check_pattern(rule: &str, pattern: &str) -> Result<(), Refusal> {
    if pattern.chars().count() > LONGEST_PATTERN {
        return Err(validation(format!("Parameter EventPattern for rule {rule} exceeds limit of {LONGEST_PATTERN}.")));
    }
    Pattern::read(pattern).map(drop)
}

/// DeleteRule: a rule that is not there is deleted already; one with targets is not deleted.
/// The rule is in docs/aws.md, Rules and targets.
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    let key = (context.place.clone(), name.to_owned());
    let Some(rule) = state.rules.get(&key) else { return Ok(Map::new()) };
    refuse_managed(context, name, rule, body.get("Force") == Some(&Value::Bool(true)))?;
    let linger = context.settings.removed_targets_linger;
    let still_seen =
        rule.targets_removed_at.and_then(|at| at.checked_add(linger).ok()).is_some_and(|at| at > context.now);
    if !rule.targets.is_empty() || still_seen {
        return Err(validation("Rule can't be deleted since it has targets."));
    }
    let was = Acts::of(rule);
    state.rules.remove(&key);
    ticks::changed(state, context, &key, was);
    tagging::forget(state, context, &rule_arn(&context.place, name));
    Ok(Map::new())
}

/// DescribeRule.
pub(super) fn describe(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    let rule = state.rules.get(&(context.place.clone(), name.to_owned())).ok_or_else(|| rule_not_found(name))?;
    let mut answer = shown(&context.place, name, rule);
    answer.insert("CreatedBy".to_owned(), json!(context.place.account));
    Ok(answer)
}

/// EnableRule and DisableRule: the state alone, everything else stays.
pub(super) fn set_state(state: &mut State, context: &Context<'_>, body: &Value, to: &str) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    let key = (context.place.clone(), name.to_owned());
    let rule = state.rules.get(&key).ok_or_else(|| rule_not_found(name))?;
    refuse_managed(context, name, rule, false)?;
    if rule.members.get("State") != Some(&json!(to)) {
        let was = Acts::of(rule);
        state.rules.update(&key, |rule| rule.members.insert("State".to_owned(), json!(to)));
        ticks::changed(state, context, &key, was);
    }
    Ok(Map::new())
}

/// ListRules: by true prefix, in the order of names, without tags and targets.
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let prefix = text(body, "NamePrefix").unwrap_or_default();
    let rules = state.rules_with_prefix(&context.place, prefix);
    let page = cut(rules.map(|(name, rule)| ((name, 0), (name, rule))), &format!("rules/{prefix}"), body)?;
    let shown: Vec<_> = page.items.iter().map(|(name, rule)| shown(&context.place, name, rule)).collect();
    Ok(page::members(("Rules", json!(shown)), ("NextToken", page.next)))
}

/// ListRuleNamesByTarget.
pub(super) fn names_by_target(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let wanted = text(body, "TargetArn").unwrap_or_default();
    let names = state
        .rules_with_prefix(&context.place, "")
        .filter(|(_, rule)| rule.targets.values().any(|target| text(target, "Arn") == Some(wanted)))
        .map(|(name, _)| ((name, 0), name));
    let page = cut(names, &format!("rules-of/{wanted}"), body)?;
    Ok(page::members(("RuleNames", json!(page.items)), ("NextToken", page.next)))
}

fn shown(place: &Place, name: &str, rule: &Rule) -> Map<String, Value> {
    let mut shown = rule.members.clone();
    shown.insert("Name".to_owned(), json!(name));
    shown.insert("Arn".to_owned(), json!(rule_arn(place, name)));
    shown.insert("EventBusName".to_owned(), json!(BUS));
    shown
}
