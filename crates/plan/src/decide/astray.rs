//! Rules of the job that somebody gave a schedule which another of its rules is about to follow.
//!
//! Such a rule stops first: otherwise the two would start the job at the same ticks until its own turn comes, and where they
//! were given each other's, no order of turns would help.

use ecs_etl_spec::name::RuleName;
use jiff::Timestamp;

use super::draft::Draft;
use super::handover::starts_job;
use super::rules::{Firing, Goal};
use super::survey::{Survey, Wanted};
use super::ticks;
use crate::step::{Action, Because};

/// Stops them, and gives their names.
pub(crate) fn stop(survey: &Survey<'_>, goal: &Goal<'_>, now: Timestamp, draft: &mut Draft<'_>) -> Vec<RuleName> {
    let coming: Vec<&Wanted<'_>> =
        survey.wanted.iter().filter(|wanted| wanted.desired.enabled && !keeps_time(wanted, goal)).collect();
    let mut stopped = Vec::new();
    for wanted in survey.wanted.iter().filter(|wanted| !has_its_schedule(wanted)) {
        let Some(live) = wanted.live.as_ref().filter(|live| starts_job(live)) else { continue };
        let mut others = coming.iter().filter(|other| other.desired.name != wanted.desired.name);
        let expression = live.live.expression.as_deref();
        if others.any(|other| ticks::may_coincide(&other.desired.schedule, expression, now)) {
            let rule = wanted.desired.name.clone();
            let why = "it has the schedule of another rule, and none may run beside it".to_owned();
            draft.push(Action::DisableRule { rule: rule.clone() }, Because::Note(why));
            stopped.push(rule);
        }
    }
    stopped
}

/// Whether the rule starts the job by its own schedule, now and all through the plan.
fn keeps_time(wanted: &Wanted<'_>, goal: &Goal<'_>) -> bool {
    let throughout = |live| starts_job(live) && goal.firing(live) != Firing::StraysOnly;
    wanted.live.as_ref().is_some_and(throughout) && has_its_schedule(wanted)
}

fn has_its_schedule(wanted: &Wanted<'_>) -> bool {
    let live = wanted.live.as_ref();
    live.is_some_and(|live| live.live.expression.as_deref() == Some(wanted.desired.schedule.expression()))
}
