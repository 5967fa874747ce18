//! What to do for one job: a function of what is desired, what was observed, the policy and the time.
//!
//! The decision goes through stages, and each asks for all the facts it lacks at once, so that few rounds are needed and AWS is
//! asked only what the decision hangs on. How it chooses is told in `docs/design/decide.md`.

mod adopt;
mod astray;
pub(crate) mod draft;
mod handover;
pub(crate) mod retire;
mod revision;
mod rules;
pub(crate) mod see;
pub(crate) mod stop;
pub(crate) mod survey;
mod tagging;
pub(crate) mod targets;
mod ticks;

use jiff::{SignedDuration, Timestamp};

use crate::condition::{Reason, Verdict};
use crate::desired::Desired;
use crate::observed::{Observed, Questions};
use crate::step::{Action, Because, Kind, Plan, RevisionRef};

use draft::Draft;
use revision::Choice;
use rules::Goal;
use stop::Stop;
use survey::{Superseded, Survey};

pub use targets::pinning;

/// What a decision is free to vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many revisions of a job are kept, `spec.keepRevisions`.
    pub keep_revisions: u32,
    /// How far a move keeps away from ticks, before and after.
    pub move_margin: SignedDuration,
}

impl Policy {
    /// How many of the newest ACTIVE revisions are looked at for an equal one: those that are kept and one more.
    pub(crate) fn window(&self) -> usize {
        usize::try_from(self.keep_revisions).unwrap_or(usize::MAX).saturating_add(1)
    }
}

impl Default for Policy {
    /// Five revisions; two minutes.
    fn default() -> Self {
        Self { keep_revisions: 5, move_margin: SignedDuration::from_secs(120) }
    }
}

/// What is lacking, or what to do.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// These facts are lacking; decide again with them.
    Look(Questions),
    /// What to do.
    Plan(Plan),
}

/// Decides what brings a job's live state to what is desired.
///
/// Every fact of `observed` that is `NotRead` and matters is asked for; one that is unreadable leaves the job alone.
pub fn decide(desired: &Desired, observed: &Observed, policy: &Policy, now: Timestamp) -> Decision {
    match converge(desired, observed, policy, now) {
        Ok(plan) => Decision::Plan(plan),
        Err(Stop::Look(questions)) => Decision::Look(questions),
        Err(Stop::Leave(verdict)) => Decision::Plan(Plan::leave(&desired.job, verdict)),
    }
}

fn converge(desired: &Desired, observed: &Observed, policy: &Policy, now: Timestamp) -> Result<Plan, Stop> {
    if desired.reconcile_disabled {
        let message = "the manifest says to leave the job alone".to_owned();
        return Err(Stop::Leave(Verdict::Paused(Reason::ReconcileDisabled, message)));
    }
    let survey = survey::survey(desired, observed)?;
    let choice = revision::choose(desired, observed, &survey, policy)?;
    let retired = retire::former(desired, observed, &survey)?;

    let mut draft = Draft::new(&desired.place);
    adopt::claim(desired, &survey, &choice, &mut draft);
    let pins = pin(desired, &choice, &mut draft);
    let mut goal = Goal { desired, pins: pins.clone(), active: survey.active, hold: false, stopped: Vec::new() };
    let handover = handover::handover(&survey, &goal, policy, now)?;
    goal.hold = !handover.stops.is_empty();

    let stopped = |index: usize| handover.stops.contains(&index);
    let stop = |draft: &mut Draft<'_>| {
        let stopping = survey.old.iter().enumerate().filter(|(index, _)| stopped(*index));
        stopping.for_each(|(_, old)| handover::stop(old, draft));
    };
    if handover.at_once {
        stop(&mut draft);
    }
    if survey.lacks_group
        && let Some(scheduled) = desired.scheduled.as_ref()
        && desired.rules.iter().any(|rule| rule.name.group().is_some() && !rule.over)
    {
        let (group, tags) = (scheduled.group.clone(), scheduled.group_tags.clone());
        draft.push(Action::CreateScheduleGroup { group, tags }, Because::Missing);
    }
    goal.stopped = astray::stop(&survey, &goal, now, &mut draft);
    let mut notes = notes(&survey, observed, &choice, desired);
    let unsettled = tagging::unsettle(desired, observed, &survey, &mut draft);
    // Before a rule pins a revision with new tags: what a pinned revision says of the manifest's labels, its rule was told.
    tagging::rules(desired, &survey, &mut draft, &mut notes);
    // Nor does one that is pinned anew say anything else; one that is pinned already speaks for rules that may have to go first.
    let speaks = choice.is_pinned(&survey);
    if !speaks {
        tagging::welcome_back(desired, &choice, &mut draft);
        tagging::revision(desired, &choice, &unsettled, &mut draft);
    }
    for wanted in &survey.wanted {
        goal.converge(wanted, &mut draft);
    }
    if !handover.at_once {
        stop(&mut draft);
    }
    if goal.hold {
        survey.wanted.iter().for_each(|wanted| goal.release(wanted, &mut draft));
    }
    notes.extend(handover.notes.iter().cloned());
    for (index, old) in survey.old.iter().enumerate() {
        handover::remove(old, stopped(index), &mut draft, &mut notes);
    }
    if speaks {
        tagging::revision(desired, &choice, &unsettled, &mut draft);
    }
    for revision in retired {
        retire::tag(&revision, now, &mut draft);
    }

    let kind = kind(&survey, &draft);
    Ok(Plan {
        job: desired.job.clone(),
        kind,
        verdict: verdict(desired, &choice),
        steps: draft.into_steps(),
        pins: Some(pins),
        notes,
    })
}

/// Registers a revision unless one can be pinned as it is.
fn pin(desired: &Desired, choice: &Choice<'_>, draft: &mut Draft<'_>) -> RevisionRef {
    match choice {
        Choice::Existing(revision) | Choice::Stuck(revision, _) => RevisionRef::Existing(revision.arn.clone()),
        Choice::Register(because) => {
            let register = Action::RegisterTaskDefinition {
                family: desired.family.clone(),
                task_definition: Box::new(desired.task_definition.clone()),
                tags: desired.revision_tags.clone(),
            };
            RevisionRef::FromStep(draft.push(register, because.clone()))
        }
    }
}

fn verdict(desired: &Desired, choice: &Choice<'_>) -> Verdict {
    if let Choice::Stuck(revision, changes) = choice {
        let fields: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        let message = format!("AWS made something else of this spec, in {}: {}", revision.arn, fields.join(", "));
        return Verdict::Stalled(Reason::DiffNotConverging, message);
    }
    if desired.rules.iter().any(|rule| rule.enabled) {
        Verdict::Ready(Reason::Converged, "live state equals the manifest".to_owned())
    } else {
        Verdict::Ready(Reason::Suspended, "live state equals the manifest, which suspends the job".to_owned())
    }
}

/// A revision alone, of a job that was interrupted when it was created or that comes back, runs nothing.
fn kind(survey: &Survey<'_>, draft: &Draft<'_>) -> Kind {
    let moves = survey.old.iter().any(|old| matches!(old.why, Superseded::Move(_)));
    let nothing_live = survey.wanted.iter().all(|wanted| wanted.live.is_none()) && survey.old.is_empty();
    match (draft.is_empty(), moves, nothing_live) {
        (true, _, _) => Kind::None,
        (false, true, _) => Kind::Move,
        (false, false, true) => Kind::Create,
        (false, false, false) => Kind::Change,
    }
}

/// What a person should know although nothing is done about it.
fn notes(survey: &Survey<'_>, observed: &Observed, choice: &Choice<'_>, desired: &Desired) -> Vec<String> {
    let mut notes = adopt::notes(desired, survey);
    notes.extend(survey.notes.iter().cloned());
    let mark = survey::mark(desired, None);
    let taken = match choice {
        Choice::Existing(revision) | Choice::Stuck(revision, _) => Some(&revision.arn),
        Choice::Register(_) => None,
    };
    for arn in survey.active {
        let revision = observed.revisions.get(arn).and_then(|fact| fact.known()?.as_ref());
        if let Some(revision) = revision.filter(|revision| !mark.is_on(&revision.tags) && taken != Some(arn)) {
            let whose = mark.stranger(&revision.tags);
            notes.push(format!("revision {arn} is left alone: {whose}"));
        }
    }
    for live in survey.wanted.iter().filter_map(|wanted| wanted.live.as_ref()) {
        if !live.split.strangers.is_empty() {
            let others = live.split.strangers.join(", ");
            notes.push(format!("{} has targets of others, left alone: {others}", live.live.name.titled()));
        }
    }
    if let Choice::Stuck(revision, _) = choice {
        notes.push(format!("revision {} is pinned although it differs: its digest is that of this spec", revision.arn));
    }
    notes
}
