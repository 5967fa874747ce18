//! Creating, changing, reverting, suspending.

use std::fs;

use ecs_etl_tests::raw::{ACCOUNT, REGION};
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace, samples};
use serde_json::json;

use super::live;

/// A world with the jobs `daily`, `twice` (two schedules) and `rate`, converged.
pub fn converged(kind: Kind) -> Workspace {
    let world = Workspace::new(kind);
    world.write_job(&Job::daily("daily"));
    world.write_job(&Job { schedule: "[\"0 1 * * *\", \"0 13 * * MON\"]".to_owned(), ..Job::daily("twice") });
    world.write_job(&Job { schedule: "rate(6 hours)".to_owned(), ..Job::daily("rate") });
    world.apply();
    world
}

pub fn jobs_are_created_and_a_second_apply_writes_nothing(kind: Kind) {
    let world = Workspace::new(kind);
    world.write_job(&Job::daily("daily"));
    world.write_job(&Job { schedule: "[\"0 1 * * *\", \"0 13 * * MON\"]".to_owned(), ..Job::daily("twice") });
    let calls = world.apply();
    let counts = calls.by_operation();
    assert_eq!(counts.get("ecs:RegisterTaskDefinition"), Some(&2), "{calls}");
    assert_eq!(counts.get("events:PutRule"), Some(&3), "{calls}");
    assert_eq!(counts.get("events:PutTargets"), Some(&3), "{calls}");
    assert_eq!(calls.mutating().len(), 8, "{calls}");

    let aws = &world.aws;
    let rules = aws.rule_names("etl-");
    assert_eq!(rules.len(), 3, "{rules:?}");
    assert_eq!(rules[0], "etl-daily");
    // In a list each name carries six hexadecimal digits of its expression.
    assert!(
        rules[1..].iter().all(|name| name.strip_prefix("etl-twice.").is_some_and(|digits| digits.len() == 6)),
        "{rules:?}"
    );

    let rule = aws.rule("etl-daily").unwrap_or_default();
    assert_eq!(rule["ScheduleExpression"], "cron(0 2 * * ? *)");
    assert_eq!(rule["State"], "ENABLED");
    let targets = aws.targets("etl-daily");
    assert_eq!(targets.len(), 1);
    let target = &targets[0];
    assert_eq!(target["Id"], "ecs-etl");
    assert_eq!(target["Arn"], format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/analytics"));
    assert_eq!(target["RoleArn"], format!("arn:aws:iam::{ACCOUNT}:role/ecs-events"));
    assert_eq!(target["RetryPolicy"], json!({"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185}));
    assert_eq!(target["EcsParameters"]["LaunchType"], "FARGATE");
    let tags = aws.rule_tags("etl-daily");
    for (key, value) in
        [("ecs-etl/controller", "e2e"), ("ecs-etl/job", "daily"), ("team", "analytics"), ("owner", "data-platform")]
    {
        assert_eq!(tags[key], value, "{tags}");
    }

    let revision = aws.revision(&live::pinned(aws, "etl-daily")).unwrap_or_default();
    assert_eq!(revision["tags"]["ecs-etl/controller"], "e2e");
    let task = &revision["taskDefinition"];
    assert_eq!(task["family"], "etl-daily");
    assert_eq!(task["taskRoleArn"], format!("arn:aws:iam::{ACCOUNT}:role/myetl"));
    let container = &task["containerDefinitions"][0];
    assert_eq!(container["name"], "daily");
    assert_eq!(container["command"], json!(["2018-01-01", "2019-01-01"]));
    assert_eq!(container["logConfiguration"]["options"]["awslogs-stream-prefix"], "daily");

    assert_eq!(world.condition("daily", "Ready"), Some(("True".to_owned(), "Converged".to_owned())));
    let calls = world.apply();
    assert!(calls.mutating().is_empty(), "a second apply wrote\n{calls}");
}

pub fn the_samples_converge_and_stay(kind: Kind) {
    let world = Workspace::new(kind);
    let samples = samples();
    let sample = |name: &str| fs::read_to_string(samples.path().join("manifests").join(name)).expect("a sample");
    world.remove("controller.yaml");
    world.write("controller.yaml", sample("controller.yaml"));
    world.write("cluster.yaml", sample("clusters/analytics.yaml"));
    for job in
        ["clickstream-compact", "currency-rates", "customer-sync", "daily-sales", "sales-report", "warehouse-load"]
    {
        world.write(&format!("{job}.yaml"), sample(&format!("jobs/{job}.yaml")));
    }
    let calls = world.apply();
    // Two schedules are one rule and one target more.
    assert_eq!(calls.mutating().len(), 3 * 6 + 2, "{calls}");
    let calls = world.apply();
    assert!(calls.mutating().is_empty(), "a second apply wrote\n{calls}");

    // `${scheduledTime}` becomes the time of the event.
    let target = &world.aws.targets("etl-customer-sync")[0];
    assert_eq!(
        target["InputTransformer"]["InputPathsMap"].as_object().map(|map| map.values().collect()),
        Some(vec![&json!("$.time")])
    );
    assert_eq!(target["DeadLetterConfig"]["Arn"], format!("arn:aws:sqs:{REGION}:{ACCOUNT}:etl-runs-not-started"));
    let spot = &world.aws.targets("etl-clickstream-compact")[0]["EcsParameters"];
    assert_eq!(spot["CapacityProviderStrategy"][0]["capacityProvider"], "FARGATE_SPOT");
    assert!(spot.get("LaunchType").is_none(), "{spot}");
}

pub fn a_rich_task_definition_is_at_rest_after_one_apply(kind: Kind) {
    let world = Workspace::new(kind);
    world.write("cluster.yaml", include_str!("rich-cluster.yaml"));
    world.write("rich.yaml", include_str!("rich.yaml"));
    let calls = world.apply();
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutRule", "PutTargets"], "{calls}");
    let calls = world.apply();
    assert!(calls.mutating().is_empty(), "a second apply wrote\n{calls}");
    let (outcome, _) = world.run(&["plan", "manifests", "--detailed-exitcode"]);
    outcome.expect_code(0);
}

pub fn a_new_image_takes_two_calls_and_its_revert_one(kind: Kind) {
    let world = converged(kind);
    let first = live::pinned(&world.aws, "etl-daily");
    let old = Job::daily("daily");
    world.write_job(&Job { image: "example.com/daily:2".to_owned(), ..old.clone() });
    let calls = world.apply();
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutTargets"], "{calls}");
    assert_eq!(calls.mutating().len(), 2, "{calls}");
    assert_eq!(live::image(&world.aws, "etl-daily"), "example.com/daily:2");

    world.write_job(&old);
    let calls = world.apply();
    assert_eq!(calls.changes(), ["PutTargets"], "{calls}");
    assert_eq!(calls.mutating().len(), 1, "{calls}");
    assert_eq!(live::pinned(&world.aws, "etl-daily"), first);
    assert!(world.apply().mutating().is_empty());
}

pub fn schedule_suspend_and_resume_take_one_call_each(kind: Kind) {
    let world = converged(kind);
    let pinned = live::pinned(&world.aws, "etl-daily");
    let mut job = Job { schedule: "\"30 3 * * MON-FRI\"".to_owned(), ..Job::daily("daily") };
    let step = |what: &str, job: &Job, expression: &str, state: &str| {
        world.write_job(job);
        let calls = world.apply();
        assert_eq!(calls.mutating().len(), 1, "{what} took\n{calls}");
        let rule = world.aws.rule("etl-daily").unwrap_or_default();
        assert_eq!((&rule["ScheduleExpression"], &rule["State"]), (&json!(expression), &json!(state)), "{what}");
        assert_eq!(live::pinned(&world.aws, "etl-daily"), pinned, "{what}");
        assert!(world.apply().mutating().is_empty(), "{what} is not at rest");
    };
    step("a new schedule", &job, "cron(30 3 ? * MON-FRI *)", "ENABLED");
    job.suspend = true;
    step("suspend", &job, "cron(30 3 ? * MON-FRI *)", "DISABLED");
    job.schedule = "\"45 3 * * *\"".to_owned();
    step("a new schedule while suspended", &job, "cron(45 3 * * ? *)", "DISABLED");
    job.suspend = false;
    step("resume", &job, "cron(45 3 * * ? *)", "ENABLED");
}

pub fn changed_labels_change_tags_and_register_nothing(kind: Kind) {
    let world = converged(kind);
    world.write_job(&Job { team: "sales".to_owned(), ..Job::daily("daily") });
    let calls = world.apply();
    assert!(calls.mutating().iter().all(|call| call.operation == "TagResource"), "{calls}");
    assert_eq!(world.aws.rule_tags("etl-daily")["team"], "sales");
    let revision = world.aws.revision(&live::pinned(&world.aws, "etl-daily")).unwrap_or_default();
    assert_eq!(revision["tags"]["team"], "sales");
    assert!(world.apply().mutating().is_empty());
}

pub fn jobs_live_in_the_region_and_account_of_their_cluster(kind: Kind) {
    let world = Workspace::new(kind);
    world.write(
        "elsewhere.yaml",
        "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: virginia}
spec: {region: us-east-1, eventsRoleArn: ecs-events}
---
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: other-account}
spec:
  region: us-east-1
  assumeRoleArn: arn:aws:iam::210987654321:role/ecs-etl
  externalId: not-a-secret
  eventsRoleArn: ecs-events
",
    );
    let task = "taskDefinition: {memory: 64, containerDefinitions: [{image: 'busybox:1'}]}";
    for cluster in ["virginia", "other-account"] {
        world.write(
            &format!("in-{cluster}.yaml"),
            format!(
                "{{apiVersion: ecs-etl/v1, kind: EtlJob, metadata: {{name: in-{cluster}}}, \
                 spec: {{cluster: {cluster}, schedule: '@daily', {task}}}}}"
            ),
        );
    }
    world.write_job(&Job::daily("daily"));
    let calls = world.apply();
    assert_eq!(calls.mutating().len(), 9, "{calls}");

    let virginia = world.aws.in_region("us-east-1");
    assert_eq!(virginia.rule_names("etl-"), ["etl-in-virginia"]);
    assert_eq!(world.aws.rule_names("etl-"), ["etl-daily"]);
    let elsewhere = virginia.assume("arn:aws:iam::210987654321:role/ecs-etl");
    assert_eq!(elsewhere.rule_names("etl-"), ["etl-in-other-account"]);
    let target = &elsewhere.targets("etl-in-other-account")[0];
    assert_eq!(target["RoleArn"], "arn:aws:iam::210987654321:role/ecs-events");
    assert!(world.apply().mutating().is_empty());
}

pub fn a_plan_only_reads_and_tells_what_apply_then_does(kind: Kind) {
    let world = converged(kind);
    let plan = |code: i32| {
        let (outcome, calls) = world.run(&["plan", "manifests", "--detailed-exitcode"]);
        assert!(calls.mutating().is_empty(), "{calls}");
        outcome.expect_code(code).stdout
    };
    plan(0);
    world.write_job(&Job { image: "example.com/daily:2".to_owned(), ..Job::daily("daily") });
    world.write_job(&Job::daily("fresh"));
    world.remove("rate.yaml");
    let told = plan(2);
    for word in ["daily", "example.com/daily:2", "daily:1", "image", "fresh", "rate"] {
        assert!(told.contains(word), "the plan says nothing of {word}\n{told}");
    }
    assert!(!told.contains("twice"), "the plan speaks of a job that stays as it is\n{told}");
    assert_eq!(live::image(&world.aws, "etl-daily"), Job::daily("daily").image);

    world.run(&["apply", "manifests", "--prune", "--yes"]).0.expect_code(0);
    assert_eq!(live::image(&world.aws, "etl-daily"), "example.com/daily:2");
    assert_eq!(world.aws.rule("etl-rate"), None);
    plan(0);
}

pub fn an_upgrade_of_many_jobs_changes_only_the_edited_one(kind: Kind) {
    // More than a page of anything that AWS lists.
    const JOBS: usize = 110;
    let world = Workspace::new(kind);
    for number in 0..JOBS {
        world.write_job(&Job::daily(&format!("job-{number:03}")));
    }
    let calls = world.apply();
    assert_eq!(calls.mutating().len(), 3 * JOBS, "{:?}", calls.by_operation());
    let calls = world.apply();
    assert!(calls.mutating().is_empty(), "{:?}", calls.by_operation());
    world.write_job(&Job { image: "example.com/job:2".to_owned(), ..Job::daily("job-105") });
    let calls = world.apply();
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutTargets"], "{:?}", calls.by_operation());
    assert_eq!(live::image(&world.aws, "etl-job-105"), "example.com/job:2");
}
