//! Schedules of EventBridge Scheduler. None can be taken over, so each of their jobs is suspended at first.

use ecs_etl_plan::observed::{LiveRule, LiveTiming};
use ecs_etl_plan::tags::CONTROLLER;
use ecs_etl_spec::name::ScheduleGroup;
use ecs_etl_spec::schedule::{Schedule, Timing, Zone};
use ecs_etl_spec::yaml::Node;
use jiff::Timestamp;
use serde_json::json;

use super::{Facts, LiveSchedule, STACK, definition, people_s, suspended};
use crate::finding::Kind;
use crate::found::{Found, Origin, Run, Takeover};
use crate::rule;
use crate::target::{self, PASCAL};
use crate::timing;

/// A run for a schedule that starts a task, unless somebody of ours has it, or nothing more comes of it.
pub(super) fn live(live: &LiveSchedule, facts: &Facts, found: &mut Found) {
    let LiveSchedule { schedule, target, group_tags } = live;
    let LiveRule { name, arn: _, expression, event_pattern: _, timing, state, description, role_arn: _, managed_by: _ } =
        schedule;
    let node = target::node(serde_json::to_value(target).unwrap_or_default());
    if !target::starts_task(&node, &PASCAL) {
        return;
    }
    let origin = Origin { file: facts.region.to_string(), line: 0 };
    let group = name.group().map(ScheduleGroup::as_str).unwrap_or_default();
    let mut run = Run::new(origin, format!("schedule {group}/{name}"), name.to_string());
    if let Some(controller) = group_tags.get(CONTROLLER) {
        let why = format!("the controller {controller} of ecs-etl owns the group of this schedule already");
        found.findings.push(run.about(Kind::NotCarriedOver, why, "nothing"));
        return;
    }
    let timing = timing.as_deref().cloned().unwrap_or_default();
    if is_over(expression.as_deref(), &timing, facts.now) {
        let why = "the schedule does not fire any more";
        found.findings.push(run.about(Kind::NotCarriedOver, why, "delete it where it is, if nobody needs it"));
        return;
    }
    run.region = Some(facts.region.to_string());
    run.schedule.clone_from(expression);
    run.description.clone_from(description);
    run.suspend = suspended(state);
    run.labels = people_s(group_tags);
    run.takeover = goes_on(state.may_fire(), group_tags.get(STACK).map(String::as_str));
    when(&mut run, timing);
    let known = |written: &Node| facts.revisions.get(written.text()?).map(definition);
    let written = rule::of_target(&mut run, &node, "target", &PASCAL, &["Id"]);
    rule::start(&mut run, written.as_ref(), known, &mut found.weight);
    run.scheduler_role = run.role.take();
    found.runs.push(run);
}

/// What a schedule says of when it fires, beside its expression.
fn when(run: &mut Run, timing: LiveTiming) {
    let LiveTiming { zone, start, end, window_minutes, after_completion, kms_key_arn } = timing;
    run.time_zone = Some(zone).filter(|zone| !zone.is_empty());
    run.start = start.map(timing::moment);
    run.end = end.map(timing::moment);
    run.window = window_minutes.map(|minutes| json!(minutes));
    if after_completion.is_some_and(|action| action != "NONE") {
        timing::goes_away(run, "ActionAfterCompletion");
    }
    if kms_key_arn.is_some() {
        let why = "the schedule is encrypted with a key of yours";
        run.find(Kind::NotCarriedOver, "KmsKeyArn", why, "see whether AWS's own key will do", "spec.schedule");
    }
}

/// Whether its moment or its end has passed.
fn is_over(expression: Option<&str>, timing: &LiveTiming, now: Timestamp) -> bool {
    let LiveTiming { zone, start, end, window_minutes: _, after_completion: _, kms_key_arn: _ } = timing;
    let (Some(Ok(schedule)), Some(zone)) = (expression.map(Schedule::parse), Zone::new(zone)) else { return false };
    Timing { schedule, zone, start: *start, end: *end, window_minutes: None }.is_over(now)
}

/// What becomes of a schedule that is there, and perhaps a stack's.
fn goes_on(fires: bool, stack: Option<&str>) -> Takeover {
    let Takeover::Beside { why, action } = rule::scheduler_goes_on() else { return Takeover::Nothing };
    let of_stack = stack.map(|stack| format!(", and its group is the CloudFormation stack {stack}'s"));
    let of_stack = of_stack.unwrap_or_default();
    match fires {
        true => Takeover::Beside { why: format!("{why}{of_stack}"), action },
        false => Takeover::Beside {
            why: format!("a schedule of EventBridge Scheduler, disabled today, would start it too{of_stack}"),
            action: "delete that schedule, or see that it stays disabled, then remove this line".to_owned(),
        },
    }
}
