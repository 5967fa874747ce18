//! Tags of ours that are missing, changed or no longer wanted. Tags of others stay.

use super::adopt;
use super::draft::Draft;
use super::revision::Choice;
use super::see::Ours;
use super::survey::{Survey, mark};
use crate::compare;
use crate::desired::Desired;
use crate::step::{Action, Because};
use crate::tags::{self, TagChanges};

/// Brings the tags of the rules that exist to what they should be; new rules get theirs with their creation.
pub(crate) fn rules(desired: &Desired, survey: &Survey<'_>, draft: &mut Draft<'_>, notes: &mut Vec<String>) {
    let mark = mark(desired, None);
    // What is taken over was tagged before anything else.
    let ours = |live: &&Ours<'_>| mark.is_on(&live.tags);
    let rules = survey.wanted.iter().filter(|wanted| !wanted.desired.over).filter_map(|wanted| wanted.live.as_ref());
    for live in rules.filter(ours) {
        let changes = tags::changes(&adopt::rule_tags(desired, live), &live.tags);
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

/// Brings the tags of the pinned revision to what they should be.
pub(crate) fn revision(desired: &Desired, choice: &Choice<'_>, draft: &mut Draft<'_>) {
    let live = match choice {
        Choice::Existing(live) | Choice::Stuck(live, _) if mark(desired, None).is_on(&live.tags) => live,
        Choice::Existing(_) | Choice::Stuck(..) | Choice::Register(_) => return,
    };
    let mut wanted = desired.revision_tags.clone();
    // Two versions of ecs-etl side by side must not rewrite each other's digest for ever.
    if let Some(tag) = live.tags.get(tags::SPEC).filter(|tag| tags::foreign_spec_version(tag).is_some()) {
        wanted.insert(tags::SPEC.to_owned(), tag.clone());
    }
    let changes = tags::changes(&wanted, &live.tags);
    let because = Because::Differs(compare::tags(&changes, &live.tags));
    let TagChanges { set, remove } = changes;
    if !remove.is_empty() {
        draft.push(Action::UntagRevision { revision: live.arn.clone(), keys: remove }, because.clone());
    }
    if !set.is_empty() {
        draft.push(Action::TagRevision { revision: live.arn.clone(), tags: set }, because);
    }
}
