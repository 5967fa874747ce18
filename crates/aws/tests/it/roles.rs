//! Accounts, Regions and assumed roles.

use std::time::Duration;

use ecs_etl_aws::{Answer, Urgency};
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::failure::RetryClass;
use ecs_etl_plan::observed::Look;
use ecs_etl_spec::job::Place;

use crate::world::{World, place, put_rule, rule, world};

const ROLE: &str = "arn:aws:iam::210987654321:role/etl";

async fn has_rule(world: &World, place: &Place) -> bool {
    let answer = world.aws.look(place, &Look::Rule(rule("etl-a")), Urgency::Edit).await.unwrap();
    let Answer::Rule(found) = answer else { panic!("{answer:?}") };
    found.is_some()
}

#[tokio::test(start_paused = true)]
async fn the_account_is_asked_once_for_each_role() {
    let world = world().await;
    let (home, away) = (place("eu-west-1", None), place("eu-west-1", Some(ROLE)));
    for _ in 0..3 {
        assert_eq!(world.aws.account(&home).await.unwrap().as_str(), "123456789012");
        assert_eq!(world.aws.account(&place("us-east-1", None)).await.unwrap().as_str(), "123456789012");
        assert_eq!(world.aws.account(&away).await.unwrap().as_str(), "210987654321");
    }
    assert_eq!(world.wire.meter.count("sts:GetCallerIdentity"), 2);
    assert_eq!(world.wire.meter.count("sts:AssumeRole"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_asks_at_the_same_time_waits_for_one_answer() {
    let world = world().await;
    let away = place("eu-west-1", Some(ROLE));
    let asked = futures::future::join_all((0..20).map(|_| world.aws.account(&away))).await;
    assert!(asked.iter().all(Result::is_ok));
    assert_eq!(world.wire.meter.total(), 2, "{:?}", world.wire.meter.counts());
}

#[tokio::test(start_paused = true)]
async fn a_role_writes_in_its_own_account_and_region() {
    let world = world().await;
    let away = place("eu-west-1", Some(ROLE));
    world.aws.act(&away, &put_rule("etl-a"), None, Urgency::Edit).await.unwrap();
    assert!(has_rule(&world, &away).await);
    assert!(!has_rule(&world, &place("us-east-1", Some(ROLE))).await);
    assert!(!has_rule(&world, &place("eu-west-1", None)).await);
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_once_for_all_clients_and_again_before_it_ends() {
    let world = world().await;
    let away = place("eu-west-1", Some(ROLE));
    let assumed = || world.wire.meter.count("sts:AssumeRole");
    let call_all = async || {
        world.aws.list_rules(&away, "etl-").await.unwrap();
        world.aws.list_active_revisions(&away, "etl-").await.unwrap();
    };
    call_all().await;
    world.aws.account(&away).await.unwrap();
    assert_eq!(assumed(), 1);
    tokio::time::advance(Duration::from_secs(50 * 60)).await;
    call_all().await;
    assert_eq!(assumed(), 1, "an hour is not over");
    tokio::time::advance(Duration::from_secs(20 * 60)).await;
    call_all().await;
    assert_eq!(assumed(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed_is_a_slow_failure_of_its_own() {
    let world = world().await;
    let mut away = place("eu-west-1", Some(ROLE));
    away.external_id = Some("a-shared-secret".to_owned());
    let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: \
                   arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole</Message></Error>\
                   <RequestId>1</RequestId></ErrorResponse>";
    for _ in 0..2 {
        world.wire.answer("sts:AssumeRole", 403, refusal);
    }
    let read = world.aws.account(&away).await.unwrap_err();
    let write = world.aws.act(&away, &put_rule("etl-a"), None, Urgency::Edit).await.unwrap_err();
    for error in [read, write] {
        let failure = error.failure();
        assert_eq!((failure.operation, failure.resource.as_str()), ("AssumeRole", ROLE));
        assert_eq!((failure.code.as_str(), failure.class), ("AccessDenied", RetryClass::Slow));
        assert!(!failure.ambiguous, "nothing was sent");
        assert!(failure.message.contains("not authorized to perform: sts:AssumeRole"), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("a-shared-secret"), "{failure:?}");
    }
    assert_eq!(world.wire.meter.count("events:PutRule"), 0);
    world.aws.account(&away).await.expect("a failure is not kept");
}

#[tokio::test(start_paused = true)]
async fn sts_out_of_reach_is_tried_again_soon() {
    let world = world().await;
    let away = place("eu-west-1", Some(ROLE));
    world.wire.next("sts:AssumeRole", Fault::lost_answer());
    let error = world.aws.act(&away, &put_rule("etl-a"), None, Urgency::Edit).await.unwrap_err();
    let failure = error.failure();
    assert_eq!(
        (failure.operation, failure.code.as_str(), failure.class),
        ("AssumeRole", "Connection", RetryClass::Soon)
    );
    assert!(!failure.ambiguous, "the write itself was never sent");
}

#[tokio::test(start_paused = true)]
async fn one_region_that_hangs_holds_up_no_other() {
    let world = world().await;
    let (slow, quick) = (place("us-east-1", Some(ROLE)), place("eu-west-1", Some(ROLE)));
    world.wire.next("sts:AssumeRole", Fault { before: Duration::from_secs(9), ..Fault::none() });
    let hanging = world.aws.list_rules(&slow, "etl-");
    let other = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        tokio::time::timeout(Duration::from_secs(1), world.aws.list_rules(&quick, "etl-")).await
    };
    let (hanging, other) = tokio::join!(hanging, other);
    assert!(hanging.is_ok() && other.is_ok_and(|list| list.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_replaced() {
    let world = world().await;
    let away = place("eu-west-1", Some(ROLE));
    world.aws.list_rules(&away, "etl-").await.unwrap();
    world.wire.refuse("events:ListRules", 400, "ExpiredTokenException", "The security token included is expired");
    let error = world.aws.list_rules(&away, "etl-").await.unwrap_err();
    assert_eq!(error.failure().class, RetryClass::Soon);
    world.aws.list_rules(&away, "etl-").await.unwrap();
    assert_eq!(world.wire.meter.count("sts:AssumeRole"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_account_is_no_answer() {
    let world = world().await;
    let empty =
        "<GetCallerIdentityResponse><GetCallerIdentityResult></GetCallerIdentityResult></GetCallerIdentityResponse>";
    world.wire.answer("sts:GetCallerIdentity", 200, empty);
    let error = world.aws.account(&world.place).await.unwrap_err();
    assert_eq!(error.failure().code, "Response", "{error}");
    assert_eq!(world.aws.account(&world.place).await.unwrap().as_str(), "123456789012");
}
