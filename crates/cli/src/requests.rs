//! A job as the AWS requests it becomes.

use ecs_etl_plan::desired::Desired;
use serde_json::{Value, json};

/// What stands in a target for the revision that RegisterTaskDefinition will answer with.
const REVISION: &str = "<revision>";

/// Bodies of the requests that create the job, in their order.
pub fn bodies(desired: &Desired) -> serde_json::Result<Value> {
    let definition = serde_json::to_value(&desired.task_definition)?;
    let mut register = definition.as_object().cloned().unwrap_or_default();
    register.insert("family".to_owned(), json!(desired.family));
    register.insert("tags".to_owned(), tags(&desired.revision_tags, "key", "value"));
    let mut requests = vec![json!({"RegisterTaskDefinition": register})];
    for rule in &desired.rules {
        requests.push(json!({"PutRule": {
            "Name": rule.name,
            "ScheduleExpression": rule.schedule.expression(),
            "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
            "Description": rule.description,
            "Tags": tags(&desired.rule_tags, "Key", "Value"),
        }}));
    }
    for rule in &desired.rules {
        let mut target = desired.target.clone();
        if let Some(ecs) = &mut target.ecs_parameters {
            ecs.task_definition_arn = Some(format!(
                "arn:{}:ecs:{}:{}:task-definition/{}:{REVISION}",
                desired.place.region.partition(),
                desired.place.region,
                desired.account,
                desired.family
            ));
        }
        requests.push(json!({"PutTargets": {"Rule": rule.name, "Targets": [target]}}));
    }
    Ok(Value::Array(requests))
}

fn tags(tags: &ecs_etl_plan::tags::Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(name, text)| json!({key: name, value: text})).collect()
}
