//! What a directory's files say together, and what the account adds.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up should stop")]
#![expect(clippy::disallowed_methods, reason = "tests read their data, and a clock to bound the time")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ecs_etl_spec::diagnostic::Severity;
use ecs_etl_spec::directory::{BlockedReason, Directory, File, load};
use ecs_etl_spec::job::Job;
use ecs_etl_spec::name::AccountId;
use ecs_etl_spec::render;

const CLUSTER: &str = "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec: {region: ap-northeast-1, eventsRoleArn: events}
";

fn job(name: &str) -> String {
    format!(
        "apiVersion: ecs-etl/v1
kind: EtlJob
metadata: {{name: {name}}}
spec:
  cluster: main
  schedule: '0 2 * * *'
  taskDefinition: {{taskRoleArn: myetl, containerDefinitions: [{{image: 'x:1', memory: 512}}]}}
"
    )
}

fn directory(files: &[(&str, &str)]) -> Directory {
    let files: Vec<File<'_>> = files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    load(&files, "2026-11-23T08:00:00Z".parse().unwrap())
}

fn only_job(files: &[(&str, &str)]) -> Arc<Job> {
    let directory = directory(files);
    let errors: Vec<String> = directory.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(directory.jobs.len(), 1, "{errors:?}");
    directory.jobs.into_values().next().unwrap()
}

fn names<K: ToString, V>(map: &BTreeMap<K, V>) -> Vec<String> {
    map.keys().map(ToString::to_string).collect()
}

#[test]
fn an_empty_directory_holds_nothing_and_is_not_wrong() {
    let directory = directory(&[]);
    assert!(directory.jobs.is_empty() && directory.diagnostics.is_empty() && directory.unreadable.is_empty());
    assert_eq!(directory.controller.name.as_str(), "default");
    assert_eq!(directory.controller_problem, None);
}

#[test]
fn a_job_finds_its_cluster_in_another_file_whatever_the_order() {
    let (a, b) = (job("a"), job("b"));
    let directory = directory(&[("z/a.yaml", &a), ("main.yaml", CLUSTER), ("a/b.yaml", &b)]);
    assert_eq!(names(&directory.jobs), ["a", "b"]);
    assert_eq!(directory.jobs["a"].origin.file, "z/a.yaml");
}

#[test]
fn two_documents_of_one_name_are_both_out_and_name_each_other() {
    let (a, b) = (job("a"), job("b"));
    let directory = directory(&[("main.yaml", CLUSTER), ("one.yaml", &a), ("two.yaml", &a), ("b.yaml", &b)]);
    assert_eq!(names(&directory.jobs), ["b"]);
    assert_eq!(directory.blocked["a"].reason, BlockedReason::DuplicateName);
    let errors: Vec<String> = directory.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "one.yaml:3:18: metadata.name: two EtlJobs have this name; the other is at two.yaml:1",
            "two.yaml:3:18: metadata.name: two EtlJobs have this name; the other is at one.yaml:1",
        ]
    );
}

#[test]
fn a_file_that_does_not_parse_is_named_and_stops_no_other() {
    let good = job("good");
    let broken = job("broken") + "  - x\n";
    let directory = directory(&[("main.yaml", CLUSTER), ("good.yaml", &good), ("broken.yaml", &broken)]);
    assert_eq!(names(&directory.jobs), ["good"]);
    assert_eq!(names(&directory.unreadable), ["broken.yaml"]);
}

#[test]
fn the_documents_before_a_broken_one_are_used_and_the_file_is_named() {
    let text = format!("{CLUSTER}---\n{}---\nkind: [", job("good"));
    let directory = directory(&[("all.yaml", &text)]);
    assert_eq!(names(&directory.jobs), ["good"]);
    assert_eq!(names(&directory.unreadable), ["all.yaml"]);
}

#[test]
fn a_job_that_breaks_a_rule_is_blocked_and_its_file_is_readable() {
    let broken = job("broken").replace("schedule", "schedul");
    let directory = directory(&[("main.yaml", CLUSTER), ("broken.yaml", &broken)]);
    assert_eq!(directory.blocked["broken"].reason, BlockedReason::InvalidSpec);
    assert!(directory.unreadable.is_empty());
}

#[test]
fn a_job_without_a_readable_name_makes_its_file_unreadable() {
    for name in ["Not_A_Name", "[x]", "12", "''"] {
        let text = job(name);
        let directory = directory(&[("main.yaml", CLUSTER), ("job.yaml", &text)]);
        assert_eq!(names(&directory.unreadable), ["job.yaml"], "{name}");
    }
}

#[test]
fn an_invalid_cluster_blocks_its_jobs_and_says_why() {
    let cluster = CLUSTER.replace("region", "regoin");
    let a = job("a");
    let directory = directory(&[("main.yaml", &cluster), ("a.yaml", &a)]);
    assert_eq!(directory.blocked["a"].reason, BlockedReason::ClusterNotFound);
    let message = &directory.blocked["a"].message;
    assert!(message.contains("main.yaml:1") && message.contains("did you mean `region`?"), "{message}");
}

#[test]
fn an_invalid_controller_stops_every_write_and_two_do_as_well() {
    let controller = "apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {name: platform}\n";
    let good = directory(&[("c.yaml", controller)]);
    assert_eq!((good.controller.name.as_str(), good.controller_problem), ("platform", None));
    let two = directory(&[("c.yaml", controller), ("d.yaml", controller)]);
    assert!(two.controller_problem.unwrap().contains("there are 2 EtlControllers"));
    let broken = format!("{controller}spec: {{prefx: x}}\n");
    let invalid = directory(&[("c.yaml", &broken)]);
    assert!(invalid.controller_problem.unwrap().contains("did you mean `prefix`?"));
    let misspelt = controller.replace("EtlController", "EtlControler");
    let unsettled = directory(&[("c.yaml", &misspelt)]);
    assert!(unsettled.controller_problem.unwrap().contains("did you mean `EtlController`?"));
}

#[test]
fn a_file_that_may_hold_the_controller_and_cannot_be_read_stops_every_write() {
    let cases = [
        ("apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {name: [", true),
        ("apiVersion: ecs-etl/v1\nkind: EtlCont", true),
        ("apiVersion: ecs-etl/v1\nki", false),
        ("apiVersion: ecs-etl/v1\nkind: EtlJob\nmetadata: {name: [", false),
        ("\u{0}\u{1}\u{2}", false),
    ];
    let controller = "apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {name: platform}\n";
    for (text, stops) in cases {
        let without = directory(&[("broken.yaml", text), ("main.yaml", CLUSTER)]);
        assert_eq!(names(&without.unreadable), ["broken.yaml"], "{text}");
        assert_eq!(without.controller_problem.is_some(), stops, "{text}");
        let beside = directory(&[("broken.yaml", text), ("c.yaml", controller)]);
        assert_eq!(beside.controller_problem, None, "{text}");
    }
}

#[test]
fn a_job_said_by_two_renames_or_still_there_moves_nowhere() {
    let moved = |name: &str, from: &str| {
        job(name).replace("metadata: {", &format!("metadata: {{annotations: {{ecs-etl/moved-from: {from}}}, "))
    };
    let (a, b, c) = (moved("a", "old"), job("b"), moved("c", "b"));
    let directory = directory(&[("m.yaml", CLUSTER), ("a.yaml", &a), ("b.yaml", &b), ("c.yaml", &c)]);
    assert_eq!(names(&directory.jobs), ["a", "b"]);
    assert_eq!(directory.jobs["a"].moved_from.as_ref().unwrap().as_str(), "old");
    assert!(directory.blocked["c"].message.contains("there still is a job `b`"));
}

#[test]
fn more_rules_than_a_bus_has_is_a_warning_that_names_the_quota() {
    let jobs: String = (0..301).map(|n| format!("---\n{}", job(&format!("j{n}")))).collect();
    let directory = directory(&[("main.yaml", CLUSTER), ("jobs.yaml", &jobs)]);
    let warnings: Vec<String> = directory.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!((directory.jobs.len(), warnings.len()), (301, 1), "{warnings:?}");
    assert!(warnings[0].contains("301 rules") && warnings[0].contains("Number of rules"), "{}", warnings[0]);
    assert_eq!(directory.diagnostics[0].severity, Severity::Warning);
}

#[test]
fn the_digest_depends_on_what_is_said_and_not_on_how() {
    let one = only_job(&[("main.yaml", CLUSTER), ("a.yaml", &job("a"))]);
    let other_way = "\
# the same in other words
kind: EtlJob
spec:
    taskDefinition:
        containerDefinitions:
        - {memory: 0x200, image: !!str x:1, name: a}
        taskRoleArn: \"myetl\"
    schedule: 'cron(0 2 * * ? *)'
    suspend: false
    startingDeadlineSeconds: 3600
    cluster: main
metadata: {\"name\": a}
apiVersion: ecs-etl/v1
";
    let two = only_job(&[("elsewhere/b.yaml", other_way), ("main.yaml", CLUSTER)]);
    assert_eq!(one.digest, two.digest);
    let changed = only_job(&[("main.yaml", CLUSTER), ("a.yaml", &job("a").replace("x:1", "x:2"))]);
    assert_ne!(one.digest, changed.digest);
}

#[test]
fn a_default_that_changes_changes_the_digest() {
    let with = |value: &str| {
        let defaults = format!(", defaults: {{taskDefinition: {{cpu: {value}}}}}}}");
        only_job(&[("main.yaml", &CLUSTER.replace("events}", &format!("events{defaults}"))), ("a.yaml", &job("a"))])
    };
    assert_eq!(with("256").digest, with("'256'").digest);
    assert_ne!(with("256").digest, with("512").digest);
}

#[test]
fn the_account_completes_roles_clusters_and_what_defaults_left_open() {
    let cluster = "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec:
  region: cn-north-1
  eventsRoleArn: service-role/events
  defaults:
    taskDefinition: {executionRoleArn: 'arn:aws-cn:iam::${account}:role/exec'}
    container: {dockerLabels: {'a/b~c': 'in ${account}, not $${account}'}}
    runTask: {group: '${account}', overrides: {taskRoleArn: over, containerOverrides: [{name: a, command: ['${account}', '${scheduledTime}', '$${x}']}]}}
    tags: {owner: '${account}'}
";
    let text = job("a").replace("image:", "command: ['${account}'], image:");
    let job = only_job(&[("main.yaml", cluster), ("a.yaml", &text)]);
    let bound = job.bind(&AccountId::new("210987654321").unwrap()).unwrap();
    let task = &bound.task_definition;
    assert_eq!(task.task_role_arn.as_deref(), Some("arn:aws-cn:iam::210987654321:role/myetl"));
    assert_eq!(task.execution_role_arn.as_deref(), Some("arn:aws-cn:iam::210987654321:role/exec"));
    let container = &task.container_definitions.as_ref().unwrap()[0];
    assert_eq!(container.command.as_ref().unwrap()[0], "${account}", "a job's own text is no template");
    assert_eq!(container.docker_labels.as_ref().unwrap()["a/b~c"], "in 210987654321, not ${account}");
    assert_eq!(bound.run_task.group.as_deref(), Some("210987654321"));
    let overrides = bound.run_task.overrides.as_ref().unwrap();
    assert_eq!(overrides.task_role_arn.as_deref(), Some("arn:aws-cn:iam::210987654321:role/over"));
    let command = overrides.container_overrides.as_ref().unwrap()[0].command.as_ref().unwrap();
    assert_eq!(command, &["210987654321", "${scheduledTime}", "$${x}"]);
    assert_eq!(bound.role_arn.as_deref(), Some("arn:aws-cn:iam::210987654321:role/service-role/events"));
    assert_eq!(bound.cluster_arn, "arn:aws-cn:ecs:cn-north-1:210987654321:cluster/main");
    assert_eq!(bound.tags["owner"], "210987654321");
}

#[test]
fn what_is_rendered_loads_as_the_same_job() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/valid");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let loaded = directory(&[("a.yaml", &text)]);
        // A job that starts after another needs it beside itself.
        let rendered: BTreeMap<String, String> =
            loaded.jobs.values().map(|job| (format!("{}.yaml", job.name), render::yaml(job))).collect();
        for job in loaded.jobs.values().filter(|job| job.open.is_empty()) {
            // The backend, and the second of two roles, are a cluster's word.
            let scheduler = job.scheduler.as_ref().map(|on| on.role_arn.clone());
            let backend = if scheduler.is_some() { "scheduler" } else { "rules" };
            let scheduler = scheduler.unwrap_or_else(|| "scheduler".to_owned());
            let own: BTreeMap<_, _> = job.tags.iter().filter(|(key, _)| !job.labels.contains_key(*key)).collect();
            let cluster = serde_json::json!({
                "apiVersion": "ecs-etl/v1",
                "kind": "EtlCluster",
                "metadata": {"name": job.cluster},
                "spec": {
                    "cluster": job.ecs_cluster, "region": job.place.region, "defaults": {"tags": own},
                    "scheduler": backend, "schedulerRoleArn": scheduler,
                },
            });
            let cluster = cluster.to_string();
            let mut files = vec![("cluster", cluster.as_str())];
            files.extend(rendered.iter().map(|(path, text)| (path.as_str(), text.as_str())));
            let again = directory(&files).jobs.remove(&job.name).unwrap();
            assert_eq!(again.digest, job.digest, "{}", render::yaml(job));
            compared += 1;
        }
    }
    assert!(compared >= 3, "{compared}");
}

/// Jobs that each start after the one before; the first one after `first`.
fn chain(first: &str) -> Directory {
    let link = |n: usize| {
        let after = if n == 0 { first.to_owned() } else { format!("after: [{{job: job-{}}}]", n - 1) };
        job(&format!("job-{n}")).replace("schedule: '0 2 * * *'", &after)
    };
    let jobs: Vec<(String, String)> = (0..5_000).map(|n| (format!("jobs/{n}.yaml"), link(n))).collect();
    let mut files: Vec<(&str, &str)> = jobs.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("main.yaml", CLUSTER));
    directory(&files)
}

#[test]
fn a_cluster_in_an_odd_spelling_and_in_the_last_file_is_found_all_the_same() {
    let odd = CLUSTER.replace("kind: EtlCluster", "kind: \"Etl\\x43luster\"");
    assert!(!odd.contains("EtlC") && odd != CLUSTER);
    let plain = directory(&[("a.yaml", &job("sales")), ("z.yaml", CLUSTER)]);
    assert_eq!(plain.jobs.len(), 1, "{:?}", plain.diagnostics);
    assert_eq!(directory(&[("a.yaml", &job("sales")), ("z.yaml", &odd)]), plain);
}

#[test]
fn a_chain_of_thousands_loads_and_what_is_wrong_with_it_stays_short() {
    let start = Instant::now();
    assert_eq!(chain("schedule: '0 2 * * *'").jobs.len(), 5_000);
    for first in ["after: [{job: job-4999}]", "after: [{job: nowhere}]", "schedule: '0 2 * * *'\n  suspend: true"] {
        let loaded = chain(first);
        assert!(loaded.jobs.len() <= 1, "{first}: {}", loaded.jobs.len());
        let longest = loaded.blocked.values().map(|blocked| blocked.message.len()).max();
        assert!(longest.is_some_and(|longest| longest < 400), "{first}: {longest:?}");
    }
    let took = start.elapsed();
    println!("{took:?}");
    // As below: it is the shape of the curve that is held here.
    assert!(took.as_secs() < 60, "{took:?}");
}

#[test]
fn ten_thousand_jobs_load_in_the_time_of_a_breath() {
    let jobs: Vec<(String, String)> =
        (0..10_000).map(|n| (format!("jobs/{n}.yaml"), job(&format!("job-{n}")))).collect();
    let mut files: Vec<(&str, &str)> = jobs.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("main.yaml", CLUSTER));
    let start = Instant::now();
    let loaded = directory(&files);
    let took = start.elapsed();
    println!("{took:?}");
    assert_eq!(loaded.jobs.len(), 10_000);
    // Ten times what an unoptimised build takes on a quiet machine: it is the shape of the curve that is held here.
    assert!(took.as_secs() < 30, "{took:?}");
}
