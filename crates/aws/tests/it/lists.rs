//! A list is read to its end or it fails: a part of one must never look like the whole.

use ecs_etl_aws::Answer;
use ecs_etl_emulator::door::Fault;
use ecs_etl_plan::observed::Look;
use serde_json::json;

use crate::world::{family, rule, world};

#[tokio::test(start_paused = true)]
async fn every_page_of_the_rules_is_read_and_only_our_names_are_kept() {
    let world = world().await;
    for i in 0..250 {
        world.put_rule(&format!("etl-{i:03}")).await;
    }
    world.put_rule("etl").await;
    world.put_rule("etlx001").await;
    world.wire.meter.reset();
    let rules = world.aws.list_rules(&world.place, "etl-").await.unwrap();
    assert_eq!(rules.len(), 250);
    assert!(rules.iter().all(|rule| rule.name.as_str().starts_with("etl-")));
    assert_eq!(world.wire.meter.count("events:ListRules"), 3);
    assert_eq!(world.wire.meter.total(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_page_of_the_active_revisions_is_read_and_grouped_newest_first() {
    let world = world().await;
    for i in 0..210 {
        world.register(&format!("etl-{}", i % 3)).await;
    }
    world.register("other").await;
    world.wire.meter.reset();
    let families = world.aws.list_active_revisions(&world.place, "etl-").await.unwrap();
    assert_eq!(world.wire.meter.count("ecs:ListTaskDefinitions"), 3);
    let names: Vec<&str> = families.keys().map(|family| family.as_str()).collect();
    assert_eq!(names, ["etl-0", "etl-1", "etl-2"]);
    for revisions in families.values() {
        let numbers: Vec<u64> = revisions.iter().map(|revision| revision.revision()).collect();
        assert_eq!(numbers, (1..=70).rev().collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_family_with_many_revisions_is_read_to_its_end() {
    let world = world().await;
    for _ in 0..120 {
        world.register("etl-a").await;
    }
    let Answer::Active(revisions) = world.look(Look::Active(family("etl-a"))).await else { panic!("wrong answer") };
    assert_eq!(revisions.len(), 120);
    assert!(revisions.is_sorted_by(|a, b| a.revision() > b.revision()));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_fails_the_list() {
    let world = world().await;
    for i in 0..150 {
        world.put_rule(&format!("etl-{i:03}")).await;
    }
    world.wire.next("events:ListRules", Fault::none());
    world.wire.refuse("events:ListRules", 500, "InternalException", "oops");
    assert!(world.aws.list_rules(&world.place, "etl-").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_leads_back_to_itself_fails() {
    let world = world().await;
    for _ in 0..2 {
        world.wire.answer("events:ListRules", 200, r#"{"Rules":[],"NextToken":"again"}"#);
        world.wire.answer("ecs:ListTaskDefinitions", 200, r#"{"taskDefinitionArns":[],"nextToken":"again"}"#);
        world.wire.answer("events:ListTargetsByRule", 200, r#"{"Targets":[],"NextToken":"again"}"#);
    }
    let errors = [
        world.aws.list_rules(&world.place, "etl-").await.unwrap_err(),
        world.aws.list_active_revisions(&world.place, "etl-").await.unwrap_err(),
        world.try_look(Look::Targets(rule("etl-a"))).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.failure().code, "Response", "{error}");
    }
    assert_eq!(world.wire.meter.total(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_list_with_nonsense_in_it_fails() {
    let world = world().await;
    for body in [
        r#"{"taskDefinitionArns":["etl-a:1"]}"#,
        r#"{"taskDefinitionArns":["arn:aws:ecs:eu-west-1:1:task-definition/etl-a:one"]}"#,
    ] {
        world.wire.answer("ecs:ListTaskDefinitions", 200, body);
        let error = world.aws.list_active_revisions(&world.place, "etl-").await.unwrap_err();
        assert_eq!(error.failure().code, "Response", "{error}");
    }
    for body in [
        r#"{"Rules":[{"Arn":"arn:aws:events:eu-west-1:1:rule/etl-a","State":"ENABLED"}]}"#,
        r#"{"Rules":[{"Name":"etl-a","State":"ENABLED"}]}"#,
        r#"{"Rules":[{"Name":"etl-a","Arn":"arn:aws:events:eu-west-1:1:rule/etl-b","State":"ENABLED"}]}"#,
        r#"{"Rules":[{"Name":"etl-a","Arn":"arn:aws:events:eu-west-1:1:rule/etl-a"}]}"#,
    ] {
        world.wire.answer("events:ListRules", 200, body);
        let error = world.aws.list_rules(&world.place, "etl-").await.unwrap_err();
        assert_eq!(error.failure().code, "Response", "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_strangers_odd_name_spoils_no_list() {
    let world = world().await;
    let body = r#"{"Rules":[{"Name":"etl-a b","Arn":"x","State":"ENABLED"}],"NextToken":""}"#;
    world.wire.answer("events:ListRules", 200, body);
    assert_eq!(world.aws.list_rules(&world.place, "etl-").await.unwrap(), []);
    let body = r#"{"taskDefinitionArns":["arn:aws:ecs:eu-west-1:1:task-definition/a b:1"]}"#;
    world.wire.answer("ecs:ListTaskDefinitions", 200, body);
    assert!(world.aws.list_active_revisions(&world.place, "etl-").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn schedules_of_every_group_are_listed_by_the_prefix_of_their_names() {
    let world = world().await;
    for (group, count) in [("default", 0..120), ("batch", 100..140)] {
        if group != "default" {
            world.scheduler(&format!("/schedule-groups/{group}"), json!({})).await;
        }
        for i in count {
            let body = json!({
                "GroupName": group, "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": format!("arn:aws:sqs:eu-west-1:123456789012:{group}"),
                    "RoleArn": "arn:aws:iam::123456789012:role/scheduler"},
            });
            world.scheduler(&format!("/schedules/s-{i:03}"), body).await;
        }
    }
    world.wire.meter.reset();
    let listed = world.aws.list_all_schedules(&world.place, "").await.unwrap();
    assert_eq!((listed.len(), world.wire.meter.count("scheduler:ListSchedules")), (160, 2));
    let listed = world.aws.list_all_schedules(&world.place, "s-10").await.unwrap();
    let mut groups: Vec<&str> = listed.iter().map(|one| one.name.group().unwrap().as_str()).collect();
    groups.sort_unstable();
    assert_eq!(groups, [["batch"; 10], ["default"; 10]].concat());
    assert!(listed.iter().all(|one| one.target.ends_with(one.name.group().unwrap().as_str())));
}
