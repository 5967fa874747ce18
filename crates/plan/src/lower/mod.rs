//! A valid job in AWS's terms: names, tags, the task definition, rules and their target.

mod input;
mod message;
mod runs;
mod scheduled;
mod target;

use std::collections::BTreeMap;

use ecs_etl_spec::job::{BoundJob, DeletionPolicy};
use ecs_etl_spec::name::{Family, JobName, NameError, Prefix, RuleName};
use ecs_etl_spec::trigger::Runs;
use jiff::Timestamp;

use crate::adoption::Adoption;
use crate::desired::{Desired, DesiredRule, Effect, Former, Identity, Trigger};
use crate::normalise::{self, Normal};
use crate::tags::{self, Tags};

/// Lowers a job: everything that [`crate::decide::decide`] compares live state with.
///
/// # Errors
///
/// A name that AWS does not take. The checks of the manifest refuse such a job first.
pub fn lower(bound: &BoundJob, identity: &Identity, prefix: &Prefix, now: Timestamp) -> Result<Desired, NameError> {
    let job = &bound.job;
    let adoption = Adoption {
        own: family(prefix, &job.name)?,
        family: job.adopt.family.clone(),
        rules: job.adopt.rules().cloned().collect(),
    };
    let family = adoption.family.clone().unwrap_or_else(|| adoption.own.clone());
    let normal = normalise::task_definition(&bound.task_definition);
    let spec_tag = spec_tag(&normal);
    let rule_tags = ownership(&bound.tags, identity, &job.name, job.deletion_policy);
    let mut revision_tags = rule_tags.clone();
    revision_tags.insert(tags::SPEC.to_owned(), spec_tag.clone());

    let scheduled = scheduled::scheduled(bound, identity)?;
    let rules = rules(bound, identity, prefix, &adoption.own, &family, now)?;
    let former = |old: &JobName| Ok(Former { job: old.clone(), family: self::family(prefix, old)? });

    Ok(Desired {
        job: job.name.clone(),
        place: job.place.clone(),
        account: bound.account.clone(),
        family,
        adoption,
        task_definition: bound.task_definition.clone(),
        normal,
        spec_tag,
        revision_tags,
        rule_tags,
        rules,
        target: target::target(bound),
        scheduled,
        moved_from: job.moved_from.as_ref().map(former).transpose()?,
        reconcile_disabled: job.reconcile_disabled,
        deletion_policy: job.deletion_policy,
        observed_spec: job.digest.clone(),
    })
}

/// One rule for each schedule, each job that it starts after, each event, each one who is told.
fn rules(
    bound: &BoundJob,
    identity: &Identity,
    prefix: &Prefix,
    own: &Family,
    family: &Family,
    now: Timestamp,
) -> Result<Vec<DesiredRule>, NameError> {
    let job = &bound.job;
    let description = description(identity, &job.name);
    let named = |name: RuleName, trigger: Trigger, effect: Effect| DesiredRule {
        name,
        trigger,
        effect,
        enabled: !job.suspend,
        over: false,
        begun: false,
        description: description.clone(),
    };
    let rule =
        |suffix: Option<String>, trigger: Trigger, effect: Effect| Ok(named(rule_name(own, suffix)?, trigger, effect));
    let mut rules = Vec::new();
    for schedule in &job.schedules {
        let suffix = job.schedule_is_list.then(|| schedule.suffix());
        if let Some(on) = &job.scheduler {
            rules.push(scheduled::schedule(bound, identity, rule_name(own, suffix)?, on.timing(schedule), now)?);
            continue;
        }
        let trigger = Trigger::Schedule(schedule.clone());
        rules.push(match job.adopt.for_schedule(schedule) {
            Some(adopted) => named(adopted.clone(), trigger, Effect::Run),
            None => rule(suffix, trigger, Effect::Run)?,
        });
    }
    for after in &job.after {
        let upstream = match &after.upstream.family {
            Some(adopted) => adopted.clone(),
            None => self::family(prefix, &after.job)?,
        };
        let pattern = runs::ended(after.on, &after.upstream, &upstream, bound);
        rules.push(rule(Some(after.suffix()), Trigger::Event(pattern), Effect::Run)?);
    }
    for pattern in &job.events {
        let trigger = Trigger::Event(pattern.clone());
        rules.push(match job.adopt.for_event(pattern) {
            Some(adopted) => named(adopted.clone(), trigger, Effect::Run),
            None => rule(Some(pattern.suffix()), trigger, Effect::Run)?,
        });
    }
    let own = Runs { group: bound.run_task.group.clone(), ..job.runs.clone() };
    for notify in &bound.notify {
        let pattern = runs::ended(notify.on, &own, family, bound);
        let target = Box::new(message::target(notify, bound));
        rules.push(rule(Some(notify.suffix()), Trigger::Event(pattern), Effect::Notify(target))?);
    }
    Ok(rules)
}

/// Mirrors the ownership tags where lists show it. It hints; tags prove.
fn description(identity: &Identity, job: &JobName) -> String {
    format!("Managed by ecs-etl: controller={} job={job}", identity.controller)
}

pub use scheduled::{described, group};

/// The job that a rule's description names, if it names this controller.
pub fn description_names(identity: &Identity, description: &str) -> Option<JobName> {
    let (_, job) = description.rsplit_once(" job=")?;
    let job = JobName::new(job).ok()?;
    (self::description(identity, &job) == description).then_some(job)
}

/// Family of a job: `<prefix><job>`.
///
/// # Errors
///
/// One that ECS does not take.
pub fn family(prefix: &Prefix, job: &JobName) -> Result<Family, NameError> {
    Family::new(format!("{prefix}{job}"))
}

/// The job that a family belongs to by its name, if it bears the prefix.
pub fn job_of_family(prefix: &Prefix, family: &str) -> Option<JobName> {
    JobName::new(family.strip_prefix(prefix.as_str())?).ok()
}

/// The job that a rule belongs to by its name: `<prefix><job>` or `<prefix><job>.<6 hex>`. A hint; tags prove.
pub fn job_of_rule(prefix: &Prefix, rule: &str) -> Option<JobName> {
    let base = match rule.rsplit_once('.') {
        Some((base, suffix)) if is_suffix(suffix) => base,
        Some(_) => return None,
        None => rule,
    };
    job_of_family(prefix, base)
}

/// Whether a rule bears the name of the job with this family: the family itself, or with a suffix of six digits.
pub(crate) fn names_rule(family: &Family, rule: &RuleName) -> bool {
    match rule.as_str().strip_prefix(family.as_str()) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(is_suffix),
        None => false,
    }
}

fn is_suffix(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn rule_name(family: &Family, suffix: Option<String>) -> Result<RuleName, NameError> {
    match suffix {
        Some(suffix) => RuleName::new(format!("{family}.{suffix}")),
        None => RuleName::new(family.as_str()),
    }
}

/// The spec tag of a content: this build's version and a digest.
fn spec_tag(normal: &Normal) -> String {
    format!("{}:{}", tags::SPEC_VERSION, normal.digest().short(64))
}

fn ownership(labels: &BTreeMap<String, String>, identity: &Identity, job: &JobName, policy: DeletionPolicy) -> Tags {
    let mut all: Tags = labels.clone();
    let mut set = |key: &str, value: &str| all.insert(key.to_owned(), value.to_owned());
    set(tags::CONTROLLER, identity.controller.as_str());
    set(tags::JOB, job.as_str());
    set(tags::SOURCE, &identity.source);
    set(tags::POLICY, policy_tag(policy));
    if let Some(list) = tags::label_list(labels.keys()) {
        set(tags::LABELS, &list);
    }
    all
}

/// How a deletion policy is written in a tag.
fn policy_tag(policy: DeletionPolicy) -> &'static str {
    match policy {
        DeletionPolicy::Delete => "Delete",
        DeletionPolicy::Retain => "Retain",
    }
}
