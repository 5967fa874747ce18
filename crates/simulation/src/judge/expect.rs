//! Whether AWS is as a manifest says, judged by what would run and when.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::aim;
use super::book::{Shelf, Wanted};
use crate::mirror::{Key, Mirror, Rule, pinned};
use crate::ticks::ticks_in;
use crate::triggers::listener;

/// Why AWS is not as the manifest says; none if it is. `start` is when the history begins, and it is `now`. What is in a place that no
/// document names is left as it is.
pub(crate) fn mismatch(
    mirror: &Mirror,
    shelf: &Shelf,
    name: &str,
    wanted: &Wanted,
    start: Timestamp,
    now: Timestamp,
) -> Option<String> {
    if wanted.is_over(now) {
        return None;
    }
    // A rule that others put targets on stays with them when the job needs it no longer.
    let rules: Vec<_> = mirror
        .rules_of(shelf.identity(), name)
        .filter(|(key, rule)| !rule.is_left_to_others() && (key.0 == wanted.place || shelf.now.names(&key.0)))
        .collect();
    let schedules: BTreeSet<&String> = wanted.job.schedules.iter().collect();
    let triggers = &wanted.job.triggers;
    let wants = [schedules.len(), triggers.starts(), triggers.notify.len()];
    let count = |which: &dyn Fn(&Rule) -> bool| rules.iter().filter(|(_, rule)| which(rule)).count();
    let is_tick = |rule: &Rule| !rule.expression.is_empty();
    let live = [count(&is_tick), count(&|rule| !is_tick(rule) && rule.runs()), count(&|rule| !rule.runs())];
    if live != wants {
        let names: Vec<&str> = rules.iter().map(|(key, _)| key.1.as_str()).collect();
        return Some(format!("{live:?} rules instead of {wants:?} tick, start and tell: {names:?}"));
    }
    for (key, rule) in &rules {
        if is_tick(rule) && rule.is_scheduled() != wanted.scheduled {
            return Some(format!("{} is kept by the wrong service", key.1));
        }
        if key.0 != wanted.place {
            return Some(format!("rule {} is in {} and not in {}", key.1, key.0, wanted.place));
        }
        if rule.enabled == wanted.job.suspend {
            return Some(format!("rule {} has the wrong state", key.1));
        }
        let wrong =
            if rule.runs() { wrong_target(mirror, key, name, rule, wanted) } else { deaf(&key.1, rule, wanted) };
        if wrong.is_some() {
            return wrong;
        }
    }
    let zone = wanted.job.zone.as_deref().unwrap_or("UTC");
    let serves = |schedule: &str, rule: &Rule| {
        rule.zone.as_deref().unwrap_or("UTC") == zone && same(schedule, &rule.expression, zone, start)
    };
    let unserved = schedules.iter().find(|schedule| !rules.iter().any(|(_, rule)| serves(schedule, rule)));
    unserved.map(|schedule| {
        let live: Vec<&str> = rules.iter().map(|(_, rule)| rule.expression.as_str()).collect();
        format!("no rule fires as {schedule:?} says, there is {live:?}")
    })
}

/// What is wrong with a rule that is to tell somebody.
fn deaf(name: &str, rule: &Rule, wanted: &Wanted) -> Option<String> {
    let region = wanted.place.rsplit('/').next().unwrap_or_default();
    let told = rule.targets.get(rule.target_id()).and_then(|target| target.get("Arn")?.as_str());
    (told != Some(listener(region).as_str())).then(|| format!("rule {name} tells {told:?}"))
}

fn wrong_target(mirror: &Mirror, (place, name): &Key, job: &str, rule: &Rule, wanted: &Wanted) -> Option<String> {
    let Some(target) = rule.targets.get(rule.target_id()) else {
        return Some(format!("rule {name} has no target of ours"));
    };
    let Some(pinned_name) = pinned(target) else { return Some(format!("the target of {name} starts nothing")) };
    let family = pinned_name.split(':').next().unwrap_or_default();
    if family != wanted.job.family(job) {
        return Some(format!("rule {name} starts {family}"));
    }
    let strays = rule.targets.iter().filter(|(id, target)| {
        *id != rule.target_id() && pinned(target).is_some_and(|other| other.split(':').next() == Some(family))
    });
    if let Some((id, _)) = strays.into_iter().next() {
        return Some(format!("rule {name} has a second target {id} that starts the job"));
    }
    match mirror.revisions.get(&(place.clone(), pinned_name.clone())) {
        None => Some(format!("rule {name} pins {pinned_name}, which does not exist")),
        Some(revision) if !revision.active => Some(format!("rule {name} pins {pinned_name}, which is not ACTIVE")),
        Some(revision) if revision.version != Some(wanted.job.version) => Some(format!(
            "rule {name} pins {pinned_name} of version {:?} instead of {}",
            revision.version, wanted.job.version
        )),
        Some(revision) if revision.shared.as_deref() != Some(wanted.shared.to_string().as_str()) => {
            Some(format!("rule {name} pins {pinned_name} without the cluster's default {}", wanted.shared))
        }
        Some(revision) => aim::amiss(job, rule, target, wanted)
            .or_else(|| aim::unlabelled(rule, revision, wanted))
            .map(|amiss| format!("rule {name}: {amiss}")),
    }
}

/// What is written, what is live, the time zone of both, and from when on they are compared.
type Question = (String, String, String, Timestamp);

/// Whether a live expression fires when the written one says.
fn same(written: &str, live: &str, zone: &str, start: Timestamp) -> bool {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<Question, bool>> = const { RefCell::new(BTreeMap::new()) };
    }
    let question = (written.to_owned(), live.to_owned(), zone.to_owned(), start);
    KNOWN.with_borrow_mut(|known| {
        *known.entry(question).or_insert_with(|| {
            // A week holds every weekday; that of the history's beginning holds the end of a month.
            let until = start.checked_add(SignedDuration::from_hours(9 * 24)).unwrap_or(start);
            match (ticks_in(zone, written, start, until), ticks_in(zone, live, start, until)) {
                (Some(written), Some(live)) => written == live,
                _ => written == live,
            }
        })
    })
}
