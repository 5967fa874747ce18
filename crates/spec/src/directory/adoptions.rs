//! Jobs that lay claim to one rule or family: by `adopt`, or by a name that another job has of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Blocked;
use super::load::about;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Severity;
use crate::job::{Job, Place};
use crate::name::{JobName, Prefix, RuleName};
use crate::yaml::Mark;

/// A claim that cannot stand.
struct Fault {
    job: JobName,
    path: &'static str,
    message: String,
}

const RULES: &str = "spec.adopt.rules";
const FAMILY: &str = "spec.adopt.family";

/// Blocks jobs of one place that want one rule or one family, all of them: whose it is, nobody can say.
pub fn adoptions(
    jobs: &mut BTreeMap<JobName, Arc<Job>>,
    blocked: &mut BTreeMap<JobName, Blocked>,
    prefix: &Prefix,
    adopt_at: &BTreeMap<JobName, Mark>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for Fault { job: name, path, message } in faults(jobs, blocked, prefix) {
        let Some(job) = jobs.remove(&name) else { continue };
        let mut diagnostic = about(&job, Severity::Error, path, message.clone(), None);
        if let Some(at) = adopt_at.get(&name) {
            (diagnostic.line, diagnostic.column) = (at.line, at.column);
        }
        diagnostics.push(diagnostic);
        let message = format!("{path}: {message}");
        blocked.insert(name, Blocked::of(&job, message));
    }
}

fn faults(jobs: &BTreeMap<JobName, Arc<Job>>, blocked: &BTreeMap<JobName, Blocked>, prefix: &Prefix) -> Vec<Fault> {
    let adopting = || jobs.values().filter(|job| !job.adopt.is_empty());
    let mut claims: BTreeMap<(&Place, &'static str, &str), BTreeSet<&JobName>> = BTreeMap::new();
    for job in adopting() {
        for rule in job.adopt.rules() {
            claims.entry((&job.place, RULES, rule.as_str())).or_default().insert(&job.name);
        }
        if let Some(family) = &job.adopt.family {
            claims.entry((&job.place, FAMILY, family.as_str())).or_default().insert(&job.name);
        }
    }
    let mut faults = Vec::new();
    for ((_, path, name), jobs) in claims.iter().filter(|(_, jobs)| jobs.len() > 1) {
        for job in jobs {
            let other = jobs.iter().find(|other| other != &job).map(|other| other.as_str()).unwrap_or_default();
            let message = format!("`{other}` names `{name}` too");
            faults.push(Fault { job: (*job).clone(), path, message });
        }
    }
    for ((place, path, name), claimants) in &claims {
        let Some(owner) = of_itself(name, prefix) else { continue };
        let lives_here = jobs.get(&owner).map_or(blocked.contains_key(&owner), |job| job.place == **place);
        if !lives_here {
            continue;
        }
        for job in claimants.iter().filter(|job| ***job != owner) {
            let message = format!("`{name}` is the name that the job `{owner}` has in AWS");
            faults.push(Fault { job: (*job).clone(), path, message });
            let message = format!("`{job}` adopts `{name}`, the name that this job has in AWS");
            faults.push(Fault { job: owner.clone(), path: "metadata.name", message });
        }
    }
    for job in adopting() {
        let own: BTreeSet<String> = names_of_its_own(job, prefix).collect();
        if let Some(rule) = job.adopt.rules().find(|rule: &&RuleName| own.contains(rule.as_str())) {
            let message = format!("`{rule}` is what another rule of this job is called");
            faults.push(Fault { job: job.name.clone(), path: RULES, message });
        }
    }
    faults
}

/// The job that a family or rule is called after, if it is.
fn of_itself(name: &str, prefix: &Prefix) -> Option<JobName> {
    let stem = match name.rsplit_once('.') {
        Some((stem, hex)) if hex.len() == 6 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => stem,
        Some(_) | None => name,
    };
    JobName::new(stem.strip_prefix(prefix.as_str())?).ok()
}

/// Names of the job's rules that are not taken over.
fn names_of_its_own<'j>(job: &'j Job, prefix: &'j Prefix) -> impl Iterator<Item = String> {
    let name = move |suffix: Option<String>| match suffix {
        Some(suffix) => format!("{prefix}{}.{suffix}", job.name),
        None => format!("{prefix}{}", job.name),
    };
    let schedules = job.schedules.iter().filter(|schedule| job.adopt.for_schedule(schedule).is_none());
    let schedules = schedules.map(|schedule| job.schedule_is_list.then(|| schedule.suffix()));
    let events = job.events.iter().filter(|pattern| job.adopt.for_event(pattern).is_none());
    let events = events.map(|pattern| Some(pattern.suffix()));
    let after = job.after.iter().map(|after| Some(after.suffix()));
    let notify = job.notify.iter().map(|notify| Some(notify.suffix()));
    schedules.chain(events).chain(after).chain(notify).map(name)
}
