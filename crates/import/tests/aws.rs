//! Live rules of every kind, and what becomes of each.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its own facts should stop")]

use std::collections::BTreeMap;

use ecs_etl_import::aws::{Facts, Live, LiveSchedule, read};
use ecs_etl_import::{Found, Kind, Options, Takeover, manifests};
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{LiveRevision, LiveRule, LiveTiming, RevisionArn, RuleState};
use ecs_etl_spec::name::{Region, RuleName, ScheduleGroup};
use serde_json::{Value as Json, json};

const REVISION: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/load:3";

fn rule(name: &str) -> LiveRule {
    LiveRule {
        name: RuleName::new(name).unwrap(),
        arn: format!("arn:aws:events:eu-west-1:123456789012:rule/{name}"),
        expression: Some("rate(1 hour)".to_owned()),
        event_pattern: None,
        timing: None,
        state: RuleState::Enabled,
        description: None,
        role_arn: None,
        managed_by: None,
    }
}

fn task(id: &str) -> Json {
    json!({"Id": id, "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/main", "RoleArn": "arn:aws:iam::123456789012:role/events",
        "EcsParameters": {"TaskDefinitionArn": REVISION, "TaskCount": 1}})
}

fn found(rule: LiveRule, tags: &[(&str, &str)], targets: &[Json]) -> Found {
    all(Some(rule), tags, targets, &[])
}

fn all(rule: Option<LiveRule>, tags: &[(&str, &str)], targets: &[Json], schedules: &[LiveSchedule]) -> Found {
    let tags: BTreeMap<String, String> =
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let targets = targets.iter().map(|target| serde_json::from_value(target.clone()).unwrap()).collect();
    let shape =
        serde_json::from_value(json!({"containerDefinitions": [{"name": "load", "image": "load:1", "memory": 64}]}));
    let revision = LiveRevision {
        arn: RevisionArn::parse(REVISION).unwrap(),
        normal: normalise::task_definition(&shape.unwrap()),
        tags: BTreeMap::from([("aws:x".to_owned(), "y".to_owned()), ("team".to_owned(), "data".to_owned())]),
    };
    read(&Facts {
        region: Region::new("eu-west-1").unwrap(),
        now: "2026-11-23T08:00:00Z".parse().unwrap(),
        rules: rule.map(|rule| Live { rule, tags: tags.clone(), targets }).into_iter().collect(),
        schedules: schedules.iter().cloned().map(|live| LiveSchedule { group_tags: tags.clone(), ..live }).collect(),
        unread: Vec::new(),
        revisions: BTreeMap::from([(REVISION.to_owned(), revision)]),
    })
}

#[test]
fn a_rule_with_one_task_is_taken_over_under_its_name() {
    let found = found(rule("Load"), &[], &[task("a"), json!({"Id": "b", "Arn": "arn:aws:sns:eu-west-1:1:topic"})]);
    let run = &found.runs[0];
    assert_eq!(run.takeover, Takeover::Adopt { rule: "Load".to_owned() });
    assert_eq!(run.family.as_deref(), Some("load"));
    assert_eq!(run.labels, BTreeMap::from([("team".to_owned(), "data".to_owned())]));
    assert_eq!(run.task_definition.as_ref().unwrap()["containerDefinitions"][0]["image"], "load:1");
    let left: Vec<&str> = run.findings.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(left, ["target b"]);
}

#[test]
fn what_cannot_be_taken_over_is_never_to_run_beside_it() {
    let several = found(rule("Load"), &[], &[task("a"), task("b")]);
    let of_stack = found(rule("Load"), &[("aws:cloudformation:stack-name", "etl")], &[task("a")]);
    for (found, runs) in [(several, 2), (of_stack, 1)] {
        assert_eq!(found.runs.len(), runs);
        assert!(found.runs.iter().all(|run| matches!(run.takeover, Takeover::Beside { .. })));
    }
}

#[test]
fn what_others_manage_is_told_and_left() {
    let managed = LiveRule { managed_by: Some("ecs.amazonaws.com".to_owned()), ..rule("Load") };
    let on_events = LiveRule { expression: None, event_pattern: Some("{}".to_owned()), ..rule("Load") };
    let ours = found(rule("Load"), &[("ecs-etl/controller", "default")], &[task("a")]);
    for found in [found(managed, &[], &[task("a")]), found(on_events, &[], &[task("a")]), ours] {
        assert!(found.runs.is_empty());
        assert_eq!(found.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [Kind::NotCarriedOver]);
    }
}

#[test]
fn a_disabled_rule_is_suspended_and_one_without_tasks_is_no_job() {
    let disabled = LiveRule { state: RuleState::Disabled, ..rule("Load") };
    assert_eq!(found(disabled, &[], &[task("a")]).runs[0].suspend, json!(true));
    let lambda = found(rule("Load"), &[], &[json!({"Id": "f", "Arn": "arn:aws:lambda:eu-west-1:1:function:f"})]);
    assert!(lambda.runs.is_empty() && lambda.findings.is_empty());
}

#[test]
fn a_task_definition_that_is_gone_is_asked_for() {
    let mut gone = task("a");
    gone["EcsParameters"]["TaskDefinitionArn"] = json!("arn:aws:ecs:eu-west-1:123456789012:task-definition/gone:1");
    let found = found(rule("Load"), &[], &[gone]);
    assert_eq!((found.runs[0].family.as_deref(), &found.runs[0].task_definition), (Some("gone"), &None));
    assert_eq!(found.runs[0].findings[0].kind, Kind::FillIn);
}

/// A schedule in the group `etl` with the task as its target.
fn schedule(name: &str, expression: &str, timing: LiveTiming) -> LiveSchedule {
    let group = ScheduleGroup::new("etl").unwrap();
    let mut target = task("ecs-etl");
    target["RetryPolicy"] = json!({"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185});
    target["Input"] =
        json!("{\"containerOverrides\":[{\"name\":\"load\",\"command\":[\"<aws.scheduler.scheduled-time>\"]}]}");
    LiveSchedule {
        schedule: LiveRule {
            name: RuleName::in_group(&group, name).unwrap(),
            arn: format!("arn:aws:scheduler:eu-west-1:123456789012:schedule/etl/{name}"),
            expression: Some(expression.to_owned()),
            timing: Some(Box::new(LiveTiming { after_completion: Some("NONE".to_owned()), ..timing })),
            ..rule("x")
        },
        target: serde_json::from_value(target).unwrap(),
        group_tags: BTreeMap::new(),
    }
}

fn zone(name: &str) -> LiveTiming {
    LiveTiming { zone: name.to_owned(), ..LiveTiming::default() }
}

#[test]
fn a_schedule_of_scheduler_becomes_a_suspended_job_with_its_zone_dates_and_window() {
    let timing = LiveTiming {
        start: Some("2026-12-01T00:00:00Z".parse().unwrap()),
        end: Some("2027-12-01T00:00:00Z".parse().unwrap()),
        window_minutes: Some(15),
        ..zone("Asia/Tokyo")
    };
    let tags = [("team", "data"), ("aws:cloudformation:stack-name", "etl")];
    let found = all(None, &tags, &[], &[schedule("nightly", "cron(0 2 * * ? *)", timing)]);
    let options =
        Options { now: "2026-11-23T08:00:00Z".parse().unwrap(), controller: None, region: None, cluster: None };
    let import = manifests(found, &options);
    assert_eq!(import.jobs, ["nightly"]);
    let text = &import.manifests.iter().find(|manifest| manifest.path == "jobs/nightly.yaml").unwrap().text;
    for line in [
        "  schedule: cron(0 2 * * ? *)\n",
        "  timeZone: Asia/Tokyo\n  startDate: 2026-12-01T00:00:00Z\n  endDate: 2027-12-01T00:00:00Z\n",
        "  flexibleTimeWindowMinutes: 15\n",
        "  suspend: true\n",
        "    team: data\n",
        "${scheduledTime}",
        "startingDeadlineSeconds: 86400\n",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    assert!(!text.contains("adopt"), "{text}");
    let cluster = &import.manifests.iter().find(|manifest| manifest.path == "clusters/main.yaml").unwrap().text;
    assert!(cluster.contains("schedulerRoleArn: arn:aws:iam::123456789012:role/events"), "{cluster}");
    let why: Vec<&str> = import.findings.iter().map(|finding| finding.why.as_str()).collect();
    let suspended = "suspended, or it would run twice: a schedule of EventBridge Scheduler starts it today, and only rules can be \
        taken over, and its group is the CloudFormation stack etl's";
    assert!(why.contains(&suspended), "{why:#?}");
}

#[test]
fn a_schedule_that_is_disabled_today_stays_so_on_both_sides() {
    let mut disabled = schedule("nightly", "rate(1 day)", zone("UTC"));
    disabled.schedule.state = RuleState::Disabled;
    let run = &all(None, &[], &[], &[disabled]).runs[0];
    assert_eq!(run.suspend, json!(true));
    let Takeover::Beside { action, .. } = &run.takeover else { panic!("{:?}", run.takeover) };
    assert_eq!(action, "delete that schedule, or see that it stays disabled, then remove this line");
}

#[test]
fn what_a_schedule_says_and_a_manifest_does_not_is_told() {
    let mut leaving = schedule("once", "at(2027-01-01T00:00:00)", zone("UTC"));
    leaving.schedule.timing = Some(Box::new(LiveTiming {
        after_completion: Some("DELETE".to_owned()),
        kms_key_arn: Some("arn:aws:kms:eu-west-1:123456789012:key/k".to_owned()),
        ..zone("UTC")
    }));
    let run = &all(None, &[], &[], &[leaving]).runs[0];
    let fields: Vec<&str> = run.findings.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(
        (run.schedule.as_deref(), fields),
        (Some("at(2027-01-01T00:00:00)"), vec!["ActionAfterCompletion", "KmsKeyArn"])
    );
}

#[test]
fn schedules_of_ours_and_those_that_are_over_become_no_job() {
    let over = LiveTiming { end: Some("2026-11-23T07:00:00Z".parse().unwrap()), ..zone("UTC") };
    for (tags, live) in [
        (vec![("ecs-etl/controller", "default")], schedule("a", "rate(1 day)", zone("UTC"))),
        (vec![], schedule("a", "at(2026-11-23T16:59:00)", zone("Asia/Tokyo"))),
        (vec![], schedule("a", "rate(1 day)", over)),
    ] {
        let found = all(None, &tags, &[], &[live]);
        assert!(found.runs.is_empty());
        assert_eq!(found.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [Kind::NotCarriedOver]);
    }
    let mut lambda = schedule("a", "rate(1 day)", zone("UTC"));
    lambda.target.ecs_parameters = None;
    let found = all(None, &[], &[], &[lambda]);
    assert!(found.runs.is_empty() && found.findings.is_empty());
}
