//! What a job looks like in AWS.

use ecs_etl_tests::raw::Aws;
use serde_json::{Value, json};

/// The rule `name` with everything that hangs on it, and the content of the revision that it pins.
///
/// The number of the revision is left out, so that two states are equal when they do the same.
pub fn job(aws: &Aws, name: &str) -> Value {
    let Some(rule) = aws.rule(name) else { return Value::Null };
    let mut targets = aws.targets(name);
    let mut pinned = Vec::new();
    for target in &mut targets {
        if let Some(arn) = target.pointer_mut("/EcsParameters/TaskDefinitionArn") {
            let revision = aws.revision(arn.as_str().unwrap_or_default()).unwrap_or(Value::Null);
            let task = &revision["taskDefinition"];
            pinned.push(json!({
                "family": task["family"], "status": task["status"], "containers": containers(task),
                "cpu": task["cpu"], "memory": task["memory"], "tags": owned(&revision["tags"]),
            }));
            *arn = Value::Null;
        }
    }
    json!({
        "expression": rule["ScheduleExpression"], "state": rule["State"], "description": rule["Description"],
        "tags": owned(&aws.rule_tags(name)), "targets": targets, "pinned": pinned,
    })
}

/// The containers with their environment sorted, whose order AWS does not keep.
fn containers(task: &Value) -> Value {
    let mut containers = task["containerDefinitions"].clone();
    for container in containers.as_array_mut().into_iter().flatten() {
        if let Some(environment) = container["environment"].as_array_mut() {
            environment.sort_by_key(|variable| variable["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    containers
}

/// Tags without the mark of a revision that was replaced for a while.
fn owned(tags: &Value) -> Value {
    let pairs = tags.as_object().into_iter().flatten().filter(|(key, _)| *key != "ecs-etl/retired-at");
    Value::Object(pairs.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The ARN that the only target of `rule` pins.
pub fn pinned(aws: &Aws, rule: &str) -> String {
    let targets = aws.targets(rule);
    assert_eq!(targets.len(), 1, "{rule} has not one target: {targets:?}");
    targets[0]["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap_or_default().to_owned()
}

/// The image of the first container that `rule` starts.
pub fn image(aws: &Aws, rule: &str) -> String {
    let revision = aws.revision(&pinned(aws, rule)).unwrap_or(Value::Null);
    revision["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap_or_default().to_owned()
}
