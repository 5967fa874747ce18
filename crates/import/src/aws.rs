//! What lives in AWS: rules on a schedule that start ECS tasks, and their task definitions.
//!
//! The caller has read it; here it is only looked at. What a controller of ecs-etl owns already is left alone.

use std::collections::BTreeMap;

use ecs_etl_plan::observed::{LiveRevision, LiveRule, RuleState};
use ecs_etl_plan::tags::{CONTROLLER, Tags};
use ecs_etl_spec::name::Region;
use ecs_etl_spec::shapes::events::Target;
use ecs_etl_spec::yaml::Node;
use serde_json::json;

use crate::finding::Kind;
use crate::found::{Found, Origin, Run};
use crate::rule::{self, Rule};
use crate::target::{self, PASCAL};
use crate::task_definition::TaskDefinition;

/// Tag by which CloudFormation says that a resource is its own (docs/aws.md, Rules and targets).
const STACK: &str = "aws:cloudformation:stack-name";

/// A live rule with what belongs to it.
#[derive(Debug, Clone)]
pub struct Live {
    /// The rule.
    pub rule: LiveRule,
    /// Its tags.
    pub tags: Tags,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// Everything that was read of a Region.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The Region.
    pub region: Region,
    /// Rules of the default bus.
    pub rules: Vec<Live>,
    /// Revisions by what targets call them: an ARN with a revision, or without one for the newest.
    pub revisions: BTreeMap<String, LiveRevision>,
}

/// Looks at what was read.
#[must_use]
pub fn read(facts: &Facts) -> Found {
    let mut found = Found::default();
    for live in &facts.rules {
        live_rule(live, facts, &mut found);
    }
    found
}

fn live_rule(live: &Live, facts: &Facts, found: &mut Found) {
    let Live { rule, tags, targets } = live;
    let LiveRule { name, arn: _, expression, event_pattern, timing: _, state, description, role_arn: _, managed_by } =
        rule;
    let origin = Origin { file: facts.region.to_string(), line: 0 };
    let mut run = Run::new(origin, format!("rule {name}"), name.to_string());
    run.region = Some(facts.region.to_string());
    run.schedule.clone_from(expression);
    run.description.clone_from(description);
    run.suspend = match state {
        RuleState::Enabled | RuleState::Other(_) => json!(false),
        RuleState::Disabled => json!(true),
    };
    run.labels = people_s(tags);
    let nodes: Vec<Node> =
        targets.iter().map(|target| target::node(serde_json::to_value(target).unwrap_or_default())).collect();
    if !nodes.iter().any(|node| target::starts_task(node, &PASCAL)) {
        return;
    }
    let owner = match (managed_by, tags.get(CONTROLLER)) {
        (Some(service), _) => Some(format!("{service} manages this rule")),
        (None, Some(controller)) => Some(format!("the controller {controller} of ecs-etl owns this rule already")),
        (None, None) => None,
    };
    if let Some(why) = owner {
        found.findings.push(run.about(Kind::NotCarriedOver, why, "nothing"));
        return;
    }
    let kept = tags.get(STACK).map(|stack| {
        let why = format!("the CloudFormation stack {stack} owns the rule that starts it today");
        let action = format!("take the rule out of its stack with `DeletionPolicy: Retain`, then write `adopt: {{rules: [{name}]}}` in place of this line");
        (why, action)
    });
    let list: Vec<rule::Target<'_>> =
        nodes.iter().zip(targets).map(|(node, target)| (node, format!("target {}", id(target)))).collect();
    let known = |written: &Node| facts.revisions.get(written.text()?).map(definition);
    let rule = Rule { run, name: Some(name.to_string()), pattern: event_pattern.is_some(), left: Vec::new(), kept };
    rule::runs(rule, &list, &PASCAL, &["Id"], known, found);
}

fn id(target: &Target) -> &str {
    target.id.as_deref().unwrap_or_default()
}

/// A revision in its normal form: what AWS filled in is left out.
fn definition(revision: &LiveRevision) -> TaskDefinition {
    TaskDefinition {
        family: Some(revision.arn.family().to_owned()),
        labels: people_s(&revision.tags),
        definition: revision.normal.value().as_object().cloned().unwrap_or_default(),
        left: Vec::new(),
    }
}

/// Tags that people gave; AWS's own say what it will go on to say.
fn people_s(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(|(key, value)| (key.clone(), value.clone())).collect()
}
