//! [ecschedule](https://github.com/Songmu/ecschedule) configurations: rules that start task definitions by name.
//!
//! Read from the configuration's own structures in its `rule.go` and `config.go`, and from its README: a rule inherits
//! `region`, `cluster` and `role` from the file, the role is `ecsEventsRole` unless said, short names of roles, queues and
//! task definitions are of the same account.

use std::collections::BTreeMap;

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::{Entry, Node};
use serde_json::{Map, Value as Json, json};

use crate::finding::{Finding, Kind};
use crate::found::{Found, Origin, Run, Takeover, literal};
use crate::object::{Left, Object, scalar, truth};
use crate::shape::{self, Empty};
use crate::target::family;
use crate::task_definition::{self, TaskDefinition};
use crate::text::{self, File, ImportError};

/// The role that ecschedule takes where none is named.
const DEFAULT_ROLE: &str = "ecsEventsRole";

const DEFINITION: &str = "task definition: a map with `family` and `containerDefinitions`";

const EXPECTED: &str = "ecschedule configuration: a map with `rules`";

/// Reads a configuration, YAML or JSON; its rules start those of `task_definitions` that they name by family.
///
/// # Errors
///
/// A file cannot be read, or it is no configuration of ecschedule or no task definition.
pub fn read(file: &File<'_>, task_definitions: &[File<'_>]) -> Result<Found, ImportError> {
    let (root, mut templates) = text::templated(file, EXPECTED)?;
    let mut known = BTreeMap::new();
    for definition in task_definitions {
        let (node, of_file) = text::templated(definition, DEFINITION)?;
        let node = node.get("taskDefinition").unwrap_or(&node);
        let read = task_definition::of_api(node);
        let Some(family) = read.family.clone().filter(|_| node.get("containerDefinitions").is_some()) else {
            return Err(ImportError::Other { file: definition.name.to_owned(), expected: DEFINITION });
        };
        templates.extend(of_file);
        known.insert(family, read);
    }
    let other = || ImportError::Other { file: file.name.to_owned(), expected: EXPECTED };
    let rules = root.get("rules").and_then(Node::sequence).ok_or_else(other)?;
    let mut config = Object::new(&root, "");
    let base = Base { region: config.text("region"), cluster: config.text("cluster"), role: config.text("role") };
    // Where templates find their values, which nobody needs once they are filled in; and a mark of ecschedule's own.
    config.ignore(&["rules", "plugins", "trackingId"]);
    let mut found = Found { templates, ..Found::default() };
    for (index, rule) in rules.iter().enumerate() {
        let mut run = run(file, &base, rule, &format!("rules[{index}]"));
        define(&mut run, &known);
        found.runs.push(run);
    }
    let mut whole = Run::new(Origin { file: file.name.to_owned(), line: 0 }, String::new(), String::new());
    whole.left(config.finish(), "");
    found.findings.extend(whole.findings.into_iter().map(|finding| Finding { path: None, ..finding }));
    Ok(found)
}

/// What every rule inherits.
struct Base {
    region: Option<String>,
    cluster: Option<String>,
    role: Option<String>,
}

fn run(file: &File<'_>, base: &Base, node: &Node, path: &str) -> Run {
    let mut rule = Object::new(node, path);
    let name = rule.text("name").unwrap_or_default();
    let origin = Origin { file: file.name.to_owned(), line: node.at.line };
    let mut run = Run::new(origin, format!("rule {name}"), name.clone());
    run.region = rule.text("region").or_else(|| base.region.clone());
    run.cluster = rule.text("cluster").or_else(|| base.cluster.clone());
    let role = rule.text("role").or_else(|| base.role.clone());
    run.role = Some(role.unwrap_or_else(|| DEFAULT_ROLE.to_owned()));
    run.description = rule.text("description");
    run.schedule = rule.text("scheduleExpression");
    run.suspend = rule.get("disabled").map_or(json!(false), truth);
    run.family = rule.text("taskDefinition").map(|written| family(&written).to_owned());
    // The Id of the target stays when the rule is taken over.
    rule.ignore(&["targetId"]);
    run.dead_letter_queue = queue(&mut rule, run.region.as_deref());
    run.run_task = run_task(&mut rule);
    run.takeover =
        if name.is_empty() || fill_in::is_open(&name) { Takeover::Nothing } else { Takeover::Adopt { rule: name } };
    run.left(rule.finish(), "spec");
    run
}

/// Gives a run its task definition, which ecschedule knows by its name alone.
fn define(run: &mut Run, known: &BTreeMap<String, TaskDefinition>) {
    if let Some(TaskDefinition { family: _, labels, definition, left }) =
        run.family.as_ref().and_then(|family| known.get(family)).cloned()
    {
        run.labels = labels;
        run.task_definition = Some(definition);
        run.left(left, "spec.taskDefinition");
        return;
    }
    let what = "ecschedule knows the task definition by its name alone";
    let action =
        "write it here, or import again with --task-definition and what `aws ecs describe-task-definition` answers";
    run.find(Kind::FillIn, "taskDefinition", what, action, "spec.taskDefinition");
}

/// The queue's ARN; ecschedule takes a queue's name for one of the same Region and account.
fn queue(rule: &mut Object<'_>, region: Option<&str>) -> Option<String> {
    let path = rule.at("dead_letter_config");
    let mut config = Object::new(rule.get("dead_letter_config")?, &path);
    let queue = config.text("sqs");
    rule.leave_all(config.finish());
    let queue = queue.filter(|queue| !queue.is_empty())?;
    if queue.starts_with("arn:") || fill_in::is_open(&queue) {
        return Some(queue);
    }
    let region = region.map_or_else(|| fill_in::marker("region"), str::to_owned);
    Some(format!("arn:aws:sqs:{region}:{}:{queue}", fill_in::marker("account of the queue")))
}

fn run_task(rule: &mut Object<'_>) -> Map<String, Json> {
    let mut run_task = Map::new();
    // ecschedule starts one task where the number is absent or none, and so does EventBridge.
    if let Some(count) = rule.text("taskCount").and_then(|count| count.parse::<i32>().ok()).filter(|count| *count > 1) {
        run_task.insert("count".to_owned(), json!(count));
    }
    let texts = [
        ("group", "group"),
        ("launch_type", "launchType"),
        ("platform_version", "platformVersion"),
        ("propagateTags", "propagateTags"),
    ];
    for (key, member) in texts {
        if let Some(text) = rule.text(key).filter(|text| !text.is_empty()) {
            run_task.insert(member.to_owned(), json!(text));
        }
    }
    for (key, member) in
        [("network_configuration", "networkConfiguration"), ("capacityProviderStrategy", "capacityProviderStrategy")]
    {
        let Some(node) = rule.get(key) else { continue };
        let (read, left) = shape::structure(&shape::wrap(member, node), "RunTask", "", Empty::Absent);
        run_task.extend(read);
        let of_source = |mut left: Left| {
            left.field = rule.at(&left.field.replacen(member, key, 1));
            left
        };
        let left = left.into_iter().map(of_source).collect();
        rule.leave_all(left);
    }
    let mut overrides = Vec::new();
    for (index, node) in rule.list("containerOverrides").iter().enumerate() {
        let mut object = Object::new(node, &format!("{}[{index}]", rule.at("containerOverrides")));
        overrides.push(container_override(&mut object));
        rule.leave_all(object.finish());
    }
    if !overrides.is_empty() {
        run_task.insert("overrides".to_owned(), literal(json!({ "containerOverrides": overrides })));
    }
    run_task
}

fn container_override(object: &mut Object<'_>) -> Json {
    let mut read = Map::new();
    if let Some(name) = object.text("name") {
        read.insert("name".to_owned(), json!(name));
    }
    let command: Vec<String> = object.list("command").iter().filter_map(scalar).collect();
    if !command.is_empty() {
        read.insert("command".to_owned(), json!(command));
    }
    if let Some(environment) = object.get("environment").and_then(Node::mapping) {
        let pair =
            |(name, entry): (&String, &Entry)| json!({"name": name, "value": scalar(&entry.node).unwrap_or_default()});
        read.insert("environment".to_owned(), environment.iter().map(pair).collect());
    }
    Json::Object(read)
}
