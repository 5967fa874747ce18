//! How many jobs one edit reaches: which of them change alike, as they do when a default they share was edited.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::normalise::FieldChange;
use ecs_etl_plan::step::{Because, Plan};
use ecs_etl_spec::job::{Cluster, Job};
use ecs_etl_spec::name::JobName;
use serde::Serialize;
use serde_json::Value;

use crate::output::{count, names};

/// Changes with every revision, so it says nothing about what was edited.
const CONSEQUENCE: &str = "EcsParameters.TaskDefinitionArn";

/// Jobs of one cluster that change in the same fields to the same values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// The EtlCluster.
    pub cluster: String,
    /// File and line of its document.
    pub source: String,
    /// Those jobs.
    pub jobs: BTreeSet<JobName>,
    /// The fields, with `${job}` for the job's name.
    pub fields: BTreeSet<String>,
}

impl Shared {
    /// As a sentence.
    pub fn text(&self) -> String {
        let fields = self.fields.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (jobs, named) = (count(self.jobs.len(), "job"), names(&self.jobs));
        let (cluster, source) = (&self.cluster, &self.source);
        format!("{jobs} of cluster {cluster} ({source}) change alike in {fields}: {named}")
    }
}

/// The changes that several jobs of a cluster share, the widest first.
pub fn shared<'a>(plans: impl IntoIterator<Item = (&'a Job, Option<&'a Cluster>, &'a Plan)>) -> Vec<Shared> {
    let mut alike: BTreeMap<(String, String, String, String), BTreeSet<JobName>> = BTreeMap::new();
    for (job, cluster, plan) in plans {
        let Some(cluster) = cluster else { continue };
        let source = format!("{}:{}", cluster.origin.file, cluster.origin.line);
        let changes = plan.steps.iter().flat_map(|step| changes(&step.because));
        for change in changes.filter(|change| change.path != CONSEQUENCE) {
            let common = |text: String| without_name(&text, job.name.as_str());
            let path = common(change.path.clone());
            // Values are compared, secrets too, and never shown.
            let values = common(format!("{} -> {}", value(&change.live), value(&change.desired)));
            let key = (cluster.name.to_string(), source.clone(), path, values);
            alike.entry(key).or_default().insert(job.name.clone());
        }
    }
    let mut groups: BTreeMap<(String, String, BTreeSet<JobName>), BTreeSet<String>> = BTreeMap::new();
    for ((cluster, source, path, _), jobs) in alike.into_iter().filter(|(_, jobs)| jobs.len() > 1) {
        groups.entry((cluster, source, jobs)).or_default().insert(path);
    }
    let mut shared: Vec<Shared> =
        groups.into_iter().map(|((cluster, source, jobs), fields)| Shared { cluster, source, jobs, fields }).collect();
    shared.sort_by_key(|group| std::cmp::Reverse(group.jobs.len()));
    shared
}

/// The text with `${job}` wherever the name stands as a word.
fn without_name(text: &str, name: &str) -> String {
    let mut common = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        let begins = common.chars().chain(before.chars()).next_back().is_none_or(|c| !c.is_alphanumeric());
        let ends = after.chars().next().is_none_or(|c| !c.is_alphanumeric());
        common.push_str(before);
        common.push_str(if begins && ends { "${job}" } else { name });
        rest = after;
    }
    common.push_str(rest);
    common
}

fn value(value: &Option<Value>) -> String {
    value.as_ref().map_or_else(String::new, Value::to_string)
}

fn changes(because: &Because) -> &[FieldChange] {
    match because {
        Because::Differs(changes) => changes,
        Because::Missing | Because::Note(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use ecs_etl_controller::clock::Clock;
    use ecs_etl_plan::condition::{Reason, Verdict};
    use ecs_etl_plan::step::{Action, Step};
    use ecs_etl_spec::directory::{Directory, File, load};
    use serde_json::json;

    use super::*;

    fn directory(jobs: &[&str]) -> Directory {
        let mut text = "apiVersion: ecs-etl/v1\nkind: EtlCluster\nmetadata: {name: main}\nspec: {region: eu-central-1, eventsRoleArn: events}\n".to_owned();
        for job in jobs {
            text.push_str(&format!(
                "---\napiVersion: ecs-etl/v1\nkind: EtlJob\nmetadata: {{name: {job}}}\nspec:\n  cluster: main\n  schedule: '@daily'\n  \
                 taskDefinition: {{containerDefinitions: [{{image: a, memory: 64}}]}}\n"
            ));
        }
        load(&[File { path: "all.yaml", bytes: text.as_bytes() }], Clock::system().now())
    }

    /// A plan that changes these fields.
    fn plan(job: &Job, changes: &[(&str, &str)]) -> Plan {
        let change = |(path, desired): &(&str, &str)| FieldChange {
            path: (*path).to_owned(),
            live: None,
            desired: Some(json!(desired)),
        };
        let mut plan = Plan::leave(&job.name, Verdict::Ready(Reason::Converged, String::new()));
        plan.steps.push(Step {
            place: job.place.clone(),
            action: Action::EnableRule { rule: ecs_etl_spec::name::RuleName::new(job.name.as_str()).unwrap() },
            because: Because::Differs(changes.iter().map(change).collect()),
        });
        plan
    }

    /// What is told of jobs that change in these fields.
    fn check(jobs: &[(&str, &[(&str, &str)])], expected: &[&str]) {
        let directory = directory(&jobs.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let plans: Vec<(&Job, Plan)> = jobs
            .iter()
            .map(|(name, changes)| {
                let job = directory.jobs[&JobName::new(*name).unwrap()].as_ref();
                (job, plan(job, changes))
            })
            .collect();
        let clustered = plans.iter().map(|(job, plan)| (*job, directory.clusters.get(&job.cluster), plan));
        let told: Vec<String> = shared(clustered).iter().map(Shared::text).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn an_edit_of_a_default_is_told_once_for_all_the_jobs_it_reaches() {
        check(
            &[
                ("a", &[("cpu", "512"), ("containerDefinitions[a].image", "a:2")]),
                ("b", &[("cpu", "512"), (CONSEQUENCE, "the new revision")]),
                ("c", &[("cpu", "512"), (CONSEQUENCE, "the new revision")]),
            ],
            &["3 jobs of cluster main (all.yaml:1) change alike in cpu: a, b, c"],
        );
    }

    #[test]
    fn a_field_that_holds_the_name_of_the_job_is_the_same_field() {
        let first = [("containerDefinitions[one].image", "x:2"), ("prefix", "logs/one")];
        let second = [("containerDefinitions[two].image", "x:2"), ("prefix", "logs/two")];
        let fields = "containerDefinitions[${job}].image, prefix";
        let expected = format!("2 jobs of cluster main (all.yaml:1) change alike in {fields}: one, two");
        check(&[("one", &first), ("two", &second)], &[&expected]);
    }

    #[test]
    fn jobs_that_change_each_in_its_own_way_share_nothing() {
        check(&[("a", &[("cpu", "512")]), ("b", &[("cpu", "1024")]), ("c", &[("memory", "512")])], &[]);
    }
}
