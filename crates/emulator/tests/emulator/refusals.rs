//! What RegisterTaskDefinition refuses, and in which words (docs/aws.md, Sizes and names; Errors).

use serde_json::{Value, json};

use crate::client::{Aws, fargate_task, task, with};

fn check(body: &Value, expected: Result<(), &str>) {
    let outcome = Aws::new().ecs("RegisterTaskDefinition", body.clone()).map(drop);
    let shown: String = body.to_string().chars().take(500).collect();
    assert_eq!(outcome, expected.map_err(str::to_owned), "{shown}");
}

fn refused(body: Value, expected: &str) {
    check(&body, Err(expected));
}

fn accepted(body: Value) {
    check(&body, Ok(()));
}

/// A task whose one container has these members too.
fn container(over: Value) -> Value {
    json!({"family": "etl-a", "containerDefinitions": [
        with(json!({"name": "main", "image": "busybox", "memory": 64}), over)
    ]})
}

fn fargate_container(over: Value) -> Value {
    with(
        fargate_task("etl-a"),
        json!({"containerDefinitions": [with(json!({"name": "main", "image": "busybox"}), over)]}),
    )
}

#[test]
fn families_are_letters_digits_hyphens_and_underscores() {
    accepted(task(&"a".repeat(255)));
    refused(task(&"a".repeat(256)), "ClientException: Family is too long.");
    refused(task(""), "ClientException: Family should not be null or empty.");
    for bad in ["a b", "a.b", "a/b", "ä", "a:1"] {
        refused(task(bad), "ClientException: Family contains invalid characters.");
    }
}

#[test]
fn what_is_missing_altogether_is_named_by_ecs_itself() {
    refused(json!({}), "ClientException: Family should not be null or empty.");
    refused(json!({"family": "a"}), "ClientException: Container list cannot be empty.");
    refused(
        container(json!({"healthCheck": {}})),
        "ClientException: 1 validation error detected: Value null at 'containerDefinitions.1.member.healthCheck.command' \
         failed to satisfy constraint: Member must not be null",
    );
}

#[test]
fn containers_are_named_once_and_have_an_image() {
    refused(with(task("a"), json!({"containerDefinitions": []})), "ClientException: Container list cannot be empty.");
    refused(container(json!({"name": "a b"})), "ClientException: Container.name contains invalid characters.");
    refused(container(json!({"name": null})), "ClientException: Container.name should not be null or empty.");
    refused(container(json!({"image": ""})), "ClientException: Container.image should not be null or empty.");
    refused(container(json!({"image": "a b"})), "ClientException: Container.image contains invalid characters.");
    accepted(container(json!({"image": "1.dkr.ecr.eu-west-1.amazonaws.com/etl@sha256:0a1b"})));
    let twice = json!({"name": "main", "image": "i", "memory": 8});
    refused(
        with(task("a"), json!({"containerDefinitions": [twice, twice]})),
        "ClientException: Container names must be unique within a task definition.",
    );
    let many: Vec<Value> = (0..11).map(|n| json!({"name": format!("c{n}"), "image": "i", "memory": 8})).collect();
    accepted(with(task("a"), json!({"containerDefinitions": many[..10]})));
    refused(with(task("a"), json!({"containerDefinitions": many})), "ClientException: Too many containers.");
    refused(
        container(json!({"essential": false})),
        "ClientException: Task definition doesn't have any essential container",
    );
}

#[test]
fn a_task_definition_is_at_most_64_kib() {
    let with_value = |length: usize| container(json!({"environment": [{"name": "A", "value": "x".repeat(length)}]}));
    accepted(with_value(65_000));
    refused(with_value(65_536), "ClientException: Actual length: '65665'. Max allowed length is '65536' bytes.");
}

#[test]
fn memory_is_set_somewhere_and_fits() {
    let missing = "ClientException: Invalid setting for container 'main'. \
                   At least one of 'memory' or 'memoryReservation' must be specified.";
    refused(container(json!({"memory": null})), missing);
    accepted(container(json!({"memory": null, "memoryReservation": 64})));
    accepted(with(container(json!({"memory": null})), json!({"memory": "512"})));
    accepted(container(json!({"memory": 6})));
    refused(
        container(json!({"memory": 5})),
        "ClientException: Invalid 'memory' setting for container 'main'. The minimum allowed value is 6 MiB.",
    );
    accepted(container(json!({"memory": 64, "memoryReservation": 64})));
    refused(
        container(json!({"memory": 64, "memoryReservation": 65})),
        "ClientException: Invalid setting for container 'main'. \
         'memory' must be greater than or equal to 'memoryReservation'.",
    );
    accepted(with(container(json!({"memory": 512})), json!({"memory": "512"})));
    refused(
        with(container(json!({"memory": 513})), json!({"memory": "512"})),
        "ClientException: The 'memory' setting for container 'main' is greater than for the task.",
    );
    let soft = |name: &str| json!({"name": name, "image": "i", "memory": 300, "memoryReservation": 100});
    accepted(with(task("a"), json!({"memory": "512", "containerDefinitions": [soft("a"), soft("b")]})));
    let half = |name: &str| json!({"name": name, "image": "i", "memory": 300});
    refused(
        with(task("a"), json!({"memory": "512", "containerDefinitions": [half("a"), half("b")]})),
        "ClientException: The sum of all container 'memory' values cannot be greater than the value of the task 'memory'.",
    );
    refused(
        with(container(json!({"cpu": 257})), json!({"cpu": "256"})),
        "ClientException: The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
    );
    refused(with(task("a"), json!({"cpu": "100"})), "ClientException: Invalid 'cpu' setting for task.");
    refused(with(task("a"), json!({"memory": "lots"})), "ClientException: Invalid 'memory' setting for task.");
}

#[test]
fn fargate_takes_its_own_sizes_and_network_only() {
    accepted(fargate_task("a"));
    let over = |over: Value| with(fargate_task("a"), over);
    refused(over(json!({"cpu": null})), "ClientException: Fargate requires that 'cpu' be defined at the task level.");
    refused(
        over(json!({"memory": null, "containerDefinitions": [{"name": "m", "image": "i", "memory": 64}]})),
        "ClientException: Fargate requires that 'memory' be defined at the task level.",
    );
    for mode in [json!("bridge"), json!("host"), Value::Null] {
        refused(
            over(json!({"networkMode": mode})),
            "ClientException: Fargate only supports network mode \u{2018}awsvpc\u{2019}.",
        );
    }
    for (cpu, memory) in [("256", "4096"), ("512", "512"), ("1024", "1024"), ("300", "512"), ("8192", "17408")] {
        refused(
            over(json!({"cpu": cpu, "memory": memory})),
            "ClientException: No Fargate configuration exists for given values.",
        );
    }
    accepted(over(json!({"cpu": ".25 vCPU", "memory": "0.5 GB"})));
    accepted(over(json!({"cpu": "32 vCPU", "memory": "244 GB"})));
    refused(
        over(json!({"ipcMode": "task"})),
        "ClientException: Fargate compatible task definitions do not support ipcMode",
    );
    refused(
        over(json!({"pidMode": "host"})),
        "ClientException: Tasks using the Fargate launch type do not support pidMode 'host'. \
         The supported value for pidMode is 'task'.",
    );
    accepted(over(json!({"pidMode": "task"})));
    refused(
        over(json!({"placementConstraints": [{"type": "memberOf", "expression": "x"}]})),
        "ClientException: Fargate compatible task definitions do not support constraints",
    );
    refused(
        over(json!({"volumes": [{"name": "v", "host": {"sourcePath": "/x"}}]})),
        "ClientException: Fargate compatible task definitions do not support sourcePath",
    );
}

#[test]
fn fargate_forbids_what_a_host_would_have_to_give() {
    let unsupported = |over: Value, what: &str| {
        refused(
            fargate_container(over),
            &format!("ClientException: Fargate compatible task definitions do not support {what}"),
        );
    };
    refused(
        fargate_container(json!({"privileged": true})),
        "ClientException: Fargate requires that the 'privileged' setting be 'false'.",
    );
    accepted(fargate_container(json!({"privileged": false})));
    let of_the_host = |over: Value, what: &str| {
        let expected = format!("ClientException: {what} not supported on container when networkMode=awsvpc.");
        refused(fargate_container(over), &expected);
    };
    of_the_host(json!({"dnsServers": ["10.0.0.2"]}), "DNS servers are");
    of_the_host(json!({"extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.1"}]}), "Extra hosts are");
    of_the_host(json!({"hostname": "a"}), "hostname is");
    of_the_host(json!({"disableNetworking": true}), "Disable Networking is");
    unsupported(json!({"dockerSecurityOptions": ["no-new-privileges"]}), "dockerSecurityOptions");
    refused(
        fargate_container(json!({"resourceRequirements": [{"type": "GPU", "value": "1"}]})),
        "ClientException: Tasks using the Fargate launch type do not support GPU resource requirements.",
    );
    unsupported(json!({"linuxParameters": {"sharedMemorySize": 64}}), "sharedMemorySize");
    unsupported(json!({"linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]}}), "devices");
    accepted(fargate_container(json!({"linuxParameters": {"tmpfs": [{"containerPath": "/t", "size": 1}]}})));
    refused(
        fargate_container(json!({"linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}}})),
        "ClientException: NET_ADMIN is not allowed on Fargate.",
    );
    accepted(fargate_container(json!({"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}}})));
    refused(
        fargate_container(json!({"stopTimeout": 121})),
        "ClientException: Container stopTimeout must be at most 120 seconds on Fargate.",
    );
    let log = json!({"logConfiguration": {"logDriver": "awslogs", "options": {
        "awslogs-group": "g", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "p"}}});
    refused(
        fargate_container(log.clone()),
        "ClientException: Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    );
    accepted(with(fargate_container(log), json!({"executionRoleArn": "arn:aws:iam::123456789012:role/exec"})));
    refused(
        fargate_container(json!({"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/etl:1"})),
        "ClientException: Fargate requires task definition to have execution role ARN to support ECR images.",
    );
    accepted(container(json!({"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/etl:1"})));
}

#[test]
fn environment_and_secrets_share_their_names_and_secrets_need_a_role() {
    let secret = json!({"secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/t"}]});
    let role = json!({"executionRoleArn": "exec"});
    refused(
        container(secret.clone()),
        "ClientException: When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    );
    accepted(with(container(secret.clone()), role.clone()));
    refused(
        with(container(with(secret, json!({"environment": [{"name": "TOKEN", "value": "x"}]}))), role.clone()),
        "ClientException: The secret name must be unique and not shared with any new or existing environment variables \
         set on the container, such as 'TOKEN'.",
    );
    let file = |value: &str| json!({"environmentFiles": [{"type": "s3", "value": value}]});
    accepted(with(container(file("arn:aws:s3:::bucket/a.env")), role.clone()));
    refused(
        with(container(file("arn:aws:s3:::bucket/a.txt")), role),
        "ClientException: Environment file must be the ARN of an Amazon S3 object with the .env extension.",
    );
    refused(with(task("a"), json!({"taskRoleArn": ""})), "ClientException: Role is not valid");
    refused(
        with(task("a"), json!({"executionRoleArn": "arn:aws:iam::1:user/x"})),
        "ClientException: Role is not valid",
    );
}

#[test]
fn ports_fit_the_network() {
    let port =
        |mapping: Value, mode: &str| with(container(json!({"portMappings": [mapping]})), json!({"networkMode": mode}));
    accepted(port(json!({"containerPort": 80, "hostPort": 8080}), "bridge"));
    refused(
        port(json!({"containerPort": 80, "hostPort": 8080}), "awsvpc"),
        "ClientException: When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    );
    refused(
        port(json!({"hostPort": 80}), "bridge"),
        "ClientException: Invalid 'containerPort' setting for container 'main'.",
    );
    refused(
        port(json!({"containerPort": 65_536}), "bridge"),
        "ClientException: Invalid 'containerPort' setting for container 'main'.",
    );
    let twice = |second: &str| {
        json!({"portMappings": [
        {"containerPort": 80, "hostPort": 3000}, {"containerPort": 81, "hostPort": 3000, "protocol": second}]})
    };
    accepted(container(twice("udp")));
    refused(container(twice("tcp")), "ClientException: TCP host port '3000' is mapped multiple times in task.");
    accepted(port(json!({"containerPortRange": "80-90"}), "awsvpc"));
    refused(
        port(json!({"containerPortRange": "90-80"}), "awsvpc"),
        "ClientException: Invalid 'containerPortRange' setting for container 'main'.",
    );
    refused(
        with(container(json!({"links": ["a"]})), json!({"networkMode": "awsvpc"})),
        "ClientException: Links are not supported when networkMode=awsvpc.",
    );
}

#[test]
fn volumes_are_declared_and_are_of_one_kind() {
    let mount = container(json!({"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]}));
    refused(mount.clone(), "ClientException: Unknown volume 'data'.");
    accepted(with(mount, json!({"volumes": [{"name": "data"}]})));
    let volume = |volume: Value| with(task("a"), json!({"volumes": [volume]}));
    refused(
        volume(json!({"name": "v", "host": {}, "efsVolumeConfiguration": {"fileSystemId": "fs-1"}})),
        "ClientException: Volume configuration is invalid: only one volume type can be specified.",
    );
    refused(
        volume(json!({"name": "v", "efsVolumeConfiguration": {
            "fileSystemId": "fs-1", "authorizationConfig": {"accessPointId": "fsap-1"}}})),
        "ClientException: EFS access point requires TransitEncryption to be enabled.",
    );
    accepted(volume(json!({"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1",
        "transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"}}})));
    refused(volume(json!({"name": "a b"})), "ClientException: Volume name contains invalid characters.");
    refused(
        with(task("a"), json!({"ephemeralStorage": {"sizeInGiB": 20}})),
        "ClientException: EphemeralStorage size should be at least 21.",
    );
    accepted(with(task("a"), json!({"ephemeralStorage": {"sizeInGiB": 21}})));
}

#[test]
fn containers_wait_for_siblings_that_can_end() {
    let pair = |first: Value, second: Value| {
        let first = with(json!({"name": "main", "image": "i", "memory": 8}), first);
        let second = with(json!({"name": "init", "image": "i", "memory": 8, "essential": false}), second);
        json!({"family": "a", "containerDefinitions": [first, second]})
    };
    let on = |name: &str, condition: &str| json!({"dependsOn": [{"containerName": name, "condition": condition}]});
    accepted(pair(on("init", "SUCCESS"), json!({})));
    refused(
        pair(on("init", "SUCCESS"), json!({"essential": true})),
        "ClientException: A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    );
    refused(
        pair(on("init", "HEALTHY"), json!({})),
        "ClientException: A dependency container with HEALTHY condition must have health check configured",
    );
    refused(
        pair(on("gone", "START"), json!({})),
        "ClientException: Cannot depend on container gone because it does not exist.",
    );
    refused(
        pair(on("init", "START"), on("main", "START")),
        "InvalidParameterException: Container dependencies contain a cycle.",
    );
}

#[test]
fn a_log_driver_has_the_options_it_needs() {
    refused(
        container(json!({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}})),
        "ClientException: Log driver awslogs requires options: awslogs-region",
    );
    refused(
        container(json!({"logConfiguration": {"logDriver": "awslogs"}})),
        "ClientException: Log driver awslogs requires options: awslogs-region, awslogs-group",
    );
}

#[test]
fn tags_are_few_and_not_empty() {
    refused(with(task("a"), json!({"tags": []})), "ClientException: Tags can not be empty.");
    refused(
        with(task("a"), json!({"tags": [{"key": "aws:x", "value": "y"}]})),
        "InvalidParameterException: Tag keys and values can not start with 'aws:'.",
    );
    let tags: Vec<Value> = (0..51).map(|n| json!({"key": format!("k{n}"), "value": ""})).collect();
    accepted(with(task("a"), json!({"tags": tags[..50]})));
    let outcome = Aws::new().ecs("RegisterTaskDefinition", with(task("a"), json!({"tags": tags})));
    assert!(outcome.unwrap_err().contains("Member must have length less than or equal to 50"));
}

#[test]
fn logs_go_where_the_task_can_send_them() {
    let log = |driver: &str, options: Value| json!({"logConfiguration": {"logDriver": driver, "options": options}});
    let on_fargate = |over: Value| with(fargate_container(over), json!({"executionRoleArn": "exec"}));
    let group = json!({"awslogs-group": "g", "awslogs-region": "eu-west-1"});
    refused(
        on_fargate(log("awslogs", group)),
        "ClientException: Fargate requires log configuration options to include awslogs-stream-prefix",
    );
    refused(
        on_fargate(log("json-file", json!({}))),
        "ClientException: json-file is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]",
    );
    let firelens = log("awsfirelens", json!({"Name": "stdout"}));
    refused(
        on_fargate(firelens.clone()),
        "ClientException: When awsfirelens log driver is specified in log configuration, \
         a firelens configuration object must be specified.",
    );
    let router = json!({"name": "router", "image": "fluent-bit", "firelensConfiguration": {"type": "fluentbit"}});
    let main = with(json!({"name": "main", "image": "busybox"}), firelens);
    accepted(with(fargate_task("a"), json!({"containerDefinitions": [main, router]})));
}

#[test]
fn a_proxy_is_one_of_the_containers() {
    let proxy = |name: &str| json!({"proxyConfiguration": {"type": "APPMESH", "containerName": name}});
    accepted(with(fargate_task("a"), proxy("main")));
    refused(with(fargate_task("a"), proxy("envoy")), "ClientException: Proxy container [envoy] does not exist.");
    refused(
        with(task("a"), proxy("main")),
        "ClientException: APPMESH proxy configuration is only supported in networkMode=awsvpc.",
    );
}

#[test]
fn a_refused_registration_uses_up_no_revision() {
    let mut aws = Aws::new();
    aws.register("etl-a");
    aws.ecs("RegisterTaskDefinition", with(task("etl-a"), json!({"tags": []}))).unwrap_err();
    assert!(aws.register("etl-a").ends_with("etl-a:2"));
}
