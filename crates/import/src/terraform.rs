//! What `terraform show -json` says of a state or a plan.
//!
//! Values are complete in a state. In a plan, what is known after apply is absent, and a task definition that is yet to be
//! registered cannot be told by its ARN.

use std::collections::BTreeMap;

use ecs_etl_spec::yaml::{Entry, Node, Tags, Value};
use serde_json::json;

use crate::finding::Kind;
use crate::found::{Found, Origin, Run};
use crate::object::{Object, is_empty, scalar, truth};
use crate::rule::{self, Rule};
use crate::shape::{self, Empty};
use crate::target::{self, Spelling};
use crate::task_definition::{self, TaskDefinition};
use crate::text::{self, File, ImportError};
use crate::timing;

const EXPECTED: &str = "output of `terraform show -json`: a map with `values` or `planned_values`";

/// Targets of rules.
const OF_RULE: Spelling = Spelling {
    ecs: "ecs_target",
    task_definition: "task_definition_arn",
    count: "task_count",
    network: "network_configuration",
    vpc: &[],
    renamed: &[("ordered_placement_strategy", "placementStrategy"), ("placement_constraint", "placementConstraints")],
    input: "input",
    transformer: ["input_transformer", "input_paths", "input_template"],
    retry: ["retry_policy", "maximum_event_age_in_seconds", "maximum_retry_attempts"],
    dead_letter: ["dead_letter_config", "arn"],
    role: "role_arn",
    arn: "arn",
    empty: Empty::Absent,
};

/// Targets of schedules.
const OF_SCHEDULE: Spelling = Spelling { ecs: "ecs_parameters", ..OF_RULE };

/// When schedules fire.
const TIMING: timing::Spelling = timing::Spelling {
    zone: "schedule_expression_timezone",
    dates: ["start_date", "end_date"],
    window: ["flexible_time_window", "mode", "maximum_window_in_minutes"],
    completion: "action_after_completion",
};

/// What the provider adds to every resource, or that speaks of Terraform alone.
const OF_PROVIDER: [&str; 13] = [
    "arn",
    "arn_without_revision",
    "event_bus_name",
    "force_destroy",
    "id",
    "name_prefix",
    "region",
    "revision",
    "rule",
    "skip_destroy",
    "tags_all",
    "target_id",
    "track_latest",
];

/// A resource of the state.
struct Resource<'n> {
    address: String,
    kind: String,
    values: &'n Node,
}

/// Reads a state or a plan.
///
/// # Errors
///
/// It cannot be read, or is something else.
pub fn read(file: &File<'_>) -> Result<Found, ImportError> {
    let other = || ImportError::Other { file: file.name.to_owned(), expected: EXPECTED };
    let root = text::documents(file, Tags::Refused)?.into_iter().next().ok_or_else(other)?;
    let values = root.get("planned_values").or_else(|| root.get("values")).ok_or_else(other)?;
    let mut resources = Vec::new();
    if let Some(module) = values.get("root_module") {
        gather(module, &mut resources);
    }
    let mut found = Found::default();
    let definitions = definitions(&resources);
    let known = |written: &Node| -> Option<TaskDefinition> {
        let written = written.text()?;
        let by_arn = definitions.get(written).or_else(|| definitions.get(target::family(written)));
        by_arn.cloned()
    };
    let mut targets: BTreeMap<&str, Vec<rule::Target<'_>>> = BTreeMap::new();
    for resource in resources.iter().filter(|resource| resource.kind == "aws_cloudwatch_event_target") {
        let rule = resource.values.get("rule").and_then(Node::text).unwrap_or_default();
        targets.entry(rule).or_default().push((resource.values, resource.address.clone()));
    }
    for resource in &resources {
        match resource.kind.as_str() {
            "aws_cloudwatch_event_rule" => {
                let name = resource.values.get("name").and_then(Node::text);
                let targets = name.and_then(|name| targets.remove(name)).unwrap_or_default();
                rule(file, resource, &targets, known, &mut found);
            }
            "aws_scheduler_schedule" => schedule(file, resource, known, &mut found),
            _ => {}
        }
    }
    without_rule(file, &targets, &mut found);
    Ok(found)
}

/// Targets that start tasks for rules which are elsewhere, or whose names are known after apply.
fn without_rule(file: &File<'_>, targets: &BTreeMap<&str, Vec<rule::Target<'_>>>, found: &mut Found) {
    for (node, address) in targets.values().flatten().filter(|(node, _)| target::starts_task(node, &OF_RULE)) {
        let origin = Origin { file: file.name.to_owned(), line: node.at.line };
        let run = Run::new(origin, address.clone(), String::new());
        let why = "its rule is not in what was imported, or has no name before it is applied";
        found.findings.push(run.about(Kind::NotCarriedOver, why, "import the state that holds the rule"));
    }
}

/// Every managed resource of a module and the modules below it.
fn gather<'n>(module: &'n Node, resources: &mut Vec<Resource<'n>>) {
    for node in module.get("resources").and_then(Node::sequence).unwrap_or_default() {
        let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
        if let (Some(values), true) = (node.get("values"), text("mode") != "data") {
            resources.push(Resource { address: text("address"), kind: text("type"), values });
        }
    }
    for child in module.get("child_modules").and_then(Node::sequence).unwrap_or_default() {
        gather(child, resources);
    }
}

/// Task definitions by ARN and by family.
fn definitions(resources: &[Resource<'_>]) -> BTreeMap<String, TaskDefinition> {
    let mut definitions = BTreeMap::new();
    for resource in resources.iter().filter(|resource| resource.kind == "aws_ecs_task_definition") {
        let read = definition(resource.values);
        let text = |key: &str| resource.values.get(key).and_then(Node::text).map(str::to_owned);
        for key in [text("arn"), text("arn_without_revision"), read.family.clone()].into_iter().flatten() {
            definitions.entry(key).or_insert_with(|| read.clone());
        }
    }
    definitions
}

/// A task definition: the provider's words for it, and the API's within `container_definitions`.
fn definition(values: &Node) -> TaskDefinition {
    let mut rest = values.clone();
    let mut read = TaskDefinition::default();
    let Some(map) = rest.mapping_mut() else { return read };
    OF_PROVIDER.iter().for_each(|key| drop(map.remove(*key)));
    read.family = map.remove("family").and_then(|entry| scalar(&entry.node));
    read.labels = map.remove("tags").map(|entry| task_definition::tags(&entry.node)).unwrap_or_default();
    if let Some(entry) = map.remove("container_definitions") {
        let parsed = scalar(&entry.node).and_then(|text| serde_json::from_str(&text).ok());
        let node = parsed.map_or(entry.node, target::node);
        map.insert("containerDefinitions".to_owned(), Entry { key_at: entry.key_at, node });
    }
    for (name, member) in [("volume", "volumes"), ("inference_accelerator", "inferenceAccelerators")] {
        if let Some(entry) = map.remove(name) {
            map.insert(member.to_owned(), entry);
        }
    }
    if let Some(volumes) = map.get_mut("volumes").and_then(|entry| entry.node.sequence_mut()) {
        volumes.iter_mut().for_each(volume);
    }
    if let Some(proxy) = map.get_mut("proxy_configuration").and_then(|entry| entry.node.sequence_mut()) {
        proxy.iter_mut().for_each(proxy_properties);
    }
    let (definition, left) = shape::structure(&rest, "TaskDefinition", "", Empty::Absent);
    read.definition = definition;
    read.left = left;
    read
}

fn volume(volume: &mut Node) {
    let Some(map) = volume.mapping_mut() else { return };
    if let Some(path) = map.remove("host_path").filter(|entry| !is_empty(&entry.node)) {
        let node = shape::wrap("sourcePath", &path.node);
        map.insert("host".to_owned(), Entry { key_at: path.key_at, node });
    }
    if let Some(later) = map.remove("configure_at_launch").filter(|entry| truth(&entry.node) == json!(true)) {
        map.insert("configuredAtLaunch".to_owned(), later);
    }
    let efs = map.get_mut("efs_volume_configuration").and_then(|entry| entry.node.sequence_mut());
    for efs in efs.into_iter().flatten().filter_map(Node::mapping_mut) {
        // The provider's way to say that there is none.
        efs.retain(|key, entry| key != "transit_encryption_port" || entry.node.value != Value::Int(0));
    }
}

/// Properties are a map in the provider, and a list of names and values in ECS.
fn proxy_properties(proxy: &mut Node) {
    let Some(entry) = proxy.mapping_mut().and_then(|map| map.get_mut("properties")) else { return };
    let Some(map) = entry.node.mapping() else { return };
    let list = map.iter().map(|(name, entry)| json!({"name": name, "value": scalar(&entry.node)}));
    entry.node = target::node(list.collect());
}

fn rule(
    file: &File<'_>,
    resource: &Resource<'_>,
    targets: &[rule::Target<'_>],
    known: impl Fn(&Node) -> Option<TaskDefinition>,
    found: &mut Found,
) {
    let mut object = Object::new(resource.values, &resource.address);
    object.ignore(&OF_PROVIDER);
    let name = object.text("name");
    let title = name.clone().unwrap_or_else(|| resource.address.clone());
    let mut run = run(file, resource, title);
    run.schedule = object.text("schedule_expression").filter(|text| !text.is_empty());
    run.description = object.text("description");
    run.labels = object.get("tags").map(task_definition::tags).unwrap_or_default();
    let enabled = object.get("is_enabled").map(truth);
    let state = object.text("state");
    run.suspend = json!(state.map_or(enabled == Some(json!(false)), |state| state == "DISABLED"));
    let pattern = object.get("event_pattern").is_some_and(|pattern| !is_empty(pattern));
    // A role of the rule itself is of no use for targets that are tasks.
    object.ignore(&["role_arn"]);
    let rule = Rule { run, name, pattern, left: object.finish(), kept: None };
    rule::runs(rule, targets, &OF_RULE, &OF_PROVIDER, known, found);
}

fn schedule(
    file: &File<'_>,
    resource: &Resource<'_>,
    known: impl Fn(&Node) -> Option<TaskDefinition>,
    found: &mut Found,
) {
    let mut object = Object::new(resource.values, &resource.address);
    object.ignore(&OF_PROVIDER);
    object.ignore(&["group_name"]);
    let Some(target) = object.list("target").first().filter(|target| target::starts_task(target, &OF_SCHEDULE)) else {
        return;
    };
    let title = object.text("name").unwrap_or_else(|| resource.address.clone());
    let mut run = run(file, resource, title);
    run.takeover = rule::scheduler_goes_on();
    run.schedule = object.text("schedule_expression");
    run.description = object.text("description");
    run.suspend = json!(object.text("state").is_some_and(|state| state == "DISABLED"));
    timing::read(&mut run, &mut object, &TIMING);
    let path = object.at("target");
    let written = rule::of_target(&mut run, target, &path, &OF_SCHEDULE, &[]);
    rule::start(&mut run, written.as_ref(), known, &mut found.weight);
    run.scheduler_role = run.role.take();
    run.left(object.finish(), "spec");
    found.runs.push(run);
}

fn run(file: &File<'_>, resource: &Resource<'_>, name: String) -> Run {
    let origin = Origin { file: file.name.to_owned(), line: resource.values.at.line };
    Run::new(origin, resource.address.clone(), name)
}
