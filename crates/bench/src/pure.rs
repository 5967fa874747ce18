//! What reading and deciding cost in CPU, without AWS and its SDK.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use ecs_etl_controller::manifests::{Manifests, Reader};
use ecs_etl_plan::decide::{Decision, Policy, decide};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lower::lower;
use ecs_etl_plan::observed::{Fact, LiveRevision, LiveRule, Observed, RevisionArn, RuleState};
use ecs_etl_spec::name::{AccountId, Prefix};
use jiff::Timestamp;

use crate::cost;
use crate::figure::{Figure, Figures, Unit};
use crate::fleet::Fleet;
use crate::stage::START;

/// Jobs for which the budgets are given; others have their part of them.
const REFERENCE: f64 = 10_000.0;

/// Reads a directory of that many jobs, and decides each of them on what a resync knows.
///
/// # Errors
///
/// A manifest is not valid, or a decision is not silence.
pub fn measure(jobs: usize) -> anyhow::Result<Vec<Figure>> {
    let now: Timestamp = START.parse()?;
    let scan = Fleet { jobs, version: 1 }.scan();
    let part = jobs as f64 / REFERENCE;
    let mut figures = Figures::of(format!("pure {jobs}"));

    let (manifests, spent) = timed(|| Ok(Reader::default().read(&scan, now)))?;
    ensure!(manifests.wanted().count() == jobs, "not every manifest is valid");
    figures.hold("parse and validate, CPU", spent, Unit::Seconds, 2.0 * part);

    let held = |figures: &mut Figures, what: &str| -> anyhow::Result<()> {
        figures.tell(what, cost::memory_now(cost::OWN)? as f64 / 1e6, Unit::Megabytes);
        Ok(())
    };
    held(&mut figures, "memory with the manifests")?;
    let (desired, spent) = timed(|| lowered(&manifests, now))?;
    held(&mut figures, "and the jobs in AWS's terms")?;
    figures.tell("lower to AWS's terms, CPU", spent, Unit::Seconds);

    let observed: Vec<Observed> = desired.iter().map(settled).collect::<anyhow::Result<_>>()?;
    let (silent, spent) =
        timed(|| Ok(desired.iter().zip(&observed).filter(|(desired, seen)| is_silent(desired, seen, now)).count()))?;
    ensure!(silent == jobs, "{silent} of {jobs} jobs were decided to be as they should be");
    figures.hold("decide, CPU", spent, Unit::Seconds, part);
    figures.tell("peak memory of all of it", cost::peak_memory(cost::OWN)? as f64 / 1e6, Unit::Megabytes);
    Ok(figures.into_vec())
}

/// How long something takes on one core that has nothing else to do.
fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let start = Instant::now();
    let result = black_box(work()?);
    Ok((result, start.elapsed().as_secs_f64()))
}

/// Every job in AWS's terms.
///
/// # Errors
///
/// A job cannot be bound to its account.
pub fn lowered(manifests: &Manifests, now: Timestamp) -> anyhow::Result<Vec<Desired>> {
    let settings = manifests.settings("bench");
    let account = AccountId::new("000000000000")?;
    let prefix: &Prefix = &settings.prefix;
    let jobs = manifests.wanted();
    jobs.map(|job| Ok(lower(&job.bind(&account)?, &settings.identity, prefix, now)?)).collect()
}

/// What a resync knows of a job that is as it should be.
///
/// # Errors
///
/// The job's names make no ARN.
pub fn settled(desired: &Desired) -> anyhow::Result<Observed> {
    let arn = format!("arn:aws:ecs:eu-central-1:{}:task-definition/{}:1", desired.account, desired.family);
    let arn = RevisionArn::parse(&arn).context("not the ARN of a revision")?;
    let mut target = desired.target.clone();
    if let Some(parameters) = &mut target.ecs_parameters {
        parameters.task_definition_arn = Some(arn.as_str().to_owned());
    }
    let revision =
        LiveRevision { arn: arn.clone(), normal: desired.normal.clone(), tags: desired.revision_tags.clone() };
    let mut observed = Observed {
        active: BTreeMap::from([(desired.family.clone(), Fact::Known(vec![arn.clone()]))]),
        revisions: BTreeMap::from([(arn, Fact::Known(Some(revision)))]),
        ..Observed::default()
    };
    for rule in &desired.rules {
        let live = LiveRule {
            name: rule.name.clone(),
            arn: format!("arn:aws:events:eu-central-1:{}:rule/{}", desired.account, rule.name),
            expression: rule.trigger.expression().map(str::to_owned),
            event_pattern: rule.trigger.pattern().map(str::to_owned),
            timing: None,
            state: if rule.enabled { RuleState::Enabled } else { RuleState::Disabled },
            description: Some(rule.description.clone()),
            role_arn: None,
            managed_by: None,
        };
        observed.rules.insert(rule.name.clone(), Fact::Known(Some(live)));
        observed.rule_tags.insert(rule.name.clone(), Fact::Known(desired.rule_tags.clone()));
        observed.targets.insert(rule.name.clone(), Fact::Known(vec![target.clone()]));
    }
    Ok(observed)
}

/// Whether nothing is to be done about a job.
pub fn is_silent(desired: &Desired, observed: &Observed, now: Timestamp) -> bool {
    match decide(desired, observed, &Policy::default(), now) {
        Decision::Plan(plan) => plan.steps.is_empty(),
        Decision::Look(_) => false,
    }
}
