//! CloudFormation templates, YAML with its short forms of functions, or JSON.
//!
//! Resources are tied by what they refer to: a rule's target to the task definition that it references. What a function
//! comes to is known only where it hangs on nothing but the template: a parameter with a default, a name that is
//! written. Everything else becomes a marker.

mod functions;

use ecs_etl_spec::yaml::{Node, Tags};
use serde_json::json;

use crate::finding::Kind;
use crate::found::{Found, Origin, Run};
use crate::object::{Object, is_empty};
use crate::rule::{self, Rule};
use crate::shape::{self, Empty};
use crate::target::{self, PASCAL};
use crate::task_definition::{self, TaskDefinition};
use crate::text::{self, File, ImportError};
use crate::timing;
use functions::Template;

const EXPECTED: &str = "CloudFormation template: a map with `Resources`";

/// Reads a template of a stack in `region`, if that is known.
///
/// # Errors
///
/// It cannot be read, or is no template.
pub fn read(file: &File<'_>, region: Option<&str>) -> Result<Found, ImportError> {
    let other = || ImportError::Other { file: file.name.to_owned(), expected: EXPECTED };
    let root = text::documents(file, Tags::Kept)?.into_iter().next().ok_or_else(other)?;
    let root = functions::long_form(root);
    let resources = root.get("Resources").and_then(Node::mapping).ok_or_else(other)?;
    let template = Template::new(&root, region);
    let mut found = Found::default();
    for (id, entry) in resources {
        let node = &entry.node;
        let resource = Resource { id, node, file, template: &template };
        match node.get("Type").and_then(Node::text).unwrap_or_default() {
            "AWS::Events::Rule" => resource.rule(&mut found),
            "AWS::Scheduler::Schedule" => resource.schedule(&mut found),
            _ => {}
        }
    }
    Ok(found)
}

/// A resource of a template.
struct Resource<'t> {
    id: &'t str,
    node: &'t Node,
    file: &'t File<'t>,
    template: &'t Template<'t>,
}

impl Resource<'_> {
    fn rule(&self, found: &mut Found) {
        let properties = self.properties();
        let mut object = Object::new(&properties, &format!("{}.Properties", self.id));
        let name = object.text("Name");
        let mut run = self.run(name.as_deref());
        run.schedule = object.text("ScheduleExpression");
        run.description = object.text("Description");
        run.labels = object.get("Tags").map(task_definition::tags).unwrap_or_default();
        run.suspend = state(object.text("State"));
        let pattern = object.get("EventPattern").is_some_and(|pattern| !is_empty(pattern));
        // A role of the rule itself is of no use for targets that are tasks; schedules live on the default bus alone.
        object.ignore(&["RoleArn", "EventBusName"]);
        let list = object.list("Targets");
        let targets: Vec<rule::Target<'_>> =
            list.iter().enumerate().map(|(index, node)| (node, format!("{}[{index}]", object.at("Targets")))).collect();
        let left = object.finish();
        let first = found.runs.len();
        let rule = Rule { run, name, pattern, left, kept: None };
        rule::runs(rule, &targets, &PASCAL, &["Id"], |written| self.definition(written), found);
        for run in found.runs.iter_mut().skip(first) {
            self.condition(run);
            let why = "the stack owns these resources, and would remove or undo what is taken over";
            let action = "give them `DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain`, then take them out of the template";
            run.find(Kind::Check, "", why, action, "spec");
        }
    }

    fn schedule(&self, found: &mut Found) {
        let properties = self.properties();
        let mut object = Object::new(&properties, &format!("{}.Properties", self.id));
        let Some(target) = object.get("Target").filter(|target| target::starts_task(target, &PASCAL)) else { return };
        let name = object.text("Name");
        let mut run = self.run(name.as_deref());
        run.takeover = rule::scheduler_goes_on();
        run.schedule = object.text("ScheduleExpression");
        run.description = object.text("Description");
        run.suspend = state(object.text("State"));
        object.ignore(&["GroupName"]);
        timing::read(&mut run, &mut object, &timing::PASCAL);
        let path = object.at("Target");
        let written = rule::of_target(&mut run, target, &path, &PASCAL, &[]);
        rule::start(&mut run, written.as_ref(), |written| self.definition(written), &mut found.weight);
        run.scheduler_role = run.role.take();
        run.left(object.finish(), "spec");
        self.condition(&mut run);
        found.runs.push(run);
    }

    /// The properties, with every function that can be told resolved.
    fn properties(&self) -> Node {
        let none = || target::node(json!({}));
        self.node.get("Properties").map_or_else(none, |properties| self.template.resolved(properties))
    }

    fn run(&self, name: Option<&str>) -> Run {
        let origin = Origin { file: self.file.name.to_owned(), line: self.node.at.line };
        let known = name.filter(|name| !ecs_etl_spec::fill_in::is_open(name)).unwrap_or(self.id);
        Run::new(origin, format!("resource {}", self.id), known.to_owned())
    }

    /// The task definition that a resolved reference stands for.
    fn definition(&self, written: &Node) -> Option<TaskDefinition> {
        let (id, node) = self.template.referred(written.text()?, "AWS::ECS::TaskDefinition")?;
        let mut properties = self.template.resolved(node.get("Properties")?);
        let mut read = TaskDefinition::default();
        if let Some(map) = properties.mapping_mut() {
            // Without a family CloudFormation makes one up.
            read.family = map.remove("Family").and_then(|entry| crate::object::scalar(&entry.node));
            read.labels = map.remove("Tags").map(|entry| task_definition::tags(&entry.node)).unwrap_or_default();
        }
        let path = format!("{id}.Properties");
        let (definition, left) = shape::structure(&properties, "TaskDefinition", &path, Empty::Kept);
        Some(TaskDefinition { definition, left, ..read })
    }

    fn condition(&self, run: &mut Run) {
        if self.node.get("Condition").is_some() {
            let why = "the resource exists under a condition of its stack";
            run.find(Kind::Check, "Condition", why, "keep the manifest where the condition holds", "spec");
        }
    }
}

/// Whether a state means suspended; a marker stays.
fn state(state: Option<String>) -> serde_json::Value {
    match state {
        Some(state) if ecs_etl_spec::fill_in::is_open(&state) => json!(state),
        Some(state) => json!(state == "DISABLED"),
        None => json!(false),
    }
}
