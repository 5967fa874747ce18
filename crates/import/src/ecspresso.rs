//! [ecspresso](https://github.com/kayac/ecspresso) definitions: task definitions, and what a service says of how they run.
//!
//! Three kinds of file are told apart by what they hold: a task definition (in the words of ECS's API, or what
//! `describe-task-definition` answers), a service definition, and ecspresso's own configuration with Region and cluster.
//! None of them knows a schedule.

use ecs_etl_spec::yaml::Node;
use serde_json::json;

use crate::finding::Kind;
use crate::found::{Found, Origin, Run};
use crate::object::Object;
use crate::shape::{self, Empty};
use crate::task_definition;
use crate::text::{self, File, ImportError};

const EXPECTED: &str =
    "definition of ecspresso: a map with `containerDefinitions`, `task_definition`, or those of a service";

/// What a service definition says of how its tasks are started.
const OF_RUNS: [&str; 9] = [
    "capacityProviderStrategy",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "launchType",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
];

/// Reads definitions; a service definition and a configuration hold for every task definition beside them.
///
/// # Errors
///
/// A file cannot be read or is none of the three, or there is no task definition.
pub fn read(files: &[File<'_>], schedule: Option<&str>) -> Result<Found, ImportError> {
    let mut found = Found::default();
    let (mut services, mut configs) = (Vec::new(), Vec::new());
    for file in files {
        let (root, templates) = text::templated(file, EXPECTED)?;
        found.templates.extend(templates);
        let root = root.get("taskDefinition").filter(|inner| inner.mapping().is_some()).cloned().unwrap_or(root);
        if root.get("containerDefinitions").is_some() {
            found.runs.push(task(file, &root, schedule));
        } else if root.get("task_definition").is_some() {
            configs.push(root);
        } else if OF_RUNS.iter().any(|key| root.get(key).is_some()) {
            services.push(root);
        } else {
            return Err(ImportError::Other { file: file.name.to_owned(), expected: EXPECTED });
        }
    }
    if let (Some(file), true) = (files.first(), found.runs.is_empty()) {
        return Err(ImportError::Other {
            file: file.name.to_owned(),
            expected: "task definition: a map with `containerDefinitions`",
        });
    }
    for run in &mut found.runs {
        services.iter().for_each(|service| like_service(run, service));
        configs.iter().for_each(|config| of_config(run, config));
    }
    Ok(found)
}

fn task(file: &File<'_>, root: &Node, schedule: Option<&str>) -> Run {
    let origin = Origin { file: file.name.to_owned(), line: root.at.line };
    let read = task_definition::of_api(root);
    let name = read.family.clone().unwrap_or_else(|| "task".to_owned());
    let mut run = Run::new(origin, format!("task definition {name}"), name);
    run.family = read.family;
    run.labels = read.labels;
    run.task_definition = Some(read.definition);
    run.left(read.left, "spec.taskDefinition");
    run.schedule = schedule.map(str::to_owned);
    if schedule.is_none() {
        let why = "ecspresso knows no schedules";
        run.find(Kind::FillIn, "", why, "write when the job runs, or import again with --schedule", "spec.schedule");
    }
    run
}

/// Starts the task as a service of ECS would.
fn like_service(run: &mut Run, service: &Node) {
    let mut object = Object::new(service, "");
    for key in OF_RUNS {
        let Some(node) = object.get(key) else { continue };
        let (read, left) = shape::structure(&shape::wrap(key, node), "RunTask", "", Empty::Kept);
        run.run_task.extend(read);
        run.left(left, "spec.runTask");
    }
    // A run copies tags from its task definition, or from nothing.
    if run.run_task.get("propagateTags").is_some_and(|from| *from != json!("TASK_DEFINITION")) {
        run.run_task.remove("propagateTags");
        let why = "a scheduled run has no service to take tags from";
        run.find(Kind::NotCarriedOver, "propagateTags", why, "nothing, or write TASK_DEFINITION", "spec.runTask");
    }
    // The rest is of services: how many, how they are replaced, who balances their load.
}

fn of_config(run: &mut Run, config: &Node) {
    let mut object = Object::new(config, "");
    run.region = object.text("region").or(run.region.take());
    run.cluster = object.text("cluster").or(run.cluster.take());
}
