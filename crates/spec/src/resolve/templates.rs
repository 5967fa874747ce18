//! `${…}` in a job: what a run fills in, and what stays as it is.

use crate::finding::Findings;
use crate::path;
use crate::variables::{self, AFTER, Form, IN_DEFAULTS, SCHEDULED_TIME, Source};
use crate::yaml::{Node, Value, shown};

/// Checks the variables of a job with its defaults merged in; `spec` is its `spec`.
pub fn check(spec: &Node, findings: &mut Findings) {
    if let Some(overrides) = spec.get("runTask").and_then(|run_task| run_task.get("overrides")) {
        each_text(overrides, &mut "spec.runTask.overrides".to_owned(), &mut |node, path, template, from_defaults| {
            for name in variables::names(template) {
                if !(from_defaults && IN_DEFAULTS.contains(&name)) {
                    in_overrides(spec, node, path, template, name, findings);
                }
            }
        });
    }
    if let Some(task_definition) = spec.get("taskDefinition") {
        each_text(task_definition, &mut "spec.taskDefinition".to_owned(), &mut |node, path, template, _| {
            if let Some(name) = variables::names(template).find(|name| variables::run_variable(name).is_some()) {
                let message = format!("`${{{name}}}` stays as it is: a task definition knows no run");
                let help = "it is filled in in `runTask.overrides`".to_owned();
                findings.warning(node.at, path, message, Some(help));
            }
        });
    }
}

/// A variable of the run must exist, have a value whatever starts the job, and fit where it stands.
fn in_overrides(spec: &Node, node: &Node, path: &str, template: &str, name: &str, findings: &mut Findings) {
    let Some(variable) = variables::run_variable(name) else {
        findings.error(node.at, path, format!("unknown variable `${{{}}}`", shown(name)), Some(help(name)));
        return;
    };
    let has = |field: &&str| spec.get(field).is_some();
    let (needs, others): (&str, &[&str]) = match variable.source {
        Source::Any => return,
        Source::After => ("after", &["schedule", "events"]),
        Source::Event => ("events", &["schedule", "after"]),
    };
    if !has(&needs) {
        let help = format!("add `spec.{needs}`, or take the variable out; `$${{` is a literal `${{`");
        findings.error(node.at, path, format!("`${{{name}}}` has no value: the job has no `{needs}`"), Some(help));
    } else if let Some(other) = others.iter().find(|field| has(field)) {
        let message = format!("`${{{name}}}` is an empty text in a run that `{other}` starts");
        findings.warning(node.at, path, message, None);
    }
    if variable.form == Form::Free && template != format!("${{{name}}}") {
        let message =
            format!("a quote or a backslash in `${{{name}}}` would break the run: EventBridge escapes nothing here");
        let help =
            "give it as a whole value of its own, and put the text together in the container; `:number` behind it \
                    says that it is one"
                .to_owned();
        findings.warning(node.at, path, message, Some(help));
    }
}

fn help(name: &str) -> String {
    if IN_DEFAULTS.contains(&name) {
        return format!("`${{{name}}}` works in a cluster's defaults; `$${{` is a literal `${{`");
    }
    if name == "event" || name.starts_with("event.") {
        return "name a member by letters, digits, `_` and `-`, with dots between: `${event.detail.object.key}`"
            .to_owned();
    }
    let known: Vec<&str> = std::iter::once(SCHEDULED_TIME).chain(AFTER.map(|(name, _)| name)).collect();
    let near = name.starts_with("after").then_some(known.as_slice());
    variables::suggest(name, near.unwrap_or(&[SCHEDULED_TIME]))
}

/// Calls `see` with every text, its path, its template and whether that came from defaults with a variable still open.
fn each_text(node: &Node, path: &mut String, see: &mut dyn FnMut(&Node, &str, &str, bool)) {
    let length = path.len();
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        Value::String(text) => see(node, path, text, false),
        Value::Open { template, .. } => see(node, path, template, true),
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                each_text(item, path, see);
                path.truncate(length);
            }
        }
        Value::Mapping(map) => {
            for (key, entry) in map {
                path::push_key(path, key);
                each_text(&entry.node, path, see);
                path.truncate(length);
            }
        }
    }
}
