//! Taking over what exists: whether it may be taken, and the marks that come before every other write to it.

use std::borrow::Cow;

use ecs_etl_spec::name::{Family, RuleName};

use super::draft::Draft;
use super::revision::Choice;
use super::see::{Ours, Seen};
use super::stop::{Asks, Stop};
use super::survey::{Survey, mark};
use super::targets::Split;
use crate::adoption::{adopted_target_id, is_free, may_take, stack};
use crate::compare;
use crate::condition::{Reason, Verdict};
use crate::desired::{Desired, TARGET_ID};
use crate::observed::{LiveRevision, Look, Observed};
use crate::ownership::Mark;
use crate::step::{Action, Because};
use crate::tags::{self, TagChanges, Tags};

/// Looks at a rule that the job adopts. Who must not give it up is asked before its targets.
pub(crate) fn see<'a>(
    desired: &Desired,
    observed: &'a Observed,
    name: &RuleName,
    families: &[&Family],
    asks: &mut Asks,
) -> Seen<'a> {
    let look = || Look::Rule(name.clone());
    let Some(rule) = asks.fact(observed.rules.get(name), None, look, || format!("rule {name}")) else {
        return Seen::Lacking;
    };
    let Some(live) = rule else { return Seen::Absent };
    if let Some(service) = &live.managed_by {
        asks.stop(refused(format!(
            "rule {name} is managed by {service}, which would undo every change; take it out of `adopt`"
        )));
        return Seen::Lacking;
    }
    let look = || Look::RuleTags(name.clone(), live.arn.clone());
    let tags = asks.fact(observed.rule_tags.get(name), None, look, || format!("the tags of rule {name}"));
    if let Some(tags) = tags {
        if !may_take(&marks(desired), tags) {
            return Seen::Stranger(mark(desired, None).stranger(tags));
        }
        if let Some(stack) = stack(tags) {
            asks.stop(of_a_stack(&format!("rule {name}"), stack));
            return Seen::Lacking;
        }
    }
    let look = || Look::Targets(name.clone());
    let targets = asks.fact(observed.targets.get(name), None, look, || format!("the targets of rule {name}"));
    let (Some(tags), Some(targets)) = (tags, targets) else { return Seen::Lacking };
    match adopted_target_id(tags, targets) {
        Ok(id) => Seen::Ours(Ours { live, tags: Cow::Borrowed(tags), split: Split::of(targets, families, id) }),
        Err(several) => {
            let message = format!(
                "rule {name} has several ECS targets ({}), and one job is one of them; give each a rule of its own, or remove \
                 all but the job's",
                several.join(", ")
            );
            asks.stop(refused(message));
            Seen::Lacking
        }
    }
}

/// Chooses among revisions of others in an adopted family that holds none of ours: what the rule pins, or the newest, if
/// it is equal.
pub(crate) fn revision<'a>(
    desired: &Desired,
    read: &[&'a LiveRevision],
    survey: &Survey<'_>,
) -> Result<Option<&'a LiveRevision>, Stop> {
    let Some(family) = &desired.adoption.family else { return Ok(None) };
    let marks = marks(desired);
    if let Some(other) = read.iter().find(|revision| !may_take(&marks, &revision.tags)) {
        let whose = mark(desired, None).stranger(&other.tags);
        return Err(Stop::not_owned(format!("family {family} is not ours: of its revision {}, {whose}", other.arn)));
    }
    let wanted = survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref()?.split.pinned());
    let starts = wanted.chain(survey.active.first().cloned());
    let starts: Vec<&LiveRevision> =
        starts.filter_map(|arn| read.iter().find(|revision| revision.arn == arn).copied()).collect();
    if let Some((revision, stack)) = starts.iter().find_map(|revision| Some((revision, stack(&revision.tags)?))) {
        return Err(of_a_stack(&format!("revision {}", revision.arn), stack));
    }
    let equal = |revision: &&&LiveRevision| compare::content(&desired.normal, &revision.normal).is_empty();
    Ok(starts.iter().find(equal).copied())
}

/// Whether nobody of our kind owns a revision that the rule to be taken over pins: then it may be taken as it is.
pub(crate) fn pinned<'a>(
    desired: &Desired,
    read: &[&'a LiveRevision],
    survey: &Survey<'_>,
) -> Option<&'a LiveRevision> {
    let mark = mark(desired, None);
    let newcomers =
        survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref()).filter(|live| !mark.is_on(&live.tags));
    let pinned: Vec<_> = newcomers.filter_map(|live| live.split.pinned()).collect();
    let takes = |revision: &&&LiveRevision| {
        desired.adoption.takes_family(revision.arn.family())
            && pinned.contains(&revision.arn)
            && is_free(&revision.tags)
            && stack(&revision.tags).is_none()
            && compare::content(&desired.normal, &revision.normal).is_empty()
    };
    read.iter().find(takes).copied()
}

/// The first steps of a plan: our marks on what is taken over, so that whatever follows is written to what is ours.
pub(crate) fn claim(desired: &Desired, survey: &Survey<'_>, choice: &Choice<'_>, draft: &mut Draft<'_>) {
    let mark = mark(desired, None);
    for live in survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref()).filter(|live| !mark.is_on(&live.tags)) {
        let changes = tags::changes(&rule_tags(desired, live), &live.tags);
        let because = Because::Differs(compare::tags(&changes, &live.tags));
        let arn = || live.live.arn.clone();
        for change in claiming(changes) {
            let action = match change {
                Claim::Set(tags) => Action::TagRule { arn: arn(), tags },
                Claim::Remove(keys) => Action::UntagRule { arn: arn(), keys },
            };
            draft.push(action, because.clone());
        }
    }
    let revision = match choice {
        Choice::Existing(live) | Choice::Stuck(live, _) if !mark.is_on(&live.tags) => live,
        Choice::Existing(_) | Choice::Stuck(..) | Choice::Register(_) => return,
    };
    let changes = tags::changes(&desired.revision_tags, &revision.tags);
    let because = Because::Differs(compare::tags(&changes, &revision.tags));
    let arn = || revision.arn.clone();
    for change in claiming(changes) {
        let action = match change {
            Claim::Set(tags) => Action::TagRevision { revision: arn(), tags },
            Claim::Remove(keys) => Action::UntagRevision { revision: arn(), keys },
        };
        draft.push(action, because.clone());
    }
}

/// One write of tags.
enum Claim {
    Set(Tags),
    Remove(Vec<String>),
}

/// The tags to write in order: our marks come first. What lost them may still bear labels of ours that are to go, and which those
/// are only its own list of them tells: that list is put right last.
fn claiming(changes: TagChanges) -> Vec<Claim> {
    let TagChanges { mut set, remove } = changes;
    if remove.is_empty() {
        return vec![Claim::Set(set)];
    }
    let list = set.remove_entry(tags::LABELS).map(|list| Claim::Set(Tags::from([list])));
    [Claim::Set(set), Claim::Remove(remove)].into_iter().chain(list).collect()
}

/// What a person should know of what is taken over.
pub(crate) fn notes(desired: &Desired, survey: &Survey<'_>) -> Vec<String> {
    let mark = mark(desired, None);
    let newcomers =
        survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref()).filter(|live| !mark.is_on(&live.tags));
    newcomers.map(|live| format!("rule {} is taken over", live.live.name)).collect()
}

/// The tags that a rule should have: those of every rule of the job, and the Id of its target where that is not ours.
pub(crate) fn rule_tags(desired: &Desired, live: &Ours<'_>) -> Tags {
    let mut wanted = desired.rule_tags.clone();
    if live.split.id != TARGET_ID {
        wanted.insert(tags::TARGET.to_owned(), live.split.id.clone());
    }
    wanted
}

/// Marks of the job, and of the name it had before.
fn marks(desired: &Desired) -> Vec<Mark<'_>> {
    let former = desired.moved_from.as_ref();
    std::iter::once(mark(desired, None)).chain(former.map(|former| mark(desired, Some(former)))).collect()
}

fn refused(message: String) -> Stop {
    Stop::Leave(Verdict::Stalled(Reason::AdoptionRefused, message))
}

fn of_a_stack(what: &str, stack: &str) -> Stop {
    refused(format!(
        "{what} belongs to the CloudFormation stack {stack}, which would undo every change or remove it; take it out of the \
         stack with `DeletionPolicy: Retain`, or take it out of `adopt`"
    ))
}
