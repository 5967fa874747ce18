//! What a plan may take over: what `adopt` names and nobody else owns, once it has given it our marks.

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName};

use super::Subject;
use crate::adoption::{Adoption, ecs_targets, is_free, may_take, stack, target_id};
use crate::observed::{LiveRule, Observed, RevisionArn};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// Whether a rule is one that the job adopts and may have.
pub(super) fn may_take_rule(subject: &Subject<'_>, seen: &Observed, rule: &RuleName) -> bool {
    let named = adoption(subject).is_some_and(|adoption| adoption.rules.contains(rule));
    let live = live(seen, rule).filter(|live| named && live.managed_by.is_none());
    let tags = seen.rule_tags.get(rule).and_then(|fact| fact.known());
    let targets = seen.targets.get(rule).and_then(|fact| fact.known());
    let (Some(_), Some(tags), Some(targets)) = (live, tags, targets) else { return false };
    let takeable = may_take(&subject.marks, tags) && stack(tags).is_none();
    takeable && (tags.contains_key(tags::TARGET) || ecs_targets(targets).count() <= 1)
}

/// Whether with a TagRule a rule that may be taken over has our marks, some of which somebody may have left on it.
pub(super) fn takes_rule(subject: &Subject<'_>, seen: &Observed, rule: &RuleName, tags: &Tags) -> bool {
    let live = seen.rule_tags.get(rule).and_then(|fact| fact.known());
    may_take_rule(subject, seen, rule) && live.is_some_and(|live| becomes_ours(subject, live, tags))
}

/// Whether a resource with `live` tags bears the job's mark once it is given `set` as well.
fn becomes_ours(subject: &Subject<'_>, live: &Tags, set: &Tags) -> bool {
    let mut all = live.clone();
    all.extend(set.clone());
    subject.marks.first().is_some_and(|mark| mark.is_on(&all))
}

/// Whether the target that a TagRule makes ours is ours already, or the one ECS target of a rule that is taken over.
pub(super) fn keeps_target(subject: &Subject<'_>, seen: &Observed, rule: &RuleName, tags: &Tags) -> bool {
    let Some(id) = tags.get(tags::TARGET) else { return true };
    let before = seen.rule_tags.get(rule).and_then(|fact| fact.known()).and_then(|live| live.get(tags::TARGET));
    let targets = seen.targets.get(rule).and_then(|fact| fact.known()).map(Vec::as_slice).unwrap_or_default();
    let only = || ecs_targets(targets).eq([id.as_str()]);
    before == Some(id) || (may_take_rule(subject, seen, rule) && only())
}

/// Whether an earlier step takes the rule over.
pub(super) fn taken(before: &[Step], subject: &Subject<'_>, place: &Place, seen: &Observed, rule: &RuleName) -> bool {
    tagged(before, place, seen, rule).any(|tags| takes_rule(subject, seen, rule, tags))
}

/// The Id of our target on a rule, after these steps.
pub(super) fn our_target(before: &[Step], place: &Place, seen: &Observed, rule: &RuleName) -> String {
    let nothing = Tags::new();
    let live = seen.rule_tags.get(rule).and_then(|fact| fact.known()).unwrap_or(&nothing);
    let set = tagged(before, place, seen, rule).filter_map(|tags| tags.get(tags::TARGET)).last();
    set.cloned().unwrap_or_else(|| target_id(live).to_owned())
}

/// Whether a revision is of the adopted family and may be had.
pub(super) fn may_take_revision(subject: &Subject<'_>, seen: &Observed, revision: &RevisionArn) -> bool {
    let named = adoption(subject).is_some_and(|adoption| adoption.takes_family(revision.family()));
    let live = seen.revisions.get(revision).and_then(|fact| fact.known()?.as_ref()).filter(|_| named);
    live.is_some_and(|live| may_take(&subject.marks, &live.tags) && stack(&live.tags).is_none())
}

/// Whether with a TagRevision a revision that may be had has our marks.
pub(super) fn takes_revision(subject: &Subject<'_>, seen: &Observed, revision: &RevisionArn, tags: &Tags) -> bool {
    let live = seen.revisions.get(revision).and_then(|fact| fact.known()?.as_ref());
    may_take_revision(subject, seen, revision) && live.is_some_and(|live| becomes_ours(subject, &live.tags, tags))
}

/// Whether an earlier step takes the revision over.
pub(super) fn taken_revision(before: &[Step], subject: &Subject<'_>, seen: &Observed, revision: &RevisionArn) -> bool {
    before.iter().any(|step| {
        matches!(&step.action, Action::TagRevision { revision: tagged, tags }
            if tagged == revision && takes_revision(subject, seen, revision, tags))
    })
}

/// Whether an adopted family is nobody's: of what is known of it, nothing has an owner, and the newest has been looked at.
pub(super) fn is_free_family(subject: &Subject<'_>, seen: &Observed, family: &Family, active: &[RevisionArn]) -> bool {
    let known = |arn: &RevisionArn| seen.revisions.get(arn).and_then(|fact| fact.known()?.as_ref());
    let owned = |arn: &&RevisionArn| {
        known(arn).is_some_and(|live| !is_free(&live.tags) && !may_take(&subject.marks, &live.tags))
    };
    let newest = active.first().is_some_and(|newest| may_take_revision(subject, seen, newest));
    adoption(subject).is_some_and(|adoption| adoption.takes_family(family.as_str()))
        && newest
        && !active.iter().any(|arn| owned(&arn))
}

fn adoption<'a>(subject: &Subject<'a>) -> Option<&'a Adoption> {
    subject.desired.map(|desired| &desired.adoption)
}

fn live<'o>(seen: &'o Observed, rule: &RuleName) -> Option<&'o LiveRule> {
    seen.rules.get(rule).and_then(|fact| fact.known()?.as_ref())
}

/// Tags that these steps give to a rule.
fn tagged<'s>(before: &'s [Step], place: &Place, seen: &Observed, rule: &RuleName) -> impl Iterator<Item = &'s Tags> {
    let arn = live(seen, rule).map(|live| live.arn.clone());
    let here: Vec<&Tags> = before
        .iter()
        .filter(|step| step.place == *place)
        .filter_map(|step| match &step.action {
            Action::TagRule { arn: tagged, tags } if Some(tagged) == arn.as_ref() => Some(tags),
            Action::TagRule { .. }
            | Action::RegisterTaskDefinition { .. }
            | Action::PutRule { .. }
            | Action::EnableRule { .. }
            | Action::DisableRule { .. }
            | Action::PutTargets { .. }
            | Action::RemoveTargets { .. }
            | Action::DeleteRule { .. }
            | Action::CreateScheduleGroup { .. }
            | Action::PutSchedule { .. }
            | Action::DeleteSchedule { .. }
            | Action::UntagRule { .. }
            | Action::TagRevision { .. }
            | Action::UntagRevision { .. }
            | Action::DeregisterTaskDefinition { .. } => None,
        })
        .collect();
    here.into_iter()
}
