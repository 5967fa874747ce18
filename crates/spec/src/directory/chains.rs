//! Jobs that start after other jobs: that those exist, can run, and that no job waits for itself.

use std::collections::BTreeMap;

use super::load::about;
use super::{Blocked, BlockedReason};
use crate::diagnostic::{Diagnostic, Severity};
use crate::job::Job;
use crate::name::JobName;
use crate::suggest;
use crate::yaml::Mark;

const PATH: &str = "spec.after";

/// Why a job cannot start after another: the jobs on the way, the first to run first, and what is wrong with it.
#[derive(Debug, Clone)]
struct Fault {
    path: Vec<JobName>,
    why: String,
    help: Option<String>,
}

/// Fills in how the runs of each job's upstream jobs are known, and blocks jobs that could never start by one of them.
pub fn chains(
    jobs: &mut BTreeMap<JobName, Job>,
    blocked: &mut BTreeMap<JobName, Blocked>,
    after_at: &BTreeMap<JobName, Mark>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut faults: BTreeMap<JobName, Fault> = BTreeMap::new();
    let waiting = |jobs: &BTreeMap<JobName, Job>| -> Vec<JobName> {
        jobs.values().filter(|job| !job.after.is_empty()).map(|job| job.name.clone()).collect()
    };
    for name in waiting(jobs) {
        if let Some(path) = cycle(&name, jobs) {
            let help = Some("take one of the arrows out".to_owned());
            faults.insert(name, Fault { path, why: "they wait for each other".to_owned(), help });
        }
    }
    // What is wrong with a job is wrong with those after it: each round follows the arrows one step.
    loop {
        let mut found: Vec<(JobName, Fault)> = Vec::new();
        for name in waiting(jobs).into_iter().filter(|name| !faults.contains_key(name)) {
            let fault = jobs.get(&name).and_then(|job| fault(job, jobs, blocked, &faults));
            found.extend(fault.map(|fault| (name, fault)));
        }
        if found.is_empty() {
            break;
        }
        faults.extend(found);
    }
    for (name, fault) in faults {
        let Some(job) = jobs.remove(&name) else { continue };
        let path: Vec<String> = fault.path.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("{}: {}", path.join(" → "), fault.why);
        let mut diagnostic = about(&job, Severity::Error, PATH, message.clone(), fault.help);
        place(&mut diagnostic, after_at.get(&name));
        diagnostics.push(diagnostic);
        let message = format!("{PATH}: {message}");
        blocked.insert(name, Blocked { reason: BlockedReason::InvalidSpec, message, origin: job.origin });
    }
    connect(jobs, after_at, diagnostics);
}

/// Tells each job how the runs of its upstream jobs are known.
fn connect(jobs: &mut BTreeMap<JobName, Job>, after_at: &BTreeMap<JobName, Mark>, diagnostics: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    for job in jobs.values() {
        for (index, after) in job.after.iter().enumerate() {
            let Some(upstream) = jobs.get(&after.job) else { continue };
            found.push((job.name.clone(), index, upstream.runs()));
            if let Some(tasks @ 2..) = upstream.run_task.count {
                let message =
                    format!("`{}` runs {tasks} tasks at once: this job starts after each of them", upstream.name);
                let mut diagnostic = about(job, Severity::Warning, PATH, message, None);
                place(&mut diagnostic, after_at.get(&job.name));
                diagnostics.push(diagnostic);
            }
        }
    }
    for (name, index, runs) in found {
        if let Some(after) = jobs.get_mut(&name).and_then(|job| job.after.get_mut(index)) {
            after.upstream = runs;
        }
    }
    for job in jobs.values_mut().filter(|job| !job.after.is_empty()) {
        job.digest = job.compute_digest();
    }
}

fn place(diagnostic: &mut Diagnostic, at: Option<&Mark>) {
    if let Some(at) = at {
        (diagnostic.line, diagnostic.column) = (at.line, at.column);
    }
}

/// The way from a job through its upstream jobs back to itself, in the order in which they would run.
fn cycle(start: &JobName, jobs: &BTreeMap<JobName, Job>) -> Option<Vec<JobName>> {
    // Depth first, each job once: where it was not found from a job, it is not found from there again.
    let mut seen = Vec::new();
    let mut way: Vec<(&JobName, usize)> = vec![(start, 0)];
    while let Some((name, next)) = way.last_mut() {
        let upstream = jobs.get(*name).and_then(|job| job.after.get(*next));
        *next += 1;
        match upstream {
            None => {
                way.pop();
            }
            Some(after) if after.job == *start => {
                let path = std::iter::once(start).chain(way.iter().rev().map(|(name, _)| *name));
                return Some(path.cloned().collect());
            }
            Some(after) if !seen.contains(&&after.job) => {
                seen.push(&after.job);
                way.push((&after.job, 0));
            }
            Some(_) => {}
        }
    }
    None
}

fn fault(
    job: &Job,
    jobs: &BTreeMap<JobName, Job>,
    blocked: &BTreeMap<JobName, Blocked>,
    faults: &BTreeMap<JobName, Fault>,
) -> Option<Fault> {
    job.after.iter().find_map(|after| {
        let fault = |why: String, help: Option<String>| {
            Some(Fault { path: vec![after.job.clone(), job.name.clone()], why, help })
        };
        if let Some(before) = faults.get(&after.job) {
            let path = before.path.iter().chain([&job.name]).cloned().collect();
            return Some(Fault { path, why: before.why.clone(), help: before.help.clone() });
        }
        let Some(upstream) = jobs.get(&after.job) else {
            return match blocked.get(&after.job) {
                Some(blocked) => fault(format!("`{}` cannot be used: {}", after.job, blocked.message), None),
                None => {
                    let names: Vec<&str> = jobs.keys().map(JobName::as_str).collect();
                    let help = suggest::among(after.job.as_str(), names.into_iter());
                    fault(format!("there is no EtlJob `{}` in this directory", after.job), help)
                }
            };
        };
        let name = &upstream.name;
        if upstream.place != job.place {
            let help = "what starts a job must run with the same Region and role: events stay where they arise";
            return fault(format!("`{name}` runs in another place ({})", upstream.place.region), Some(help.to_owned()));
        }
        if upstream.drain && !job.drain {
            return fault(format!("`{name}` is being removed: its cluster drains"), None);
        }
        if upstream.suspend && !job.suspend {
            let help = format!("suspend `{}` as well, or take the arrow out", job.name);
            return fault(format!("`{name}` is suspended, so nothing would start the job"), Some(help));
        }
        if upstream.open.contains_key("/runTask/group") {
            let help = "a rule of another job names it; write it out".to_owned();
            return fault(format!("`runTask.group` of `{name}` has `${{account}}` in it"), Some(help));
        }
        None
    })
}
