//! What lives in AWS becomes manifests that say the same.

use std::path::Path;
use std::sync::Arc;

use ecs_etl_aws::{Aws, Done, Endpoint, Options, Urgency};
use ecs_etl_emulator::door::{self, Call, Fault, Hook, InProcess, Observer, http};
use ecs_etl_emulator::{Emulator, Journal, Reply, Request, Settings};
use ecs_etl_plan::desired::Trigger;
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{LiveRevision, RuleState};
use ecs_etl_plan::step::{Action, RevisionRef};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, Region, RuleName};
use ecs_etl_spec::schedule::Schedule;
use ecs_etl_spec::shapes::TaskDefinition;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::ecs_etl;

/// Name, schedule and tags of a rule.
type Rule<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)]);

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// An embedded AWS in `dir` that somebody else filled: a family, and a rule for each name with these tags.
async fn filled(dir: &Path, rules: &[Rule<'_>]) -> LiveRevision {
    let place = Place { region: Region::new("eu-west-1").unwrap(), assume_role_arn: None, external_id: None };
    let aws = Aws::connect(Endpoint::Embedded { state: dir.join(".ecs-etl") }, Options::default()).await.unwrap();
    let task_definition: TaskDefinition = serde_json::from_value(json!({
        "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::123456789012:role/exec",
        "containerDefinitions": [{"name": "etl", "image": "etl:1", "command": ["run", "${HOME}"], "ulimits": [
            {"name": "nofile", "softLimit": 1024, "hardLimit": 2048},
        ]}],
    }))
    .unwrap();
    let act = async |action: Action| aws.act(&place, &action, None, Urgency::Edit).await.unwrap();
    let register = Action::RegisterTaskDefinition {
        family: Family::new("Daily_Sales").unwrap(),
        task_definition: Box::new(task_definition),
        tags: tags(&[("team", "analytics")]),
    };
    let Done::Registered(revision) = act(register).await else { panic!("nothing was registered") };
    for (name, expression, rule_tags) in rules {
        let rule = RuleName::new(*name).unwrap();
        act(Action::PutRule {
            rule: rule.clone(),
            trigger: Trigger::Schedule(Schedule::parse(expression).unwrap()),
            state: RuleState::Enabled,
            description: "by hand".to_owned(),
            create: true,
            tags: tags(rule_tags),
        })
        .await;
        let target = serde_json::from_value(json!({
            "Id": "one", "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/analytics",
            "RoleArn": "arn:aws:iam::123456789012:role/events",
            "EcsParameters": {"TaskCount": 1, "LaunchType": "FARGATE", "NetworkConfiguration": {"awsvpcConfiguration": {
                "Subnets": ["subnet-0123456789abcdef0"], "AssignPublicIp": "DISABLED"}}},
            "Input": "{\"containerOverrides\":[{\"name\":\"etl\",\"environment\":[{\"name\":\"A\",\"value\":\"${B}\"}]}]}",
        }));
        let target = Box::new(target.unwrap());
        act(Action::PutTargets { rule, target, revision: Some(RevisionRef::Existing(revision.arn.clone())) }).await;
    }
    aws.close().await;
    revision
}

fn import(dir: &Path, more: &[&str]) -> Value {
    let mut args = vec!["import", "aws", "--region", "eu-west-1", "--output", "manifests", "-o", "json", "--force"];
    args.extend(more);
    let output = ecs_etl(dir, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What `plan` would do for a job of the imported directory: its operations, in order.
fn planned(dir: &Path, job: &str) -> Vec<String> {
    let planned = ecs_etl(dir, &["plan", "manifests", "-o", "json"]);
    assert!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    let planned: Value = serde_json::from_slice(&planned.stdout).unwrap();
    let steps = planned["jobs"][job]["steps"].as_array().unwrap_or_else(|| panic!("{planned:#}"));
    steps.iter().map(|step| step["operation"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_live_in_aws_become_a_manifest_that_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let live =
        filled(dir.path(), &[("SalesAm", "cron(0 2 * * ? *)", &[]), ("SalesPm", "cron(0 14 * * ? *)", &[])]).await;
    let report = import(dir.path(), &["--controller", "data", "--endpoint", "embedded"]);
    assert_eq!((&report["jobs"], &report["findings"]), (&json!(["daily-sales"]), &json!([])));
    let text = std::fs::read_to_string(dir.path().join("manifests/jobs/daily-sales.yaml")).unwrap();
    assert!(
        text.contains("  adopt:\n    family: Daily_Sales\n    rules:\n      - SalesAm\n      - SalesPm\n"),
        "{text}"
    );

    let rendered = ecs_etl(dir.path(), &["render", "daily-sales", "-o", "json"]);
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    let rendered: Value = serde_json::from_slice(&rendered.stdout).unwrap();
    let spec = &rendered["spec"];
    let task_definition: TaskDefinition = serde_json::from_value(spec["taskDefinition"].clone()).unwrap();
    assert_eq!(normalise::task_definition(&task_definition), live.normal);
    assert_eq!(spec["schedule"], json!(["cron(0 14 * * ? *)", "cron(0 2 * * ? *)"]));
    assert_eq!(spec["runTask"]["overrides"]["containerOverrides"][0]["environment"][0]["value"], "$${B}");
    assert_eq!(rendered["metadata"]["labels"], json!({"team": "analytics"}));
    assert_eq!(spec["adopt"], json!({"family": "Daily_Sales", "rules": ["SalesPm", "SalesAm"]}));
    // Adopting marks both rules and the revision that they share, and describes the rules: what runs stays as it is.
    let marks = ["TagResource", "TagResource", "TagResource", "PutRule", "PutRule"];
    assert_eq!(planned(dir.path(), "daily-sales"), marks);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_terraform_made_is_imported_and_adopted_without_a_change_to_what_runs() {
    let dir = tempfile::tempdir().unwrap();
    let live = filled(dir.path(), &[("SalesRule", "cron(0 2 * * ? *)", &[("team", "analytics")])]).await;
    let containers = json!([{
        "name": "etl", "image": "etl:1", "command": ["run", "${HOME}"], "essential": true, "environment": [],
        "mountPoints": [], "volumesFrom": [], "systemControls": [],
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
    }]);
    let task_definition = json!({
        "arn": live.arn.as_str(), "family": "Daily_Sales", "revision": 1, "cpu": "256", "memory": "512",
        "network_mode": "awsvpc", "requires_compatibilities": ["FARGATE"], "ipc_mode": "", "pid_mode": "",
        "execution_role_arn": "arn:aws:iam::123456789012:role/exec", "task_role_arn": "", "volume": [],
        "container_definitions": containers.to_string(), "tags": {"team": "analytics"},
    });
    let rule = json!({
        "arn": "arn:aws:events:eu-west-1:123456789012:rule/SalesRule", "name": "SalesRule", "event_bus_name": "default",
        "schedule_expression": "cron(0 2 * * ? *)", "event_pattern": null, "state": "ENABLED", "description": "by hand",
        "tags": {"team": "analytics"},
    });
    let target = json!({
        "rule": "SalesRule", "target_id": "one", "arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/analytics",
        "role_arn": "arn:aws:iam::123456789012:role/events", "input_transformer": [], "retry_policy": [],
        "input": "{\"containerOverrides\":[{\"name\":\"etl\",\"environment\":[{\"name\":\"A\",\"value\":\"${B}\"}]}]}",
        "ecs_target": [{
            "task_definition_arn": live.arn.as_str(), "task_count": 1, "launch_type": "FARGATE", "group": "", "tags": {},
            "enable_ecs_managed_tags": false, "enable_execute_command": false, "propagate_tags": "",
            "network_configuration": [
                {"subnets": ["subnet-0123456789abcdef0"], "security_groups": [], "assign_public_ip": false},
            ],
        }],
    });
    let resource = |kind: &str, values: Value| json!({"address": format!("{kind}.sales"), "mode": "managed", "type": kind, "name": "sales", "values": values});
    let state = json!({"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {"resources": [
        resource("aws_ecs_task_definition", task_definition),
        resource("aws_cloudwatch_event_rule", rule),
        resource("aws_cloudwatch_event_target", target),
    ]}}});
    std::fs::write(dir.path().join("state.json"), state.to_string()).unwrap();
    let args = ["import", "terraform", "state.json", "--output", "manifests"];
    let imported = ecs_etl(dir.path(), &args);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert_eq!(planned(dir.path(), "sales-rule"), ["TagResource", "TagResource", "PutRule"]);
    let applied = ecs_etl(dir.path(), &["apply", "manifests"]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stdout));
    assert_eq!(planned(dir.path(), "sales-rule"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_chosen_by_prefix_and_tag_and_those_of_a_controller_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    filled(
        dir.path(),
        &[
            ("a-one", "rate(1 hour)", &[("stage", "prod")]),
            ("a-two", "rate(2 hours)", &[("stage", "test")]),
            ("b-one", "rate(3 hours)", &[("stage", "prod"), ("ecs-etl/controller", "other")]),
        ],
    )
    .await;
    assert_eq!(import(dir.path(), &["--prefix", "a-"])["jobs"], json!(["a-one", "a-two"]));
    let report = import(dir.path(), &["--tag", "stage=prod"]);
    assert_eq!(report["jobs"], json!(["a-one"]));
    assert_eq!(report["findings"][0]["resource"], "rule b-one");
}

/// Sends a request to an embedded AWS in `dir`, as somebody else would.
fn scheduler(aws: &mut Emulator, path: &str, body: &Value) {
    let scope = "Credential=AKIDEXAMPLE/20260102/eu-west-1/scheduler/aws4_request";
    let headers = vec![("authorization".to_owned(), format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))];
    let body = body.to_string().into_bytes();
    let request = Request { method: "POST".to_owned(), path: path.to_owned(), headers, body };
    let reply = aws.handle(jiff::Timestamp::now(), &request);
    assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
}

/// Puts schedules into two groups, of which one has a tag; two start tasks.
fn put_schedules(aws: &mut Emulator) {
    let tags = json!({"Tags": [{"Key": "stage", "Value": "prod"}]});
    scheduler(aws, "/schedule-groups/etl", &tags);
    let task = |input: Value| {
        json!({
            "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/analytics",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
            "EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/Daily_Sales",
                "LaunchType": "FARGATE", "NetworkConfiguration": {"awsvpcConfiguration": {
                "Subnets": ["subnet-0123456789abcdef0"]}}},
            "Input": input.to_string(),
        })
    };
    let call = |arn: &str| json!({"Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/scheduler", "Input": "{}"});
    for (name, group, target) in [
        (
            "nightly",
            "etl",
            task(json!({"containerOverrides": [{"name": "etl", "command": ["<aws.scheduler.scheduled-time>"]}]})),
        ),
        ("hourly", "default", task(json!({}))),
        ("universal", "etl", call("arn:aws:scheduler:::aws-sdk:ecs:runTask")),
        ("queue", "etl", call("arn:aws:sqs:eu-west-1:123456789012:q")),
    ] {
        let body = json!({
            "GroupName": group, "ScheduleExpression": "cron(0 2 * * ? *)", "ScheduleExpressionTimezone": "Asia/Tokyo",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}, "Target": target,
        });
        scheduler(aws, &format!("/schedules/{name}"), &body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_of_scheduler_become_suspended_jobs_that_plan_and_apply_take() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), &[("Rule", "rate(1 hour)", &[])]).await;
    let (mut journal, mut aws) = Journal::open(&dir.path().join(".ecs-etl"), Settings::default()).unwrap();
    put_schedules(&mut aws);
    journal.append(&aws.take_changes()).unwrap();
    drop((journal, aws));
    let tagged = import(dir.path(), &["--tag", "stage=prod"]);
    assert_eq!(tagged["jobs"], json!(["nightly"]));
    assert_eq!(import(dir.path(), &["--prefix", "hour"])["jobs"], json!(["hourly"]));
    let report = import(dir.path(), &["--controller", "data", "--endpoint", "embedded"]);
    assert_eq!(report["jobs"], json!(["rule", "hourly", "nightly"]));
    let told: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| &one["resource"]).collect();
    assert!(told.contains(&&json!("schedule etl/universal")), "{told:?}");
    let text = std::fs::read_to_string(dir.path().join("manifests/jobs/nightly.yaml")).unwrap();
    for line in
        ["timeZone: Asia/Tokyo", "flexibleTimeWindowMinutes: 15", "suspend: true", "stage: prod", "${scheduledTime}"]
    {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let steps = planned(dir.path(), "nightly");
    assert_eq!(steps, ["RegisterTaskDefinition", "CreateScheduleGroup", "CreateSchedule"]);
    let applied = ecs_etl(dir.path(), &["apply", "manifests"]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stdout));
    let again = import(dir.path(), &["--prefix", "etl-"]);
    assert_eq!(again["jobs"], json!([]), "what the controller made is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named_and_the_rules_are_imported() {
    for denied in ["ListSchedules", "ListTagsForResource", "GetSchedule"] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), &[("Rule", "rate(1 hour)", &[])]).await;
        let (_journal, mut aws) = Journal::open(&dir.path().join(".ecs-etl"), Settings::default()).unwrap();
        put_schedules(&mut aws);
        let hook = Hook::new(Arc::new(Denies(format!("scheduler:{denied}"))));
        let door = InProcess::spawn(aws, None, door::Clock::system(), hook);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(http::serve(listener, door, CancellationToken::new()));
        let path = dir.path().to_owned();
        let report = tokio::task::spawn_blocking(move || import(&path, &["--endpoint", &endpoint])).await.unwrap();
        assert_eq!(report["jobs"], json!(["rule"]), "{denied}");
        let findings = report["findings"].as_array().unwrap();
        let why = format!("the right to scheduler:{denied} is missing");
        assert!(findings.iter().any(|finding| finding["why"] == json!(why)), "{findings:?}");
    }
}

/// Denies an operation.
struct Denies(String);

impl Observer for Denies {
    fn decide(&self, call: &Call, _request: &Request) -> Fault {
        if call.operation != self.0 {
            return Fault::none();
        }
        let mut reply = Reply::json(403, &json!({"Message": "User is not authorized to perform this"}));
        reply.headers.push(("x-amzn-errortype".to_owned(), "AccessDeniedException".to_owned()));
        Fault::refused(reply)
    }

    fn saw(&self, _call: &Call, _request: &Request, _reply: Option<&Reply>) {}
}

#[test]
fn importing_from_aws_wants_a_region() {
    let dir = tempfile::tempdir().unwrap();
    let output = ecs_etl(dir.path(), &["import", "aws", "--output", "manifests"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--region"));
}
