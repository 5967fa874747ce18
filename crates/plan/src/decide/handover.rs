//! From one schedule to another when they are different rules: after a rename, a move between places or to EventBridge
//! Scheduler and back, or a list of schedules that changed.
//!
//! AWS has no atomic step over two rules. Where both could fire at the same tick, the new one is made ready but disabled, the
//! old one is stopped, and only then the new one starts: a run may be missed, none is doubled. So the exchange keeps away
//! from ticks.

use jiff::Timestamp;

use super::Policy;
use super::draft::Draft;
use super::rules::{Firing, Goal};
use super::see::Ours;
use super::stop::Stop;
use super::survey::{Old, Superseded, Survey, Wanted};
use super::ticks::{self, Clearance, Ticking};
use crate::condition::{Reason, Verdict};
use crate::desired::Effect;
use crate::step::{Action, Because};

/// How the job's old rules give way.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    /// Old rules, by index into the survey, that must stop before new ones start.
    pub stops: Vec<usize>,
    /// A new rule fires already: the old ones stop before anything else is done.
    pub at_once: bool,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

/// Decides which old rules must stop before new ones start, and whether now is a moment for it.
pub(crate) fn handover(
    survey: &Survey<'_>,
    goal: &Goal<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Handover, Stop> {
    let enabled: Vec<&Wanted<'_>> =
        survey.wanted.iter().filter(|wanted| wanted.desired.enabled && !wanted.desired.over).collect();
    let is_over = survey.wanted.iter().any(|wanted| wanted.desired.enabled && wanted.desired.over);
    // One that only tells of a run doubles none.
    let running = || enabled.iter().filter(|wanted| matches!(wanted.desired.effect, Effect::Run));
    let conflict = |old: &Old<'_>, wanted: &Wanted<'_>| match old.why {
        Superseded::Move(_) => true,
        Superseded::Schedule => ticks::may_coincide(&wanted.desired.trigger, old.rule.live, now),
    };
    let mut handover = Handover::default();
    let mut ticking = Vec::new();
    let (mut doubled, mut events_missed) = (false, false);
    for (index, old) in survey.old.iter().enumerate().filter(|(_, old)| starts_job(&old.rule)) {
        if is_over && matches!(old.why, Superseded::Move(_)) && old.rule.live.timing.is_some() {
            // Its last run may start yet: one that is made elsewhere for a moment that is over never would.
            ticking.extend(Ticking::live(old.rule.live));
        }
        let mut conflicts = running().filter(|wanted| conflict(old, wanted)).peekable();
        if conflicts.peek().is_some() {
            handover.stops.push(index);
            ticking.extend(Ticking::live(old.rule.live));
            events_missed |= old.rule.live.event_pattern.is_some();
        }
        for wanted in conflicts {
            ticking.extend(Ticking::wanted(&wanted.desired.trigger));
            let live = wanted.live.as_ref();
            handover.at_once |= live.is_some_and(|live| live.live.state.may_fire());
            doubled |= live.is_some_and(starts_job);
        }
    }
    for wanted in &enabled {
        let only_strays = |live: &&Ours<'_>| goal.firing(wanted.desired, live) == Firing::StraysOnly;
        if let Some(live) = wanted.live.as_ref().filter(only_strays) {
            ticking.extend(Ticking::wanted(&wanted.desired.trigger));
            ticking.extend(Ticking::live(live.live));
        }
    }
    if events_missed {
        let note = "an event that comes while one rule takes the place of another starts nothing";
        handover.notes.push(note.to_owned());
    }
    if doubled {
        return Ok(handover);
    }
    match ticks::clearance(&ticking, policy.move_margin, now) {
        Clearance::Clear => {}
        Clearance::Unavoidable(why) => handover.notes.push(why),
        Clearance::Wait(until) => {
            let message = format!("the schedule is handed over at {until:.0}, away from its ticks");
            return Err(Stop::Leave(Verdict::Waiting(Reason::WaitingForTick, message, Some(until))));
        }
    }
    Ok(handover)
}

/// Whether the rule fires and has a target that starts the job.
pub(crate) fn starts_job(rule: &Ours<'_>) -> bool {
    rule.live.state.may_fire() && rule.split.starts_job()
}

/// Stops an old rule: by its state, or by its target where disabling the rule would stop a stranger's as well.
pub(crate) fn stop(old: &Old<'_>, draft: &mut Draft<'_>) {
    let rule = old.rule.live.name.clone();
    let why = Because::Note("another rule takes its place, and none may run beside it".to_owned());
    let action = if rule.group().is_some() {
        Action::DeleteSchedule { rule }
    } else if old.rule.split.strangers.is_empty() {
        Action::DisableRule { rule }
    } else {
        Action::RemoveTargets { rule, ids: old.rule.split.our_ids() }
    };
    draft.push_in(old.elsewhere, action, why);
}

/// Removes an old rule with our targets; `stopped` says that [`stop`] came before. A rule with strangers' targets stays.
pub(crate) fn remove(old: &Old<'_>, stopped: bool, draft: &mut Draft<'_>, notes: &mut Vec<String>) {
    let rule = &old.rule.live.name;
    if rule.group().is_some() {
        if !stopped {
            draft.push_in(old.elsewhere, Action::DeleteSchedule { rule: rule.clone() }, why(old));
        }
        return;
    }
    let strangers = &old.rule.split.strangers;
    let ids = old.rule.split.our_ids();
    let removed_by_stop = stopped && !strangers.is_empty();
    if !ids.is_empty() && !removed_by_stop {
        draft.push_in(old.elsewhere, Action::RemoveTargets { rule: rule.clone(), ids }, why(old));
    }
    if strangers.is_empty() {
        draft.push_in(old.elsewhere, Action::DeleteRule { rule: rule.clone() }, why(old));
    } else {
        notes.push(format!("rule {rule} stays: it has targets of others ({})", strangers.join(", ")));
    }
}

fn why(old: &Old<'_>) -> Because {
    Because::Note(match old.why {
        Superseded::Schedule => "the job has no such schedule any more".to_owned(),
        Superseded::Move(_) => "the job does not live here any more".to_owned(),
    })
}
