//! Manifests of AWS Copilot's scheduled jobs.
//!
//! Read from the manifest's documentation (aws.github.io/copilot-cli/docs/manifest/scheduled-job). Copilot starts a state
//! machine of Step Functions by a rule, and the state machine the task, with retries and a timeout; that cannot be taken
//! over. It also makes roles, a log group, a cluster and a network whose names the manifest does not hold.

mod container;
mod network;
mod schedule;

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::{Node, Tags, Value};
use serde_json::{Map, Value as Json, json};

use crate::finding::Kind;
use crate::found::{Found, Origin, Run, Takeover};
use crate::object::{Object, scalar};
use crate::text::{self, File, ImportError};

const EXPECTED: &str = "manifest of Copilot with `type: Scheduled Job`";

/// Sizes that Copilot takes where none are written.
const CPU: &str = "256";
const MEMORY: &str = "512";

/// Reads a manifest, with the overrides of an environment if one is named.
///
/// # Errors
///
/// It cannot be read, or is of something else than a scheduled job.
pub fn read(file: &File<'_>, environment: Option<&str>) -> Result<Found, ImportError> {
    let other = || ImportError::Other { file: file.name.to_owned(), expected: EXPECTED };
    let mut root = text::documents(file, Tags::Refused)?.into_iter().next().ok_or_else(other)?;
    if root.get("type").and_then(Node::text) != Some("Scheduled Job") {
        return Err(other());
    }
    if let Some(overrides) = environment.and_then(|name| root.get("environments")?.get(name)).cloned() {
        overlay(&mut root, overrides);
    }
    interpolate(&mut root, environment);
    Ok(Found { runs: vec![job(file, &root, environment)], ..Found::default() })
}

/// Puts the overrides of an environment over a manifest: maps merge, all else replaces.
fn overlay(base: &mut Node, over: Node) {
    match (base.mapping_mut(), over.value) {
        (Some(base), Value::Mapping(over)) => {
            for (key, entry) in over {
                match base.get_mut(&key) {
                    Some(there) => overlay(&mut there.node, entry.node),
                    None => drop(base.insert(key, entry)),
                }
            }
        }
        (_, value) => *base = Node { at: over.at, value },
    }
}

/// `${NAME}` is a variable of the shell that deploys; a backslash before it makes it a literal.
fn interpolate(node: &mut Node, environment: Option<&str>) {
    match &mut node.value {
        Value::String(text) => *text = interpolated(text, environment),
        Value::Sequence(items) => items.iter_mut().for_each(|item| interpolate(item, environment)),
        Value::Mapping(map) => map.values_mut().for_each(|entry| interpolate(&mut entry.node, environment)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Open { .. } => {}
    }
}

fn interpolated(text: &str, environment: Option<&str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        match (before.strip_suffix('\\'), name, environment) {
            (Some(before), _, _) => out.push_str(&format!("{before}${{{name}}}")),
            (None, "COPILOT_ENVIRONMENT_NAME", Some(environment)) => out.push_str(&format!("{before}{environment}")),
            (None, _, _) => out.push_str(&format!("{before}{}", fill_in::marker(name))),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn job(file: &File<'_>, root: &Node, environment: Option<&str>) -> Run {
    let mut object = Object::new(root, "");
    object.ignore(&["type"]);
    let name = object.text("name").unwrap_or_default();
    let origin = Origin { file: file.name.to_owned(), line: root.at.line };
    let mut run = Run::new(origin, format!("job {name}"), name.clone());
    run.takeover = Takeover::Beside {
        why: "a state machine of Copilot's starts it today, which no job can take over".to_owned(),
        action:
            "set `schedule: none` in Copilot's manifest and deploy it, or delete the job there, then remove this line"
                .to_owned(),
    };
    run.cluster = Some(fill_in::marker("ECS cluster of the Copilot environment"));
    schedule::read(&mut run, &mut object);
    run.task_definition = Some(task_definition(&mut run, &mut object, &name));
    run.run_task = Map::from_iter([
        ("launchType".to_owned(), json!("FARGATE")),
        ("networkConfiguration".to_owned(), network::read(&mut object)),
    ]);
    environments(&mut run, &mut object, environment);
    for (key, why, action) in [
        (
            "retries",
            "Copilot starts a run that failed again",
            "let the job try again itself, or watch for its failures",
        ),
        (
            "timeout",
            "Copilot stops a run that takes too long",
            "let the job end itself, such as with `timeout` in its command",
        ),
        ("publish", "topics that the job publishes to", "keep the topics, and give the task role the right to"),
        ("taskdef_overrides", "changes to the task definition that Copilot writes", "make them here"),
        ("logging", "a log router beside the job", "write `logConfiguration` and a router's container here"),
    ] {
        if let Some(node) = object.get(key) {
            run.find(Kind::NotCarriedOver, key, why, action, "spec.taskDefinition");
            if let Some(last) = run.findings.last_mut() {
                last.line = node.at.line;
            }
        }
    }
    run.left(object.finish(), "spec");
    run
}

fn task_definition(run: &mut Run, object: &mut Object<'_>, name: &str) -> Map<String, Json> {
    let mut definition = Map::new();
    definition.insert("cpu".to_owned(), json!(object.text("cpu").unwrap_or_else(|| CPU.to_owned())));
    definition.insert("memory".to_owned(), json!(object.text("memory").unwrap_or_else(|| MEMORY.to_owned())));
    definition.insert("networkMode".to_owned(), json!("awsvpc"));
    definition.insert("requiresCompatibilities".to_owned(), json!(["FARGATE"]));
    definition.insert(
        "executionRoleArn".to_owned(),
        json!(fill_in::marker("execution role that pulls the image and writes logs")),
    );
    if let Some(platform) = object.get("platform").and_then(platform) {
        definition.insert("runtimePlatform".to_owned(), platform);
    }
    let mut containers = vec![container::main(object, name)];
    if let Some(sidecars) = object.get("sidecars").and_then(Node::mapping) {
        for (name, entry) in sidecars {
            let mut sidecar = Object::new(&entry.node, &format!("sidecars.{name}"));
            containers.push(container::sidecar(&mut sidecar, name));
            object.leave_all(sidecar.finish());
        }
    }
    if let Some(node) = object.get("storage") {
        let mut storage = Object::new(node, "storage");
        container::storage(&mut storage, &mut definition, containers.first_mut());
        object.leave_all(storage.finish());
    }
    definition.insert("containerDefinitions".to_owned(), Json::Array(containers));
    let why = "Copilot gives its containers variables such as COPILOT_APPLICATION_NAME, and a task role of its own";
    let action = "write the variables that the job reads, and `taskRoleArn` if it calls AWS";
    run.find(Kind::Check, "", why, action, "spec.taskDefinition");
    definition
}

/// `linux/arm64`, or a map of family and architecture.
fn platform(node: &Node) -> Option<Json> {
    let (family, architecture) = match scalar(node) {
        Some(text) => {
            text.split_once('/').map(|(family, architecture)| (family.to_owned(), architecture.to_owned()))?
        }
        None => (scalar(node.get("osfamily")?)?, scalar(node.get("architecture")?)?),
    };
    let architecture = match architecture.to_ascii_lowercase().as_str() {
        "amd64" | "x86_64" => "X86_64",
        "arm" | "arm64" => "ARM64",
        other => {
            return Some(
                json!({"operatingSystemFamily": family.to_uppercase(), "cpuArchitecture": other.to_uppercase()}),
            );
        }
    };
    let family = if family.eq_ignore_ascii_case("windows") {
        "WINDOWS_SERVER_2019_CORE".to_owned()
    } else {
        family.to_uppercase()
    };
    Some(json!({"operatingSystemFamily": family, "cpuArchitecture": architecture}))
}

/// Environments that were not imported.
fn environments(run: &mut Run, object: &mut Object<'_>, imported: Option<&str>) {
    let Some(environments) = object.get("environments").and_then(Node::mapping) else { return };
    for (name, entry) in environments.iter().filter(|(name, _)| Some(name.as_str()) != imported) {
        let fields: Vec<&str> = entry.node.mapping().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let why = format!("the environment {name} overrides {}", fields.join(", "));
        let action = format!("import it with --environment {name} into a directory of its own");
        run.find(Kind::NotCarriedOver, &format!("environments.{name}"), why, action, "spec");
    }
}
