//! Which calls of ECS a sequence makes, and about what.

use serde_json::json;

use super::sequence::{Call, Made, exists};
use super::{content, task_definitions};
use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Families that are registered with content AWS takes; the first is the beginning of the third.
const FAMILIES: &[&str] = &["etl-a", "etl-b", "etl-a-long"];
/// Clusters that may be created.
const CLUSTERS: &[&str] = &["blue", "green"];

fn family(random: &mut Random) -> &'static str {
    if random.one_in(12) { "etl-missing" } else { FAMILIES[random.below(FAMILIES.len())] }
}

fn revision(random: &mut Random, family: &str) -> String {
    format!("{family}:{}", random.between(1, 3))
}

/// A RegisterTaskDefinition; one in four such as AWS refuses, of a family of its own.
pub fn register(random: &mut Random) -> Made {
    if random.one_in(4) {
        return ("ecs", "RegisterTaskDefinition", task_definitions::refused(random, "bad-etl"), vec!["bad-etl"]);
    }
    let family = FAMILIES[random.below(FAMILIES.len())];
    ("ecs", "RegisterTaskDefinition", task_definitions::task_definition(random, family), vec![family])
}

/// A call about revisions that may be there.
pub fn revisions(random: &mut Random) -> Made {
    let family = family(random);
    match random.below(8) {
        0 => ("ecs", "DescribeTaskDefinition", json!({"taskDefinition": family, "include": ["TAGS"]}), vec![family]),
        1 | 2 => {
            let mut body = json!({"taskDefinition": revision(random, family)});
            if random.one_in(2) {
                body["include"] = json!(["TAGS"]);
            }
            ("ecs", "DescribeTaskDefinition", body, vec![family])
        }
        3 => {
            let mut body = json!({"familyPrefix": family});
            if random.one_in(2) {
                body["status"] = random.pick(&["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"]).into();
            }
            if random.one_in(2) {
                body["sort"] = random.pick(&["ASC", "DESC"]).into();
            }
            if random.one_in(3) {
                body["maxResults"] = random.between(1, 3).into();
            }
            ("ecs", "ListTaskDefinitions", body, vec![])
        }
        4 => {
            let mut body = json!({"familyPrefix": random.pick(&["etl-", "etl-a", "x"])});
            if random.one_in(2) {
                body["status"] = random.pick(&["ACTIVE", "INACTIVE", "ALL"]).into();
            }
            ("ecs", "ListTaskDefinitionFamilies", body, vec![])
        }
        5 | 6 => {
            let name = if random.one_in(6) { family.to_owned() } else { revision(random, family) };
            ("ecs", "DeregisterTaskDefinition", json!({"taskDefinition": name}), vec![family])
        }
        _ => {
            // What AWS says of a revision that is named twice is not known.
            let first = random.between(1, 2);
            let names: Vec<String> = (first..=first + random.below(2)).map(|n| format!("{family}:{n}")).collect();
            ("ecs", "DeleteTaskDefinitions", json!({"taskDefinitions": names}), vec![family])
        }
    }
}

/// A call about the tags of a revision; about other things where there is none, since what AWS says of the tags of a
/// task definition that is not there is not known.
pub fn tags(random: &mut Random, before: &[Call]) -> Made {
    let (key, other) = (random.pick(&["team", "stage", "empty"]), random.pick(&["team", "stage", "never"]));
    let value = random.pick(&["sales", "ops", ""]);
    let family = family(random);
    if !exists(before, family, "RegisterTaskDefinition", "DeleteTaskDefinitions") {
        return revisions(random);
    }
    let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:1");
    match random.below(4) {
        0 => {
            let body = json!({"resourceArn": arn, "tags": [{"key": key, "value": value}]});
            ("ecs", "TagResource", body, vec![family])
        }
        1 => ("ecs", "UntagResource", json!({"resourceArn": arn, "tagKeys": [other]}), vec![family]),
        _ => ("ecs", "ListTagsForResource", json!({"resourceArn": arn}), vec![family]),
    }
}

/// A call about tasks, in a cluster that is there.
pub fn tasks(random: &mut Random, before: &[Call]) -> Made {
    let cluster = CLUSTERS[random.below(CLUSTERS.len())];
    let started: Vec<&Call> = before.iter().filter(|call| call.operation == "RunTask").collect();
    // A task depends on all that the run that started it depended on.
    let some = |random: &mut Random| match started.is_empty() {
        true => (format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/{cluster}/{}", "0".repeat(32)), vec![cluster]),
        false => {
            let run = started[random.below(started.len())];
            (format!("@task:{}:{}", run.number, random.below(2)), run.subjects.clone())
        }
    };
    let there = exists(before, cluster, "CreateCluster", "DeleteCluster");
    match random.below(6) {
        // As above: of several faults, the first that is told is not known, so the cluster is there.
        0..=2 if !there => ("ecs", "CreateCluster", json!({"clusterName": cluster}), vec![cluster]),
        0 | 1 => {
            let family = family(random);
            let name = if random.one_in(2) { family.to_owned() } else { revision(random, family) };
            ("ecs", "RunTask", content::run(random, cluster, &name), vec![cluster, family])
        }
        2 => {
            let (task, subjects) = some(random);
            let cluster = subjects[0];
            ("ecs", "StopTask", json!({"cluster": cluster, "task": task, "reason": "differential"}), subjects)
        }
        3 => {
            let mut body = json!({"cluster": cluster});
            if random.one_in(2) {
                body["family"] = family(random).into();
            }
            if random.one_in(3) {
                body["desiredStatus"] = random.pick(&["RUNNING", "STOPPED"]).into();
            }
            ("ecs", "ListTasks", body, vec![cluster])
        }
        _ => {
            let (task, subjects) = some(random);
            ("ecs", "DescribeTasks", json!({"cluster": subjects[0], "tasks": [task]}), subjects)
        }
    }
}

/// A call about clusters, or about the whole account.
pub fn places(random: &mut Random) -> Made {
    let cluster = CLUSTERS[random.below(CLUSTERS.len())];
    match random.below(7) {
        0..=2 => ("ecs", "CreateCluster", json!({"clusterName": cluster}), vec![cluster]),
        3 => ("ecs", "DescribeClusters", json!({"clusters": [cluster]}), vec![cluster]),
        4 => ("ecs", "ListClusters", json!({}), vec![]),
        5 => ("sts", "GetCallerIdentity", json!({}), vec![]),
        _ => {
            // Tasks are not in the emulator's index (docs/emulator.md).
            let kinds: &[&str] =
                [&["events:rule"][..], &["ecs:task-definition"], &["events:rule", "ecs:task-definition"]]
                    [random.below(3)];
            let tag = random.pick(&["team", "stage"]);
            let body = json!({"TagFilters": [{"Key": tag}], "ResourceTypeFilters": kinds});
            ("tagging", "GetResources", body, vec![])
        }
    }
}
