//! The rarer ways to start a run: capacity, placement, and what a run is told.

use fastrand::Rng;
use serde_json::{Value, json};

use super::more::{Frame, once_in};
use super::pick;
use crate::sketch::set;

/// Adds what the dice say to `spec.runTask`.
pub(super) fn add(rng: &mut Rng, frame: &Frame, spec: &mut Value) {
    let mut run = spec.get("runTask").cloned().unwrap_or_else(|| json!({}));
    if frame.fargate {
        on_fargate(rng, &mut run);
    } else {
        on_instances(rng, frame, &mut run);
    }
    let mut some = |member: &str, odds: u8, value: Value| {
        if once_in(rng, odds) {
            set(&mut run, member, Some(value));
        }
    };
    some("count", 12, json!(2));
    some("enableECSManagedTags", 8, json!(true));
    some("enableExecuteCommand", 8, json!(true));
    some("referenceId", 8, json!("etl"));
    if once_in(rng, 5) {
        let overrides = overrides(rng, frame);
        set(&mut run, "overrides", Some(overrides));
    }
    let is_said = run.as_object().is_some_and(|run| !run.is_empty()) || spec.get("runTask").is_some();
    set(spec, "runTask", is_said.then_some(run));
}

/// A strategy takes the place of a launch type.
fn strategy(run: &mut Value, strategy: Value) {
    if let Some(run) = run.as_object_mut() {
        run.remove("launchType");
    }
    set(run, "capacityProviderStrategy", Some(strategy));
}

fn on_fargate(rng: &mut Rng, run: &mut Value) {
    if once_in(rng, 6) {
        set(run, "platformVersion", Some(json!(*pick(rng, &["LATEST", "1.4.0"]))));
    }
    let is_spot = once_in(rng, 5);
    if is_spot {
        let spot = json!({"capacityProvider": "FARGATE_SPOT", "weight": 3});
        strategy(run, json!([spot, {"capacityProvider": "FARGATE", "weight": 1, "base": 1}]));
    }
    let network = run.pointer_mut("/networkConfiguration/awsvpcConfiguration");
    let Some(network) = network else { return };
    if once_in(rng, 3) {
        set(network, "securityGroups", Some(json!(["sg-0b", "sg-0a"])));
    }
    match rng.u8(..6) {
        // EventBridge documents a public address for a launch type alone.
        0 if !is_spot => set(network, "assignPublicIp", Some(json!("ENABLED"))),
        1 => set(network, "assignPublicIp", Some(json!("DISABLED"))),
        _ => {}
    }
}

fn on_instances(rng: &mut Rng, frame: &Frame, run: &mut Value) {
    if once_in(rng, 8) {
        strategy(run, json!([{"capacityProvider": "spot", "weight": 1, "base": 1}, {"capacityProvider": "owned"}]));
    } else if frame.mode == "bridge" && once_in(rng, 16) {
        set(run, "launchType", Some(json!("EXTERNAL")));
    }
    if once_in(rng, 6) {
        let spread = json!({"type": "spread", "field": "attribute:ecs.availability-zone"});
        let kinds =
            [json!([spread, {"type": "binpack", "field": "memory"}]), json!([{"type": "random"}]), json!([spread])];
        set(run, "placementStrategy", Some(pick(rng, &kinds).clone()));
    }
    if once_in(rng, 6) {
        let member = json!({"type": "memberOf", "expression": "attribute:rack == 7"});
        let kinds = [json!([{"type": "distinctInstance"}]), json!([member, {"type": "distinctInstance"}])];
        set(run, "placementConstraints", Some(pick(rng, &kinds).clone()));
    }
}

/// What differs from the task definition in every run, with what only the run knows.
fn overrides(rng: &mut Rng, frame: &Frame) -> Value {
    let mut container = json!({"name": frame.main});
    let mut some = |member: &str, value: Value| {
        if rng.bool() {
            set(&mut container, member, Some(value));
        }
    };
    some("command", json!(["--slot", "${scheduledTime}", "$${HOME}"]));
    some("environment", json!([{"name": "SLOT", "value": "at ${scheduledTime}"}, {"name": "MODE", "value": "run"}]));
    some("cpu", json!(64));
    some("memory", json!(128));
    some("memoryReservation", json!(64));
    let mut overrides = json!({"containerOverrides": [container]});
    if rng.bool() {
        set(&mut overrides, "taskRoleArn", Some(json!("run")));
    }
    if frame.fargate && rng.bool() {
        set(&mut overrides, "cpu", Some(json!("1 vCPU")));
        set(&mut overrides, "memory", Some(json!("4096")));
        set(&mut overrides, "ephemeralStorage", Some(json!({"sizeInGiB": 50})));
    }
    overrides
}
