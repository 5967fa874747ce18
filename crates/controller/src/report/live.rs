//! What a reconcile has seen of a job, for its status.

use ecs_etl_plan::adoption::target_id;
use ecs_etl_plan::desired::TARGET_ID;
use ecs_etl_plan::observed::{Fact, Observed, RevisionArn};
use ecs_etl_plan::status::{EventStatus, JobState, Live, ScheduleStatus};
use ecs_etl_spec::name::RuleName;

/// The job's rules, and the revision that the first of them starts.
pub(super) fn live(observed: &Observed) -> Live {
    let (mut schedules, mut events) = (Vec::new(), Vec::new());
    let mut pinned: Option<RevisionArn> = None;
    for (name, rule) in &observed.rules {
        let Fact::Known(Some(rule)) = rule else { continue };
        let (name_text, state) = (name.as_str().to_owned(), rule.state.as_str().to_owned());
        match (&rule.expression, &rule.event_pattern) {
            (Some(expression), _) => {
                let timing = rule.timing.as_ref();
                schedules.push(ScheduleStatus {
                    name: name_text,
                    expression: expression.clone(),
                    time_zone: timing.map(|timing| timing.zone.clone()),
                    start_date: timing.and_then(|timing| timing.start),
                    end_date: timing.and_then(|timing| timing.end),
                    state,
                });
            }
            (None, Some(pattern)) => events.push(EventStatus { name: name_text, pattern: pattern.clone(), state }),
            (None, None) => continue,
        }
        let targets = observed.targets.get(name).and_then(Fact::known);
        let tags = observed.rule_tags.get(name).and_then(Fact::known);
        let id = tags.map_or(TARGET_ID, target_id);
        let ours = targets.into_iter().flatten().find(|target| target.id.as_deref() == Some(id));
        let arn = ours.and_then(|target| target.ecs_parameters.as_ref()?.task_definition_arn.as_deref());
        pinned = pinned.or_else(|| arn.and_then(RevisionArn::parse));
    }
    // Most have one, and a list grows by four.
    schedules.shrink_to_fit();
    events.shrink_to_fit();
    Live { task_definition: pinned, schedules, events }
}

/// The rules that a status tells of; schedules of EventBridge Scheduler are none.
pub(super) fn told_rules(status: &JobState) -> Vec<RuleName> {
    let schedules = status.schedules.iter().filter(|schedule| is_rule(schedule)).map(|schedule| &schedule.name);
    let names = schedules.chain(status.events.iter().map(|event| &event.name));
    names.filter_map(|name| RuleName::new(name.as_str()).ok()).collect()
}

/// Whether the rules that were `listed` are others than those that were last seen.
pub(super) fn contradicts(status: &JobState, listed: &Observed) -> bool {
    let was_seen = status.task_definition.is_some() || !status.schedules.is_empty() || !status.events.is_empty();
    let Live { schedules, events, .. } = live(listed);
    let rules = |all: &[ScheduleStatus]| all.iter().filter(|schedule| is_rule(schedule)).cloned().collect::<Vec<_>>();
    was_seen && (rules(&schedules) != rules(&status.schedules) || events != status.events)
}

/// A list tells what a rule is, and no more than the name of a schedule of EventBridge Scheduler.
fn is_rule(schedule: &ScheduleStatus) -> bool {
    schedule.time_zone.is_none()
}
