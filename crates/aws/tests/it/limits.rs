//! The call budget as the controller meets it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecs_etl_aws::{Bucket, CallRecord, Options, Reservation, Urgency};
use ecs_etl_plan::step::Action;
use ecs_etl_spec::name::AccountId;
use tokio::time::Instant;

use crate::world::{place, put_rule, register, rule, world, world_with};

fn limited() -> Options {
    Options { limits: Some(true), ..Options::default() }
}

fn account() -> AccountId {
    AccountId::new("123456789012").unwrap()
}

#[tokio::test(start_paused = true)]
async fn reads_keep_to_the_share_of_their_bucket() {
    let world = world_with(limited()).await;
    let start = Instant::now();
    for _ in 0..51 {
        world.aws.list_rules(&world.place, "etl-").await.unwrap();
    }
    assert_eq!(start.elapsed().as_millis(), 2000, "25 a second after the first");
    let other = Instant::now();
    world.aws.list_active_revisions(&world.place, "etl-").await.unwrap();
    world.aws.list_rules(&place("us-east-1", None), "etl-").await.unwrap();
    assert_eq!(other.elapsed(), Duration::ZERO, "another bucket, another Region");
}

#[tokio::test(start_paused = true)]
async fn without_limits_nothing_waits() {
    let world = world().await;
    let start = Instant::now();
    for _ in 0..200 {
        world.aws.list_rules(&world.place, "etl-").await.unwrap();
        let granted = world.aws.reserve(&world.place, &account(), &[&register("etl-a")], Urgency::Drift, "a");
        assert_eq!(granted, Reservation::Granted);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_reserved_whole_and_keeps_its_place() {
    let world = world_with(limited()).await;
    let (first, put) = (register("etl-a"), put_rule("etl-a"));
    let enable = Action::EnableRule { rule: rule("etl-a") };
    let plan = [&first, &put, &enable];
    let reserve = |ticket: &str| world.aws.reserve(&world.place, &account(), &plan, Urgency::Create, ticket);
    let start = Instant::now();
    assert_eq!(reserve("a"), Reservation::Wait { bucket: Bucket::Events, until: start + Duration::from_millis(40) });
    tokio::time::advance(Duration::from_millis(40)).await;
    assert_eq!(reserve("a"), Reservation::Granted);
    let next = Reservation::Wait { bucket: Bucket::TaskDefinitionModify, until: start + Duration::from_secs(2) };
    assert_eq!(reserve("b"), next);
    assert_eq!(reserve("b"), next);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(reserve("b"), Reservation::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_of_aws_slows_the_bucket_for_everybody() {
    let world = world_with(limited()).await;
    world.aws.list_rules(&world.place, "etl-").await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    world.wire.refuse("events:ListRules", 400, "ThrottlingException", "Rate exceeded");
    world.aws.list_rules(&world.place, "etl-").await.unwrap_err();
    let start = Instant::now();
    world.aws.list_rules(&world.place, "etl-").await.unwrap();
    // A second of rest and one call's forty milliseconds, at seven tenths of the rate from now on.
    assert_eq!(start.elapsed().as_millis(), 1486);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_given_up_leaves_the_line() {
    let world = world_with(limited()).await;
    world.aws.list_rules(&world.place, "etl-").await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(1), world.aws.list_rules(&world.place, "etl-")).await;
    assert!(given_up.is_err());
    let start = Instant::now();
    world.aws.list_rules(&world.place, "etl-").await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 39, "nobody is ahead any more");
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_every_call() {
    let records: Arc<Mutex<Vec<CallRecord>>> = Arc::default();
    let seen = Arc::clone(&records);
    let observer: ecs_etl_aws::Observer = Arc::new(move |record| seen.lock().unwrap().push(record.clone()));
    let world = world_with(Options { observer: Some(observer), ..Options::default() }).await;
    world.put_rule("etl-a").await;
    world.wire.refuse("events:ListRules", 400, "ThrottlingException", "Rate exceeded");
    world.aws.list_rules(&world.place, "etl-").await.unwrap_err();
    let records = records.lock().unwrap();
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.operation.iam_action(), record.resource.as_str(), record.code.as_deref()))
        .collect();
    let expected = [
        ("events:PutRule".to_owned(), "etl-a", None),
        ("events:ListRules".to_owned(), "etl-", Some("ThrottlingException")),
    ];
    assert_eq!(told, expected);
}
