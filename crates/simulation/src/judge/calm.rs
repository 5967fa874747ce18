//! Promise 1 and 6: after hours of calm everything is as the manifests say, however it came there.

use std::collections::BTreeMap;

use ecs_etl_plan::condition::Reason;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::book::{Books, RESYNC, Shelf, Wanted};
use super::status::{Status, is_unknown, reason};
use super::{Finding, Rules, expect, job_of};
use crate::directory::Directory;
use crate::mirror::{Key, Mirror, Rule, TARGET, belongs_to, is_ours, pinned};
use crate::story::Crew;
use crate::ticks::ticks_in;

/// How far a handover keeps away from ticks (docs/design/decide.md).
const MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// For how long no moment may have been free.
const LATELY: SignedDuration = SignedDuration::from_hours(3);

/// Everything must be as the manifests say, or the status must say why it cannot be.
pub(crate) fn convergence(millis: i64, mirror: &Mirror, books: &Books, status: &Status, rules: &Rules) -> Finding {
    if rules.crew == Crew::Rivals {
        return None;
    }
    for process in 0..rules.crew.directories().len() {
        let Some(shelf) = books.of_process(process) else { continue };
        let identity = books.identity(process);
        for (name, page) in &shelf.pages {
            let Some(wanted) = &page.wanted else { continue };
            let Some(told) = status.of(process, name) else { return Some(format!("{name} has no status")) };
            let reason = reason(told);
            if excuse(mirror, shelf, name, wanted).is_some() {
                // Marks that somebody takes away are missed by the rotation of tags, days later.
                continue;
            }
            if reason == Some(Reason::LocationLost) && is_out_of_sight(shelf, name, books) {
                continue;
            }
            if reason == Some(Reason::WaitingForTick) && is_never_free(mirror, identity, name, wanted, rules.at(millis))
            {
                continue;
            }
            if wanted.job.disabled || was_freed(millis, mirror, identity, name, wanted, rules) {
                continue;
            }
            if let Some(why) = expect::mismatch(mirror, shelf, name, wanted, rules.start, rules.at(millis)) {
                return Some(format!("{name} did not converge: {why}; its status says {reason:?}"));
            }
            let may_be_unknown = is_unknown(told) && rules.crew == Crew::Twins;
            if !told.is_ready() && !may_be_unknown && reason != Some(Reason::DriftFight) {
                return Some(format!("{name} converged, but its status says {reason:?}"));
            }
        }
        if let Some(left) = left_over(mirror, books, process, identity) {
            return Some(left);
        }
    }
    None
}

/// Whether another controller let go of the job's family within the last resync: it is seen with the next one. That comes a day after
/// the other's job went, and no storm ends so late.
pub(super) fn was_freed(
    millis: i64,
    mirror: &Mirror,
    identity: &str,
    name: &str,
    wanted: &Wanted,
    rules: &Rules,
) -> bool {
    let family = wanted.job.family(name);
    let since = rules.at(millis - RESYNC);
    mirror.family(&wanted.place, &family).into_iter().any(|revision| {
        let is_theirs = !belongs_to(&revision.tags, identity);
        is_theirs && revision.deregistered_at().is_some_and(|at| at > since)
    })
}

/// What keeps a job from being as it should, by no fault of ours.
pub(super) fn excuse(mirror: &Mirror, shelf: &Shelf, name: &str, wanted: &Wanted) -> Option<&'static str> {
    let identity = shelf.identity();
    let former = wanted.job.moved_from.as_deref();
    let mut rules = [Some(name), former].into_iter().flatten().flat_map(|job| mirror.rules_of(identity, job));
    if rules.any(|(key, rule)| rule.enabled && !shelf.now.names(&key.0)) {
        return Some("it runs in a place that no document names");
    }
    for (key, rule) in &mirror.rules {
        // What it took over bears another name, and its mark.
        if job_of(&key.1) != Some(name) && !is_ours(&rule.tags, identity, name) {
            continue;
        }
        if !is_ours(&rule.tags, identity, name) && key.0 == wanted.place {
            return Some("a rule of others has its name");
        }
        if rule.tags.get("ecs-etl/reconcile").is_some_and(|value| value == "disabled") {
            return Some("it is paused");
        }
    }
    let family = wanted.job.family(name);
    let active: Vec<_> = mirror.family(&wanted.place, &family).into_iter().filter(|revision| revision.active).collect();
    let theirs = !active.is_empty() && !active.iter().any(|revision| is_ours(&revision.tags, identity, name));
    if theirs {
        return Some("its family is somebody else's");
    }
    if wanted.scheduled && mirror.group_is_theirs(&wanted.place, identity) {
        return Some("its group of schedules bears no mark of ours");
    }
    // A job may also clash under the name it had before.
    let paused = mirror.rules.iter().any(|(key, rule)| {
        former.is_some()
            && job_of(&key.1) == former
            && (!belongs_to(&rule.tags, identity) || rule.tags.contains_key("ecs-etl/reconcile"))
    });
    paused.then_some("its former rule is out of reach")
}

/// Whether a job may have run in a place that no document names any more, and a stranger may have taken it away there: whoever saw it run
/// cannot see that.
fn is_out_of_sight(shelf: &Shelf, name: &str, books: &Books) -> bool {
    shelf.has_lost_a_place() && books.touched_since(name, 0)
}

/// Whether the runs of a job have filled all the time of late: each tick of a schedule is still to be called for when the next one comes,
/// which a night whose clocks go back may end, up to a day later. A handover waits for that.
fn is_never_free(mirror: &Mirror, identity: &str, name: &str, wanted: &Wanted, now: Timestamp) -> bool {
    let mut names = [Some(name), wanted.job.moved_from.as_deref()].into_iter().flatten();
    names.any(|job| {
        mirror.rules_of(identity, job).filter(|(_, rule)| rule.enabled).any(|(_, rule)| {
            let window = rule.row.pointer("/members/FlexibleTimeWindow/MaximumWindowInMinutes").and_then(Value::as_i64);
            let Some(window) = window else { return false };
            let taken = SignedDuration::from_mins(window) + MARGIN * 2;
            let from = now - LATELY - taken;
            let fired =
                ticks_in(rule.zone.as_deref().unwrap_or("UTC"), &rule.expression, from, now).unwrap_or_default();
            let moments = std::iter::once(from).chain(fired.iter().copied());
            let next = fired.iter().copied().chain([now]);
            moments.zip(next).all(|(one, other)| other.duration_since(one) <= taken)
        })
    })
}

/// Whether something of a directory's runs in a place that no document of it names, or may have until a stranger took it away.
pub(super) fn hides_a_place(mirror: &Mirror, books: &Books) -> bool {
    let mut pages = books.shelves.iter().flat_map(|shelf| shelf.pages.keys().map(move |name| (shelf, name)));
    if pages.any(|(shelf, name)| is_out_of_sight(shelf, name, books)) {
        return true;
    }
    let hides = |shelf: &Shelf, (key, rule): (&Key, &Rule)| {
        rule.enabled && belongs_to(&rule.tags, shelf.identity()) && !shelf.now.names(&key.0)
    };
    books.shelves.iter().any(|shelf| mirror.rules.iter().any(|entry| hides(shelf, entry)))
}

/// Rules of ours that no manifest wants any more.
fn left_over(mirror: &Mirror, books: &Books, process: usize, identity: &str) -> Finding {
    let shelf = books.of_process(process)?;
    if shelf.now.book.jobs.is_empty() {
        // The last job goes by draining, never by its absence.
        return None;
    }
    let in_reach = |key: &Key| shelf.now.names(&key.0);
    for (key, rule) in mirror.rules.iter().filter(|(key, rule)| belongs_to(&rule.tags, identity) && in_reach(key)) {
        let job = rule.tags.get("ecs-etl/job").map(String::as_str).unwrap_or_default();
        if shelf.pages.get(job).is_some_and(|page| page.mentioned) {
            continue;
        }
        let retained = rule.tags.get("ecs-etl/policy").is_some_and(|policy| policy == "Retain");
        // One that a person has paused keeps all of its job in the place: a job is left alone as a whole.
        let paused = mirror
            .rules_of(identity, job)
            .any(|(other, rule)| other.0 == key.0 && rule.tags.contains_key("ecs-etl/reconcile"));
        let former = shelf.pages.values().any(|page| {
            page.wanted
                .as_ref()
                .is_some_and(|wanted| wanted.job.moved_from.as_deref() == Some(job) && wanted.job.disabled)
                || shelf.now.book.jobs.values().any(|other| other.moved_from.as_deref() == Some(job))
        });
        // Where a stranger wrote over the description of a schedule, nobody knows any more which source its job is of.
        let source = &shelf.now.book.controller.source;
        let of_another =
            mirror.rules_of(identity, job).any(|(_, rule)| rule.tags.get("ecs-etl/source") != Some(source));
        if !retained && !paused && !former && !of_another {
            return Some(format!("rule {} of {job} is still there although nobody wants it", key.1));
        }
    }
    None
}

/// Jobs of a directory that are as they should be; false for those that something stands in the way of.
pub(crate) fn settled(directory: usize, mirror: &Mirror, books: &Books, now: Timestamp) -> BTreeMap<String, bool> {
    let Some(shelf) = books.shelves.get(directory) else { return BTreeMap::new() };
    let wanted = shelf.pages.iter().filter_map(|(name, page)| Some((name, page.wanted.as_ref()?)));
    wanted
        .map(|(name, wanted)| {
            // The direct path begins when the history did, with other dates still to come.
            let dated = wanted.job.timing.is_dated(&wanted.job.schedules);
            let waits = is_never_free(mirror, shelf.identity(), name, wanted, now);
            let free = excuse(mirror, shelf, name, wanted).is_none() && !wanted.job.disabled && !dated && !waits;
            (name.clone(), free)
        })
        .collect()
}

/// What runs when and with which words, by job: all that may not hang on how it came about.
pub type EndState = BTreeMap<String, Vec<Value>>;

/// The end state of the jobs of one controller: revision numbers, times and retirement marks are left out.
pub fn end_state(mirror: &Mirror, directory: &Directory) -> EndState {
    let mut state = EndState::new();
    let identity = directory.book.controller.name.as_str();
    let ours_all =
        mirror.rules.iter().filter(|(_, rule)| belongs_to(&rule.tags, identity) && !rule.is_left_to_others());
    for (key, rule) in ours_all.filter(|(key, _)| directory.names(&key.0)) {
        let job = rule.tags.get("ecs-etl/job").cloned().unwrap_or_default();
        let targets: Vec<Value> = rule
            .targets
            .iter()
            .filter(|(id, _)| id.starts_with(TARGET) || *id == rule.target_id())
            .map(|(_, target)| {
                let revision = pinned(target).and_then(|name| mirror.revisions.get(&(key.0.clone(), name)));
                let mut target = target.clone();
                if let Some(members) = target.as_object_mut().filter(|_| rule.target_id() != TARGET) {
                    // What was taken over keeps its Id.
                    members.insert("Id".to_owned(), TARGET.into());
                }
                if let Some(parameters) = target.get_mut("EcsParameters").and_then(Value::as_object_mut) {
                    parameters.remove("TaskDefinitionArn");
                }
                let definition = revision.map(|revision| definition(&revision.row));
                serde_json::json!({"target": target, "definition": definition, "tags": revision.map(|revision| ours(&revision.tags))})
            })
            .collect();
        let row = serde_json::json!({
            "place": key.0, "rule": key.1, "expression": rule.expression, "zone": rule.zone, "pattern": rule.pattern, "enabled": rule.enabled, "tags": ours(&rule.tags),
            "targets": targets, "description": rule.row.pointer("/members/Description"),
        });
        state.entry(job).or_default().push(row);
    }
    state
}

/// The same rows without tags, for a job of which a stranger changed some that nobody has read again yet.
pub fn without_tags(rows: &[Value]) -> Vec<Value> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        let targets = row.get_mut("targets").and_then(Value::as_array_mut);
        for target in targets.into_iter().flatten() {
            target.as_object_mut().into_iter().for_each(|target| drop(target.remove("tags")));
        }
        row.as_object_mut().into_iter().for_each(|row| drop(row.remove("tags")));
    }
    rows
}

fn ours(tags: &BTreeMap<String, String>) -> Value {
    let kept =
        tags.iter().filter(|(key, _)| !["ecs-etl/retired-at", "ecs-etl/target", "cost-centre"].contains(&key.as_str()));
    serde_json::json!(kept.collect::<BTreeMap<_, _>>())
}

/// A definition less what AWS gives it at the moment it is registered.
fn definition(row: &Value) -> Value {
    let mut definition = row.get("definition").cloned().unwrap_or_default();
    if let Some(members) = definition.as_object_mut() {
        for member in ["taskDefinitionArn", "revision", "registeredAt", "registeredBy"] {
            members.remove(member);
        }
    }
    without_order(definition)
}

/// The same with lists of objects in one order: AWS gives them back in any.
fn without_order(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(without_order).collect();
            if items.iter().all(Value::is_object) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, without_order(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
