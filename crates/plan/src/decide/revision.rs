//! Which revision the schedules should pin: one that exists and is equal, or a new one.
//!
//! Content decides; the spec tag only hints (see `docs/design/decide.md`).

use super::Policy;
use super::adopt;
use super::stop::{Asks, Stop};
use super::survey::{Survey, mark};
use crate::compare;
use crate::condition::{Reason, Verdict};
use crate::desired::Desired;
use crate::normalise::FieldChange;
use crate::observed::{LiveRevision, Look, Observed, RevisionArn};
use crate::ownership::Mark;
use crate::step::Because;
use crate::tags;

/// How many revisions are looked at, at most, to learn whether any of a family is ours.
const CLASH_LOOKS: usize = 100;

/// The revision to pin.
#[derive(Debug)]
pub(crate) enum Choice<'a> {
    /// One of ours that is equal.
    Existing(&'a LiveRevision),
    /// What AWS made of this very spec: it differs, and registering it again would not help.
    Stuck(&'a LiveRevision, Vec<FieldChange>),
    /// None is equal.
    Register(Because),
}

impl<'a> Choice<'a> {
    /// The revision, if it exists and bears our mark.
    pub(crate) fn of_ours(&self, desired: &Desired) -> Option<&'a LiveRevision> {
        match self {
            Self::Existing(revision) | Self::Stuck(revision, _) => {
                Some(*revision).filter(|revision| mark(desired, None).is_on(&revision.tags))
            }
            Self::Register(_) => None,
        }
    }

    /// Whether a rule of the job here pins it already, wanted or not.
    pub(crate) fn is_pinned(&self, survey: &Survey<'_>) -> bool {
        match self {
            Self::Existing(revision) | Self::Stuck(revision, _) => {
                survey.rules_here().any(|rule| rule.split.pinned().as_ref() == Some(&revision.arn))
            }
            Self::Register(_) => false,
        }
    }
}

/// Chooses, or asks for the contents that the choice hangs on.
pub(crate) fn choose<'a>(
    desired: &Desired,
    observed: &'a Observed,
    survey: &Survey<'_>,
    policy: &Policy,
) -> Result<Choice<'a>, Stop> {
    let mark = mark(desired, None);
    let pinned = pinned(survey);

    let read = read(observed, pinned.iter())?;
    if let Some(kept) = newest_equal(&read, desired, &mark) {
        return Ok(Choice::Existing(kept));
    }
    if let Some(taken) = adopt::pinned(desired, &read, survey) {
        return Ok(Choice::Existing(taken));
    }

    let window = survey.active.iter().take(policy.window());
    let mut candidates: Vec<&RevisionArn> = window.chain(&pinned).collect();
    candidates.sort_unstable_by(|a, b| b.cmp(a));
    candidates.dedup();
    let read = self::read(observed, candidates.iter().copied())?;
    if let Some(equal) = newest_equal(&read, desired, &mark) {
        return Ok(Choice::Existing(equal));
    }

    let ours = || read.iter().copied().filter(|revision| mark.is_on(&revision.tags));
    if let Some(stuck) = ours().find(|revision| revision.tags.get(tags::SPEC) == Some(&desired.spec_tag)) {
        return Ok(Choice::Stuck(stuck, compare::content(&desired.normal, &stuck.normal)));
    }
    match ours().next() {
        Some(newest) => refuse_newer_version(newest)?,
        None if desired.adoption.family.is_some() => {
            if let Some(taken) = adopt::revision(desired, &read, survey)? {
                return Ok(Choice::Existing(taken));
            }
        }
        None => refuse_strangers_family(desired, observed, survey, &mark, policy)?,
    }
    let reference = pinned.first().and_then(|arn| read.iter().find(|revision| revision.arn == *arn)).copied();
    Ok(Choice::Register(because(desired, survey, reference.or_else(|| ours().next()))))
}

/// ACTIVE revisions that our targets pin, newest first.
fn pinned(survey: &Survey<'_>) -> Vec<RevisionArn> {
    let live = survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref());
    let mut pinned: Vec<RevisionArn> = live.filter_map(|rule| rule.split.pinned()).collect();
    pinned.retain(|arn| survey.active.contains(arn));
    pinned.sort_unstable_by(|a, b| b.cmp(a));
    pinned.dedup();
    pinned
}

/// The contents of these revisions, in order, without those that AWS does not know.
fn read<'a, 'b>(
    observed: &'a Observed,
    arns: impl Iterator<Item = &'b RevisionArn>,
) -> Result<Vec<&'a LiveRevision>, Stop> {
    let mut asks = Asks::default();
    let mut read = Vec::new();
    for arn in arns {
        let fact = observed.revisions.get(arn);
        let revision = asks.fact(fact, None, || Look::Revision(arn.clone()), || format!("revision {arn}"));
        read.extend(revision.and_then(Option::as_ref));
    }
    asks.settled()?;
    Ok(read)
}

fn newest_equal<'a>(read: &[&'a LiveRevision], desired: &Desired, mark: &Mark<'_>) -> Option<&'a LiveRevision> {
    let equal = |revision: &&&LiveRevision| {
        mark.is_on(&revision.tags) && compare::content(&desired.normal, &revision.normal).is_empty()
    };
    read.iter().find(equal).copied()
}

/// A digest of another version says that another ecs-etl wrote the revision: what differs may differ to us only.
fn refuse_newer_version(newest: &LiveRevision) -> Result<(), Stop> {
    let Some(version) = newest.tags.get(tags::SPEC).and_then(|tag| tags::foreign_spec_version(tag)) else {
        return Ok(());
    };
    let message = format!(
        "revision {} was written by an ecs-etl that marks specs with {version}; this one knows {}",
        newest.arn,
        tags::SPEC_VERSION
    );
    Err(Stop::Leave(Verdict::Stalled(Reason::UnknownSpecVersion, message)))
}

/// A family whose ACTIVE revisions are all strangers' is theirs, unless a rule of ours starts tasks of it: then its name
/// is ours, and the marks of its revisions were lost.
fn refuse_strangers_family(
    desired: &Desired,
    observed: &Observed,
    survey: &Survey<'_>,
    mark: &Mark<'_>,
    policy: &Policy,
) -> Result<(), Stop> {
    let rules = survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref());
    let started_by_us = rules.filter_map(|rule| rule.split.pinned()).any(|arn| arn.family() == desired.family.as_str());
    if survey.active.is_empty() || started_by_us {
        return Ok(());
    }
    let mut unread = Vec::new();
    for arn in survey.active.iter().take(CLASH_LOOKS) {
        match observed.revisions.get(arn).and_then(|fact| fact.known()) {
            Some(Some(revision)) if mark.is_on(&revision.tags) => return Ok(()),
            Some(_) => {}
            None => unread.push(arn),
        }
    }
    read(observed, unread.into_iter().take(policy.window()))?;
    Err(Stop::not_owned(format!("family {} exists and no ACTIVE revision of it is ours", desired.family)))
}

fn because(desired: &Desired, survey: &Survey<'_>, reference: Option<&LiveRevision>) -> Because {
    if let Some(reference) = reference {
        let changes = compare::content(&desired.normal, &reference.normal);
        if !changes.is_empty() {
            return Because::Differs(changes);
        }
        return Because::Note(format!("revision {} is equal but does not bear our marks", reference.arn));
    }
    let lost = survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref()?.split.pinned()).next();
    match lost {
        Some(arn) => Because::Note(format!("revision {arn}, which the schedule pins, is not ACTIVE any more")),
        None => Because::Missing,
    }
}
