//! Whether AWS is as a manifest says, judged by what would run and when.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::book::Wanted;
use crate::mirror::{Mirror, Rule, TARGET, pinned};
use crate::ticks::ticks;

/// Why AWS is not as the manifest says; none if it is. `start` is when the history begins.
pub(crate) fn mismatch(mirror: &Mirror, controller: &str, name: &str, wanted: &Wanted, start: Timestamp) -> Option<String> {
    // A rule that others put targets on stays with them when the job needs it no longer.
    let is_theirs = |rule: &Rule| !rule.targets.is_empty() && !rule.targets.keys().any(|id| id.starts_with(TARGET));
    let rules: Vec<_> = mirror.rules_of(controller, name).filter(|(_, rule)| !is_theirs(rule)).collect();
    let schedules: BTreeSet<&String> = wanted.job.schedules.iter().collect();
    if rules.len() != schedules.len() {
        let names: Vec<&str> = rules.iter().map(|(key, _)| key.1.as_str()).collect();
        return Some(format!("{} rules instead of {}: {names:?}", rules.len(), schedules.len()));
    }
    for (key, rule) in &rules {
        if key.0 != wanted.place {
            return Some(format!("rule {} is in {} and not in {}", key.1, key.0, wanted.place));
        }
        if rule.enabled == wanted.job.suspend {
            return Some(format!("rule {} has the wrong state", key.1));
        }
        if let Some(why) = wrong_target(mirror, &key.0, &key.1, rule, wanted) {
            return Some(why);
        }
    }
    let unserved = schedules.iter().find(|schedule| !rules.iter().any(|(_, rule)| same(schedule, &rule.expression, start)));
    unserved.map(|schedule| {
        let live: Vec<&str> = rules.iter().map(|(_, rule)| rule.expression.as_str()).collect();
        format!("no rule fires as {schedule:?} says, there is {live:?}")
    })
}

fn wrong_target(mirror: &Mirror, place: &str, name: &str, rule: &Rule, wanted: &Wanted) -> Option<String> {
    let Some(target) = rule.targets.get(TARGET) else { return Some(format!("rule {name} has no target of ours")) };
    let Some(pinned_name) = pinned(target) else { return Some(format!("the target of {name} starts nothing")) };
    let family = pinned_name.split(':').next().unwrap_or_default();
    let strays = rule.targets.iter().filter(|(id, target)| {
        *id != TARGET && pinned(target).is_some_and(|other| other.split(':').next() == Some(family))
    });
    if let Some((id, _)) = strays.into_iter().next() {
        return Some(format!("rule {name} has a second target {id} that starts the job"));
    }
    match mirror.revisions.get(&(place.to_owned(), pinned_name.clone())) {
        None => Some(format!("rule {name} pins {pinned_name}, which does not exist")),
        Some(revision) if !revision.active => Some(format!("rule {name} pins {pinned_name}, which is not ACTIVE")),
        Some(revision) if revision.version != Some(wanted.job.version) => {
            Some(format!("rule {name} pins {pinned_name} of version {:?} instead of {}", revision.version, wanted.job.version))
        }
        Some(revision) if revision.shared.as_deref() != Some(wanted.shared.to_string().as_str()) => {
            Some(format!("rule {name} pins {pinned_name} without the cluster's default {}", wanted.shared))
        }
        Some(_) => None,
    }
}

/// Whether a live expression fires when the written one says.
fn same(written: &str, live: &str, start: Timestamp) -> bool {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<(String, String), bool>> = const { RefCell::new(BTreeMap::new()) };
    }
    let pair = (written.to_owned(), live.to_owned());
    KNOWN.with_borrow_mut(|known| {
        *known.entry(pair).or_insert_with(|| {
            // A week holds every weekday; that of the history's beginning holds the end of a month.
            let until = start.checked_add(SignedDuration::from_hours(9 * 24)).unwrap_or(start);
            match (ticks(written, start, until), ticks(live, start, until)) {
                (Some(written), Some(live)) => written == live,
                _ => written == live,
            }
        })
    })
}
