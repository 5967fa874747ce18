//! Jobs in AWS's terms.

use ecs_etl_plan::lower::{job_of_rule, lower};
use ecs_etl_plan::tags;
use ecs_etl_spec::name::Prefix;
use ecs_etl_spec::shapes::RunTask;
use ecs_etl_spec::shapes::events::Target;
use serde_json::{Value, json};

use crate::job::{Spec, identity, job};
use crate::world::at;

fn target(run_task: Value) -> Target {
    let run_task: RunTask = serde_json::from_value(run_task).unwrap();
    Spec { run_task, ..job() }.desired().target
}

/// What the job passes on for these overrides: the input, or the template.
fn passed(command: &str) -> (Option<String>, Option<String>) {
    let target = target(json!({"overrides": {"containerOverrides": [{"name": "sales", "command": [command]}]}}));
    let template = target.input_transformer.map(|transformer| {
        let paths = transformer.input_paths_map.unwrap();
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), [("scheduledTime".to_owned(), "$.time".to_owned())]);
        transformer.input_template.unwrap()
    });
    (target.input, template)
}

fn input(command: &str) -> String {
    let (Some(input), None) = passed(command) else { panic!("{command:?} is no plain input") };
    serde_json::from_str::<Value>(&input).unwrap()["containerOverrides"][0]["command"][0].as_str().unwrap().to_owned()
}

/// What ECS would receive if the run's time were `T`: placeholders filled in as EventBridge does, then read as JSON.
fn at_run(command: &str) -> String {
    let (None, Some(template)) = passed(command) else { panic!("{command:?} is no template") };
    assert_eq!(template.matches('<').count(), template.matches("<scheduledTime>").count(), "{template}");
    let filled = template.replace("<scheduledTime>", "T");
    serde_json::from_str::<Value>(&filled).unwrap()["containerOverrides"][0]["command"][0].as_str().unwrap().to_owned()
}

#[test]
fn names_and_tags_follow_the_job() {
    let desired = job().label("team", "analytics").desired();
    assert_eq!((desired.family.as_str(), desired.rules[0].name.as_str()), ("etl-sales", "etl-sales"));
    assert_eq!(desired.rules[0].description, "Managed by ecs-etl: controller=prod job=sales");
    let tags: Vec<(&str, &str)> = desired.rule_tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        tags,
        [
            ("ecs-etl/controller", "prod"),
            ("ecs-etl/job", "sales"),
            ("ecs-etl/labels", "ca8b2"),
            ("ecs-etl/policy", "Delete"),
            ("ecs-etl/source", "git.example.com/etl"),
            ("team", "analytics"),
        ]
    );
    assert_eq!(desired.revision_tags[tags::SPEC], desired.spec_tag);
    assert!(desired.spec_tag.starts_with("v1:") && desired.spec_tag.len() == 67, "{}", desired.spec_tag);
}

#[test]
fn rules_of_a_list_are_named_by_their_expressions_so_reordering_renames_nothing() {
    let names = |schedules: &[&'static str]| -> Vec<String> {
        let mut names: Vec<_> = job().list(schedules).desired().rules.iter().map(|r| r.name.to_string()).collect();
        names.sort();
        names
    };
    let both = names(&["cron(0 2 * * ? *)", "rate(1 hour)"]);
    assert_eq!(both, names(&["rate(1 hour)", "cron(0 2 * * ? *)"]));
    assert!(both.iter().all(|name| name.starts_with("etl-sales.") && name.len() == "etl-sales.".len() + 6));
}

#[test]
fn the_job_of_a_rule_is_read_from_its_name() {
    let prefix = Prefix::new("etl-").unwrap();
    for (rule, expected) in [
        ("etl-sales", Some("sales")),
        ("etl-sales.0a1b2c", Some("sales")),
        ("etl-sales.0A1B2C", None),
        ("etl-sales.backup", None),
        ("etl-", None),
        ("sales", None),
    ] {
        assert_eq!(job_of_rule(&prefix, rule).as_ref().map(|job| job.as_str()), expected, "{rule}");
    }
}

#[test]
fn a_name_that_is_too_long_for_a_rule_is_an_error() {
    let mut bound = job().bound();
    std::sync::Arc::make_mut(&mut bound.job).name = ecs_etl_spec::name::JobName::new("j".repeat(63)).unwrap();
    assert!(lower(&bound, &identity("git"), &Prefix::new("etl-").unwrap(), at("2026-11-23T12:00:00Z")).is_err());
}

#[test]
fn the_target_says_the_retry_policy_and_the_words_of_run_task() {
    let target = target(json!({
        "count": 2,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}},
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}],
        "enableECSManagedTags": false,
        "placementConstraints": [{"type": "distinctInstance"}],
        "placementStrategy": [{"type": "spread", "field": "instanceId"}],
        "propagateTags": "TASK_DEFINITION",
        "tags": [{"key": "run", "value": ""}],
        "group": "etl", "platformVersion": "LATEST", "referenceId": "r", "enableExecuteCommand": true
    }));
    assert_eq!(
        serde_json::to_value(target).unwrap(),
        json!({
            "Id": "ecs-etl",
            "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/analytics",
            "RoleArn": "arn:aws:iam::123456789012:role/events",
            "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 3600},
            "EcsParameters": {
                "TaskCount": 2,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "DISABLED"}},
                "CapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}],
                "EnableECSManagedTags": false,
                "EnableExecuteCommand": true,
                "PlacementConstraints": [{"type": "distinctInstance"}],
                "PlacementStrategy": [{"type": "spread", "field": "instanceId"}],
                "PropagateTags": "TASK_DEFINITION",
                "Group": "etl", "PlatformVersion": "LATEST", "ReferenceId": "r",
                "Tags": [{"Key": "run", "Value": ""}]
            }
        })
    );
}

#[test]
fn a_dead_letter_queue_goes_with_the_target() {
    let mut bound = job().bound();
    std::sync::Arc::make_mut(&mut bound.job).dead_letter_queue_arn =
        Some("arn:aws:sqs:eu-west-1:123456789012:dead".to_owned());
    let desired = lower(&bound, &identity("git"), &Prefix::new("etl-").unwrap(), at("2026-11-23T12:00:00Z")).unwrap();
    let arn = desired.target.dead_letter_config.unwrap().arn;
    assert_eq!(arn.as_deref(), Some("arn:aws:sqs:eu-west-1:123456789012:dead"));
}

#[test]
fn without_overrides_nothing_is_passed_on() {
    for run_task in [json!({}), json!({"overrides": {}})] {
        let target = target(run_task);
        assert_eq!((target.input, target.input_transformer), (None, None));
    }
}

#[test]
fn overrides_without_the_time_are_plain_json_and_lose_nothing() {
    for text in ["--date=today", "a < b > c", "<aws.events.rule-name>", "\"quoted\" \\ \n \u{1f600}", "$5 and ${", ""] {
        assert_eq!(input(text), text, "{text:?}");
    }
}

#[test]
fn two_dollars_and_a_brace_stand_for_one_dollar_and_a_brace() {
    assert_eq!(input("$${HOME}"), "${HOME}");
    assert_eq!(input("$${scheduledTime}"), "${scheduledTime}");
    assert_eq!(input("$$"), "$$");
    assert_eq!(at_run("$${scheduledTime} is ${scheduledTime}"), "${scheduledTime} is T");
}

#[test]
fn the_time_of_the_run_is_filled_in_wherever_it_stands() {
    assert_eq!(at_run("${scheduledTime}"), "T");
    assert_eq!(at_run("--from=${scheduledTime}/--to=${scheduledTime}"), "--from=T/--to=T");
    assert_eq!(at_run("say \"${scheduledTime}\""), "say \"T\"");
}

#[test]
fn what_looks_like_a_placeholder_in_a_template_stays_a_text() {
    for text in ["cat <input >output ${scheduledTime}", "<scheduledTime> ${scheduledTime}", "a<b>c${scheduledTime}"] {
        assert_eq!(at_run(text), text.replace("${scheduledTime}", "T"), "{text:?}");
    }
}
