//! Active and standby with real daemons, on the DynamoDB of servers that we did not write.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ecs_etl_tests::program::{self, Running};
use ecs_etl_tests::raw::REGION;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};
use serde_json::{Value, json};

/// The shortest lease there is.
const LEASE: Duration = Duration::from_secs(30);
/// A holder renews after a third of it, so its last renewal may be so old when it dies.
const RENEWAL: Duration = Duration::from_secs(10);
/// The longest call, for which a standby waits besides.
const CALL: Duration = Duration::from_secs(15);
/// How often a standby looks.
const LOOK: Duration = Duration::from_secs(3);
/// What a busy machine may add to anything.
const SLACK: Duration = Duration::from_secs(12);

const TABLE: &str = "lease";
const JOB: &str = "daily";

fn world(kind: Kind) -> Workspace {
    let world = Workspace::new(kind);
    let table = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    });
    world.aws.try_call("dynamodb", "CreateTable", &table).expect("a table for leases");
    world.write_job(&version(1));
    world
}

fn version(number: u32) -> Job {
    Job { image: format!("example.com/{JOB}:{number}"), ..Job::daily(JOB) }
}

/// A daemon of its own status directory that needs the lease.
fn start(world: &Workspace, name: &str, table: &str) -> Running {
    let mut command = world.command(&["run", "manifests", "--lease", &format!("dynamodb:{table}")]);
    command
        .args(["--lease-seconds", &LEASE.as_secs().to_string(), "--status-dir", name])
        .env("ECS_ETL_ENDPOINT", format!("http://{}", world.server.address()))
        .env("AWS_REGION", REGION);
    Running::start(command)
}

fn lease(world: &Workspace, name: &str) -> Option<Value> {
    let text = fs::read_to_string(world.folder().join(name).join("_controller.json")).ok()?;
    let status: Value = serde_json::from_str(&text).expect("a status is JSON");
    Some(status["status"]["lease"].clone())
}

#[track_caller]
fn wait_for(world: &Workspace, name: &str, standing: &str, limit: Duration) {
    world.wait_until(&format!("{name} is {standing}"), limit, |world| {
        lease(world, name).is_some_and(|lease| lease["standing"] == standing)
    });
}

/// The version of the job that is live.
fn live(world: &Workspace) -> Option<String> {
    let target = world.aws.targets(&format!("etl-{JOB}")).into_iter().next()?;
    let revision = world.aws.revision(target["EcsParameters"]["TaskDefinitionArn"].as_str()?)?;
    Some(revision["taskDefinition"]["containerDefinitions"][0]["image"].as_str()?.to_owned())
}

#[track_caller]
fn wait_for_version(world: &Workspace, number: u32, limit: Duration) {
    world.wait_until(&format!("version {number} is live"), limit, |world| {
        world.aws.rule(&format!("etl-{JOB}")).is_some() && live(world) == Some(version(number).image)
    });
}

/// One dies, another takes over when it may, and hands over at once when it is asked to end.
fn check(kind: Kind) {
    let world = world(kind);
    let first = start(&world, "first", TABLE);
    wait_for_version(&world, 1, SLACK);
    wait_for(&world, "first", "holder", SLACK);
    let second = start(&world, "second", TABLE);
    wait_for(&world, "second", "standby", SLACK);
    let holder = format!("/{}", first.id());
    assert!(lease(&world, "second").is_some_and(|lease| lease["holder"].to_string().contains(&holder)));
    // Longer than a lease: the holder renews it, and the standby goes on waiting.
    sleep(LEASE + CALL + LOOK);
    wait_for(&world, "first", "holder", Duration::ZERO);
    wait_for(&world, "second", "standby", Duration::ZERO);

    // Killed.
    drop(first);
    let died = Instant::now();
    world.write_job(&version(2));
    let earliest = LEASE + CALL - RENEWAL;
    while died.elapsed() < earliest - Duration::from_secs(1) {
        assert_eq!(live(&world), Some(version(1).image), "too early, after {:?}", died.elapsed());
        wait_for(&world, "second", "standby", Duration::ZERO);
        sleep(Duration::from_millis(200));
    }
    wait_for_version(&world, 2, RENEWAL + LOOK + SLACK);

    // Asked to end.
    let third = start(&world, "third", TABLE);
    wait_for(&world, "third", "standby", SLACK);
    second.signal("TERM");
    let ended = second.wait(SLACK).expect_code(0);
    assert!(ended.stderr.contains("lease released"), "{ended}");
    let handed_over = Instant::now();
    world.write_job(&version(3));
    wait_for_version(&world, 3, LOOK + SLACK);
    assert!(handed_over.elapsed() < CALL, "{:?}", handed_over.elapsed());
    third.signal("TERM");
    third.wait(SLACK).expect_code(0);
}

#[test]
fn a_standby_follows_a_killed_holder_in_time_and_one_that_ends_at_once_on_moto() {
    check(Kind::Moto);
}

#[test]
fn a_standby_follows_a_killed_holder_in_time_and_one_that_ends_at_once_on_ministack() {
    check(Kind::Ministack);
}

#[test]
fn a_table_that_is_not_there_ends_the_daemon_with_what_to_do() {
    let world = world(Kind::Moto);
    let outcome = start(&world, "status", "elsewhere").wait(SLACK).expect_code(1);
    for words in
        ["ResourceNotFoundException", "aws dynamodb create-table", "--table-name elsewhere", "AttributeName=id"]
    {
        assert!(outcome.stderr.contains(words), "{words}\n{outcome}");
    }
    assert_eq!(world.aws.rule(&format!("etl-{JOB}")), None, "nothing was written");
}

#[test]
fn an_aws_without_dynamodb_has_no_lease() {
    let world = world(Kind::Moto);
    let mut command = world.command(&["run", "manifests", "--lease", "dynamodb:lease", "--endpoint", "embedded"]);
    command.env("AWS_REGION", REGION);
    let outcome = program::run(command).expect_code(64);
    assert!(outcome.stderr.contains("--lease needs an AWS with DynamoDB"), "{outcome}");
}
