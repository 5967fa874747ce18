//! Rules of the job that somebody gave a schedule or an event pattern which another of its rules is about to follow.
//!
//! Such a rule stops first: otherwise the two would start the job together until its own turn comes, and where they were
//! given each other's, no order of turns would help.

use ecs_etl_spec::name::RuleName;
use jiff::Timestamp;

use super::draft::Draft;
use super::handover::starts_job;
use super::rules::{Firing, Goal};
use super::survey::{Survey, Wanted};
use super::ticks;
use crate::desired::{Effect, Trigger};
use crate::observed::RuleState;
use crate::step::{Action, Because};

/// Stops them, and gives their names.
pub(crate) fn stop(survey: &Survey<'_>, goal: &Goal<'_>, now: Timestamp, draft: &mut Draft<'_>) -> Vec<RuleName> {
    let starts = |wanted: &&Wanted<'_>| {
        wanted.desired.enabled && !wanted.desired.over && matches!(wanted.desired.effect, Effect::Run)
    };
    let coming: Vec<&Wanted<'_>> =
        survey.wanted.iter().filter(starts).filter(|wanted| !keeps_time(wanted, goal)).collect();
    let mut stopped = Vec::new();
    for wanted in survey.wanted.iter().filter(|wanted| !wanted.desired.over && !has_its_trigger(wanted)) {
        let Some(live) = wanted.live.as_ref().filter(|live| starts_job(live)) else { continue };
        let mut others = coming.iter().filter(|other| other.desired.name != wanted.desired.name);
        if others.any(|other| ticks::may_coincide(&other.desired.trigger, live.live, now)) {
            let rule = wanted.desired.name.clone();
            let why = "it has the trigger of another rule, and none may run beside it".to_owned();
            let action = match &wanted.desired.trigger {
                Trigger::Timed(timing) => goal.put_schedule(wanted.desired, timing, false, RuleState::Disabled),
                Trigger::Schedule(_) | Trigger::Event(_) => Action::DisableRule { rule: rule.clone() },
            };
            draft.push(action, Because::Note(why));
            stopped.push(rule);
        }
    }
    stopped
}

/// Whether the rule starts the job by its own trigger, now and all through the plan.
fn keeps_time(wanted: &Wanted<'_>, goal: &Goal<'_>) -> bool {
    let throughout = |live| starts_job(live) && goal.firing(wanted.desired, live) != Firing::StraysOnly;
    wanted.live.as_ref().is_some_and(throughout) && has_its_trigger(wanted)
}

/// Whether it fires by its own trigger and by nothing else: AWS lets a rule have a schedule and a pattern.
fn has_its_trigger(wanted: &Wanted<'_>) -> bool {
    let Some(rule) = wanted.live.as_ref().map(|live| live.live) else { return false };
    match (&wanted.desired.trigger, rule.expression.as_deref(), rule.event_pattern.as_deref()) {
        (Trigger::Schedule(schedule), Some(expression), None) => schedule.expression() == expression,
        (Trigger::Timed(timing), Some(expression), None) => {
            let zone = rule.timing.as_ref().map(|timing| timing.zone.as_str());
            timing.schedule.expression() == expression && zone == Some(timing.zone.as_str())
        }
        (Trigger::Event(pattern), None, Some(live)) => pattern.is_same_as(live),
        (Trigger::Schedule(_) | Trigger::Timed(_) | Trigger::Event(_), _, _) => false,
    }
}
