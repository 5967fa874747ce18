//! Tasks: run, stopped, listed, described (docs/aws.md, Tasks).

use ecs_etl_emulator::Settings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{Aws, Outcome, fargate_task, with};

/// An AWS with a cluster `main` and the revision `etl-a:1`.
fn aws() -> Aws {
    let mut aws = Aws::new();
    aws.ecs("CreateCluster", json!({"clusterName": "main", "capacityProviders": ["FARGATE", "FARGATE_SPOT"]})).unwrap();
    aws.register("etl-a");
    aws
}

/// RunTask of `etl-a` in `main`, with members laid over it.
pub fn run(aws: &mut Aws, over: Value) -> Outcome {
    aws.ecs("RunTask", with(json!({"cluster": "main", "taskDefinition": "etl-a"}), over))
}

fn arn_of(answer: &Value) -> String {
    answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

pub fn describe(aws: &mut Aws, arn: &str) -> Value {
    aws.ecs("DescribeTasks", json!({"cluster": "main", "tasks": [arn], "include": ["TAGS"]})).unwrap()["tasks"][0]
        .clone()
}

pub fn listed(aws: &mut Aws, over: Value) -> usize {
    let answer = aws.ecs("ListTasks", with(json!({"cluster": "main"}), over)).unwrap();
    answer["taskArns"].as_array().unwrap().len()
}

#[test]
fn a_task_starts_runs_ends_and_is_shown_for_an_hour() {
    let mut aws = aws();
    let answer = run(
        &mut aws,
        json!({"startedBy": "me", "overrides": {"containerOverrides": [{"name": "main", "command": ["x"]}]}}),
    )
    .unwrap();
    assert_eq!(answer["failures"], json!([]));
    let arn = arn_of(&answer);
    assert!(arn.starts_with(&aws.arn("ecs", "task/main/")), "{arn}");
    let task = &answer["tasks"][0];
    assert_eq!(task["taskDefinitionArn"], json!(aws.arn("ecs", "task-definition/etl-a:1")));
    assert_eq!(task["clusterArn"], json!(aws.arn("ecs", "cluster/main")));
    assert_eq!((&task["group"], &task["startedBy"]), (&json!("family:etl-a"), &json!("me")));
    assert_eq!(task["overrides"]["containerOverrides"], json!([{"name": "main", "command": ["x"]}]));

    let state = |aws: &mut Aws| {
        let task = describe(aws, &arn);
        [&task["lastStatus"], &task["desiredStatus"], &task["containers"][0]["lastStatus"]]
            .map(|word| word.as_str().unwrap().to_owned())
    };
    assert_eq!(state(&mut aws), ["PENDING", "RUNNING", "PENDING"]);
    aws.sleep(5);
    assert_eq!(state(&mut aws), ["RUNNING", "RUNNING", "RUNNING"]);
    aws.sleep(60);
    assert_eq!(state(&mut aws), ["STOPPED", "STOPPED", "STOPPED"]);
    let task = describe(&mut aws, &arn);
    assert_eq!(
        (&task["stopCode"], &task["stoppedReason"]),
        (&json!("EssentialContainerExited"), &json!("Essential container in task exited"))
    );
    assert_eq!(task["containers"][0]["exitCode"], json!(0));
    assert_eq!(task["stoppedAt"].as_f64().unwrap() - task["startedAt"].as_f64().unwrap(), 60.0);
    aws.sleep(3599);
    assert_eq!(state(&mut aws)[0], "STOPPED");
    aws.sleep(1);
    let gone = aws.ecs("DescribeTasks", json!({"cluster": "main", "tasks": [arn]})).unwrap();
    assert_eq!(gone, json!({"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"}]}));
}

#[test]
fn settings_decide_how_long_a_task_lives() {
    let mut aws = Aws::with(Settings {
        task_starts_after: SignedDuration::from_secs(40),
        task_runs_for: SignedDuration::from_hours(2),
        stopped_task_stays: SignedDuration::from_mins(1),
        ..Settings::default()
    });
    aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    aws.ecs("RegisterTaskDefinition", fargate_task("etl-a")).unwrap();
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    let arn = arn_of(&run(&mut aws, json!({"launchType": "FARGATE", "networkConfiguration": network})).unwrap());
    let seen = |aws: &mut Aws, seconds: i64| {
        aws.sleep(seconds);
        describe(aws, &arn)["lastStatus"].as_str().map(str::to_owned)
    };
    let expected =
        [(0, "PROVISIONING"), (20, "PENDING"), (20, "RUNNING"), (7199, "RUNNING"), (1, "STOPPED"), (59, "STOPPED")];
    for (seconds, status) in expected {
        assert_eq!(seen(&mut aws, seconds).as_deref(), Some(status));
    }
    assert_eq!(seen(&mut aws, 1), None);
}

#[test]
fn a_task_that_is_told_to_stop_takes_a_moment() {
    let mut aws = aws();
    let arn = arn_of(&run(&mut aws, json!({"tags": [{"key": "a", "value": "b"}]})).unwrap());
    assert_eq!(describe(&mut aws, &arn)["tags"], json!([{"key": "a", "value": "b"}]));
    aws.sleep(10);
    let stopping = aws.ecs("StopTask", json!({"cluster": "main", "task": arn, "reason": "enough"})).unwrap();
    let stopping = &stopping["task"];
    assert_eq!((&stopping["desiredStatus"], &stopping["lastStatus"]), (&json!("STOPPED"), &json!("STOPPING")));
    assert_eq!((&stopping["stopCode"], &stopping["stoppedReason"]), (&json!("UserInitiated"), &json!("enough")));
    aws.sleep(5);
    let stopped = describe(&mut aws, &arn);
    assert_eq!((&stopped["lastStatus"], &stopped["containers"][0]["exitCode"]), (&json!("STOPPED"), &json!(143)));
    assert_eq!(stopped["tags"], json!([]), "tags go with the wish to stop");
    // Stopping what has stopped changes nothing.
    let again = aws.ecs("StopTask", json!({"cluster": "main", "task": arn, "reason": "again"})).unwrap();
    assert_eq!(again["task"]["stoppedReason"], json!("enough"));
    aws.sleep(3600);
    let gone = aws.ecs("StopTask", json!({"cluster": "main", "task": arn}));
    assert_eq!(gone, Err("InvalidParameterException: The referenced task was not found.".to_owned()));
}

#[test]
fn a_task_stopped_before_it_started_has_no_exit_code() {
    let mut aws = aws();
    let arn = arn_of(&run(&mut aws, json!({})).unwrap());
    aws.sleep(1);
    aws.ecs("StopTask", json!({"cluster": "main", "task": arn})).unwrap();
    aws.sleep(60);
    let stopped = describe(&mut aws, &arn);
    assert_eq!((&stopped["lastStatus"], &stopped["containers"][0]["exitCode"]), (&json!("STOPPED"), &Value::Null));
    assert_eq!(stopped["startedAt"], Value::Null);
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let mut aws = aws();
    aws.ecs("RegisterTaskDefinition", fargate_task("etl-f")).unwrap();
    aws.ecs("CreateCluster", json!({"clusterName": "bare"})).unwrap();
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    let strategy = json!([{"capacityProvider": "FARGATE_SPOT"}]);
    let long = "x".repeat(8192);
    for (over, refusal) in [
        (json!({"taskDefinition": "nosuch"}), "ClientException: TaskDefinition not found."),
        (json!({"taskDefinition": "etl-a:2"}), "ClientException: TaskDefinition not found."),
        (json!({"cluster": "nosuch"}), "ClusterNotFoundException: Cluster not found."),
        (json!({"cluster": null}), "ClusterNotFoundException: Cluster not found."),
        (json!({"count": 0}), "InvalidParameterException: Task count must be between 1 and 10."),
        (json!({"count": 11}), "InvalidParameterException: Task count must be between 1 and 10."),
        (json!({"startedBy": "a b"}), "InvalidParameterException: startedBy"),
        (json!({"startedBy": "a".repeat(129)}), "InvalidParameterException: startedBy"),
        (json!({"group": "a".repeat(256)}), "InvalidParameterException: Group name"),
        (json!({"clientToken": "a b"}), "InvalidParameterException: clientToken"),
        (json!({"clientToken": "a".repeat(65)}), "InvalidParameterException: clientToken"),
        (json!({"propagateTags": "SERVICE"}), "InvalidParameterException: propagateTags"),
        (
            json!({"launchType": "LAMBDA"}),
            "ClientException: 1 validation error detected: Value 'LAMBDA' at 'launchType'",
        ),
        (
            json!({"launchType": "EC2", "capacityProviderStrategy": strategy}),
            "InvalidParameterException: Specifying both a launch type and capacity provider strategy is not supported.",
        ),
        (
            json!({"cluster": "bare", "taskDefinition": "etl-f", "networkConfiguration": network, "capacityProviderStrategy": strategy}),
            "InvalidParameterException: The specified capacity provider strategy cannot contain",
        ),
        (
            json!({"launchType": "FARGATE"}),
            "InvalidParameterException: Task definition does not support launch_type FARGATE.",
        ),
        (
            json!({"capacityProviderStrategy": strategy}),
            "InvalidParameterException: Task definition does not support launch_type FARGATE.",
        ),
        (
            json!({"taskDefinition": "etl-f", "launchType": "FARGATE"}),
            "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            json!({"networkConfiguration": network}),
            "InvalidParameterException: Network Configuration is not valid for the given networkMode of this task definition.",
        ),
        (
            json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}),
            "InvalidParameterException: subnets can not be empty.",
        ),
        (
            json!({"launchType": "EC2", "platformVersion": "1.4.0"}),
            "InvalidParameterException: The platform version must be null when specifying an EC2 launch type.",
        ),
        (json!({"platformVersion": "newest"}), "PlatformUnknownException: The specified platform does not exist."),
        (
            json!({"overrides": {"containerOverrides": [{"name": "b"}]}}),
            "InvalidParameterException: Override for container named b is not a container in the TaskDefinition.",
        ),
        (
            json!({"overrides": {"containerOverrides": [{"name": "main", "command": [long]}]}}),
            "InvalidParameterException: Container Overrides length must be at most 8192",
        ),
        (
            json!({"overrides": {"containerOverrides": [{"name": "main", "environment": [{"name": "A", "value": 1}]}]}}),
            "SerializationException: NUMBER_VALUE can not be converted to a String",
        ),
        (json!({"tags": [{"key": "aws:x", "value": "y"}]}), "InvalidParameterException: Tag keys"),
    ] {
        let refused = run(&mut aws, over.clone()).unwrap_err();
        assert!(refused.starts_with(refusal), "{over}: {refused}");
    }
    assert_eq!(listed(&mut aws, json!({})), 0);
    let good = json!({"taskDefinition": "etl-f", "networkConfiguration": network, "capacityProviderStrategy": strategy, "count": 10});
    let ten = run(&mut aws, good).unwrap();
    assert_eq!(ten["tasks"].as_array().unwrap().len(), 10);
    let first = &ten["tasks"][0];
    assert_eq!((&first["launchType"], &first["capacityProviderName"]), (&json!("FARGATE"), &json!("FARGATE_SPOT")));
    assert_eq!(
        (&first["platformVersion"], &first["attachments"][0]["type"]),
        (&json!("1.4.0"), &json!("ElasticNetworkInterface"))
    );
}

#[test]
fn a_cluster_has_a_strategy_for_tasks_that_come_without() {
    let mut aws = Aws::new();
    let strategy =
        json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}, {"capacityProvider": "FARGATE", "weight": 4}]);
    let cluster = json!({
        "clusterName": "main",
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": strategy,
    });
    aws.ecs("CreateCluster", cluster).unwrap();
    aws.ecs("RegisterTaskDefinition", fargate_task("etl-a")).unwrap();
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    let mut provider = |over: Value| {
        let answer = run(&mut aws, with(json!({"networkConfiguration": network}), over)).unwrap();
        answer["tasks"][0]["capacityProviderName"].clone()
    };
    assert_eq!(provider(json!({})), json!("FARGATE"));
    assert_eq!(
        provider(json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]})),
        json!("FARGATE_SPOT")
    );
    assert_eq!(provider(json!({"launchType": "EC2"})), Value::Null);
}

#[test]
fn a_deregistered_revision_is_refused_once_its_ten_minutes_are_over() {
    let mut aws = aws();
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    let by_family = "ClientException: TaskDefinition not found.".to_owned();
    assert_eq!(run(&mut aws, json!({})), Err(by_family));
    aws.sleep(599);
    run(&mut aws, json!({"taskDefinition": "etl-a:1"})).unwrap();
    aws.sleep(1);
    let inactive = Err("InvalidParameterException: TaskDefinition is inactive".to_owned());
    assert_eq!(run(&mut aws, json!({"taskDefinition": "etl-a:1"})), inactive);
    aws.register("etl-a");
    assert_eq!(
        run(&mut aws, json!({})).unwrap()["tasks"][0]["taskDefinitionArn"],
        json!(aws.arn("ecs", "task-definition/etl-a:2"))
    );
}

#[test]
fn a_revision_stays_until_the_last_of_its_tasks_has_ended() {
    let settings = Settings { task_runs_for: SignedDuration::from_hours(3), ..Settings::default() };
    let mut aws = Aws::with(settings);
    aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    aws.register("etl-a");
    let arn = arn_of(&run(&mut aws, json!({})).unwrap());
    aws.ecs("DeregisterTaskDefinition", json!({"taskDefinition": "etl-a:1"})).unwrap();
    aws.ecs("DeleteTaskDefinitions", json!({"taskDefinitions": ["etl-a:1"]})).unwrap();
    let status = |aws: &mut Aws| {
        let answer = aws.ecs("DescribeTaskDefinition", json!({"taskDefinition": "etl-a:1"}))?;
        Ok::<_, String>(answer["taskDefinition"]["status"].as_str().unwrap().to_owned())
    };
    aws.sleep(2 * 3600);
    assert_eq!(status(&mut aws).as_deref(), Ok("DELETE_IN_PROGRESS"));
    aws.sleep(3600 + 5);
    assert_eq!(status(&mut aws), Err("ClientException: Unable to describe task definition.".to_owned()));
    assert_eq!(describe(&mut aws, &arn)["containers"][0]["image"], json!("busybox"));
}

#[test]
fn the_same_token_starts_nothing_anew() {
    let mut aws = aws();
    let token = json!({"clientToken": "t-1", "count": 2});
    let first = run(&mut aws, token.clone()).unwrap();
    aws.sleep(10);
    let again = run(&mut aws, token.clone()).unwrap();
    let arns = |answer: &Value| {
        answer["tasks"].as_array().unwrap().iter().map(|task| task["taskArn"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(arns(&again), arns(&first));
    let refused = run(&mut aws, json!({"clientToken": "t-1", "count": 3})).unwrap_err();
    assert!(refused.starts_with("ConflictException: "), "{refused}");
    // A token counts for its cluster.
    aws.ecs("CreateCluster", json!({"clusterName": "other"})).unwrap();
    run(&mut aws, json!({"clientToken": "t-1", "count": 2, "cluster": "other"})).unwrap();
    assert_eq!(listed(&mut aws, json!({})), 2);
    // An hour after the end of the tasks it is forgotten.
    aws.sleep(3600 + 65);
    assert_ne!(arns(&run(&mut aws, token).unwrap()), arns(&first));
}

#[test]
fn a_token_counts_for_a_day_at_most() {
    let settings = Settings { task_runs_for: SignedDuration::from_hours(72), ..Settings::default() };
    let mut aws = Aws::with(settings);
    aws.ecs("CreateCluster", json!({"clusterName": "main"})).unwrap();
    aws.register("etl-a");
    let first = arn_of(&run(&mut aws, json!({"clientToken": "t"})).unwrap());
    aws.sleep(24 * 3600 - 1);
    assert_eq!(arn_of(&run(&mut aws, json!({"clientToken": "t"})).unwrap()), first);
    aws.sleep(1);
    assert_ne!(arn_of(&run(&mut aws, json!({"clientToken": "t"})).unwrap()), first);
}

#[test]
fn tags_come_from_the_request_the_task_definition_and_ecs() {
    let mut aws = aws();
    aws.ecs(
        "RegisterTaskDefinition",
        with(crate::client::task("etl-t"), json!({"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]})),
    )
    .unwrap();
    let over = json!({
        "taskDefinition": "etl-t",
        "tags": [{"key": "b", "value": "2"}],
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": true,
    });
    let arn = arn_of(&run(&mut aws, over).unwrap());
    let expected = json!([{"key": "a", "value": "1"}, {"key": "aws:ecs:clusterName", "value": "main"}, {"key": "b", "value": "2"}]);
    assert_eq!(aws.ecs("ListTagsForResource", json!({"resourceArn": arn})).unwrap()["tags"], expected);
    aws.ecs("TagResource", json!({"resourceArn": arn, "tags": [{"key": "c", "value": "3"}]})).unwrap();
    aws.ecs("UntagResource", json!({"resourceArn": arn, "tagKeys": ["a", "aws:ecs:clusterName"]})).unwrap();
    assert_eq!(describe(&mut aws, &arn)["tags"], json!([{"key": "b", "value": "2"}, {"key": "c", "value": "3"}]));
}

#[test]
fn tasks_are_listed_by_what_they_are_and_in_pages() {
    let mut aws = aws();
    aws.register("etl-b");
    for over in [
        json!({"count": 3, "startedBy": "me"}),
        json!({"count": 2, "launchType": "EC2"}),
        json!({"taskDefinition": "etl-b", "startedBy": "me"}),
    ] {
        run(&mut aws, over).unwrap();
    }
    for (filter, expected) in [
        (json!({}), 6),
        (json!({"startedBy": "me"}), 4),
        (json!({"startedBy": "m"}), 0),
        (json!({"family": "etl-b"}), 1),
        (json!({"launchType": "EC2"}), 6),
        (json!({"launchType": "FARGATE"}), 0),
        (json!({"desiredStatus": "STOPPED"}), 0),
        (json!({"desiredStatus": "PENDING"}), 0),
        (json!({"containerInstance": "i"}), 0),
    ] {
        assert_eq!(listed(&mut aws, filter.clone()), expected, "{filter}");
    }
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = aws.ecs("ListTasks", json!({"cluster": "main", "maxResults": 4, "nextToken": token})).unwrap();
        seen.extend(page["taskArns"].as_array().unwrap().clone());
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 6);
    aws.sleep(65);
    assert_eq!((listed(&mut aws, json!({})), listed(&mut aws, json!({"desiredStatus": "STOPPED"}))), (0, 6));
    let refused = aws.ecs("ListTasks", json!({"cluster": "main", "serviceName": "s"}));
    assert_eq!(refused, Err("ServiceNotFoundException: Service not found.".to_owned()));
}

#[test]
fn what_is_not_there_is_a_failure_of_its_own() {
    let mut aws = aws();
    let arn = arn_of(&run(&mut aws, json!({})).unwrap());
    let id = arn.rsplit('/').next().unwrap();
    let answer = aws
        .ecs("DescribeTasks", json!({"cluster": "main", "tasks": [id, "0123456789abcdef0123456789abcdef"]}))
        .unwrap();
    assert_eq!(answer["tasks"].as_array().unwrap().len(), 1);
    let missing = aws.arn("ecs", "task/main/0123456789abcdef0123456789abcdef");
    assert_eq!(answer["failures"], json!([{"arn": missing, "reason": "MISSING"}]));
    aws.ecs("CreateCluster", json!({"clusterName": "other"})).unwrap();
    let elsewhere = aws.ecs("DescribeTasks", json!({"cluster": "other", "tasks": [arn]})).unwrap();
    assert_eq!(elsewhere["failures"], json!([{"arn": arn, "reason": "MISSING"}]));
    let none = aws.ecs("DescribeTasks", json!({"cluster": "main", "tasks": []}));
    assert_eq!(none, Err("InvalidParameterException: Tasks cannot be empty.".to_owned()));
}

#[test]
fn a_cluster_counts_its_tasks_and_is_not_deleted_under_them() {
    let mut aws = aws();
    let counts = |aws: &mut Aws| {
        let answer = aws.ecs("DescribeClusters", json!({"clusters": ["main"]})).unwrap();
        let cluster = &answer["clusters"][0];
        (cluster["pendingTasksCount"].as_u64().unwrap(), cluster["runningTasksCount"].as_u64().unwrap())
    };
    run(&mut aws, json!({"count": 3})).unwrap();
    assert_eq!(counts(&mut aws), (3, 0));
    aws.sleep(5);
    run(&mut aws, json!({})).unwrap();
    assert_eq!(counts(&mut aws), (1, 3));
    let refused = "ClusterContainsTasksException: The Cluster cannot be deleted while Tasks are active.";
    assert_eq!(aws.ecs("DeleteCluster", json!({"cluster": "main"})), Err(refused.to_owned()));
    aws.sleep(65);
    assert_eq!(counts(&mut aws), (0, 0));
    aws.ecs("DeleteCluster", json!({"cluster": "main"})).unwrap();
}
