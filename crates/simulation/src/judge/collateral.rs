//! Promise 2: nothing without this controller's mark is ever written, and nothing of others on our things goes.

use std::collections::BTreeMap;

use super::{Finding, Sight, job_of, name_of};
use crate::mirror::{Changed, Key, Mirror, Revision, Rule, belongs_to, pinned};
use crate::story::Crew;

/// How long before a write its grounds may have been read, in milliseconds.
const RACE: i64 = 60_000;

/// Tags that the manifests of a simulation set.
const LABELS: [&str; 3] = ["team", "owner", "cluster"];

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Collateral {
    /// When each rule was made.
    made: BTreeMap<Key, i64>,
    /// When the marks were taken off each rule that was given back: a second process of the same identity may be about to, too.
    given_back: BTreeMap<Key, i64>,
}

impl Collateral {
    pub fn check(&mut self, changed: &Changed, sight: Sight<'_>) -> Finding {
        let Sight { millis, process, mirror, books, rules } = sight;
        let identity = books.identity(process);
        if job_of(name_of(changed)).is_some_and(|job| books.raced(job, millis - RACE, millis)) {
            return None;
        }
        match changed {
            Changed::Rule(key, before, after) => {
                // AWS has no create-if-absent for rules: of two that find a name free at once, the later cannot know.
                let is_young = self.made.get(key).is_some_and(|made| millis - made < RACE);
                if before.is_none() {
                    self.made.insert(key.clone(), millis);
                }
                if let (Some(before), Some(after)) = (before, after) {
                    let belongs = |rule: &Rule| belongs_to(&rule.tags, identity);
                    if belongs(before) && !belongs(after) {
                        self.given_back.insert(key.clone(), millis);
                    }
                    let is_given_back = self.given_back.get(key).is_some_and(|at| millis - at < RACE);
                    let takes_over = books.of_process(process).is_some_and(|shelf| shelf.adopts(&key.1));
                    // Of two of one identity that want different things, one gives back what the other is just writing to.
                    let at_odds = rules.crew == Crew::Rivals || only_loses_ours(before, after);
                    if (!belongs(before) && is_given_back && at_odds) || (takes_over && marks(identity, before, after))
                    {
                        return None;
                    }
                }
                rule(identity, key, before.as_ref(), after.as_ref()).filter(|_| !is_young)
            }
            Changed::Revision(key, None, Some(made)) => {
                let takes_over = books.of_process(process).is_some_and(|shelf| shelf.adopts(&made.family));
                revision_made(identity, key, made, takes_over, mirror)
            }
            Changed::Revision(key, before, _) => {
                let ours = before.as_ref().is_none_or(|revision| belongs_to(&revision.tags, identity));
                (!ours).then(|| format!("revision {} bears no mark of {identity} and was changed by it", key.1))
            }
        }
    }
}

/// Whether a rule only lost tags of ours.
fn only_loses_ours(before: &Rule, after: &Rule) -> bool {
    let ours = |tag: &str| tag.starts_with("ecs-etl/") || LABELS.contains(&tag);
    let theirs = |rule: &Rule| {
        let mut tags = rule.tags.clone();
        tags.retain(|tag, _| !ours(tag));
        tags
    };
    theirs(before) == theirs(after) && differs_in_tags_alone(before, after)
}

/// Whether a rule that was nobody's only got the marks of who takes it over.
fn marks(identity: &str, before: &Rule, after: &Rule) -> bool {
    let is_nobodys = !before.tags.contains_key("ecs-etl/controller");
    is_nobodys && belongs_to(&after.tags, identity) && differs_in_tags_alone(before, after)
}

fn differs_in_tags_alone(before: &Rule, after: &Rule) -> bool {
    Rule { tags: before.tags.clone(), row: before.row.clone(), ..after.clone() } == *before
}

fn rule(identity: &str, key: &Key, before: Option<&Rule>, after: Option<&Rule>) -> Finding {
    let Some(before) = before else {
        let marked = after.is_none_or(|rule| belongs_to(&rule.tags, identity));
        return (!marked).then(|| format!("rule {} was made without the mark of {identity}", key.1));
    };
    if !belongs_to(&before.tags, identity) {
        return Some(format!("rule {} bears no mark of {identity} and was changed by it", key.1));
    }
    if before.tags.get("ecs-etl/reconcile").is_some_and(|value| value == "disabled") {
        return Some(format!("rule {} is tagged to be left alone and was changed", key.1));
    }
    let family = key.1.split('.').next().unwrap_or_default();
    let theirs = before.targets.iter().filter(|(id, target)| {
        !id.starts_with("ecs-etl")
            && id.as_str() != before.target_id()
            && pinned(target).is_none_or(|name| name.split(':').next() != Some(family))
    });
    for (id, target) in theirs {
        if after.and_then(|rule| rule.targets.get(id)) != Some(target) {
            return Some(format!("target {id} of others on rule {} was taken away or changed", key.1));
        }
    }
    let after = after?;
    let kept = before.tags.iter().filter(|(tag, _)| !tag.starts_with("ecs-etl/") && !LABELS.contains(&tag.as_str()));
    let lost = kept.into_iter().find(|(tag, value)| after.tags.get(*tag) != Some(*value));
    lost.map(|(tag, _)| format!("tag {tag} of others on rule {} was taken away or changed", key.1))
}

/// A manifest that names a family (`takes_over`) may have it as long as nothing ACTIVE in it bears a controller's mark, whatever its
/// rule pins: somebody may have deregistered our revisions and emptied the rule, and what is left is what was there to be adopted.
fn revision_made(identity: &str, key: &Key, made: &Revision, takes_over: bool, mirror: &Mirror) -> Finding {
    if !belongs_to(&made.tags, identity) {
        return Some(format!("revision {} was registered without the mark of {identity}", key.1));
    }
    let others: Vec<&Revision> = mirror
        .family(&key.0, &made.family)
        .into_iter()
        .filter(|other| other.active && other.number != made.number)
        .collect();
    // A family that is younger than what was read to decide is not seen in it.
    let since = |other: &Revision| made.made_at.duration_since(other.made_at).as_millis() > i128::from(RACE);
    let theirs =
        others.iter().any(|other| since(other)) && !others.iter().any(|other| belongs_to(&other.tags, identity));
    let proven = mirror.rules.iter().any(|((place, _), rule)| {
        *place == key.0
            && belongs_to(&rule.tags, identity)
            && rule.pins().any(|name| name.split(':').next() == Some(made.family.as_str()))
    });
    let adopted = takes_over && !others.iter().any(|other| other.tags.contains_key("ecs-etl/controller"));
    (theirs && !proven && !adopted)
        .then(|| format!("revision {} was registered in a family that is somebody else's", key.1))
}
