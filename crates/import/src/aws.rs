//! What lives in AWS: rules on a schedule that start ECS tasks, schedules of EventBridge Scheduler that do, and their task
//! definitions.
//!
//! The caller has read it; here it is only looked at. What a controller of ecs-etl owns already is left alone.

mod schedules;

use std::collections::BTreeMap;

use ecs_etl_plan::observed::{LiveRevision, LiveRule, RuleState};
use ecs_etl_plan::tags::{CONTROLLER, Tags};
use ecs_etl_spec::name::Region;
use ecs_etl_spec::shapes::events::Target;
use ecs_etl_spec::yaml::Node;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::finding::{Finding, Kind};
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

/// A live schedule of EventBridge Scheduler with what belongs to it.
#[derive(Debug, Clone)]
pub struct LiveSchedule {
    /// The schedule; its name says its group.
    pub schedule: LiveRule,
    /// Its target.
    pub target: Target,
    /// Tags of its group: schedules have none.
    pub group_tags: Tags,
}

/// Something that could not be read, or that nothing can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is.
    pub resource: String,
    /// Why.
    pub why: String,
    /// What to do about it.
    pub action: String,
}

/// Everything that was read of a Region.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The Region.
    pub region: Region,
    /// The present: what does not fire any more becomes no job.
    pub now: Timestamp,
    /// Rules of the default bus.
    pub rules: Vec<Live>,
    /// Schedules of any group.
    pub schedules: Vec<LiveSchedule>,
    /// What else there is.
    pub unread: Vec<Unread>,
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
    for live in &facts.schedules {
        schedules::live(live, facts, &mut found);
    }
    for Unread { resource, why, action } in &facts.unread {
        found.findings.push(Finding {
            kind: Kind::NotCarriedOver,
            file: facts.region.to_string(),
            line: 0,
            resource: resource.clone(),
            field: String::new(),
            why: why.clone(),
            action: action.clone(),
            manifest: None,
            path: None,
        });
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
    run.suspend = suspended(state);
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

fn suspended(state: &RuleState) -> Json {
    json!(!state.may_fire())
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
