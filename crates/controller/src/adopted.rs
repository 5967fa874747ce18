//! Families and rules that jobs have taken over: the names under which they are found besides their own.
//!
//! While a manifest says so, it is known from there. Afterwards the descriptions of the rules hint at it, and the targets of the
//! rules at the family; what was known once is remembered as long as it is there.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::lower::job_of_rule;
use ecs_etl_plan::observed::{LiveRule, Observed};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::tags;
use ecs_etl_spec::directory::Directory;
use ecs_etl_spec::name::{ControllerName, Family, JobName, Prefix, RuleName};

/// What one job has taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Families.
    pub families: BTreeSet<Family>,
    /// Rules.
    pub rules: BTreeSet<RuleName>,
}

/// What each job has taken over.
pub type Adopted = BTreeMap<JobName, Taken>;

impl Taken {
    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty() && self.rules.is_empty()
    }

    /// Adds what another one holds.
    pub fn extend(&mut self, other: &Self) {
        self.families.extend(other.families.iter().cloned());
        self.rules.extend(other.rules.iter().cloned());
    }

    /// What the facts of a job name besides its own family and the rules called after it.
    pub fn seen(facts: &Observed, own: &Family) -> Self {
        let rules = facts.rules.keys().filter(|rule| stem(rule.as_str()) != own.as_str());
        let families = facts.active.keys().filter(|family| *family != own);
        Self { families: families.cloned().collect(), rules: rules.cloned().collect() }
    }
}

/// What the jobs of a directory take over.
pub fn of(directory: &Directory) -> Adopted {
    let adopting = directory.jobs.values().filter(|job| !job.adopt.is_empty());
    let taken = |adopt: &ecs_etl_spec::adopt::Adopt| Taken {
        families: adopt.family.iter().cloned().collect(),
        rules: adopt.rules().cloned().collect(),
    };
    adopting.map(|job| (job.name.clone(), taken(&job.adopt))).collect()
}

/// Rules that were looked at for `job` and whose tags prove that they are other jobs' of this controller.
///
/// A description only hints, and may run behind: who takes a rule over marks it first and describes it later. Stopped in between, by
/// an edit or by its end, the tags alone say whose it is, and once its manifest is gone nobody else would ever ask for it.
pub fn of_others(controller: &ControllerName, job: &JobName, facts: &Observed) -> Adopted {
    let mut others = Adopted::new();
    for (rule, fact) in &facts.rule_tags {
        let Some(tags) = fact.known() else { continue };
        let Some(other) = tags.get(tags::JOB).and_then(|name| JobName::new(name).ok()) else { continue };
        if other != *job && Mark::new(controller, &other).is_on(tags) {
            others.entry(other).or_default().rules.insert(rule.clone());
        }
    }
    others
}

/// Whether the rule that a description says is `job`'s is called after another job, or after none.
pub fn is_of_another_name(prefix: &Prefix, job: &JobName, rule: &LiveRule) -> bool {
    job_of_rule(prefix, rule.name.as_str()).as_ref() != Some(job)
}

/// A rule name without the suffix that tells the schedules of a list apart.
pub fn stem(rule: &str) -> &str {
    match rule.rsplit_once('.') {
        Some((stem, hex)) if hex.len() == 6 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => stem,
        Some(_) | None => rule,
    }
}
