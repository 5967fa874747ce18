//! Retirement without a ledger: a revision that no schedule pins is marked with the time, and deregistered when no retry can
//! want it any more.
//!
//! The mark is a tag, so it survives the controller. Nothing is touched that does not bear our marks, and nothing that a
//! target pins.

use std::collections::BTreeSet;

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, JobName, RuleName};
use jiff::{SignedDuration, Timestamp};

use crate::condition::{Reason, Verdict};
use crate::decide::draft::Draft;
use crate::decide::retire::retired_at;
use crate::decide::stop::{Asks, Stop};
use crate::decide::targets::task_definition;
use crate::desired::Identity;
use crate::observed::{Fact, LiveRevision, Look, Observed, Questions, RevisionArn};
use crate::ownership::Mark;
use crate::step::{Action, Because, Kind, Plan};
use crate::tags;

/// EventBridge retries a run for a day at most, whatever the job says now: an event of before may still be under way.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_hours(24);
/// For clocks that differ and deliveries on their way.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// How many unknown revisions are read in one go.
const BATCH: usize = 5;

/// A family to tidy.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The job that it belongs to.
    pub job: &'a JobName,
    /// The family.
    pub family: &'a Family,
    /// Where it is.
    pub place: &'a Place,
    /// Who we are.
    pub identity: &'a Identity,
    /// What stays, however old it is.
    pub keep: Keep,
    /// How late EventBridge may still start a run of the job.
    pub event_age: SignedDuration,
}

/// Which revisions of a family stay, however old they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many of the newest, `spec.keepRevisions`: the job lives here.
    Newest(u32),
    /// Those of another source alone: the job lives in another place now, or under another name.
    MovedAway,
    /// Those of another source and of `deletionPolicy: Retain`: the job is gone.
    Gone,
}

/// What is lacking, or what to tidy.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum CleanUp {
    /// These facts are lacking.
    Look(Questions),
    /// What to do now, and when something falls due next.
    Plan(Plan, Option<Timestamp>),
}

/// Decides what to tidy in one family.
///
/// Every rule of the job in `observed` must have its targets known; what is not known is asked for, a few revisions at a time.
pub fn decide(scope: &Scope<'_>, observed: &Observed, now: Timestamp) -> CleanUp {
    match tidy(scope, observed, now) {
        Ok((plan, next_due)) => CleanUp::Plan(plan, next_due),
        Err(Stop::Look(questions)) => CleanUp::Look(questions),
        Err(Stop::Leave(verdict)) => CleanUp::Plan(Plan::leave(scope.job, verdict), None),
    }
}

fn tidy(scope: &Scope<'_>, observed: &Observed, now: Timestamp) -> Result<(Plan, Option<Timestamp>), Stop> {
    let (active, pinned) = references(scope, observed)?;
    let mark = Mark::new(&scope.identity.controller, scope.job);
    let ours: Vec<&LiveRevision> = read(active, observed)?
        .into_iter()
        .filter(|revision| mark.is_on(&revision.tags) && !stays(scope, revision))
        .collect();
    let keep = match scope.keep {
        Keep::Newest(keep) => usize::try_from(keep).unwrap_or(usize::MAX),
        Keep::MovedAway | Keep::Gone => 0,
    };
    let wait = LONGEST_RETRY.max(scope.event_age).saturating_add(MARGIN);

    let mut draft = Draft::new(scope.place);
    let mut due = Vec::new();
    let mut next_due: Option<Timestamp> = None;
    for (rank, revision) in ours.iter().enumerate() {
        let arn = revision.arn.clone();
        let marked = revision.tags.get(tags::RETIRED_AT);
        if pinned.contains(&arn) {
            if marked.is_some() {
                let keys = vec![tags::RETIRED_AT.to_owned()];
                draft.push(Action::UntagRevision { revision: arn, keys }, note("a schedule pins it again"));
            }
            continue;
        }
        let Some(since) = marked.and_then(|since| since.parse::<Timestamp>().ok()) else {
            let tag = Action::TagRevision { revision: arn, tags: retired_at(now) };
            draft.push(tag, note("no schedule pins it any more"));
            continue;
        };
        let Ok(end) = since.checked_add(wait) else { continue };
        if rank < keep {
            continue;
        } else if end <= now {
            due.push(arn);
        } else {
            next_due = Some(next_due.map_or(end, |next| next.min(end)));
        }
    }
    if !due.is_empty() {
        know_plain_rule(scope, observed)?;
    }
    for revision in due.into_iter().rev() {
        let why = format!("no schedule has pinned it for {} hours, and newer ones are kept", wait.as_hours());
        draft.push(Action::DeregisterTaskDefinition { revision }, Because::Note(why));
    }
    let verdict = match scope.keep {
        Keep::Newest(_) | Keep::MovedAway => {
            Verdict::Ready(Reason::Converged, "replaced revisions are tidied away".to_owned())
        }
        Keep::Gone => Verdict::Waiting(Reason::Removed, "the job's revisions are tidied away".to_owned(), next_due),
    };
    let kind = if draft.is_empty() { Kind::None } else { Kind::CleanUp };
    let plan = Plan { job: scope.job.clone(), kind, steps: draft.into_steps(), verdict, pins: None, notes: Vec::new() };
    Ok((plan, next_due))
}

fn note(why: &str) -> Because {
    Because::Note(why.to_owned())
}

/// Where a job is not at home, revisions stay because another source's controller answers for them; those of one that is gone also by
/// its policy.
fn stays(scope: &Scope<'_>, revision: &LiveRevision) -> bool {
    let tag = |key: &str| revision.tags.get(key).map(String::as_str);
    let is_of_other_source = || tag(tags::SOURCE) != Some(scope.identity.source.as_str());
    match scope.keep {
        Keep::Newest(_) => false,
        Keep::MovedAway => is_of_other_source(),
        Keep::Gone => is_of_other_source() || tag(tags::POLICY) == Some("Retain"),
    }
}

/// The ACTIVE revisions, newest first, and those that any target of any of the job's rules pins.
fn references<'a>(
    scope: &Scope<'_>,
    observed: &'a Observed,
) -> Result<(&'a [RevisionArn], BTreeSet<RevisionArn>), Stop> {
    let mut asks = Asks::default();
    let look = || Look::Active(scope.family.clone());
    let what = || format!("the revisions of family {}", scope.family);
    let active = asks.fact(observed.active.get(scope.family), None, look, what).map(Vec::as_slice).unwrap_or_default();
    let mut pinned = BTreeSet::new();
    for (name, fact) in &observed.rules {
        let look = || Look::Rule(name.clone());
        let Some(Some(_)) = asks.fact(Some(fact), None, look, || name.titled()) else { continue };
        let look = || Look::Targets(name.clone());
        let what = || format!("the targets of {}", name.titled());
        let targets = asks.fact(observed.targets.get(name), None, look, what);
        for reference in targets.into_iter().flatten().filter_map(task_definition) {
            match RevisionArn::parse(reference) {
                Some(arn) => pinned.insert(arn),
                // A family without a revision means its newest one at the time of the run.
                None => active.first().is_some_and(|newest| pinned.insert(newest.clone())),
            };
        }
    }
    asks.settled()?;
    Ok((active, pinned))
}

/// What is known of these revisions; a few of those that are not are asked for.
fn read<'a>(active: &[RevisionArn], observed: &'a Observed) -> Result<Vec<&'a LiveRevision>, Stop> {
    let mut asks = Asks::default();
    let mut asked = 0;
    let mut read = Vec::new();
    for arn in active {
        match observed.revisions.get(arn) {
            Some(Fact::Known(revision)) => read.extend(revision.as_ref()),
            Some(Fact::Unreadable(why)) => {
                // Nothing in the family is tidied on half of what is known, and somebody is told.
                let message = format!("revision {arn} cannot be read: {why}");
                return Err(Stop::Leave(Verdict::Stalled(Reason::OwnershipUnknown, message)));
            }
            Some(Fact::NotRead) | None if asked == BATCH => {}
            Some(Fact::NotRead) | None => {
                asked += 1;
                asks.ask(None, Look::Revision(arn.clone()));
            }
        }
    }
    asks.settled()?;
    Ok(read)
}

/// Before a revision goes for good, the rule of the plain name must be known, not only listed as absent.
fn know_plain_rule(scope: &Scope<'_>, observed: &Observed) -> Result<(), Stop> {
    let Ok(name) = RuleName::new(scope.family.as_str()) else { return Ok(()) };
    let mut asks = Asks::default();
    let look = || Look::Rule(name.clone());
    asks.fact(observed.rules.get(&name), None, look, || format!("rule {name}"));
    asks.settled()
}
