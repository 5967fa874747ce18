//! AWS may repeat what it was sent; a failure must not.

use ecs_etl_plan::normalise::secrets::{MASK, mask};
use ecs_etl_plan::step::Action;
use serde::Serialize;
use serde_json::Value;

/// Shorter than this, a text says nothing secret, and hiding it would tear words apart.
const SHORTEST: usize = 4;

/// Takes out of `message` what looks secret in `action`.
pub(crate) fn redacted(message: &str, action: &Action) -> String {
    let mut secrets = Vec::new();
    match action {
        Action::RegisterTaskDefinition { task_definition, .. } => collect_from(task_definition, &mut secrets),
        Action::PutTargets { target, .. } => collect_from(target, &mut secrets),
        Action::PutSchedule { schedule, .. } => collect_from(&schedule.target, &mut secrets),
        Action::PutRule { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::RemoveTargets { .. }
        | Action::DeleteRule { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::DeleteSchedule { .. }
        | Action::TagRule { .. }
        | Action::UntagRule { .. }
        | Action::TagRevision { .. }
        | Action::UntagRevision { .. }
        | Action::DeregisterTaskDefinition { .. } => {}
    }
    // A secret may be part of another: the longest first.
    secrets.sort_by_key(|secret: &String| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(message.to_owned(), |message, secret| message.replace(secret, MASK))
}

fn collect_from(shape: &impl Serialize, secrets: &mut Vec<String>) {
    if let Ok(value) = serde_json::to_value(shape) {
        collect(&value, &mask("", &value), secrets);
    }
}

/// What stands in `shown` in other words than in `value` is secret.
fn collect(value: &Value, shown: &Value, secrets: &mut Vec<String>) {
    match (value, shown) {
        (Value::Object(members), Value::Object(shown)) => {
            for (name, member) in members {
                collect(member, shown.get(name).unwrap_or(&Value::Null), secrets);
            }
        }
        (Value::Array(entries), Value::Array(shown)) => {
            for (entry, shown) in entries.iter().zip(shown) {
                collect(entry, shown, secrets);
            }
        }
        (Value::String(text), Value::String(shown)) if text != shown => {
            // The input of a target is JSON in a text: the secrets are inside it.
            if let (Ok(inner), Ok(shown)) = (serde_json::from_str(text), serde_json::from_str::<Value>(shown))
                && shown.is_object()
            {
                collect(&inner, &shown, secrets);
                return;
            }
            secrets.push(text.clone());
            secrets.extend(hidden_part(text, shown));
        }
        (
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
            _,
        ) => {}
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
}

/// What the mask stands for in a text of which the rest is shown.
fn hidden_part(text: &str, shown: &str) -> Option<String> {
    let (before, after) = shown.split_once(MASK)?;
    Some(text.strip_prefix(before)?.strip_suffix(after)?.to_owned())
}

#[cfg(test)]
mod tests {
    use ecs_etl_plan::step::RevisionRef;
    use ecs_etl_spec::name::{Family, RuleName};
    use serde_json::json;

    use super::*;

    fn register(container: Value) -> Action {
        Action::RegisterTaskDefinition {
            family: Family::new("etl-a").unwrap(),
            task_definition: Box::new(serde_json::from_value(json!({"containerDefinitions": [container]})).unwrap()),
            tags: Default::default(),
        }
    }

    #[track_caller]
    fn check(action: &Action, message: &str, expected: &str) {
        assert_eq!(redacted(message, action), expected);
    }

    #[test]
    fn values_that_look_secret_are_taken_out() {
        let environment = json!([{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "STAGE", "value": "prod"}]);
        let action = register(json!({"name": "main", "environment": environment}));
        check(&action, "bad value hunter2 in stage prod of hunter2", "bad value ****** in stage prod of ******");
    }

    #[test]
    fn a_secret_inside_a_command_is_taken_out_alone() {
        let action = register(json!({"name": "main", "command": ["load", "--password=hunter2"]}));
        check(&action, "argument hunter2 of load", "argument ****** of load");
        check(&action, "argument --password=hunter2", "argument ******");
    }

    #[test]
    fn a_secret_inside_the_input_of_a_target_is_taken_out() {
        let overrides = json!({"containerOverrides": [{"environment": [{"name": "API_TOKEN", "value": "t0psecret"}]}]});
        let target = json!({"Id": "ecs-etl", "Arn": "arn:x", "Input": overrides.to_string()});
        let action = Action::PutTargets {
            rule: RuleName::new("etl-a").unwrap(),
            target: Box::new(serde_json::from_value(target).unwrap()),
            revision: Some(RevisionRef::FromStep(0)),
        };
        check(&action, "Input holds t0psecret", "Input holds ******");
    }
}
