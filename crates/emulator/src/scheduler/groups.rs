//! Groups of schedules (docs/aws.md, Scheduler).

use serde_json::{Map, Value, json};

use super::{
    DEFAULT, alarms, conflict, group_arn, has_group, members, no_group, page_size, schedules, tags, text, validation,
};
use crate::context::{Context, epoch_seconds};
use crate::page::{self, Ask};
use crate::place::Place;
use crate::reply::{Answer, Refusal};
use crate::state::{Group, State, starting_with};

/// Groups of an account in one Region before a quota is raised; the default one is not counted.
const MOST_GROUPS: usize = 500;

/// CreateScheduleGroup: the same token with the same request creates nothing anew (docs/aws.md, Scheduler).
pub(super) fn create(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    let key = (context.place.clone(), name.to_owned());
    let token = schedules::token(body);
    let arn = members([("ScheduleGroupArn", json!(group_arn(&context.place, name)))]);
    match state.groups.get(&key) {
        Some(there) if token.is_some() && there.token == token => return Ok(arn),
        None if name != DEFAULT => {}
        Some(_) | None => return Err(conflict(format!("Schedule Group {name} already exists."))),
    }
    if starting_with(&state.groups, &context.place, "").count() >= MOST_GROUPS {
        return Err(Refusal {
            status: 402,
            ..Refusal::new("ServiceQuotaExceededException", "The number of schedule groups exceeds the quota.")
        });
    }
    let tags = tags::read(body)?;
    state.groups.insert(key, Group { tags, created_at: context.now, token });
    Ok(arn)
}

/// GetScheduleGroup.
pub(super) fn get(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    if !has_group(state, &context.place, name) {
        return Err(no_group(name));
    }
    Ok(shown(&context.place, name, state.groups.get(&(context.place.clone(), name.to_owned()))))
}

/// DeleteScheduleGroup: with all schedules in it, and at once (docs/aws.md, Scheduler).
pub(super) fn delete(state: &mut State, context: &Context<'_>, body: &Value) -> Answer {
    let name = text(body, "Name").unwrap_or_default();
    if name == DEFAULT {
        return Err(validation("The default schedule group cannot be deleted."));
    }
    if !has_group(state, &context.place, name) {
        return Err(no_group(name));
    }
    let within = format!("{name}/");
    let schedules: Vec<_> =
        starting_with(&state.schedules, &context.place, &within).map(|(key, _)| key.to_owned()).collect();
    for schedule in schedules {
        let key = (context.place.clone(), schedule);
        state.schedules.remove(&key);
        alarms::turn(state, context.settings, &key, context.now);
    }
    state.groups.remove(&(context.place.clone(), name.to_owned()));
    Ok(Map::new())
}

/// ListScheduleGroups, the default one among them (docs/aws.md, Scheduler).
pub(super) fn list(state: &State, context: &Context<'_>, body: &Value) -> Answer {
    let prefix = text(body, "NamePrefix").unwrap_or_default();
    let mut groups: Vec<(&str, Option<&Group>)> =
        starting_with(&state.groups, &context.place, prefix).map(|(name, group)| (name, Some(group))).collect();
    if DEFAULT.starts_with(prefix) {
        groups.push((DEFAULT, None));
        groups.sort_by_key(|(name, _)| *name);
    }
    let listing = format!("schedule-groups/{prefix}");
    let ask = Ask { listing: &listing, token: text(body, "NextToken"), limit: page_size(body), descending: false };
    let items = groups.iter().map(|(name, group)| ((*name, 0), (*name, *group)));
    let page = page::cut(items, ask, |_| true).map_err(|page::BadToken| validation("Invalid NextToken."))?;
    let shown = page.items.iter().map(|(name, group)| Value::Object(shown(&context.place, name, *group)));
    Ok(page::members(("ScheduleGroups", shown.collect()), ("NextToken", page.next)))
}

/// The default group has always been there, and tells no dates.
fn shown(place: &Place, name: &str, group: Option<&Group>) -> Map<String, Value> {
    let mut shown =
        members([("Arn", json!(group_arn(place, name))), ("Name", json!(name)), ("State", json!("ACTIVE"))]);
    if let Some(group) = group {
        for date in ["CreationDate", "LastModificationDate"] {
            shown.insert(date.to_owned(), epoch_seconds(group.created_at));
        }
    }
    shown
}
