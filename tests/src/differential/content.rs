//! What the calls of a sequence carry beside task definitions and rules.

use serde_json::{Value, json};

use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// The cluster of all targets. No call is about it: that targets make a cluster is a leniency of the emulator
/// (docs/emulator.md).
pub const TARGETED: &str = "fleet";

/// The ARN of a cluster.
pub fn cluster_arn(name: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}")
}

/// The ARN of a role.
pub fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// A RunTask, which AWS takes if cluster and task definition are there and suit it.
pub fn run(random: &mut Random, cluster: &str, task_definition: &str) -> Value {
    let mut body = json!({"cluster": cluster, "taskDefinition": task_definition, "launchType": "FARGATE"});
    if !random.one_in(6) {
        body["networkConfiguration"] = json!({"awsvpcConfiguration": {"subnets": ["subnet-a"]}});
    }
    if random.one_in(3) {
        body["count"] = 2.into();
    }
    if random.one_in(3) {
        body["startedBy"] = "differential".into();
    }
    if random.one_in(4) {
        body["group"] = "nightly".into();
    }
    if random.one_in(4) {
        let name = random.pick(&["main", "main", "nowhere"]);
        body["overrides"] = json!({"containerOverrides": [{"name": name, "command": ["x"]}]});
    }
    if random.one_in(5) {
        body["tags"] = tags(random, "key", "value");
    }
    body
}

/// One or two tags, with the members `key` and `value`.
pub fn tags(random: &mut Random, key: &str, value: &str) -> Value {
    let mut tags = vec![json!({key: "team", value: random.pick(&["sales", "ops"])})];
    if random.one_in(2) {
        tags.push(json!({key: "stage", value: "test"}));
    }
    tags.into()
}
