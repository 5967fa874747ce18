//! Tags of ours that are missing, changed or no longer wanted. Tags of others stay.

use std::collections::{BTreeMap, BTreeSet};

use super::adopt;
use super::draft::Draft;
use super::revision::Choice;
use super::see::Ours;
use super::survey::{Survey, mark};
use crate::compare;
use crate::desired::{Desired, Effect};
use crate::observed::{Observed, RevisionArn};
use crate::step::{Action, Because};
use crate::tags::{self, TagChanges, Tags};

/// Revisions that a plan has told not to speak for their rules, with the list of labels that says so.
#[derive(Debug, Default)]
pub(crate) struct Unsettled(BTreeMap<RevisionArn, String>);

/// Before any rule is told of other tags, the revision that it pins, and so speaks for it, says that it does not.
///
/// Where a process that knows nothing finds the manifest's tags on a pinned revision, it takes the rule to bear them too. Between what a
/// rule is told and what its revision says in the end the work may stop, and the manifest may be put back, or say a third thing.
pub(crate) fn unsettle(
    desired: &Desired,
    observed: &Observed,
    survey: &Survey<'_>,
    draft: &mut Draft<'_>,
) -> Unsettled {
    let mut unsettled = Unsettled::default();
    let mark = mark(desired, None);
    let rules = || survey.wanted.iter().filter(|wanted| wanted.desired.name.group().is_none() && !wanted.desired.over);
    let is_told = |live: Option<&Ours<'_>>| live.is_none_or(|live| !rule_changes(desired, live).is_empty());
    if !rules().any(|wanted| is_told(wanted.live.as_ref())) {
        return unsettled;
    }
    let mut wanted = desired.revision_tags.clone();
    wanted.remove(tags::SPEC);
    let pinned: BTreeSet<RevisionArn> = survey.rules_here().filter_map(|rule| rule.split.pinned()).collect();
    let active = pinned.iter().filter(|arn| survey.active.contains(arn));
    for revision in active.filter_map(|arn| observed.revisions.get(arn)?.known()?.as_ref()) {
        let is_to_change = mark.is_on(&revision.tags) && !tags::changes(&wanted, &revision.tags).is_empty();
        if let Some(value) = tags::unsettled(&revision.tags).filter(|_| is_to_change) {
            let tags = Tags::from([(tags::LABELS.to_owned(), value.clone())]);
            let tag = Action::TagRevision { revision: revision.arn.clone(), tags };
            draft.push(tag, Because::Note("its rules are told of other tags first".to_owned()));
            unsettled.0.insert(revision.arn.clone(), value);
        }
    }
    unsettled
}

/// What is to be written to the tags of a rule of ours.
fn rule_changes(desired: &Desired, live: &Ours<'_>) -> TagChanges {
    tags::changes(&adopt::rule_tags(desired, live), &live.tags)
}

/// Brings the tags of the rules that exist to what they should be; new rules get theirs with their creation.
pub(crate) fn rules(desired: &Desired, survey: &Survey<'_>, draft: &mut Draft<'_>, notes: &mut Vec<String>) {
    let mark = mark(desired, None);
    // What is taken over was tagged before anything else.
    let ours = |live: &&Ours<'_>| mark.is_on(&live.tags);
    let rules = survey.wanted.iter().filter(|wanted| !wanted.desired.over).filter_map(|wanted| wanted.live.as_ref());
    for live in rules.filter(ours) {
        let changes = rule_changes(desired, live);
        if let Some(source) = live.tags.get(tags::SOURCE).filter(|_| changes.set.contains_key(tags::SOURCE)) {
            notes.push(format!("{} is taken over from the source {source:?}", live.live.name.titled()));
        }
        if live.live.name.group().is_some() {
            // A schedule bears no tags; its description is put with the rest of it.
            continue;
        }
        let because = Because::Differs(compare::tags(&changes, &live.tags));
        let TagChanges { set, remove } = changes;
        // Labels that go, go first: once the list of labels is new, nothing says any more that they were ours.
        if !remove.is_empty() {
            draft.push(Action::UntagRule { arn: live.live.arn.clone(), keys: remove }, because.clone());
        }
        if !set.is_empty() {
            draft.push(Action::TagRule { arn: live.live.arn.clone(), tags: set }, because);
        }
    }
}

/// Before a rule pins a revision that was replaced once, the mark of that goes. The day that what is replaced stays for counts from when it is
/// replaced again, which may be before anybody has tidied.
pub(crate) fn welcome_back(desired: &Desired, choice: &Choice<'_>, draft: &mut Draft<'_>) {
    if !desired.rules.iter().any(|rule| matches!(rule.effect, Effect::Run) && !rule.over) {
        // A job that nothing starts pins nothing, and its revision keeps the mark.
        return;
    }
    let Some(live) = choice.of_ours(desired).filter(|live| live.tags.contains_key(tags::RETIRED_AT)) else { return };
    let untag = Action::UntagRevision { revision: live.arn.clone(), keys: vec![tags::RETIRED_AT.to_owned()] };
    draft.push(untag, Because::Note("a schedule pins it again".to_owned()));
}

/// Brings the tags of the pinned revision to what they should be.
pub(crate) fn revision(desired: &Desired, choice: &Choice<'_>, unsettled: &Unsettled, draft: &mut Draft<'_>) {
    let Some(live) = choice.of_ours(desired) else { return };
    let mut wanted = desired.revision_tags.clone();
    // Two versions of ecs-etl side by side must not rewrite each other's digest for ever.
    if let Some(tag) = live.tags.get(tags::SPEC).filter(|tag| tags::foreign_spec_version(tag).is_some()) {
        wanted.insert(tags::SPEC.to_owned(), tag.clone());
    }
    let mut bears = live.tags.clone();
    bears.extend(unsettled.0.get(&live.arn).map(|value| (tags::LABELS.to_owned(), value.clone())));
    let changes = tags::changes(&wanted, &bears);
    let because = Because::Differs(compare::tags(&changes, &bears));
    let TagChanges { set, remove } = changes;
    // Last comes what takes the sign away that the revision speaks for no rule: it stands in the list of labels.
    let ends_with_removal = remove.iter().any(|key| key == tags::LABELS);
    let untag = (!remove.is_empty()).then(|| Action::UntagRevision { revision: live.arn.clone(), keys: remove });
    let tag = (!set.is_empty()).then(|| Action::TagRevision { revision: live.arn.clone(), tags: set });
    let steps = if ends_with_removal { [tag, untag] } else { [untag, tag] };
    for action in steps.into_iter().flatten() {
        draft.push(action, because.clone());
    }
}
