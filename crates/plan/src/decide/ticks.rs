//! Keeping away from the moments at which schedules fire.

use ecs_etl_spec::schedule::{Kind, Overlap, Schedule, coincide};
use jiff::{SignedDuration, Timestamp};

use crate::desired::Trigger;
use crate::observed::LiveRule;

/// How far ahead a free moment is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// Whether a schedule may be handed over now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clearance {
    /// No tick is near.
    Clear,
    /// A tick is near; this is the first moment that is not.
    Wait(Timestamp),
    /// No such moment can be named: why, for a person.
    Unavoidable(String),
}

/// Whether `now` is at least `margin` away from every tick of `expressions`, before and after.
pub(crate) fn clearance(expressions: &[&str], margin: SignedDuration, now: Timestamp) -> Clearance {
    let mut crons = Vec::new();
    let mut unknown = None;
    for expression in expressions {
        match Schedule::parse(expression).map(|schedule| schedule.kind().clone()) {
            Ok(Kind::Cron(cron)) => crons.push(cron),
            Ok(Kind::Rate(_)) | Err(_) => unknown = Some(*expression),
        }
    }
    let mut moment = now;
    while moment.duration_since(now) <= HORIZON {
        let (Ok(from), Ok(until)) = (moment.checked_sub(margin), moment.checked_add(margin)) else { break };
        let near = crons.iter().flat_map(|cron| cron.ticks(from, until)).max();
        let Some(tick) = near else {
            return match unknown {
                _ if moment > now => Clearance::Wait(moment),
                Some(expression) => phase_unknown(expression),
                None => Clearance::Clear,
            };
        };
        let after = tick.checked_add(margin).and_then(|end| end.checked_add(SignedDuration::from_secs(1)));
        let Ok(after) = after else { break };
        moment = after;
    }
    Clearance::Unavoidable("it fires so often that a run may be missed while the schedule is handed over".to_owned())
}

fn phase_unknown(expression: &str) -> Clearance {
    Clearance::Unavoidable(format!(
        "only AWS knows when {expression} is due, so a run may be missed while the schedule is handed over"
    ))
}

/// Whether a trigger may fire together with a live rule, from `now` on: two schedules at one minute, two patterns at one
/// event. Of patterns nobody can say that they never match the same event, so any two may.
pub(crate) fn may_coincide(trigger: &Trigger, live: &LiveRule, now: Timestamp) -> bool {
    match trigger {
        Trigger::Schedule(schedule) => {
            live.expression.as_deref().is_some_and(|expression| may_tick_together(schedule, expression, now))
        }
        Trigger::Event(_) => live.event_pattern.is_some(),
    }
}

/// Equal ones may also when their years are over: the lint reads no calendar, and it is its word that counts.
fn may_tick_together(schedule: &Schedule, live: &str, now: Timestamp) -> bool {
    if schedule.expression() == live {
        return true;
    }
    match Schedule::parse(live) {
        Ok(live) => match coincide(schedule, &live, now) {
            Overlap::Never => false,
            Overlap::At(_) | Overlap::Possible => true,
        },
        Err(_) => true,
    }
}
