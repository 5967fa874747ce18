//! After each write, the facts are what AWS would answer now.

use std::collections::BTreeMap;

use ecs_etl_plan::desired::Trigger;
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::LiveRevision;
use ecs_etl_plan::step::RevisionRef;
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::name::RuleName;
use ecs_etl_spec::schedule::Schedule;
use ecs_etl_spec::shapes::TaskDefinition;

use super::*;

const RULE_ARN: &str = "arn:aws:events:eu-west-1:123456789012:rule/etl-a";

fn rule() -> RuleName {
    RuleName::new("etl-a").unwrap()
}

fn family() -> Family {
    Family::new("etl-a").unwrap()
}

fn arn(revision: u64) -> RevisionArn {
    RevisionArn::parse(&format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/etl-a:{revision}")).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn target(id: &str) -> Target {
    Target { id: Some(id.to_owned()), ..Target::default() }
}

fn put_rule(expression: &str, create: bool, tags: Tags) -> Action {
    Action::PutRule {
        rule: rule(),
        trigger: Trigger::Schedule(Schedule::parse(expression).unwrap()),
        state: RuleState::Enabled,
        description: "ours".to_owned(),
        create,
        tags,
    }
}

fn registered(revision: u64) -> Done {
    let normal = normalise::task_definition(&TaskDefinition::default());
    Done::Registered(LiveRevision { arn: arn(revision), normal, tags: tags(&[("a", "1")]) })
}

/// One revision, and one rule with a target of ours and a stranger's.
fn facts() -> Observed {
    let mut facts = Observed {
        active: BTreeMap::from([(family(), Fact::Known(Vec::new()))]),
        rules: BTreeMap::from([(rule(), Fact::Known(None))]),
        ..Observed::default()
    };
    let register =
        Action::RegisterTaskDefinition { family: family(), task_definition: Box::default(), tags: Tags::new() };
    apply(&mut facts, &register, None, &registered(1));
    let put = put_rule("rate(1 day)", true, tags(&[("a", "1")]));
    apply(&mut facts, &put, None, &Done::RulePut { arn: RULE_ARN.to_owned() });
    facts.targets.insert(rule(), Fact::Known(vec![target("ecs-etl"), target("theirs")]));
    facts
}

fn after(action: &Action, pinned: Option<&RevisionArn>) -> Observed {
    let mut facts = facts();
    apply(&mut facts, action, pinned, &Done::Done);
    facts
}

fn live(facts: &Observed) -> &LiveRule {
    facts.rules[&rule()].known().unwrap().as_ref().unwrap()
}

fn ids(facts: &Observed) -> Vec<&str> {
    facts.targets[&rule()].known().unwrap().iter().map(|target| target.id.as_deref().unwrap()).collect()
}

#[test]
fn what_was_created_is_there_with_its_tags_and_without_targets() {
    let mut facts = facts();
    assert_eq!(facts.active[&family()], Fact::Known(vec![arn(1)]));
    assert_eq!(live(&facts).arn, RULE_ARN);
    assert_eq!(facts.rule_tags[&rule()], Fact::Known(tags(&[("a", "1")])));
    facts.rules.insert(rule(), Fact::Known(None));
    apply(
        &mut facts,
        &put_rule("rate(1 day)", false, tags(&[("b", "2")])),
        None,
        &Done::RulePut { arn: RULE_ARN.to_owned() },
    );
    assert_eq!(facts.targets[&rule()], Fact::Known(Vec::new()));
}

#[test]
fn a_rule_put_again_keeps_its_tags_and_targets() {
    let facts = after(&put_rule("rate(2 days)", false, Tags::new()), None);
    assert_eq!(live(&facts).expression.as_deref(), Some("rate(2 days)"));
    assert_eq!(facts.rule_tags[&rule()], Fact::Known(tags(&[("a", "1")])));
    assert_eq!(ids(&facts), ["ecs-etl", "theirs"]);
}

#[test]
fn a_target_put_replaces_the_one_of_its_id_and_pins_its_revision() {
    let revision = Some(RevisionRef::Existing(arn(1)));
    let put = Action::PutTargets { rule: rule(), target: Box::new(target("ecs-etl")), revision };
    let facts = after(&put, Some(&arn(1)));
    assert_eq!(ids(&facts), ["theirs", "ecs-etl"]);
    let ours = &facts.targets[&rule()].known().unwrap()[1];
    let pinned = ours.ecs_parameters.as_ref().unwrap().task_definition_arn.as_deref();
    assert_eq!(pinned, Some(arn(1).as_str()));
}

#[test]
fn a_rule_is_switched_off_and_on() {
    let mut facts = after(&Action::DisableRule { rule: rule() }, None);
    assert_eq!(live(&facts).state, RuleState::Disabled);
    apply(&mut facts, &Action::EnableRule { rule: rule() }, None, &Done::Done);
    assert_eq!(live(&facts).state, RuleState::Enabled);
}

#[test]
fn what_was_removed_is_known_to_be_gone() {
    let facts = after(&Action::RemoveTargets { rule: rule(), ids: vec!["ecs-etl".to_owned()] }, None);
    assert_eq!(ids(&facts), ["theirs"]);
    let facts = after(&Action::DeleteRule { rule: rule() }, None);
    assert_eq!(facts.rules[&rule()], Fact::Known(None));
    assert!(facts.targets.is_empty() && facts.rule_tags.is_empty());
    let facts = after(&Action::DeregisterTaskDefinition { revision: arn(1) }, None);
    assert_eq!(facts.active[&family()], Fact::Known(Vec::new()));
    assert!(facts.revisions.is_empty());
}

#[test]
fn tags_are_set_and_removed_where_they_were_asked_for() {
    let facts = after(&Action::TagRule { arn: RULE_ARN.to_owned(), tags: tags(&[("b", "2")]) }, None);
    assert_eq!(facts.rule_tags[&rule()], Fact::Known(tags(&[("a", "1"), ("b", "2")])));
    let facts = after(&Action::UntagRule { arn: RULE_ARN.to_owned(), keys: vec!["a".to_owned()] }, None);
    assert_eq!(facts.rule_tags[&rule()], Fact::Known(Tags::new()));
    let of_revision = |facts: &Observed| facts.revisions[&arn(1)].known().unwrap().as_ref().unwrap().tags.clone();
    let facts = after(&Action::TagRevision { revision: arn(1), tags: tags(&[("b", "2")]) }, None);
    assert_eq!(of_revision(&facts), tags(&[("a", "1"), ("b", "2")]));
    let facts = after(&Action::UntagRevision { revision: arn(1), keys: vec!["a".to_owned()] }, None);
    assert_eq!(of_revision(&facts), Tags::new());
}
