//! `${…}` in a job: what a run fills in, and what stays as it is.

use crate::finding::Findings;
use crate::path;
use crate::variables::{self, IN_DEFAULTS, SCHEDULED_TIME};
use crate::yaml::{Node, Value, shown};

/// Checks the variables of a job with its defaults merged in; `spec` is its `spec`.
pub fn check(spec: &Node, findings: &mut Findings) {
    if let Some(overrides) = spec.get("runTask").and_then(|run_task| run_task.get("overrides")) {
        each_text(overrides, &mut "spec.runTask.overrides".to_owned(), &mut |node, path, template, from_defaults| {
            for name in variables::names(template) {
                let known = name == SCHEDULED_TIME || (from_defaults && IN_DEFAULTS.contains(&name));
                if !known {
                    findings.error(node.at, path, format!("unknown variable `${{{}}}`", shown(name)), Some(help(name)));
                }
            }
        });
    }
    if let Some(task_definition) = spec.get("taskDefinition") {
        each_text(task_definition, &mut "spec.taskDefinition".to_owned(), &mut |node, path, template, _| {
            if variables::names(template).any(|name| name == SCHEDULED_TIME) {
                let message = format!("`${{{SCHEDULED_TIME}}}` stays as it is: a task definition knows no run");
                let help = "it is filled in in `runTask.overrides`".to_owned();
                findings.warning(node.at, path, message, Some(help));
            }
        });
    }
}

fn help(name: &str) -> String {
    if IN_DEFAULTS.contains(&name) {
        return format!("`${{{name}}}` works in a cluster's defaults; `$${{` is a literal `${{`");
    }
    variables::suggest(name, &[SCHEDULED_TIME])
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
