//! The rarer members of a job, from dice of their own, so that whatever else a shape gives stays as it is.

use fastrand::Rng;
use serde_json::{Value, json};

use super::pick;
use super::{containers, run, task};
use crate::sketch::{Cluster, set};

/// What a job is, as far as its rarer members hang on it.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// It runs on Fargate.
    pub fargate: bool,
    /// The network mode of its task.
    pub mode: String,
    /// The name of its first container.
    pub main: String,
    /// There is a second container.
    pub sidecar: bool,
    /// Its agent has a role of its own.
    pub execution_role: bool,
}

impl Frame {
    fn of(job: &str, spec: &Value) -> Self {
        let text = |path: &str| spec.pointer(path).and_then(Value::as_str);
        let requires = |word: &str| {
            let all = spec.pointer("/taskDefinition/requiresCompatibilities").and_then(Value::as_array);
            all.is_some_and(|all| all.iter().any(|other| other == word))
        };
        Self {
            fargate: requires("FARGATE"),
            mode: text("/taskDefinition/networkMode").unwrap_or("bridge").to_owned(),
            main: text("/taskDefinition/containerDefinitions/0/name").unwrap_or(job).to_owned(),
            sidecar: spec.pointer("/taskDefinition/containerDefinitions/1").is_some(),
            execution_role: spec.pointer("/taskDefinition/executionRoleArn").is_some(),
        }
    }
}

/// One time in `odds`.
pub(super) fn once_in(rng: &mut Rng, odds: u8) -> bool {
    rng.u8(..odds) == 0
}

/// Adds to the spec of a job in that cluster what else its shape draws.
pub fn add(job: &str, shape: u64, cluster: Option<&Cluster>, spec: &mut Value) {
    let mut rng = Rng::with_seed(shape ^ 0x4d4f_5245);
    let mut frame = Frame::of(job, spec);
    if let Some(definition) = spec.get_mut("taskDefinition") {
        task::add(&mut rng, &mut frame, definition);
        containers::add(&mut rng, &frame, definition);
    }
    run::add(&mut rng, &frame, spec);
    if once_in(&mut rng, 8) {
        let role = *pick(&mut rng, &["runner", "arn:aws:iam::123456789012:role/runs/runner"]);
        set(spec, "roleArn", Some(json!(role)));
    }
    if once_in(&mut rng, 8) {
        let region = cluster.map_or("eu-central-1", |cluster| cluster.region.as_str());
        set(spec, "deadLetterQueueArn", Some(json!(format!("arn:aws:sqs:{region}:123456789012:etl-dead"))));
    }
    if let Some(cluster) = cluster {
        cluster.defaults.removed_by(&mut rng, spec);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every member of every object, by its name.
    fn members(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    found.insert(name.clone());
                    members(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| members(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn whatever_the_spec_can_say_is_drawn_sooner_or_later() {
        let mut found = BTreeSet::new();
        for shape in 0..3000_u64 {
            let mut spec = super::super::spec("sales", shape, 1);
            add("sales", shape, None, &mut spec);
            members(&spec, &mut found);
        }
        let mut missing = BTreeSet::new();
        for structure in
            ["TaskDefinition", "ContainerDefinition", "Volume", "RunTask", "TaskOverride", "ContainerOverride"]
        {
            let all = ecs_etl_spec::shapes::members::of(structure).map(|member| member.member.to_owned());
            missing.extend(all.filter(|member| !found.contains(member)));
        }
        // What AWS refuses by now, what only Windows mounts, and what no schedule can tell a run.
        let left_out = [
            "configuredAtLaunch",
            "fsxWindowsFileServerVolumeConfiguration",
            "inferenceAcceleratorOverrides",
            "inferenceAccelerators",
        ];
        assert_eq!(missing, left_out.map(str::to_owned).into());
    }
}
