//! Jobs that other jobs and events start, and who is told of their end.

use std::time::Duration;

use ecs_etl_plan::condition::Reason;
use serde_json::{Value, json};

use crate::lab::{Lab, counts, job};

/// A job without a schedule; `lines` go under its spec.
fn triggered(name: &str, image: &str, lines: &str) -> String {
    job(name, image, "@daily").replace("schedule: \"@daily\"", lines)
}

fn pipeline() -> Lab {
    Lab::new(&[
        ("extract", job("extract", "img:1", "0 2 * * *")),
        ("transform", triggered("transform", "img:1", "after: [{job: extract}]")),
        (
            "load",
            triggered(
                "load",
                "img:1",
                "events: [{pattern: {source: [aws.s3]}}]\n  after: [{job: transform, on: completion}]",
            ),
        ),
    ])
}

async fn pattern(lab: &Lab, rule: &str) -> Value {
    let rule = lab.events("DescribeRule", json!({"Name": rule})).await;
    serde_json::from_str(rule["EventPattern"].as_str().unwrap()).unwrap()
}

/// The only rule of a job that has one.
async fn rule_of(lab: &Lab, job: &str) -> String {
    let rules = lab.events("ListRules", json!({"NamePrefix": format!("etl-{job}.")})).await;
    let [only] = rules["Rules"].as_array().unwrap().as_slice() else { panic!("{rules}") };
    only["Name"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_converges_and_then_there_is_silence() {
    let lab = pipeline();
    let pass = lab.apply().await;
    for job in ["extract", "transform", "load"] {
        assert_eq!(pass.reason(job), Reason::Converged, "{job}");
    }
    assert_eq!(
        lab.writes(),
        counts([("ecs:RegisterTaskDefinition", 3), ("events:PutRule", 4), ("events:PutTargets", 4)])
    );
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
    let transform = pattern(&lab, &rule_of(&lab, "transform").await).await;
    assert_eq!(transform["detail"]["group"], json!(["family:etl-extract"]));
}

#[tokio::test(start_paused = true)]
async fn a_pattern_that_somebody_edits_is_put_back() {
    let lab = pipeline();
    lab.apply().await;
    let rule = rule_of(&lab, "transform").await;
    let before = pattern(&lab, &rule).await;
    lab.events("PutRule", json!({"Name": rule, "EventPattern": "{\"source\": [\"aws.s3\"]}"})).await;
    lab.writes();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([("events:PutRule", 1)]));
    assert_eq!(pattern(&lab, &rule).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_renamed_upstream_reaches_the_rule_after_it() {
    let lab = pipeline();
    lab.apply().await;
    lab.writes();
    lab.write("extract.yaml", &job("extract", "img:1", "0 2 * * *").replace("{image:", "{name: main, image:"));
    lab.apply().await;
    assert_eq!(
        lab.writes(),
        counts([("ecs:RegisterTaskDefinition", 1), ("events:PutRule", 1), ("events:PutTargets", 1)])
    );
    let transform = pattern(&lab, &rule_of(&lab, "transform").await).await;
    assert_eq!(transform["detail"]["containers"]["name"], json!(["main"]));
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_upstream_goes_is_left_as_it_is_and_says_why() {
    let lab = pipeline();
    lab.apply().await;
    lab.remove("extract.yaml");
    lab.writes();
    let pass = lab.apply().await;
    assert_eq!(pass.reason("transform"), Reason::InvalidSpec);
    assert_eq!(pass.reason("load"), Reason::InvalidSpec, "its way leads through transform");
    assert_eq!(lab.writes(), counts([]));
}

#[tokio::test(start_paused = true)]
async fn who_is_told_changes_without_touching_what_runs() {
    let told = |topic: &str| {
        let notify = format!("notify: [{{target: \"arn:aws:sns:eu-central-1:123456789012:{topic}\"}}]");
        job("a", "img:1", "0 2 * * *").replace("spec:\n", &format!("spec:\n  {notify}\n"))
    };
    let lab = Lab::new(&[("a", told("alarms"))]);
    lab.apply().await;
    assert_eq!(
        lab.writes(),
        counts([("ecs:RegisterTaskDefinition", 1), ("events:PutRule", 2), ("events:PutTargets", 2)])
    );
    lab.write("a.yaml", &told("pager"));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    let writes = lab.writes();
    assert!(!writes.contains_key("ecs:RegisterTaskDefinition"), "{writes:?}");
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
}

/// Runs a job by hand and gives the ARN of its task; `outcome` is what becomes of its container.
async fn run(lab: &Lab, job: &str, outcome: &str) -> String {
    let variable = json!({"name": "ECS_ETL_EMULATE", "value": outcome});
    let overrides = json!({"containerOverrides": [{"name": job, "environment": [variable]}]});
    let request = json!({"cluster": "main", "taskDefinition": format!("etl-{job}"), "overrides": overrides});
    let started = lab.ecs("RunTask", request).await;
    started["tasks"][0]["taskArn"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
}

/// The tasks that a job's rules have started.
async fn started(lab: &Lab, job: &str) -> Vec<Value> {
    let mut tasks = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let request = json!({"cluster": "main", "family": format!("etl-{job}"), "desiredStatus": status});
        let list = lab.ecs("ListTasks", request).await;
        if !list["taskArns"].as_array().unwrap().is_empty() {
            let described = lab.ecs("DescribeTasks", json!({"cluster": "main", "tasks": list["taskArns"]})).await;
            tasks.extend(described["tasks"].as_array().unwrap().iter().cloned());
        }
    }
    tasks.retain(|task| task["startedBy"].as_str().is_some_and(|by| by.starts_with("events-rule/")));
    tasks
}

#[tokio::test(start_paused = true)]
async fn each_end_of_a_run_starts_the_jobs_that_wait_for_it_and_tells_them_of_it() {
    const TELL: &str = "runTask:\n    overrides: {containerOverrides: [{name: next, environment: [{name: BEFORE, value: \"${after.taskArn}\"}]}]}";
    let lab = Lab::new(&[
        ("extract", job("extract", "img:1", "0 2 * * *")),
        ("next", triggered("next", "img:1", &format!("after: [{{job: extract}}]\n  {TELL}"))),
        ("rescue", triggered("rescue", "img:1", "after: [{job: extract, on: failure}]")),
        ("audit", triggered("audit", "img:1", "after: [{job: extract, on: completion}]")),
    ]);
    lab.apply().await;
    let counts = async || {
        [started(&lab, "next").await.len(), started(&lab, "rescue").await.len(), started(&lab, "audit").await.len()]
    };
    let wait = || tokio::time::sleep(Duration::from_secs(150));
    wait().await;

    let task = run(&lab, "extract", "exit=0").await;
    wait().await;
    assert_eq!(counts().await, [1, 0, 1], "success");
    let next = &started(&lab, "next").await[0];
    let passed = &next["overrides"]["containerOverrides"][0]["environment"];
    assert_eq!(*passed, json!([{"name": "BEFORE", "value": task}]));

    run(&lab, "extract", "exit=3").await;
    wait().await;
    assert_eq!(counts().await, [1, 1, 2], "failure");

    run(&lab, "extract", "start=fails").await;
    wait().await;
    assert_eq!(counts().await, [1, 2, 3], "it never started");
}

/// Messages in a queue, read once.
async fn messages(lab: &Lab, queue: &str) -> Vec<Value> {
    let url = format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{queue}");
    let received = lab.call("AmazonSQS.ReceiveMessage", json!({"QueueUrl": url, "MaxNumberOfMessages": 10})).await;
    let bodies = received["Messages"].as_array().into_iter().flatten().map(|message| message["Body"].as_str().unwrap());
    bodies.map(|body| serde_json::from_str(body).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_pipeline_of_the_tour_runs_through_a_night_and_tells_of_its_failure() {
    let lab = Lab::new(&[]);
    lab.call("AmazonSQS.CreateQueue", json!({"QueueName": "failed-runs"})).await;
    let pipeline = include_str!("../../../../examples/pipeline/pipeline.yaml");
    lab.write("pipeline.yaml", &pipeline.replace("ap-northeast-1", "eu-central-1"));
    let pass = lab.apply().await;
    for job in ["extract-orders", "transform-orders", "report-orders"] {
        assert_eq!(pass.reason(job), Reason::Converged, "{job}");
    }
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    let told = messages(&lab, "failed-runs").await;
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(told["job"], "transform-orders");
    assert!(told["startedAt"].as_str().unwrap().starts_with("2026-11-23T17:3"), "02:30 in Tokyo: {told}");
    lab.writes();
    lab.apply().await;
    assert_eq!(lab.writes(), counts([]));
}
