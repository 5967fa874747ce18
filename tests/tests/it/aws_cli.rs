//! The AWS command line, which knows nothing of us, works on our emulator.

use std::process::Command;

use ecs_etl_tests::raw::{ACCOUNT, REGION};
use ecs_etl_tests::server::{Kind, Server};
use ecs_etl_tests::tools;
use serde_json::{Value, json};

/// Runs `aws` and gives what it printed, or what it complained about.
fn aws(server: &Server, arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(tools::python_tool("aws"))
        .args(["--endpoint-url", &format!("http://{}", server.address()), "--region", REGION, "--output", "json"])
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_PAGER", "")
        .output()
        .map_err(|error| format!("aws did not start: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

#[test]
fn the_aws_command_line_registers_schedules_and_cleans_up() -> Result<(), String> {
    let server = Server::start(Kind::Emulator);
    let aws = |arguments: &[&str]| aws(&server, arguments);
    assert_eq!(aws(&["sts", "get-caller-identity"])?["Account"], ACCOUNT);

    let containers =
        json!([{"name": "main", "image": "busybox:1", "portMappings": [{"containerPort": 80}]}]).to_string();
    let register = [
        "ecs",
        "register-task-definition",
        "--family",
        "by-hand",
        "--requires-compatibilities",
        "FARGATE",
        "--network-mode",
        "awsvpc",
        "--cpu",
        "256",
        "--memory",
        "0.5 GB",
        "--container-definitions",
        &containers,
        "--tags",
        "key=team,value=sales",
    ];
    let first = aws(&register)?;
    let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/by-hand:1");
    assert_eq!(first["taskDefinition"]["taskDefinitionArn"], arn.as_str());
    assert_eq!(first["taskDefinition"]["memory"], "512");
    assert_eq!(aws(&register)?["taskDefinition"]["revision"], 2);

    let described = aws(&["ecs", "describe-task-definition", "--task-definition", "by-hand:1", "--include", "TAGS"])?;
    assert_eq!(described["tags"], json!([{"key": "team", "value": "sales"}]));
    assert_eq!(described["taskDefinition"]["containerDefinitions"][0]["portMappings"][0]["hostPort"], 80);
    let listed =
        aws(&["ecs", "list-task-definitions", "--family-prefix", "by-hand", "--sort", "DESC", "--page-size", "1"])?;
    assert_eq!(listed["taskDefinitionArns"].as_array().map(Vec::len), Some(2));
    assert_eq!(listed["taskDefinitionArns"][1], arn.as_str());

    let rule = aws(&["events", "put-rule", "--name", "nightly", "--schedule-expression", "cron(0 2 * * ? *)"])?;
    assert_eq!(rule["RuleArn"], format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly"));
    let targets = json!([{
        "Id": "1", "Arn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"), "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/events"),
        "EcsParameters": {"TaskDefinitionArn": arn, "LaunchType": "FARGATE",
            "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-a"]}}},
    }]);
    let put = aws(&["events", "put-targets", "--rule", "nightly", "--targets", &targets.to_string()])?;
    assert_eq!(put["FailedEntryCount"], 0);
    assert_eq!(aws(&["events", "list-targets-by-rule", "--rule", "nightly"])?["Targets"], targets);
    assert_eq!(aws(&["events", "list-rules", "--name-prefix", "night"])?["Rules"][0]["State"], "ENABLED");

    let refused = aws(&["events", "delete-rule", "--name", "nightly"]).expect_err("a rule with a target goes");
    assert!(
        refused.contains("ValidationException") && refused.contains("Rule can't be deleted since it has targets."),
        "{refused}"
    );
    aws(&["events", "remove-targets", "--rule", "nightly", "--ids", "1"])?;
    aws(&["events", "delete-rule", "--name", "nightly"])?;
    let refused = aws(&["events", "describe-rule", "--name", "nightly"]).expect_err("the rule is still there");
    assert!(refused.contains("ResourceNotFoundException"), "{refused}");

    let gone = aws(&["ecs", "deregister-task-definition", "--task-definition", "by-hand:1"])?;
    assert_eq!(gone["taskDefinition"]["status"], "INACTIVE");
    let deleted = aws(&["ecs", "delete-task-definitions", "--task-definitions", "by-hand:1"])?;
    assert_eq!(deleted["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS");
    assert_eq!(deleted["failures"], json!([]));
    Ok(())
}

#[test]
fn the_aws_command_line_is_told_what_is_wrong_in_awss_own_words() {
    let server = Server::start(Kind::Emulator);
    let check = |arguments: &[&str], code: &str, text: &str| {
        let refused = aws(&server, arguments).expect_err("AWS refuses this");
        assert!(refused.contains(&format!("({code})")) && refused.contains(text), "{arguments:?}: {refused}");
    };
    let put_rule = ["events", "put-rule", "--name", "x", "--schedule-expression"];
    check(
        &[&put_rule[..], &["rate(1 minutes)"]].concat(),
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
    );
    check(
        &["ecs", "describe-task-definition", "--task-definition", "nowhere"],
        "ClientException",
        "Unable to describe task definition.",
    );
    check(&["events", "list-targets-by-rule", "--rule", "nowhere"], "ResourceNotFoundException", "nowhere");
}
