//! Jobs that start after other jobs: that those exist, can run, and that no job waits for itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::Blocked;
use super::load::about;
use crate::diagnostic::{Diagnostic, Severity};
use crate::job::Job;
use crate::name::JobName;
use crate::shapes::RunTask;
use crate::suggest;
use crate::trigger::After;
use crate::yaml::Mark;

const PATH: &str = "spec.after";

/// Names shown of a longer way: the first ones and the last.
const MOST_NAMES: usize = 12;

/// Unknown names for which a likely one is looked for; each is compared with every job.
const MOST_SUGGESTIONS: usize = 20;

/// Why a job cannot start after another: the jobs on the way, the first to run first, and what is wrong with it.
#[derive(Debug, Clone)]
struct Fault {
    path: Vec<String>,
    why: String,
    help: Option<String>,
}

impl Fault {
    fn new<'n>(path: impl IntoIterator<Item = &'n JobName>, why: String, help: Option<String>) -> Self {
        Self { path: shortened(path.into_iter().map(|name| format!("`{name}`")).collect()), why, help }
    }

    /// The same, seen from a job that starts after the last one.
    fn before(&self, job: &JobName) -> Self {
        let path = self.path.iter().cloned().chain([format!("`{job}`")]).collect();
        Self { path: shortened(path), ..self.clone() }
    }
}

/// A way that can be shown: of a long one the middle is left out, and the gap shows.
fn shortened(mut path: Vec<String>) -> Vec<String> {
    if path.len() > MOST_NAMES {
        let half = MOST_NAMES / 2;
        path.splice(half..path.len() - half, ["…".to_owned()]);
    }
    path
}

/// Fills in how the runs of each job's upstream jobs are known, and blocks jobs that could never start by one of them.
pub fn chains(
    jobs: &mut BTreeMap<JobName, Arc<Job>>,
    blocked: &mut BTreeMap<JobName, Blocked>,
    after_at: &BTreeMap<JobName, Mark>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut faults = cycles(jobs);
    let mut suggestions = MOST_SUGGESTIONS;
    for job in jobs.values().filter(|job| !job.after.is_empty()) {
        if !faults.contains_key(&job.name)
            && let Some(fault) = job.after.iter().find_map(|after| fault(job, after, jobs, blocked, &mut suggestions))
        {
            faults.insert(job.name.clone(), fault);
        }
    }
    pass_on(&mut faults, jobs);
    for (name, fault) in faults {
        let Some(job) = jobs.remove(&name) else { continue };
        let message = format!("{}: {}", fault.path.join(" → "), fault.why);
        let mut diagnostic = about(&job, Severity::Error, PATH, message.clone(), fault.help);
        place(&mut diagnostic, after_at.get(&name));
        diagnostics.push(diagnostic);
        let message = format!("{PATH}: {message}");
        blocked.insert(name, Blocked::of(&job, message));
    }
    connect(jobs, after_at, diagnostics);
}

/// What is wrong with a job is wrong with all that start after it, however far.
fn pass_on(faults: &mut BTreeMap<JobName, Fault>, jobs: &BTreeMap<JobName, Arc<Job>>) {
    let waiting = waiting(jobs);
    let mut next: VecDeque<JobName> = faults.keys().cloned().collect();
    while let Some(name) = next.pop_front() {
        for job in waiting.get(&name).into_iter().flatten() {
            if let Some(fault) = faults.get(&name).filter(|_| !faults.contains_key(*job)).map(|fault| fault.before(job))
            {
                faults.insert((*job).clone(), fault);
                next.push_back((*job).clone());
            }
        }
    }
}

/// The jobs that start after each.
fn waiting(jobs: &BTreeMap<JobName, Arc<Job>>) -> BTreeMap<&JobName, Vec<&JobName>> {
    let mut waiting: BTreeMap<&JobName, Vec<&JobName>> = BTreeMap::new();
    for job in jobs.values() {
        for after in &job.after {
            waiting.entry(&after.job).or_default().push(&job.name);
        }
    }
    waiting
}

/// Tells each job how the runs of its upstream jobs are known.
fn connect(
    jobs: &mut BTreeMap<JobName, Arc<Job>>,
    after_at: &BTreeMap<JobName, Mark>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut found = Vec::new();
    for job in jobs.values() {
        for (index, after) in job.after.iter().enumerate() {
            let Some(upstream) = jobs.get(&after.job) else { continue };
            found.push((job.name.clone(), index, upstream.runs.clone()));
            if let Ok(RunTask { count: Some(tasks @ 2..), .. }) = upstream.run_task.open() {
                let message =
                    format!("`{}` runs {tasks} tasks at once: this job starts after each of them", upstream.name);
                let mut diagnostic = about(job, Severity::Warning, PATH, message, None);
                place(&mut diagnostic, after_at.get(&job.name));
                diagnostics.push(diagnostic);
            }
        }
    }
    for (name, index, runs) in found {
        if let Some(after) = jobs.get_mut(&name).and_then(|job| Arc::make_mut(job).after.get_mut(index)) {
            after.upstream = runs;
        }
    }
    for job in jobs.values_mut().filter(|job| !job.after.is_empty()) {
        let job = Arc::make_mut(job);
        job.digest = job.compute_digest();
    }
}

fn place(diagnostic: &mut Diagnostic, at: Option<&Mark>) {
    if let Some(at) = at {
        (diagnostic.line, diagnostic.column) = (at.line, at.column);
    }
}

/// The jobs of every ring of jobs that wait for each other, with the way round from each.
fn cycles(jobs: &BTreeMap<JobName, Arc<Job>>) -> BTreeMap<JobName, Fault> {
    let rest = unordered(jobs);
    let mut faults = BTreeMap::new();
    let mut seen: BTreeSet<&JobName> = BTreeSet::new();
    for start in &rest {
        // Upstream from job to job, until one comes again: all of the rest have an upstream job among it.
        let mut way: Vec<&JobName> = Vec::new();
        let mut next = Some(*start);
        while let Some(name) = next.filter(|name| seen.insert(name)) {
            way.push(name);
            let upstream = jobs.get(name).into_iter().flat_map(|job| &job.after).map(|after| &after.job);
            next = upstream.into_iter().find(|name| rest.contains(name));
        }
        let Some(first) = next.and_then(|name| way.iter().position(|other| *other == name)) else { continue };
        let ring: Vec<&JobName> = way.get(first..).into_iter().flatten().rev().copied().collect();
        for (index, name) in ring.iter().enumerate() {
            // In the order in which they would run, from this one round to itself.
            let (before, from) = ring.split_at(index);
            let turn = from.iter().chain(before).chain([name]).copied();
            let help = Some("take one of the arrows out".to_owned());
            faults.insert((*name).clone(), Fault::new(turn, "they wait for each other".to_owned(), help));
        }
    }
    faults
}

/// Jobs for which there is no order: each is on a ring, or starts after one that is.
fn unordered(jobs: &BTreeMap<JobName, Arc<Job>>) -> BTreeSet<&JobName> {
    let waiting = waiting(jobs);
    let upstream = |job: &Job| job.after.iter().filter(|after| jobs.contains_key(&after.job)).count();
    let mut left: BTreeMap<&JobName, usize> = jobs.values().map(|job| (&job.name, upstream(job))).collect();
    let mut free: Vec<&JobName> = left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        left.remove(name);
        for job in waiting.get(name).into_iter().flatten() {
            if let Some(count) = left.get_mut(job) {
                *count -= 1;
                if *count == 0 {
                    free.push(job);
                }
            }
        }
    }
    left.into_keys().collect()
}

/// What is wrong with one of the jobs that `job` starts after.
fn fault(
    job: &Job,
    after: &After,
    jobs: &BTreeMap<JobName, Arc<Job>>,
    blocked: &BTreeMap<JobName, Blocked>,
    suggestions: &mut usize,
) -> Option<Fault> {
    let fault = |why: String, help: Option<String>| Some(Fault::new([&after.job, &job.name], why, help));
    let Some(upstream) = jobs.get(&after.job) else {
        if let Some(blocked) = blocked.get(&after.job) {
            return fault(format!("`{}` cannot be used: {}", after.job, blocked.message), None);
        }
        let names = jobs.keys().map(JobName::as_str);
        let help = if *suggestions > 0 { suggest::among(after.job.as_str(), names) } else { None };
        *suggestions = suggestions.saturating_sub(1);
        return fault(format!("there is no EtlJob `{}` in this directory", after.job), help);
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
}
