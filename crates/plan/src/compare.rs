//! Differences between what is desired and what is live, field by field.

use serde_json::Value;

use ecs_etl_spec::shapes::events::Target;

use crate::desired::DesiredRule;
use crate::normalise::{self, FieldChange, Normal};
use crate::observed::{LiveRule, RuleState};
use crate::tags::TagChanges;

/// Fields in which a live revision differs from the desired content.
pub(crate) fn content(desired: &Normal, live: &Normal) -> Vec<FieldChange> {
    normalise::diff(live, desired)
}

/// Fields in which a live target differs from the desired one, the revision it pins included.
pub(crate) fn target(desired: &Target, live: &Target) -> Vec<FieldChange> {
    normalise::diff(&normalise::target(live), &normalise::target(desired))
}

/// Fields of a rule that only PutRule can set, less its state.
pub(crate) fn rule(desired: &DesiredRule, live: &LiveRule) -> Vec<FieldChange> {
    let pairs = [
        ("ScheduleExpression", live.expression.as_deref(), Some(desired.schedule.expression())),
        ("Description", live.description.as_deref(), Some(desired.description.as_str())),
        ("EventPattern", live.event_pattern.as_deref(), None),
        ("RoleArn", live.role_arn.as_deref(), None),
    ];
    let differing = pairs.into_iter().filter(|(_, live, desired)| live != desired);
    differing.map(|(path, live, desired)| text(path, live, desired)).collect()
}

/// The state of a rule as a difference.
pub(crate) fn state(live: &RuleState, desired: &RuleState) -> FieldChange {
    text("State", Some(live.as_str()), Some(desired.as_str()))
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
