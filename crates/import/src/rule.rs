//! Rules of EventBridge with their targets, however a source writes them.

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::Node;
use serde_json::Value as Json;

use crate::finding::Kind;
use crate::found::{Found, Run, Takeover};
use crate::object::{Left, Object};
use crate::target::{self, Spelling};
use crate::task_definition::TaskDefinition;

/// A rule as its source says it.
#[derive(Debug)]
pub struct Rule {
    /// What each of its runs begins with: schedule, state, description, tags.
    pub run: Run,
    /// Its name in AWS; none if AWS makes one up.
    pub name: Option<String>,
    /// It starts on events that match a pattern.
    pub pattern: bool,
    /// Fields of it that have no place in a manifest.
    pub left: Vec<Left>,
    /// Why it cannot be taken over, and what to do about that.
    pub kept: Option<(String, String)>,
}

/// A target and where it stands in its source.
pub type Target<'n> = (&'n Node, String);

/// What a target of a task says, but for which task definition; the rest of its fields are left.
pub fn of_target(run: &mut Run, node: &Node, path: &str, spelling: &Spelling, unimportant: &[&str]) -> Option<Node> {
    let mut object = Object::new(node, path);
    object.ignore(unimportant);
    let task_definition = target::read(run, &mut object, spelling).cloned();
    run.left(object.finish(), "spec");
    task_definition
}

/// More values than all task definitions of an import have: many rules may start a large one, and each job gets it.
const MOST_VALUES: usize = 1_000_000;

/// The task definition that a target names, put into its run; `known` are those that the source holds.
pub fn start(
    run: &mut Run,
    written: Option<&Node>,
    known: impl FnOnce(&Node) -> Option<TaskDefinition>,
    weight: &mut usize,
) {
    let Some(written) = written else { return };
    match known(written) {
        Some(TaskDefinition { family, labels, definition, left }) => {
            *weight += definition.values().map(values).sum::<usize>();
            if *weight > MOST_VALUES {
                run.family = family;
                let why = "all task definitions together are more than an import writes";
                run.find(Kind::FillIn, "", why, "import fewer at once", "spec.taskDefinition");
                return;
            }
            run.family = family;
            for (key, value) in labels {
                run.labels.entry(key).or_insert(value);
            }
            run.task_definition = Some(definition);
            run.left(left, "spec.taskDefinition");
        }
        None => {
            run.family =
                written.text().filter(|text| !fill_in::is_open(text)).map(|text| target::family(text).to_owned());
            let why = "the task definition is not in what was imported";
            run.find(Kind::FillIn, "", why, "write it here, or import what defines it too", "spec.taskDefinition");
        }
    }
}

/// The runs of a rule: one for each target that is a task. What starts no task by a schedule is said to be left.
pub fn runs(
    rule: Rule,
    targets: &[Target<'_>],
    spelling: &Spelling,
    unimportant: &[&str],
    known: impl Fn(&Node) -> Option<TaskDefinition>,
    found: &mut Found,
) {
    let Rule { run, name, pattern, left, kept } = rule;
    let (tasks, others): (Vec<&Target<'_>>, Vec<&Target<'_>>) =
        targets.iter().partition(|(node, _)| target::starts_task(node, spelling));
    if tasks.is_empty() {
        return;
    }
    if run.schedule.is_none() {
        let why = if pattern { "it starts on events, and a job on a schedule" } else { "it has no schedule" };
        found.findings.push(run.about(Kind::NotCarriedOver, why, "keep it where it is"));
        return;
    }
    let takeover = match (kept, &name) {
        (Some((why, action)), _) => Takeover::Beside { why, action },
        (None, _) if tasks.len() > 1 => Takeover::Beside {
            why: "the rule starts several tasks, and such a rule cannot be taken over".to_owned(),
            action: "disable the rule, then remove this line".to_owned(),
        },
        (None, Some(name)) if !fill_in::is_open(name) => Takeover::Adopt { rule: name.clone() },
        (None, Some(_) | None) => Takeover::Beside {
            why: "the name of the rule that starts it today is not known here".to_owned(),
            action: "remove this line, and name the rule as `adopt: {rules: [NAME]}`".to_owned(),
        },
    };
    let several = tasks.len() > 1;
    for (index, (node, path)) in tasks.into_iter().enumerate() {
        let mut run = run.clone();
        if several {
            run.name = format!("{}-{}", run.name, index + 1);
        }
        run.takeover = takeover.clone();
        if pattern {
            let why = "the rule starts on events too";
            run.find(Kind::NotCarriedOver, "", why, "keep a rule for the events", "spec.schedule");
        }
        if index == 0 {
            run.left(left.clone(), "spec");
            for (_, path) in &others {
                let why = "a target that is no ECS task";
                run.find(Kind::NotCarriedOver, path, why, "nothing, if the rule stays: its other targets do", "spec");
            }
        }
        let written = of_target(&mut run, node, path, spelling, unimportant);
        start(&mut run, written.as_ref(), &known, &mut found.weight);
        found.runs.push(run);
    }
}

/// How many values JSON holds.
fn values(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Json::Object(map) => 1 + map.values().map(values).sum::<usize>(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 1,
    }
}

/// What a schedule of EventBridge Scheduler goes on to do until somebody ends it.
pub fn scheduler_goes_on() -> Takeover {
    Takeover::Beside {
        why: "a schedule of EventBridge Scheduler starts it today, and only rules can be taken over".to_owned(),
        action: "disable that schedule, then remove this line".to_owned(),
    }
}
