//! Differences between what is desired and what is live, field by field.

use jiff::Timestamp;
use serde_json::Value;

use ecs_etl_spec::shapes::events::{Rule, Target};

use crate::desired::{DesiredRule, Trigger};
use crate::normalise::{self, FieldChange, Normal};
use crate::observed::{LiveRule, LiveTiming, RuleState};
use crate::tags::TagChanges;

/// Fields in which a live revision differs from the desired content.
pub(crate) fn content(desired: &Normal, live: &Normal) -> Vec<FieldChange> {
    normalise::diff(live, desired)
}

/// Fields in which a live target differs from the desired one, the revision it pins included.
pub(crate) fn target(desired: &Target, live: &Target) -> Vec<FieldChange> {
    if live == desired {
        return Vec::new();
    }
    normalise::diff(&normalise::target(live), &normalise::target(desired))
}

/// Fields of a rule that only PutRule can set: all but its state.
pub(crate) fn rule(desired: &DesiredRule, live: &LiveRule) -> Vec<FieldChange> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let desired = Rule {
        schedule_expression: desired.trigger.expression().map(str::to_owned),
        event_pattern: desired.trigger.pattern().map(str::to_owned),
        description: Some(desired.description.clone()),
        ..Rule::default()
    };
    let live = Rule {
        schedule_expression: given(&live.expression),
        event_pattern: given(&live.event_pattern),
        description: live.description.clone(),
        role_arn: given(&live.role_arn),
        ..Rule::default()
    };
    if live == desired {
        return Vec::new();
    }
    normalise::diff(&normalise::rule(&live), &normalise::rule(&desired))
}

/// Fields of a schedule of EventBridge Scheduler without which it would fire at the same moments.
pub(crate) fn moments(desired: &DesiredRule, live: &LiveRule) -> Vec<FieldChange> {
    let expression = desired.trigger.expression();
    let changed = live.expression.as_deref() != expression;
    let changed = changed.then(|| text("ScheduleExpression", live.expression.as_deref(), expression));
    let says_when = |change: &FieldChange| MOMENTS.contains(&change.path.as_str());
    changed.into_iter().chain(timing(desired, live).into_iter().filter(says_when)).collect()
}

/// Those of its fields, beside its expression, that make out its moments.
const MOMENTS: [&str; 3] = ["ScheduleExpressionTimezone", "StartDate", "EndDate"];

/// Fields of a schedule of EventBridge Scheduler that say when it fires, beside its expression.
pub(crate) fn timing(desired: &DesiredRule, live: &LiveRule) -> Vec<FieldChange> {
    let (Trigger::Timed(timing), Some(live)) = (&desired.trigger, &live.timing) else { return Vec::new() };
    let LiveTiming { zone, start, end, window_minutes, after_completion, kms_key_arn } = &**live;
    let time = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}"));
    let window = |minutes: Option<i32>| minutes.map_or("OFF".to_owned(), |minutes| format!("{minutes} minutes"));
    // Left out of an update, a beginning that is over is no difference (docs/aws.md, Scheduler).
    let wanted_start = timing.start.filter(|_| start.is_some() || !desired.begun);
    let pairs = [
        ("ScheduleExpressionTimezone", Some(zone.clone()), Some(timing.zone.as_str().to_owned())),
        ("StartDate", time(*start), time(wanted_start)),
        ("EndDate", time(*end), time(timing.end)),
        ("FlexibleTimeWindow", Some(window(*window_minutes)), Some(window(timing.window_minutes.map(i32::from)))),
        ("KmsKeyArn", kms_key_arn.clone(), None),
        ("ActionAfterCompletion", after_completion.clone(), after_completion.as_ref().map(|_| "NONE".to_owned())),
    ];
    let differing = pairs.into_iter().filter(|(_, live, desired)| live != desired);
    differing.map(|(path, live, desired)| text(path, live.as_deref(), desired.as_deref())).collect()
}

/// The state of a rule, if it differs.
pub(crate) fn state(desired: &RuleState, live: &RuleState) -> Option<FieldChange> {
    (live != desired).then(|| text("State", Some(live.as_str()), Some(desired.as_str())))
}

/// Tags to be written as differences.
pub(crate) fn tags(changes: &TagChanges, live: &crate::tags::Tags) -> Vec<FieldChange> {
    let change = |key: &String, desired: Option<&String>| {
        text(&format!("tags[{key}]"), live.get(key).map(String::as_str), desired.map(String::as_str))
    };
    let set = changes.set.iter().map(|(key, value)| change(key, Some(value)));
    set.chain(changes.remove.iter().map(|key| change(key, None))).collect()
}

/// A difference between two texts.
pub(crate) fn text(path: &str, live: Option<&str>, desired: Option<&str>) -> FieldChange {
    FieldChange { path: path.to_owned(), live: live.map(Value::from), desired: desired.map(Value::from) }
}
