//! Our own last writes, which lists may not show yet (docs/aws.md, Consistency).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::observed::{LiveRule, RevisionArn};
use ecs_etl_spec::name::{Family, RuleName};
use jiff::Timestamp;

use super::Sweep;

/// How long a write of ours overrules a list that does not show it yet.
const OVERLAY: Duration = Duration::from_secs(60);

/// The last write to each thing, and when it was: of several, the last counts. A rule was absent before it was put.
#[derive(Debug, Default)]
pub(super) struct Writes {
    rules: BTreeMap<RuleName, (Timestamp, Option<Arc<LiveRule>>)>,
    /// Whether each revision is ACTIVE.
    revisions: BTreeMap<RevisionArn, (Timestamp, bool)>,
}

impl Writes {
    /// A rule is so, or is not there, since `now`.
    pub fn rule(&mut self, name: &RuleName, live: Option<Arc<LiveRule>>, now: Timestamp) {
        self.rules.insert(name.clone(), (now, live));
    }

    /// A revision is ACTIVE, or is not, since `now`.
    pub fn revision(&mut self, arn: &RevisionArn, active: bool, now: Timestamp) {
        self.revisions.insert(arn.clone(), (now, active));
    }

    /// Whether the last that we did to a rule was to delete it.
    pub fn deleted(&self, name: &RuleName) -> bool {
        self.rules.get(name).is_some_and(|(_, live)| live.is_none())
    }

    /// How many things were written to.
    pub fn len(&self) -> usize {
        self.rules.len() + self.revisions.len()
    }

    /// Lays over a sweep what was written since shortly before it began, and forgets what is older.
    pub fn lay_over(&mut self, sweep: &mut Sweep) {
        let overlay = jiff::SignedDuration::try_from(OVERLAY).unwrap_or_default();
        let since = sweep.at.checked_sub(overlay).unwrap_or(Timestamp::MIN);
        self.rules.retain(|_, (at, _)| *at >= since);
        self.revisions.retain(|_, (at, _)| *at >= since);
        for (name, (at, live)) in &self.rules {
            // A rule that lists otherwise than we wrote it before the reading may lag, or somebody else's hand was there: laid over,
            // that drift would stay unseen, and a direct read tells the two apart.
            let listed_whole = live.is_some() && name.group().is_none();
            if *at >= sweep.at || !listed_whole {
                lay_rule(sweep, name, live.as_ref());
            }
        }
        for (arn, (_, active)) in &self.revisions {
            if let Ok(family) = Family::new(arn.family()) {
                lay_revision(sweep, &family, arn, *active);
            }
        }
    }
}

/// Whether a sweep shows a rule as it is.
pub(super) fn shows_rule(sweep: &Sweep, name: &RuleName, live: Option<&LiveRule>) -> bool {
    match name.group() {
        Some(_) => sweep.schedules.get(name) == live.map(|live| &live.state),
        None => sweep.rules.get(name).map(Arc::as_ref) == live,
    }
}

/// Brings what a sweep says of a rule up to date.
pub(super) fn lay_rule(sweep: &mut Sweep, name: &RuleName, live: Option<&Arc<LiveRule>>) {
    match (live, name.group()) {
        (Some(live), Some(_)) => drop(sweep.schedules.insert(name.clone(), live.state.clone())),
        (None, Some(_)) => drop(sweep.schedules.remove(name)),
        (Some(live), None) => drop(sweep.rules.insert(name.clone(), Arc::clone(live))),
        (None, None) => drop(sweep.rules.remove(name)),
    }
}

/// Whether a sweep shows a revision as it is.
pub(super) fn shows_revision(sweep: &Sweep, family: &Family, arn: &RevisionArn, active: bool) -> bool {
    sweep.active.get(family).is_some_and(|arns| arns.contains(arn)) == active
}

/// Brings what a sweep says of a revision up to date.
pub(super) fn lay_revision(sweep: &mut Sweep, family: &Family, arn: &RevisionArn, active: bool) {
    if active {
        let list = sweep.active.entry(family.clone()).or_default();
        if !list.contains(arn) {
            list.push(arn.clone());
            list.sort_by(|a, b| b.cmp(a));
        }
    } else if let Some(list) = sweep.active.get_mut(family) {
        list.retain(|other| other != arn);
        if list.is_empty() {
            sweep.active.remove(family);
        }
    }
}
