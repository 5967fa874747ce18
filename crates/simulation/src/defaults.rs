//! What a cluster gives to all of its jobs by default, beside what every cluster of a simulation gives.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sketch::set;

/// Parts of `spec.defaults`, each there or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Defaults {
    /// Members of the task definition.
    pub task: bool,
    /// Members of every container, variables and secrets among them.
    pub container: bool,
    /// How runs are started.
    pub run: bool,
    /// Where they run: capacity providers, which a launch type of the job takes the place of.
    pub capacity: bool,
}

/// A variable that some jobs do without.
const DROPPED: &str = "DROPPED";

impl Defaults {
    /// Draws some, more often none.
    pub fn draw(rng: &mut Rng) -> Self {
        if rng.u8(..4) != 0 {
            return Self::default();
        }
        Self { task: rng.bool(), container: rng.bool(), run: rng.bool(), capacity: rng.u8(..3) == 0 }
    }

    /// Adds them to `spec.defaults`.
    pub(crate) fn render(self, defaults: &mut Value) {
        let Self { task, container, run, capacity } = self;
        if task {
            let platform = json!({"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"});
            let role = "arn:aws:iam::${account}:role/${region}/pull";
            let definition =
                json!({"taskRoleArn": "cluster-${job}", "executionRoleArn": role, "runtimePlatform": platform});
            set(defaults, "taskDefinition", Some(definition));
        }
        if let Some(all) = defaults.get_mut("container").filter(|_| container) {
            let variable = |name: &str, value: &str| json!({"name": name, "value": value});
            let more = [variable("JOB", "${job}"), variable("MODE", "cluster"), variable(DROPPED, "$${literally}")];
            if let Some(environment) = all.get_mut("environment").and_then(Value::as_array_mut) {
                environment.extend(more);
            }
            set(all, "dockerLabels", Some(json!({"job": "${job}", "place": "${account}/${region}", "a": "default"})));
            set(all, "stopTimeout", Some(json!(45)));
            if task {
                let secret = |name: &str| json!({"name": name, "valueFrom": format!("/${{job}}/{name}")});
                set(all, "secrets", Some(json!([secret("TOKEN"), secret("LICENCE")])));
            }
        }
        let mut how = json!({});
        if run {
            let tags = json!([{"key": "job", "value": "${job}"}, {"key": "run", "value": "default"}]);
            how = json!({"propagateTags": "TASK_DEFINITION", "enableECSManagedTags": true, "tags": tags});
        }
        set(&mut how, "capacityProviderStrategy", capacity.then(|| json!([{"capacityProvider": "spot", "weight": 1}])));
        set(defaults, "runTask", (run || capacity).then_some(how));
    }

    /// Lets a job remove some of them.
    pub(crate) fn removed_by(self, rng: &mut Rng, spec: &mut Value) {
        let Self { task, container, run, capacity: _ } = self;
        let (role, labels, variable, tags) = (rng.bool(), rng.bool(), rng.bool(), rng.bool());
        let absent = |spec: &Value, path: &str| spec.pointer(path).is_none();
        if task && role && absent(spec, "/taskDefinition/taskRoleArn") {
            spec.get_mut("taskDefinition").into_iter().for_each(|task| set(task, "taskRoleArn", Some(Value::Null)));
        }
        if run && tags && absent(spec, "/runTask/enableECSManagedTags") {
            spec.get_mut("runTask").into_iter().for_each(|run| set(run, "enableECSManagedTags", Some(Value::Null)));
        }
        let Some(main) = spec.pointer_mut("/taskDefinition/containerDefinitions/0").filter(|_| container) else {
            return;
        };
        if labels && main.get("dockerLabels").is_none() {
            set(main, "dockerLabels", Some(json!({"a": null})));
        }
        if let Some(environment) = main.get_mut("environment").and_then(Value::as_array_mut).filter(|_| variable) {
            environment.push(json!({"name": DROPPED, "value": null}));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecs_etl_spec::directory::{self, File};
    use jiff::Timestamp;

    use super::*;
    use crate::generate;
    use crate::sketch::{Book, Cluster};

    /// A job of one story in a cluster with these defaults, under the controller's own checks.
    fn check(seed: u64, defaults: Defaults) {
        let Some(mut book) = generate::story(seed).books.pop() else { return };
        let cluster = Cluster { defaults, ..book.clusters.values().next().unwrap().clone() };
        for job in book.jobs.values_mut() {
            (job.cluster, job.triggers) = ("main".to_owned(), crate::triggers::Triggers::default());
            if job.schedules.is_empty() {
                job.schedules = vec!["@daily".to_owned()];
            }
        }
        let book = Book { clusters: BTreeMap::from([("main".to_owned(), cluster)]), ..book };
        let written = book.files_since(None, BTreeMap::new());
        let files: Vec<File<'_>> = written.iter().map(|(path, bytes)| File { path, bytes }).collect();
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let directory = directory::load(&files, now);
        let said: Vec<String> = directory.diagnostics.iter().map(ToString::to_string).collect();
        assert!(directory.blocked.is_empty(), "seed {seed}, {defaults:?}: {:#?} {said:#?}", directory.blocked);
        assert_eq!(directory.jobs.len(), book.jobs.len(), "seed {seed}");
    }

    #[test]
    fn every_job_that_is_drawn_is_valid_under_all_defaults() {
        for seed in 0..1000_u64 {
            let bit = |place: u64| seed >> place & 1 == 1;
            check(seed, Defaults { task: bit(0), container: bit(1), run: bit(2), capacity: bit(3) });
        }
    }
}
