//! AWS's token buckets, on request (docs/aws.md, Throttles and quotas).

use ecs_etl_emulator::Settings;
use ecs_etl_emulator::firing::Firing;
use serde_json::json;

use crate::client::{Aws, task};

#[test]
fn buckets_are_only_enforced_when_asked_for() {
    let mut aws = Aws::new();
    for _ in 0..100 {
        aws.register("etl-a");
    }
}

#[test]
fn an_empty_bucket_answers_with_a_throttle_and_no_effect() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    for _ in 0..20 {
        aws.register("etl-a");
    }
    let throttled = Err("ThrottlingException: Rate exceeded".to_owned());
    assert_eq!(aws.ecs("RegisterTaskDefinition", task("etl-a")), throttled);
    assert_eq!(aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})), throttled);
    aws.sleep(1);
    assert!(aws.register("etl-a").ends_with(":21"));
    assert_eq!(aws.ecs("RegisterTaskDefinition", task("etl-a")), throttled);
    // Reading has a bucket of its own.
    aws.ecs("ListTaskDefinitions", json!({})).unwrap();
}

#[test]
fn all_of_eventbridge_shares_one_bucket() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    aws.rule("a");
    for n in 0..49 {
        let operation = ["DescribeRule", "EnableRule"][n % 2];
        aws.events(operation, json!({"Name": "a"})).unwrap();
    }
    assert_eq!(aws.events("ListRules", json!({})), Err("ThrottlingException: Rate exceeded".to_owned()));
    assert_eq!(aws.tag("GetResources", json!({})).map(drop), Ok(()));
}

#[test]
fn tasks_are_started_and_looked_at_from_buckets_of_their_own() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    aws.register("etl-a");
    aws.ecs("CreateCluster", json!({})).unwrap();
    let throttled = Err("ThrottlingException: Rate exceeded".to_owned());
    for n in 0..100 {
        let operation = if n % 2 == 0 { "RunTask" } else { "StopTask" };
        let answer = aws.ecs(operation, json!({"taskDefinition": "etl-a", "task": "t"}));
        assert_ne!(answer, throttled, "{operation} {n}");
    }
    assert_eq!(aws.ecs("RunTask", json!({"taskDefinition": "etl-a"})), throttled);
    for _ in 0..100 {
        aws.ecs("ListTasks", json!({})).unwrap();
    }
    assert_eq!(aws.ecs("DescribeTasks", json!({"tasks": ["t"]})), throttled);
    aws.sleep(1);
    for _ in 0..40 {
        aws.ecs("RunTask", json!({"taskDefinition": "etl-a"})).unwrap();
    }
    assert_eq!(aws.ecs("RunTask", json!({"taskDefinition": "etl-a"})), throttled);
}

#[test]
fn rules_fire_however_much_is_asked_of_eventbridge() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    let revision = aws.register("etl-a");
    for n in 0..20 {
        crate::firing::scheduled(&mut aws, &format!("r{n}"), "rate(1 minute)", &revision);
    }
    let firings = crate::firing::pass(&mut aws, 3600);
    assert!(firings.len() > 1100 && firings.iter().all(|firing| crate::firing::outcome(firing).starts_with("1 of")));
}

#[test]
fn what_rules_start_draws_on_the_bucket_of_everybody_and_is_tried_again() {
    let mut aws =
        Aws::with(Settings { throttle: true, fires_within: jiff::SignedDuration::ZERO, ..Settings::default() });
    let revision = aws.register("etl-a");
    // 140 runs at one second, and room for a hundred.
    for n in 0..28 {
        let parameters = json!({"EcsParameters": {"TaskDefinitionArn": revision}});
        aws.sleep(1);
        aws.events("PutRule", json!({"Name": format!("r{n}"), "ScheduleExpression": "cron(0 5 * * ? *)"})).unwrap();
        for id in 0..5 {
            crate::firing::put_target(&mut aws, &format!("r{n}"), &id.to_string(), parameters.clone());
        }
    }
    aws.now = "2026-01-02T05:00:00Z".parse().unwrap();
    let firings = crate::firing::pass(&mut aws, 0);
    let started = |firing: &&Firing| crate::firing::outcome(firing).starts_with("1 of");
    assert_eq!((firings.len(), firings.iter().filter(started).count()), (140, 100));
    let request = json!({"taskDefinition": "etl-a", "cluster": "main"});
    assert_eq!(aws.ecs("RunTask", request), Err("ThrottlingException: Rate exceeded".to_owned()));
    let later = crate::firing::pass(&mut aws, 60);
    assert_eq!(later.iter().filter(started).count(), 40);
}

#[test]
fn each_operation_of_scheduler_has_a_bucket_of_its_own() {
    let mut aws = Aws::with(Settings { throttle: true, ..Settings::default() });
    let throttled = Err("429 ThrottlingException: Rate exceeded".to_owned());
    let check = |aws: &mut Aws, path: &str, rate: usize| {
        for _ in 0..rate {
            assert_ne!(aws.scheduler("GET", path, json!(null)), throttled, "{path}");
        }
        assert_eq!(aws.scheduler("GET", path, json!(null)), throttled, "{path}");
    };
    check(&mut aws, "/schedules/s", 250);
    check(&mut aws, "/schedules", 50);
    check(&mut aws, "/schedule-groups", 10);
    check(&mut aws, "/schedule-groups/default", 10);
    aws.sleep(1);
    check(&mut aws, "/schedules", 50);
}
