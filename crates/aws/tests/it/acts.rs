//! Every write does what its name says, with one call, and says so.

use ecs_etl_aws::{Answer, Done, Urgency};
use ecs_etl_plan::failure::RetryClass;
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{Look, RuleState};
use ecs_etl_plan::step::{Action, RevisionRef};
use ecs_etl_spec::shapes::TrustedExecutionConfiguration;

use crate::world::{put_rule, put_targets, register, rule, tags, target, world};

#[tokio::test(start_paused = true)]
async fn each_action_is_one_call_of_its_operation() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    let arn = world.put_rule("etl-a").await;
    let keys = vec!["a".to_owned()];
    let name = || rule("etl-a");
    let actions = [
        ("ecs:RegisterTaskDefinition", register("etl-a")),
        ("events:PutRule", put_rule("etl-a")),
        ("events:PutTargets", put_targets("etl-a", &revision)),
        ("events:DisableRule", Action::DisableRule { rule: name() }),
        ("events:EnableRule", Action::EnableRule { rule: name() }),
        ("events:TagResource", Action::TagRule { arn: arn.clone(), tags: tags(&[("a", "1")]) }),
        ("events:UntagResource", Action::UntagRule { arn, keys: keys.clone() }),
        ("events:RemoveTargets", Action::RemoveTargets { rule: name(), ids: vec!["ecs-etl".to_owned()] }),
        ("events:DeleteRule", Action::DeleteRule { rule: name() }),
        ("ecs:TagResource", Action::TagRevision { revision: revision.clone(), tags: tags(&[("a", "1")]) }),
        ("ecs:UntagResource", Action::UntagRevision { revision: revision.clone(), keys }),
        ("ecs:DeregisterTaskDefinition", Action::DeregisterTaskDefinition { revision }),
    ];
    for (operation, action) in actions {
        world.wire.meter.reset();
        world.act(action).await;
        assert_eq!(world.wire.meter.counts().into_iter().collect::<Vec<_>>(), [(operation.to_owned(), 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_put_whole_disabled_and_enabled() {
    let world = world().await;
    let state = async || {
        let answer = world.look(Look::Rule(rule("etl-a"))).await;
        let Answer::Rule(Some(rule)) = answer else { panic!("{answer:?}") };
        rule.state
    };
    world.put_rule("etl-a").await;
    assert_eq!(state().await, RuleState::Enabled);
    world.act(Action::DisableRule { rule: rule("etl-a") }).await;
    assert_eq!(state().await, RuleState::Disabled);
    let Action::PutRule { rule: name, trigger, description, tags, .. } = put_rule("etl-a") else { unreachable!() };
    let action = Action::PutRule { rule: name, trigger, state: RuleState::Disabled, description, create: false, tags };
    world.act(action).await;
    assert_eq!(state().await, RuleState::Disabled, "a put without a state would have enabled it");
    world.act(Action::EnableRule { rule: rule("etl-a") }).await;
    assert_eq!(state().await, RuleState::Enabled);
}

#[tokio::test(start_paused = true)]
async fn tags_of_a_rule_are_set_and_removed() {
    let world = world().await;
    let arn = world.put_rule("etl-a").await;
    world.act(Action::TagRule { arn: arn.clone(), tags: tags(&[("a", "1"), ("b", "")]) }).await;
    world.act(Action::UntagRule { arn: arn.clone(), keys: vec!["a".to_owned()] }).await;
    let found = world.look(Look::RuleTags(rule("etl-a"), arn)).await;
    assert_eq!(found, Answer::RuleTags(tags(&[("b", ""), ("ecs-etl/controller", "default")])));
}

#[tokio::test(start_paused = true)]
async fn tags_of_a_revision_are_set_and_removed() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    let retired = tags(&[("ecs-etl/retired-at", "2026-01-02T03:04:05Z")]);
    world.act(Action::TagRevision { revision: revision.clone(), tags: retired }).await;
    world.act(Action::UntagRevision { revision: revision.clone(), keys: vec!["team".to_owned()] }).await;
    let Answer::Revision(Some(found)) = world.look(Look::Revision(revision)).await else { panic!("it is there") };
    let expected = tags(&[("ecs-etl/controller", "default"), ("ecs-etl/retired-at", "2026-01-02T03:04:05Z")]);
    assert_eq!(found.tags, expected);
}

#[tokio::test(start_paused = true)]
async fn a_target_pins_the_revision_that_an_earlier_step_registered() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    world.put_rule("etl-a").await;
    let step = Action::PutTargets {
        rule: rule("etl-a"),
        target: Box::new(target()),
        revision: Some(RevisionRef::FromStep(0)),
    };
    let unresolved = world.try_act(step.clone()).await.unwrap_err();
    assert_eq!(world.wire.meter.count("events:PutTargets"), 0, "nothing is sent without a revision to pin");
    assert_eq!(unresolved.failure().code, "Request");

    let done = world.aws.act(&world.place, &step, Some(&revision), Urgency::Edit).await.unwrap();
    assert_eq!(done, Done::Done);
    let pinned = world.targets("etl-a").await.remove(0).ecs_parameters.unwrap().task_definition_arn;
    assert_eq!(pinned.as_deref(), Some(revision.as_str()));
}

#[tokio::test(start_paused = true)]
async fn writes_on_a_rule_that_went_away_are_worth_another_look_soon() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    for action in [
        put_targets("etl-a", &revision),
        Action::EnableRule { rule: rule("etl-a") },
        Action::DisableRule { rule: rule("etl-a") },
        Action::RemoveTargets { rule: rule("etl-a"), ids: vec!["ecs-etl".to_owned()] },
    ] {
        let error = world.try_act(action).await.unwrap_err();
        let failure = error.failure();
        assert_eq!(
            (failure.code.as_str(), failure.class),
            ("ResourceNotFoundException", RetryClass::Soon),
            "{failure}"
        );
        assert!(!failure.ambiguous && failure.request_id.is_some(), "{failure:?}");
    }
    assert_eq!(world.act(Action::DeleteRule { rule: rule("etl-a") }).await, Done::Done, "deleting nothing succeeds");
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_still_has_targets_is_deleted_later() {
    let world = world().await;
    let revision = world.register("etl-a").await.arn;
    world.put_rule("etl-a").await;
    world.act(put_targets("etl-a", &revision)).await;
    let error = world.try_act(Action::DeleteRule { rule: rule("etl-a") }).await.unwrap_err();
    assert_eq!(error.failure().class, RetryClass::Soon, "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_is_told_in_its_words() {
    let world = world().await;
    let Action::PutRule { rule, trigger, state, create, tags, .. } = put_rule("etl-a") else { unreachable!() };
    let description = "x".repeat(513);
    let put = Action::PutRule { rule, trigger, state, description, create, tags };
    let error = world.try_act(put).await.unwrap_err();
    let failure = error.failure();
    assert_eq!(failure.class, RetryClass::Terminal);
    let words = failure.to_string();
    assert!(words.starts_with("PutRule on etl-a failed: ValidationException: 1 validation error detected"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_the_sdk_does_not_know_is_registered_all_the_same() {
    let world = world().await;
    let Action::RegisterTaskDefinition { family, mut task_definition, tags } = register("etl-a") else {
        unreachable!()
    };
    let isolated = TrustedExecutionConfiguration {
        isolation_mode: Some("ISOLATED_SANDBOX".to_owned()),
        ..TrustedExecutionConfiguration::default()
    };
    task_definition.trusted_execution_configuration = Some(isolated);
    let normal = normalise::task_definition(&task_definition);
    let done = world.act(Action::RegisterTaskDefinition { family, task_definition, tags }).await;
    let Done::Registered(revision) = done else { unreachable!("{done:?}") };
    assert_eq!(normalise::diff(&revision.normal, &normal), []);
}

#[tokio::test]
async fn calls_can_be_spawned() {
    let world = world().await;
    let aws = world.aws.clone();
    let place = world.place.clone();
    let spawned = tokio::spawn(async move {
        aws.account(&place).await.unwrap();
        aws.act(&place, &put_rule("etl-a"), None, Urgency::Edit).await.unwrap();
        aws.look(&place, &Look::Rule(rule("etl-a")), Urgency::Edit).await.unwrap();
        aws.list_rules(&place, "etl-").await.unwrap();
        aws.list_active_revisions(&place, "etl-").await.unwrap();
        aws.close().await;
    });
    spawned.await.unwrap();
    assert_eq!(world.wire.meter.total(), 5);
}
