//! Keeping away from the moments at which schedules fire.

use ecs_etl_spec::schedule::{Kind, Overlap, Schedule, Timing, Zone, coincide};
use jiff::tz::TimeZone;
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

/// A schedule that takes part in a handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ticking {
    /// Its ticks are known.
    Known(Box<Timing>),
    /// Nobody but AWS knows them: its expression.
    Unknown(String),
}

impl Ticking {
    /// The ticks of a trigger that has any.
    pub fn wanted(trigger: &Trigger) -> Option<Self> {
        match trigger {
            Trigger::Schedule(schedule) => Some(Self::of(Timing::of(schedule.clone(), Zone::utc()))),
            // What is put after a tick starts nothing for that, however wide its window.
            Trigger::Timed(timing) => Some(Self::of(Timing { window_minutes: None, ..(**timing).clone() })),
            Trigger::Event(_) => None,
        }
    }

    /// The ticks of a live rule that has any, and the window in which the runs of each start. Its dates are taken for none: it ticks no
    /// less for that.
    pub fn live(rule: &LiveRule) -> Option<Self> {
        let expression = rule.expression.as_deref()?;
        let zone = rule.timing.as_ref().map_or_else(|| Some(Zone::utc()), |timing| Zone::new(&timing.zone));
        let window = rule.timing.as_ref().and_then(|timing| u16::try_from(timing.window_minutes?).ok());
        Some(match (Schedule::parse(expression), zone) {
            (Ok(schedule), Some(zone)) => Self::of(Timing { window_minutes: window, ..Timing::of(schedule, zone) }),
            (Ok(_), None) | (Err(_), _) => Self::Unknown(expression.to_owned()),
        })
    }

    fn of(timing: Timing) -> Self {
        match timing.schedule.kind() {
            Kind::Cron(_) | Kind::Once(_) => Self::Known(Box::new(timing)),
            Kind::Rate(_) => Self::Unknown(timing.schedule.expression().to_owned()),
        }
    }
}

/// Whether `now` is at least `margin` away from every tick of `ticking`, before and after, and from the end of its window.
pub(crate) fn clearance(ticking: &[Ticking], margin: SignedDuration, now: Timestamp) -> Clearance {
    let mut known = Vec::new();
    let mut unknown = None;
    for ticking in ticking {
        match ticking {
            Ticking::Known(timing) => known.push(timing),
            Ticking::Unknown(expression) => unknown = Some(expression.as_str()),
        }
    }
    let mut moment = now;
    while moment.duration_since(now) <= HORIZON {
        let (Ok(from), Ok(until)) = (moment.checked_sub(margin), moment.checked_add(margin)) else { break };
        let near = known.iter().filter_map(|timing| {
            let window = SignedDuration::from_mins(timing.window_minutes.map_or(0, i64::from));
            let tick = timing.last_between(from.checked_sub(window).unwrap_or(from), until)?;
            tick.checked_add(window).ok()
        });
        let Some(tick) = near.max() else {
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
/// event. Of patterns nobody can say that they never match the same event, so any two may; and so may two schedules in
/// different time zones.
pub(crate) fn may_coincide(trigger: &Trigger, live: &LiveRule, now: Timestamp) -> bool {
    let Some(expression) = live.expression.as_deref() else {
        return matches!(trigger, Trigger::Event(_)) && live.event_pattern.is_some();
    };
    let zone = live.timing.as_ref().map_or("UTC", |timing| timing.zone.as_str());
    match trigger {
        Trigger::Schedule(schedule) => zone != "UTC" || may_tick_together(schedule, expression, now),
        Trigger::Timed(timing) if timing.zone.as_str() != zone => true,
        Trigger::Timed(timing) => {
            let local = TimeZone::UTC.to_timestamp(timing.zone.local(now)).unwrap_or(now);
            may_tick_together(&timing.schedule, expression, local)
        }
        Trigger::Event(_) => live.event_pattern.is_some(),
    }
}

/// Equal ones may also when their years are over: the lint reads no calendar, and it is its word that counts. `now` is a local
/// time, as both schedules are.
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
