//! That a step writes only to what was proved to be ours, or to what the plan itself has made.

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName};

use super::{Subject, Violation, adoption, proof_of, seen};
use crate::decide::targets::Split;
use crate::observed::{Fact, LiveRule, Observed, RevisionArn};
use crate::step::{Action, Step};

/// The violation of a step that writes to something unproved.
pub(super) fn unproved(
    steps: &[Step],
    index: usize,
    step: &Step,
    subject: &Subject<'_>,
    observed: &Observed,
) -> Option<Violation> {
    let before = steps.get(..index).unwrap_or_default();
    let Some(seen) = seen(subject, observed, &step.place) else {
        return Some(Violation::Unproved { step: index, resource: step.action.resource().to_owned() });
    };
    let proved = match &step.action {
        Action::RegisterTaskDefinition { family, tags, .. } => {
            subject.is_our_revision(family.as_str(), tags) && owns_family(subject, seen, family)
        }
        Action::PutRule { rule, create: true, tags, .. } => {
            let absent = seen.rules.get(rule).and_then(|fact| fact.known()).is_some_and(Option::is_none);
            absent && subject.is_our_rule(rule, tags) && !created(before, &step.place, rule)
        }
        // Should it be gone meanwhile, it is made anew, with these tags.
        Action::PutRule { rule, create: false, tags, .. } => {
            subject.is_our_rule(rule, tags)
                && (owns_rule(subject, seen, rule) || adoption::taken(before, subject, &step.place, seen, rule))
        }
        Action::EnableRule { rule }
        | Action::DisableRule { rule }
        | Action::PutTargets { rule, .. }
        | Action::RemoveTargets { rule, .. }
        | Action::DeleteRule { rule } => {
            owns_rule(subject, seen, rule)
                || created(before, &step.place, rule)
                || adoption::taken(before, subject, &step.place, seen, rule)
        }
        Action::CreateScheduleGroup { tags, .. } => {
            let absent = matches!(seen.group.known(), Some(None));
            absent && subject.marks.iter().any(|mark| mark.is_of_controller(tags)) && !makes_group(before, &step.place)
        }
        Action::PutSchedule { rule, create: true, .. } => {
            let absent = seen.rules.get(rule).and_then(|fact| fact.known()).is_some_and(Option::is_none);
            let group = seen.group.known().and_then(Option::as_ref);
            let group = group.is_some_and(|tags| subject.marks.iter().any(|mark| mark.is_of_controller(tags)));
            let named = subject.names_schedule(rule);
            absent && named && (group || makes_group(before, &step.place)) && !created(before, &step.place, rule)
        }
        Action::PutSchedule { rule, create: false, .. } | Action::DeleteSchedule { rule } => {
            owns_rule(subject, seen, rule) || created(before, &step.place, rule)
        }
        Action::TagRule { arn, tags } => named(seen, arn).any(|name| {
            let takes = adoption::takes_rule(subject, seen, name, tags)
                || adoption::taken(before, subject, &step.place, seen, name);
            (takes || owns_rule(subject, seen, name)) && adoption::keeps_target(subject, seen, name, tags)
        }),
        Action::UntagRule { arn, .. } => named(seen, arn)
            .any(|name| owns_rule(subject, seen, name) || adoption::taken(before, subject, &step.place, seen, name)),
        Action::TagRevision { revision, tags } => {
            adoption::takes_revision(subject, seen, revision, tags)
                || adoption::taken_revision(before, subject, seen, revision)
                || owns_revision(subject, seen, revision)
        }
        Action::UntagRevision { revision, .. } => {
            owns_revision(subject, seen, revision) || adoption::taken_revision(before, subject, seen, revision)
        }
        Action::DeregisterTaskDefinition { revision } => owns_revision(subject, seen, revision),
    };
    if !proved {
        return Some(Violation::Unproved { step: index, resource: step.action.resource().to_owned() });
    }
    strangers_target(index, step, before, subject, seen)
}

/// A RemoveTargets that reaches for a target of others.
fn strangers_target(
    index: usize,
    step: &Step,
    before: &[Step],
    subject: &Subject<'_>,
    seen: &Observed,
) -> Option<Violation> {
    let Action::RemoveTargets { rule, ids } = &step.action else { return None };
    let targets = seen.targets.get(rule).and_then(|fact| fact.known()).map(Vec::as_slice).unwrap_or_default();
    let ours = adoption::our_target(before, &step.place, seen, rule);
    let strangers = Split::of(targets, &subject.families, &ours).strangers;
    let id = ids.iter().find(|id| strangers.contains(id))?;
    Some(Violation::StrangersTarget { step: index, rule: rule.clone(), id: id.clone() })
}

/// Whether an earlier step creates the rule.
fn created(before: &[Step], place: &Place, rule: &RuleName) -> bool {
    before.iter().any(|step| {
        let creates = match &step.action {
            Action::PutRule { rule: put, create, .. } => *create && put == rule,
            Action::PutSchedule { rule: put, create, .. } => *create && put == rule,
            Action::RegisterTaskDefinition { .. }
            | Action::EnableRule { .. }
            | Action::DisableRule { .. }
            | Action::PutTargets { .. }
            | Action::RemoveTargets { .. }
            | Action::DeleteRule { .. }
            | Action::CreateScheduleGroup { .. }
            | Action::DeleteSchedule { .. }
            | Action::TagRule { .. }
            | Action::UntagRule { .. }
            | Action::TagRevision { .. }
            | Action::UntagRevision { .. }
            | Action::DeregisterTaskDefinition { .. } => false,
        };
        step.place == *place && creates
    })
}

/// Whether an earlier step makes the group of schedules.
fn makes_group(before: &[Step], place: &Place) -> bool {
    before.iter().any(|step| step.place == *place && matches!(step.action, Action::CreateScheduleGroup { .. }))
}

fn owns_rule(subject: &Subject<'_>, seen: &Observed, rule: &RuleName) -> bool {
    let live = seen.rules.get(rule).and_then(|fact| fact.known()?.as_ref());
    let tags = proof_of(subject, seen, rule);
    live.is_some_and(|live| live.managed_by.is_none()) && tags.is_some_and(|tags| subject.is_our_rule(rule, &tags))
}

fn owns_revision(subject: &Subject<'_>, seen: &Observed, revision: &RevisionArn) -> bool {
    let live = seen.revisions.get(revision).and_then(|fact| fact.known()?.as_ref());
    live.is_some_and(|live| subject.is_our_revision(revision.family(), &live.tags))
}

/// A family is free, or holds a revision of ours, or is started by a rule of ours.
fn owns_family(subject: &Subject<'_>, seen: &Observed, family: &Family) -> bool {
    let Some(active) = seen.active.get(family).and_then(|fact| fact.known()) else { return false };
    let started_by_us = || {
        seen.targets.iter().any(|(rule, targets)| {
            let targets = targets.known().map(Vec::as_slice).unwrap_or_default();
            let ours = adoption::our_target(&[], subject.place, seen, rule);
            let pinned = Split::of(targets, &subject.families, &ours).pinned();
            pinned.is_some_and(|arn| arn.family() == family.as_str()) && owns_rule(subject, seen, rule)
        })
    };
    subject.families.contains(&family)
        && (active.is_empty()
            || active.iter().any(|arn| owns_revision(subject, seen, arn))
            || started_by_us()
            || adoption::is_free_family(subject, seen, family, active))
}

/// The rule with this ARN.
fn named<'o>(seen: &'o Observed, arn: &str) -> impl Iterator<Item = &'o RuleName> {
    let has =
        move |fact: &Fact<Option<LiveRule>>| fact.known().and_then(Option::as_ref).is_some_and(|live| live.arn == arn);
    seen.rules.iter().filter(move |(_, fact)| has(fact)).map(|(name, _)| name)
}
