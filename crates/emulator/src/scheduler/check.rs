//! What Scheduler refuses in a schedule (docs/aws.md, Scheduler).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::timetable::{Timetable, moment};
use super::{text, validation};
use crate::context::Context;
use crate::reply::Refusal;

/// How long ago a schedule may begin.
const LATEST_START: SignedDuration = SignedDuration::from_mins(5);

/// Refuses a schedule that Scheduler would refuse; its members have their defaults (docs/aws.md, Scheduler).
pub(super) fn check(context: &Context<'_>, members: &Map<String, Value>) -> Result<(), Refusal> {
    let member = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let (expression, zone) = (member("ScheduleExpression"), member("ScheduleExpressionTimezone"));
    if jiff::tz::TimeZone::get(zone).is_err() {
        return Err(validation(format!("Invalid Schedule Expression Timezone {zone}.")));
    }
    if Timetable::read(members, context.now).is_none() {
        return Err(validation(format!("Invalid Schedule Expression {expression}.")));
    }
    let (start, end) = (moment(members, "StartDate"), moment(members, "EndDate"));
    // A schedule that fires once has no use for either, and they are ignored.
    if !expression.starts_with("at(") {
        if start.is_some_and(|start| start < earliest(context.now)) {
            return Err(validation("The StartDate you specify cannot be earlier than 5 minutes ago."));
        }
        if end.is_some_and(|end| end <= start.unwrap_or(context.now)) {
            return Err(validation(
                "The EndDate you specify must come after the StartDate you specify and the current time.",
            ));
        }
    }
    let window = members.get("FlexibleTimeWindow").unwrap_or(&Value::Null);
    match (text(window, "Mode"), window.get("MaximumWindowInMinutes")) {
        (Some("FLEXIBLE"), None) => {
            return Err(validation("MaximumWindowInMinutes must be provided if Flexible Time Window is FLEXIBLE."));
        }
        (Some("OFF"), Some(_)) => {
            return Err(validation("MaximumWindowInMinutes must not be provided if Flexible Time Window is OFF."));
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    target(members.get("Target").unwrap_or(&Value::Null))
}

fn earliest(now: Timestamp) -> Timestamp {
    now.checked_sub(LATEST_START).unwrap_or(Timestamp::MIN)
}

/// Parameters belong to the targets of their service (docs/aws.md, Scheduler).
fn target(target: &Value) -> Result<(), Refusal> {
    let arn = text(target, "Arn").unwrap_or_default();
    let service = service_of(arn).ok_or_else(|| validation(format!("Invalid Target Arn {arn}.")))?;
    match (service == "ecs", target.get("EcsParameters")) {
        (true, None) => Err(validation(format!("EcsParameters must be provided for target {arn}."))),
        (false, Some(_)) => Err(validation(format!("EcsParameters is not supported for target {arn}."))),
        (true, Some(_)) | (false, None) => Ok(()),
    }
}

/// The service in an ARN; `None` when the text is no ARN.
fn service_of(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, _, _, resource] = parts[..] else { return None };
    (prefix == "arn" && partition.starts_with("aws") && !service.is_empty() && !resource.is_empty()).then_some(service)
}
