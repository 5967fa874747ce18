//! Playing a plan through on a model of rules and targets, and looking at every prefix.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::RuleName;

use super::{Subject, Violation, adoption, proof_of, seen};
use crate::condition::Verdict;
use crate::decide::targets::{Split, task_definition};
use crate::desired::{DesiredRule, Effect, TARGET_ID, Trigger};
use crate::lower::names_rule;
use crate::observed::{Observed, RevisionArn};
use crate::step::{Action, Plan, RevisionRef};

/// A rule of ours as far as ticks are concerned.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rule {
    /// Id of our target.
    id: String,
    fires: bool,
    /// Its schedule expression.
    expression: Option<String>,
    /// Its event pattern.
    pattern: Option<String>,
    /// What our target pins; none if there is no such target or it pins no ACTIVE revision.
    pins: Option<RevisionRef>,
    /// Ids of targets that are ours, working or not.
    ours: BTreeSet<String>,
    /// Those of them that start the job.
    starting: BTreeSet<String>,
    others: bool,
    /// Made by this plan, and not given its target yet.
    fresh: bool,
}

type Key = (Place, RuleName);
type Rules = BTreeMap<Key, Rule>;

/// Plays the plan and names what breaks on the way and at the end.
pub(super) fn play(plan: &Plan, subject: &Subject<'_>, observed: &Observed) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut rules = start(plan, subject, observed);
    let mut worst = (doubled(&rules, subject), dark(&rules, subject));
    for (index, step) in plan.steps.iter().enumerate() {
        violations.extend(pinned(index, &step.action, &step.place, plan, subject, observed));
        if let Some(violation) = apply(&mut rules, index, &step.place, &step.action) {
            violations.push(violation);
        }
        let now = (doubled(&rules, subject), dark(&rules, subject));
        // What was wrong before may be wrong until it is repaired; nothing may become wrong.
        let fresh = |key: &&Key| !worst.0.contains(*key);
        violations
            .extend(now.0.iter().filter(fresh).map(|key| Violation::Doubled { step: index, rule: key.1.clone() }));
        let fresh = |key: &&Key| !worst.1.contains(*key);
        violations.extend(now.1.iter().filter(fresh).map(|key| Violation::Dark { step: index, rule: key.1.clone() }));
        worst = now;
    }
    violations.extend(unfinished(plan, subject, &rules));
    violations
}

fn start(plan: &Plan, subject: &Subject<'_>, observed: &Observed) -> Rules {
    let mut rules = Rules::new();
    let places = observed.elsewhere.iter().map(|(place, seen)| (place, seen));
    for (place, seen) in std::iter::once((subject.place, observed)).chain(places) {
        for (name, fact) in &seen.rules {
            let ours = proof_of(subject, seen, name).is_some_and(|tags| subject.is_our_rule(name, &tags))
                || adoption::taken(&plan.steps, subject, place, seen, name);
            let Some(live) = fact.known().and_then(Option::as_ref).filter(|_| ours) else { continue };
            let here = subject.desired.is_some_and(|desired| live.is_in(&desired.place.region, &desired.account));
            if here && place != subject.place {
                continue;
            }
            let targets = seen.targets.get(name).and_then(|fact| fact.known()).map(Vec::as_slice).unwrap_or_default();
            let id = adoption::our_target(&plan.steps, place, seen, name);
            let split = Split::of(targets, &subject.families, &id);
            let active = |arn: &RevisionArn| {
                let mut families = seen.active.values().filter_map(|fact| fact.known());
                families.any(|active| active.contains(arn))
            };
            let rule = Rule {
                id,
                fires: live.state.may_fire(),
                expression: live.expression.clone(),
                pattern: live.event_pattern.clone(),
                pins: split.pinned().filter(active).map(RevisionRef::Existing),
                ours: split.our_ids().into_iter().collect(),
                starting: split.starting_ids().into_iter().collect(),
                others: !split.strangers.is_empty(),
                fresh: false,
            };
            rules.insert((place.clone(), name.clone()), rule);
        }
    }
    rules
}

fn apply(rules: &mut Rules, step: usize, place: &Place, action: &Action) -> Option<Violation> {
    let key = |rule: &RuleName| (place.clone(), rule.clone());
    match action {
        Action::PutRule { rule, trigger, state, create, .. } => {
            let fresh = Rule { id: TARGET_ID.to_owned(), fresh: *create, ..Rule::default() };
            let rule = rules.entry(key(rule)).or_insert(fresh);
            rule.fires = state.may_fire();
            rule.expression = trigger.expression().map(str::to_owned);
            rule.pattern = trigger.pattern().map(str::to_owned);
        }
        Action::PutSchedule { rule, schedule, revision, create: _ } => {
            let rule = rules.entry(key(rule)).or_default();
            rule.fires = schedule.state.may_fire();
            rule.expression = Some(schedule.timing.schedule.expression().to_owned());
            // The whole schedule is put: it has this one target and no other.
            rule.ours = BTreeSet::from([TARGET_ID.to_owned()]);
            rule.starting = rule.ours.clone();
            (rule.pins, rule.pattern, rule.fresh) = (Some(revision.clone()), None, false);
        }
        Action::DeleteSchedule { rule } => drop(rules.remove(&key(rule))),
        Action::EnableRule { rule } => rules.entry(key(rule)).or_default().fires = true,
        Action::DisableRule { rule } => rules.entry(key(rule)).or_default().fires = false,
        Action::PutTargets { rule, revision, target } => {
            let rule = rules.entry(key(rule)).or_default();
            let id = target.id.clone().unwrap_or_default();
            rule.ours.insert(id.clone());
            match revision {
                Some(_) => rule.starting.insert(id),
                None => rule.starting.remove(&id),
            };
            (rule.pins, rule.fresh) = (revision.clone(), false);
        }
        Action::RemoveTargets { rule, ids } => {
            let rule = rules.entry(key(rule)).or_default();
            rule.ours.retain(|id| !ids.contains(id));
            rule.starting.retain(|id| !ids.contains(id));
            if ids.contains(&rule.id) {
                rule.pins = None;
            }
        }
        Action::DeleteRule { rule } => {
            let gone = rules.remove(&key(rule)).unwrap_or_default();
            if gone.others || !gone.ours.is_empty() {
                return Some(Violation::DeletesInUse { step, rule: rule.clone() });
            }
        }
        Action::RegisterTaskDefinition { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::TagRule { .. }
        | Action::UntagRule { .. }
        | Action::TagRevision { .. }
        | Action::UntagRevision { .. }
        | Action::DeregisterTaskDefinition { .. } => {}
    }
    None
}

/// Rules that start the job twice when they fire: by two targets, or beside another rule that fires with them.
fn doubled(rules: &Rules, subject: &Subject<'_>) -> BTreeSet<Key> {
    let starts = |rule: &Rule| rule.fires && !rule.starting.is_empty();
    // A rule of another name was taken over, and is at home where the job is.
    let adopted = |rule: &RuleName| subject.desired.is_some_and(|desired| desired.adoption.rules.contains(rule));
    let named = |rule: &RuleName| subject.families.iter().position(|family| names_rule(family, rule));
    let home = |key: &Key| (key.0.clone(), named(&key.1).filter(|_| !adopted(&key.1)).unwrap_or(0));
    let mut doubled = BTreeSet::new();
    for (key, rule) in rules.iter().filter(|(_, rule)| starts(rule)) {
        let twin = |(other, twin): (&Key, &Rule)| {
            let same_schedule = rule.expression.is_some() && twin.expression == rule.expression;
            let same_events = rule.pattern.is_some() && twin.pattern == rule.pattern;
            other != key && starts(twin) && (same_schedule || same_events || home(other) != home(key))
        };
        if rule.starting.len() > 1 || rules.iter().any(twin) {
            doubled.insert(key.clone());
        }
    }
    doubled
}

/// Wanted rules that fire and start nothing, but for those that are just being made.
fn dark(rules: &Rules, subject: &Subject<'_>) -> BTreeSet<Key> {
    let dark = |(key, rule): &(&Key, &Rule)| {
        let works = subject.wanted(&key.0, &key.1).map(|wanted| match wanted.effect {
            Effect::Run => rule.pins.is_some(),
            Effect::Notify(_) => rule.ours.contains(TARGET_ID),
        });
        works == Some(false) && rule.fires && !rule.fresh
    };
    rules.iter().filter(dark).map(|(key, _)| key.clone()).collect()
}

/// The violation of a Deregister that takes a revision away from a target.
fn pinned(
    step: usize,
    action: &Action,
    place: &Place,
    plan: &Plan,
    subject: &Subject<'_>,
    observed: &Observed,
) -> Option<Violation> {
    let Action::DeregisterTaskDefinition { revision } = action else { return None };
    let seen = seen(subject, observed, place)?;
    let live = seen.targets.values().filter_map(|fact| fact.known()).flatten().filter_map(task_definition);
    let by_target = live.into_iter().any(|reference| reference == revision.as_str());
    let by_plan = plan.steps.iter().any(|step| {
        matches!(&step.action, Action::PutTargets { revision: Some(RevisionRef::Existing(arn)), .. } if arn == revision)
            || matches!(&step.action, Action::PutSchedule { revision: RevisionRef::Existing(arn), .. } if arn == revision)
    });
    (by_target || by_plan).then(|| Violation::DeregistersPinned { step, revision: revision.clone() })
}

/// Wanted rules that are not what a plan for a ready job promises.
fn unfinished(plan: &Plan, subject: &Subject<'_>, rules: &Rules) -> Vec<Violation> {
    let (Some(desired), Some(pins), Verdict::Ready(..)) = (subject.desired, &plan.pins, &plan.verdict) else {
        return Vec::new();
    };
    let finished = |wanted: &DesiredRule| {
        rules.get(&(subject.place.clone(), wanted.name.clone())).is_some_and(|rule| {
            let does = match wanted.effect {
                Effect::Run => rule.pins.as_ref() == Some(pins),
                Effect::Notify(_) => rule.pins.is_none() && rule.starting.is_empty(),
            };
            let waits = match &wanted.trigger {
                Trigger::Schedule(schedule) => rule.expression.as_deref() == Some(schedule.expression()),
                Trigger::Timed(timing) => rule.expression.as_deref() == Some(timing.schedule.expression()),
                Trigger::Event(pattern) => rule.pattern.as_deref().is_some_and(|live| pattern.is_same_as(live)),
            };
            rule.ours.len() == 1 && does && waits && rule.fires == wanted.enabled
        })
    };
    let wanted = desired.rules.iter().filter(|rule| !rule.over && !finished(rule));
    wanted.map(|rule| Violation::Unfinished { rule: rule.name.clone() }).collect()
}
