//! `after`, `events` and `notify`, one document at a time; that the other jobs exist is seen across the directory.

use std::collections::BTreeSet;

use super::schedules::Schedules;
use super::{Fields, arn};
use crate::check;
use crate::manifest::{AfterSpec, EventSpec, JobSpec, NotifySpec};
use crate::name::{JobName, Region};
use crate::pattern::EventPattern;
use crate::schedule::Schedule;
use crate::trigger::{After, Notify, Outcome, Runs};

/// What each of the three lists may hold: every entry is a rule out of the 300 of a bus.
const MOST: usize = 20;

/// What starts a job besides its schedule, and who hears of its end.
#[derive(Debug, Default)]
pub struct Triggers {
    /// Sorted by name of the other job. How its runs are known is filled in when all jobs are.
    pub after: Vec<After>,
    /// Sorted.
    pub events: Vec<EventPattern>,
    /// Sorted.
    pub notify: Vec<Notify>,
}

impl Triggers {
    /// Six digits of the name of each rule.
    fn suffixes(&self) -> impl Iterator<Item = String> {
        let after = self.after.iter().map(After::suffix);
        after.chain(self.events.iter().map(EventPattern::suffix)).chain(self.notify.iter().map(Notify::suffix))
    }
}

/// Refuses a job two of whose rules would bear one name: one in many thousands of those with as many as a job can have.
pub fn names(fields: &mut Fields<'_>, schedules: &Schedules, triggers: &Triggers) {
    let listed = schedules.sorted.iter().filter(|_| schedules.is_list).map(Schedule::suffix);
    let mut seen = BTreeSet::new();
    if !listed.chain(triggers.suffixes()).all(|suffix| seen.insert(suffix)) {
        let help = "write one of the schedules or triggers otherwise".to_owned();
        fields.error("spec", "two of its rules would get one name", Some(help));
    }
}

/// Reads what a job says of them. `inherited` is the cluster's `notify`, which a job's own replaces.
pub fn triggers(fields: &mut Fields<'_>, spec: &JobSpec, inherited: &[Notify], region: Option<&Region>) -> Triggers {
    let notify = match &spec.notify {
        Some(own) => notify(fields, own, region),
        None => inherited.to_vec(),
    };
    Triggers {
        after: spec.after.as_deref().map(|after| self::after(fields, after)).unwrap_or_default(),
        events: spec.events.as_deref().map(|events| self::events(fields, events)).unwrap_or_default(),
        notify,
    }
}

fn after(fields: &mut Fields<'_>, specs: &[AfterSpec]) -> Vec<After> {
    const PATH: &str = "spec.after";
    count(fields, PATH, specs.len(), 1);
    let mut read: Vec<After> = Vec::new();
    for (index, spec) in specs.iter().enumerate().take(MOST) {
        let path = format!("{PATH}[{index}]");
        let Some(job) = &spec.job else {
            fields.missing(&format!("{path}.job"), "the name of another EtlJob of this directory");
            continue;
        };
        let Some(job) = fields.name(&format!("{path}.job"), JobName::new(job)) else { continue };
        if read.iter().any(|earlier| earlier.job == job) {
            let help = "for success and failure alike, write `on: completion`".to_owned();
            fields.error(&path, format!("`{job}` is named twice"), Some(help));
            continue;
        }
        read.push(After { job, on: spec.on.unwrap_or(Outcome::Success), upstream: Runs::default() });
    }
    read.sort_by(|a, b| a.job.cmp(&b.job));
    read
}

fn events(fields: &mut Fields<'_>, specs: &[EventSpec]) -> Vec<EventPattern> {
    const PATH: &str = "spec.events";
    count(fields, PATH, specs.len(), 1);
    let mut read: Vec<EventPattern> = Vec::new();
    for (index, spec) in specs.iter().enumerate().take(MOST) {
        let path = format!("{PATH}[{index}].pattern");
        let Some(pattern) = &spec.pattern else {
            fields.missing(&path, "an EventBridge event pattern, such as `{source: [aws.s3]}`");
            continue;
        };
        fields.problems(&path, check::event_pattern(&pattern.0));
        let pattern = EventPattern::of(&pattern.0);
        if read.contains(&pattern) {
            fields.error(&path, "the same pattern stands above: an event would start the job twice", None);
            continue;
        }
        read.push(pattern);
    }
    read.sort();
    read
}

/// Reads `spec.notify` of a job or of a cluster in `region`.
pub fn notify(fields: &mut Fields<'_>, specs: &[NotifySpec], region: Option<&Region>) -> Vec<Notify> {
    const PATH: &str = "spec.notify";
    count(fields, PATH, specs.len(), 0);
    let mut read: Vec<Notify> = Vec::new();
    for (index, spec) in specs.iter().enumerate().take(MOST) {
        let path = format!("{PATH}[{index}]");
        let Some(target) = &spec.target else {
            fields
                .missing(&format!("{path}.target"), "the ARN of an SNS topic, SQS queue, Lambda function or event bus");
            continue;
        };
        let role_arn = spec.role_arn.clone();
        if let Some(Err(why)) = role_arn.as_deref().map(arn::role) {
            fields.error(&format!("{path}.roleArn"), why, None);
        }
        if let Err(why) = arn::notified(target, region, role_arn.is_some()) {
            fields.error(&format!("{path}.target"), why, None);
            continue;
        }
        let notify = Notify { on: spec.on.unwrap_or(Outcome::Failure), target: target.clone(), role_arn };
        let twice = |other: &Notify| {
            let both = other.on == notify.on || [other.on, notify.on].contains(&Outcome::Completion);
            other.target == notify.target && both
        };
        if read.iter().any(twice) {
            fields.error(&path, "an entry above tells the same target of the same end", None);
            continue;
        }
        read.push(notify);
    }
    read.sort();
    read
}

fn count(fields: &mut Fields<'_>, path: &str, count: usize, least: usize) {
    if !(least..=MOST).contains(&count) {
        fields.error(path, format!("expected {least} to {MOST} entries, found {count}"), None);
    }
}
