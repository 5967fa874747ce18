//! Sequences of calls about a few resources, each from a seed.

use std::fmt;

use serde_json::{Value, json};

use super::content;
use crate::deviations::Deviation;
use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Families that are registered with content AWS takes; the first is the beginning of the third.
const FAMILIES: &[&str] = &["etl-a", "etl-b", "etl-a-long"];
/// Rules that are put with content AWS takes.
const RULES: &[&str] = &["job-a", "job-b", "job-a.long"];
/// Clusters that may be created.
const CLUSTERS: &[&str] = &["blue", "green"];

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `ecs`, `events`, `tagging` or `sts`.
    pub service: String,
    /// AWS's name of the operation.
    pub operation: String,
    /// What is asked. A text `@task:N:K` stands for the K-th task that call N of this sequence started.
    pub body: Value,
    /// The families, rules and clusters that it is about; none for a call about all there are.
    pub subjects: Vec<&'static str>,
    /// Where it stands in the sequence that its seed gives; stays when others are left out.
    pub number: usize,
}

impl Call {
    /// `service:Operation`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        !["Describe", "List", "Get"].iter().any(|read| self.operation.starts_with(read))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3} {} {}", self.number, self.name(), self.body)
    }
}

/// The experiment of an entry of the table, as a sequence.
pub fn experiment(entry: &Deviation) -> Vec<Call> {
    let calls = entry.calls.iter().flatten().enumerate();
    calls
        .map(|(number, (name, body))| {
            let (service, operation) = name.split_once(':').expect("a call reads service:Operation");
            let subjects = vec!["experiment"];
            Call { service: service.to_owned(), operation: operation.to_owned(), body: body.clone(), subjects, number }
        })
        .collect()
}

/// The sequence of a seed: 10 to 40 calls.
pub fn generate(seed: u64) -> Vec<Call> {
    let mut random = Random::new(seed);
    let mut calls: Vec<Call> = Vec::new();
    for number in 0..random.between(10, 40) {
        let (service, operation, body, subjects) = match random.below(20) {
            0..=3 => register(&mut random),
            4..=6 => revisions(&mut random),
            7..=9 => put_rule(&mut random),
            10..=12 => rules(&mut random),
            13..=15 => targets(&mut random, &calls),
            16 => tags(&mut random, &calls),
            17 | 18 => tasks(&mut random, &calls),
            _ => places(&mut random),
        };
        let (service, operation) = (service.to_owned(), operation.to_owned());
        calls.push(Call { service, operation, body, subjects, number });
    }
    calls
}

type Made = (&'static str, &'static str, Value, Vec<&'static str>);

fn family(random: &mut Random) -> &'static str {
    if random.one_in(12) { "etl-missing" } else { FAMILIES[random.below(FAMILIES.len())] }
}

fn rule(random: &mut Random) -> &'static str {
    if random.one_in(12) { "job-missing" } else { RULES[random.below(RULES.len())] }
}

fn revision(random: &mut Random, family: &str) -> String {
    format!("{family}:{}", random.between(1, 3))
}

fn register(random: &mut Random) -> Made {
    if random.one_in(4) {
        return ("ecs", "RegisterTaskDefinition", content::refused_task_definition(random, "bad-etl"), vec!["bad-etl"]);
    }
    let family = FAMILIES[random.below(FAMILIES.len())];
    ("ecs", "RegisterTaskDefinition", content::task_definition(random, family), vec![family])
}

fn revisions(random: &mut Random) -> Made {
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

fn put_rule(random: &mut Random) -> Made {
    if random.one_in(4) {
        return ("events", "PutRule", content::refused_rule(random, "bad-job"), vec!["bad-job"]);
    }
    let name = RULES[random.below(RULES.len())];
    ("events", "PutRule", content::rule(random, name), vec![name])
}

fn rules(random: &mut Random) -> Made {
    let name = rule(random);
    match random.below(9) {
        0 | 1 => ("events", "DescribeRule", json!({"Name": name}), vec![name]),
        2 => ("events", "EnableRule", json!({"Name": name}), vec![name]),
        3 => ("events", "DisableRule", json!({"Name": name}), vec![name]),
        4 | 5 => {
            let mut body = json!({});
            if random.one_in(2) {
                body["NamePrefix"] = random.pick(&["job", "job-a", "job-a.", "j.b", "x"]).into();
            }
            if random.one_in(2) {
                body["Limit"] = random.between(1, 3).into();
            }
            ("events", "ListRules", body, vec![])
        }
        6 => ("events", "ListRuleNamesByTarget", json!({"TargetArn": content::cluster_arn(content::TARGETED)}), vec![]),
        _ => ("events", "DeleteRule", json!({"Name": name}), vec![name]),
    }
}

fn targets(random: &mut Random, before: &[Call]) -> Made {
    let name = rule(random);
    match random.below(8) {
        0 | 1 => ("events", "ListTargetsByRule", json!({"Rule": name}), vec![name]),
        2 | 3 => {
            let ids: Vec<&str> =
                (0..random.between(1, 2)).map(|_| random.pick(&["1", "2", "three", "nowhere"])).collect();
            ("events", "RemoveTargets", json!({"Rule": name, "Ids": ids}), vec![name])
        }
        // Which of two faults AWS tells first is not known: the rule is there.
        4 if exists(before, name, "PutRule", "DeleteRule") => {
            ("events", "PutTargets", content::refused_targets(random, name), vec![name])
        }
        _ => {
            let first = random.below(3);
            let ids = ["1", "2", "three", "1"];
            let targets: Vec<Value> =
                (0..random.between(1, 2)).map(|n| content::target(random, ids[first + n])).collect();
            ("events", "PutTargets", json!({"Rule": name, "Targets": targets}), vec![name])
        }
    }
}

/// Whether `make` came last of the calls that make and end `subject`.
fn exists(before: &[Call], subject: &str, make: &str, end: &str) -> bool {
    let about = before.iter().filter(|call| call.subjects.contains(&subject));
    about.rev().find(|call| call.operation == make || call.operation == end).is_some_and(|call| call.operation == make)
}

fn tags(random: &mut Random, before: &[Call]) -> Made {
    let (key, other) = (random.pick(&["team", "stage", "empty"]), random.pick(&["team", "stage", "never"]));
    let value = random.pick(&["sales", "ops", ""]);
    let family = family(random);
    // What AWS says of the tags of a task definition that is not there is not known.
    if random.one_in(2) || !exists(before, family, "RegisterTaskDefinition", "DeleteTaskDefinitions") {
        let name = rule(random);
        let arn = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}");
        return match random.below(4) {
            0 => {
                let body = json!({"ResourceARN": arn, "Tags": [{"Key": key, "Value": value}]});
                ("events", "TagResource", body, vec![name])
            }
            1 => ("events", "UntagResource", json!({"ResourceARN": arn, "TagKeys": [other]}), vec![name]),
            _ => ("events", "ListTagsForResource", json!({"ResourceARN": arn}), vec![name]),
        };
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

fn tasks(random: &mut Random, before: &[Call]) -> Made {
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

fn places(random: &mut Random) -> Made {
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
