//! What only all jobs together show: renames that meet, and quotas.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Blocked;
use super::load::about;
use crate::diagnostic::{Diagnostic, Severity};
use crate::job::{Job, Place};
use crate::name::JobName;
use crate::yaml::Mark;

/// Rules of one event bus, unless AWS was asked for more (docs/aws.md, Throttles and quotas).
const RULES_PER_BUS: usize = 300;

/// Blocks jobs whose `ecs-etl/moved-from` cannot be followed.
///
/// The old name must be free, and only one job can have come from it: otherwise both would lay claim to what AWS holds
/// under it.
pub fn moves(
    jobs: &mut BTreeMap<JobName, Arc<Job>>,
    blocked: &mut BTreeMap<JobName, Blocked>,
    moved_at: &BTreeMap<JobName, Mark>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    const PATH: &str = "metadata.annotations[\"ecs-etl/moved-from\"]";
    let mut from: BTreeMap<&JobName, Vec<&JobName>> = BTreeMap::new();
    for job in jobs.values() {
        if let Some(old) = &job.moved_from {
            from.entry(old).or_default().push(&job.name);
        }
    }
    let mut refused: Vec<(JobName, String)> = Vec::new();
    for (old, movers) in from {
        let exists = jobs.contains_key(old) || blocked.contains_key(old);
        for name in &movers {
            let other = movers.iter().find(|other| *other != name);
            let message = if *name == old {
                "a job cannot have moved from its own name".to_owned()
            } else if exists {
                format!("there still is a job `{old}`; a rename removes the old document")
            } else if let Some(other) = other {
                format!("`{other}` says that it moved from `{old}` too")
            } else {
                continue;
            };
            refused.push(((*name).clone(), message));
        }
    }
    for (name, message) in refused {
        if let Some(job) = jobs.remove(&name) {
            let mut diagnostic = about(&job, Severity::Error, PATH, message.clone(), None);
            if let Some(at) = moved_at.get(&name) {
                (diagnostic.line, diagnostic.column) = (at.line, at.column);
            }
            diagnostics.push(diagnostic);
            let message = format!("{PATH}: {message}");
            blocked.insert(name, Blocked::of(&job, message));
        }
    }
}

/// Warns where a place gets more rules than a bus has by default.
pub fn quotas(jobs: &BTreeMap<JobName, Arc<Job>>, diagnostics: &mut Vec<Diagnostic>) {
    let mut rules: BTreeMap<&Place, (usize, &Job)> = BTreeMap::new();
    for job in jobs.values() {
        let (count, last) = rules.entry(&job.place).or_insert((0, job));
        *count += job.rules();
        *last = job;
    }
    for (place, (count, job)) in rules {
        if count > RULES_PER_BUS {
            let message = format!(
                "the jobs in {} need {count} rules; an event bus has {RULES_PER_BUS} unless AWS was asked for more",
                place.region
            );
            let help = "ask for a higher quota: Service Quotas, Amazon EventBridge, Number of rules".to_owned();
            diagnostics.push(about(job, Severity::Warning, "spec.schedule", message, Some(help)));
        }
    }
}
