//! Schedules: created, replaced, read, listed, deleted (docs/aws.md, Scheduler).

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    DEFAULT, alarms, check, conflict, has_group, key, members, no_group, not_found, page_size, schedule_arn, text,
    validation,
};
use crate::context::{Context, epoch_seconds};
use crate::page::{self, Ask};
use crate::reply::{Answer, Refusal};
use crate::state::{ScheduleRow, State, Token, starting_with};

/// Members that are no part of the schedule.
const REQUEST_ONLY: [&str; 2] = ["Name", "ClientToken"];

/// Schedules of an account in one Region before a quota is raised.
const MOST_SCHEDULES: usize = 10_000_000;

/// CreateSchedule: the same token with the same request creates nothing anew (docs/aws.md, Scheduler).
pub(super) fn create(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (group, name) = named(body);
    let token = token(body);
    let key = key(&context.place, group, name);
    if !has_group(state, &context.place, group) {
        return Err(no_group(group));
    }
    if let Some(there) = state.schedules.get(&key) {
        if token.is_some() && there.token == token {
            return Ok(arn(context, group, name));
        }
        return Err(conflict(format!("Schedule {name} already exists.")));
    }
    let members = filled_in(body);
    check::check(context, &members)?;
    if state.schedules.len() >= MOST_SCHEDULES {
        return Err(Refusal {
            status: 402,
            ..Refusal::new("ServiceQuotaExceededException", "The number of schedules exceeds the quota.")
        });
    }
    let now = context.now;
    let row = ScheduleRow { members, created_at: now, modified_at: now, anchored_at: now, token };
    state.schedules.insert(key.clone(), row);
    alarms::turn(state, context.settings, &key, now);
    Ok(arn(context, group, name))
}

/// UpdateSchedule: replaces the whole schedule; what is left out has its default again (docs/aws.md, Scheduler).
pub(super) fn update(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (group, name) = named(body);
    let key = key(&context.place, group, name);
    if state.schedules.get(&key).is_none() {
        return Err(no_schedule(name));
    }
    let members = filled_in(body);
    check::check(context, &members)?;
    state.schedules.update(&key, |row| {
        let changes = |member: &str| row.members.get(member) != members.get(member);
        // Only what is counted from its beginning moves with it.
        let counts = text(body, "ScheduleExpression").is_some_and(|expression| expression.starts_with("rate("));
        let moves = changes("ScheduleExpression") || changes("ScheduleExpressionTimezone");
        if moves || (counts && changes("StartDate")) {
            row.anchored_at = context.now;
        }
        row.members = members;
        row.modified_at = context.now;
    });
    alarms::turn(state, context.settings, &key, context.now);
    Ok(arn(context, group, name))
}

/// GetSchedule.
pub(super) fn get(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let (group, name) = named(body);
    let row = state.schedules.get(&key(&context.place, group, name)).ok_or_else(|| no_schedule(name))?;
    let mut shown = row.members.clone();
    shown.extend(facts(context, group, name, row));
    Ok(shown)
}

/// DeleteSchedule: unlike a rule, one that is not there is missed (docs/aws.md, Scheduler).
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let (group, name) = named(body);
    let key = key(&context.place, group, name);
    if state.schedules.get(&key).is_none() {
        return Err(no_schedule(name));
    }
    state.schedules.remove(&key);
    alarms::turn(state, context.settings, &key, context.now);
    Ok(Map::new())
}

/// ListSchedules: of one group or of all, with the ARNs of their targets and no more of those (docs/aws.md, Scheduler).
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let (group, prefix) = (text(body, "GroupName"), text(body, "NamePrefix").unwrap_or_default());
    let wanted_state = text(body, "State");
    if let Some(group) = group.filter(|group| !has_group(state, &context.place, group)) {
        return Err(no_group(group));
    }
    let within = group.map(|group| format!("{group}/{prefix}")).unwrap_or_default();
    let listing = format!("schedules/{within}/{prefix}/{}", wanted_state.unwrap_or_default());
    let rows = starting_with(&state.schedules, &context.place, &within).map(|(key, row)| ((key, 0), (key, row)));
    let wanted = |(key, row): &(&str, &ScheduleRow)| {
        let is = row.members.get("State").and_then(Value::as_str);
        key.split_once('/').is_some_and(|(_, name)| name.starts_with(prefix))
            && wanted_state.is_none_or(|wanted| is == Some(wanted))
    };
    let ask = Ask { listing: &listing, token: text(body, "NextToken"), limit: page_size(body), descending: false };
    let page = page::cut(rows, ask, wanted).map_err(|page::BadToken| validation("Invalid NextToken."))?;
    let shown = page.items.iter().map(|(key, row)| {
        let (group, name) = key.split_once('/').unwrap_or((DEFAULT, key));
        let mut shown = facts(context, group, name, row);
        let target = row.members.get("Target").and_then(|target| target.get("Arn"));
        shown.insert("Target".to_owned(), json!({ "Arn": target }));
        shown.insert("State".to_owned(), row.members.get("State").cloned().unwrap_or_default());
        Value::Object(shown)
    });
    Ok(page::members(("Schedules", shown.collect()), ("NextToken", page.next)))
}

/// Group and name that a request gives.
fn named(body: &Value) -> (&str, &str) {
    (text(body, "GroupName").unwrap_or(DEFAULT), text(body, "Name").unwrap_or_default())
}

/// What was put, with the defaults that Scheduler gives back (docs/aws.md, Scheduler).
fn filled_in(body: &Value) -> Map<String, Value> {
    let mut members = body.as_object().cloned().unwrap_or_default();
    members.retain(|member, _| !REQUEST_ONLY.contains(&member.as_str()));
    for (member, default) in [
        ("GroupName", DEFAULT),
        ("ScheduleExpressionTimezone", "UTC"),
        ("State", "ENABLED"),
        ("ActionAfterCompletion", "NONE"),
    ] {
        members.entry(member).or_insert_with(|| json!(default));
    }
    if let Some(Value::Object(target)) = members.get_mut("Target") {
        let policy = target.entry("RetryPolicy").or_insert_with(|| json!({}));
        if let Value::Object(policy) = policy {
            policy.entry("MaximumEventAgeInSeconds").or_insert_with(|| json!(86_400));
            policy.entry("MaximumRetryAttempts").or_insert_with(|| json!(185));
        }
    }
    members
}

/// What Scheduler itself knows of a schedule.
fn facts(context: &Context<'_>, group: &str, name: &str, row: &ScheduleRow) -> Map<String, Value> {
    members([
        ("Arn", json!(schedule_arn(&context.place, group, name))),
        ("Name", json!(name)),
        ("GroupName", json!(group)),
        ("CreationDate", epoch_seconds(row.created_at)),
        ("LastModificationDate", epoch_seconds(row.modified_at)),
    ])
}

fn arn(context: &Context<'_>, group: &str, name: &str) -> Map<String, Value> {
    members([("ScheduleArn", json!(schedule_arn(&context.place, group, name)))])
}

fn no_schedule(name: &str) -> Refusal {
    not_found(format!("Schedule {name} does not exist."))
}

/// The client token, with a digest of all that was asked for with it.
pub(super) fn token(body: &Value) -> Option<Token> {
    let text = text(body, "ClientToken")?.to_owned();
    let digest = Sha256::digest(body.to_string());
    Some(Token { text, request: digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect() })
}
