//! One question, one answer; absence is an answer, and only absence.

use ecs_etl_aws::Answer;
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{LiveRule, Look, RevisionArn, RuleState};
use ecs_etl_plan::step::Action;

use crate::world::{family, put_targets, rule, tags, task_definition, world};

#[tokio::test(start_paused = true)]
async fn a_registered_revision_is_found_with_its_content_and_tags() {
    let world = world().await;
    let registered = world.register("etl-a").await;
    assert_eq!(registered.arn.as_str(), "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:1");
    assert_eq!(registered.normal, normalise::task_definition(&task_definition()));
    assert_eq!(registered.tags, tags(&[("ecs-etl/controller", "default"), ("team", "x")]));

    let found = world.look(Look::Revision(registered.arn.clone())).await;
    assert_eq!(found, Answer::Revision(Some(registered)));
}

#[tokio::test(start_paused = true)]
async fn active_revisions_come_newest_first_and_without_those_of_longer_names() {
    let world = world().await;
    let first = world.register("etl-a").await.arn;
    world.register("etl-a-b").await;
    let second = world.register("etl-a").await.arn;
    let third = world.register("etl-a").await.arn;
    world.act(Action::DeregisterTaskDefinition { revision: second.clone() }).await;

    assert_eq!(world.look(Look::Active(family("etl-a"))).await, Answer::Active(vec![third, first]));
    assert_eq!(world.look(Look::Active(family("etl-none"))).await, Answer::Active(vec![]));

    let Answer::Revision(Some(inactive)) = world.look(Look::Revision(second.clone())).await else {
        panic!("a deregistered revision can still be looked at");
    };
    assert_eq!(inactive.arn, second);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_never_was_is_absent() {
    let world = world().await;
    let arn = RevisionArn::parse("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:7").unwrap();
    assert_eq!(world.look(Look::Revision(arn)).await, Answer::Revision(None));
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_found_with_all_that_a_decision_needs() {
    let world = world().await;
    let arn = world.put_rule("etl-a").await;
    let expected = LiveRule {
        name: rule("etl-a"),
        arn: arn.clone(),
        expression: Some("cron(0 2 * * ? *)".to_owned()),
        event_pattern: None,
        timing: None,
        state: RuleState::Enabled,
        description: Some("made by a test".to_owned()),
        role_arn: None,
        managed_by: None,
    };
    assert_eq!(world.look(Look::Rule(rule("etl-a"))).await, Answer::Rule(Some(expected.clone())));
    assert_eq!(world.aws.list_rules(&world.place, "etl-").await.unwrap(), [expected], "both ways of reading agree");
    let found = world.look(Look::RuleTags(rule("etl-a"), arn)).await;
    assert_eq!(found, Answer::RuleTags(tags(&[("ecs-etl/controller", "default")])));
    assert_eq!(world.targets("etl-a").await, []);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_missing_rule_is_an_error() {
    let world = world().await;
    let arn = "arn:aws:events:eu-west-1:123456789012:rule/etl-a".to_owned();
    assert_eq!(world.look(Look::Rule(rule("etl-a"))).await, Answer::Rule(None));
    assert_eq!(world.look(Look::Targets(rule("etl-a"))).await, Answer::Targets(vec![]));
    assert_eq!(world.look(Look::RuleTags(rule("etl-a"), arn)).await, Answer::RuleTags(tags(&[])));
}

#[tokio::test(start_paused = true)]
async fn a_target_comes_back_as_it_was_put() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    world.put_rule("etl-a").await;
    world.act(put_targets("etl-a", &revision)).await;
    let mut expected = crate::world::target();
    expected.ecs_parameters.as_mut().unwrap().task_definition_arn = Some(revision.as_str().to_owned());
    let found = world.targets("etl-a").await;
    let normal: Vec<_> = found.iter().map(normalise::target).collect();
    assert_eq!(normal, [normalise::target(&expected)]);
}

#[tokio::test(start_paused = true)]
async fn another_client_exception_is_no_absence() {
    let world = world().await;
    let arn = world.register("etl-a").await.arn;
    world.wire.refuse("ecs:DescribeTaskDefinition", 400, "ClientException", "Unable to describe task definition");
    assert!(world.try_look(Look::Revision(arn)).await.is_err(), "the sentence must be AWS's to the full stop");
    world.wire.refuse("events:DescribeRule", 400, "ValidationException", "Rule etl-a does not exist");
    assert!(world.try_look(Look::Rule(rule("etl-a"))).await.is_err());
}
