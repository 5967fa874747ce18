//! What is remembered of one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::normalise::Normal;
use ecs_etl_plan::observed::{Fact, LiveRevision, Observed, RevisionArn};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::Packed;
use jiff::Timestamp;

use super::turn::{Rotation, Tagged};
use super::writes::{Writes, lay_revision, lay_rule, shows_revision, shows_rule};
use super::{Names, Sweep};
use crate::adopted::{Adopted, stem};

/// What is remembered of one place. Everything is found by a range over names: a reconcile costs the same whatever the number
/// of jobs.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub sweep: Option<Sweep>,
    pub writes: Writes,
    pub revisions: BTreeMap<RevisionArn, Kept>,
    pub rule_tags: BTreeMap<RuleName, Packed<Tags>>,
    /// Whose tags are read again next.
    pub rotation: Rotation,
    /// Rules whose tags are known and to be read again.
    pub stale: BTreeSet<RuleName>,
    /// Families of which nothing is taken for granted any more: a pass found them as they should be, or their turn has come.
    pub passed: BTreeSet<Family>,
    /// What jobs have taken over, also those whose manifest is gone.
    pub adopted: Adopted,
    /// Rules and schedules that an earlier list showed and a later one did not, though we did not delete them: a list may lag; and
    /// those that we were about to put. They are asked for by name until a direct read says that they are gone. A map, as names
    /// are looked up in the sweep's.
    pub unlisted: BTreeMap<RuleName, ()>,
}

/// A revision as it is kept: of every job there is one, and maps of seven tags take three times their text.
#[derive(Debug)]
pub(super) struct Kept {
    normal: Normal,
    tags: Packed<Tags>,
}

impl Kept {
    fn of(revision: &LiveRevision) -> Option<Self> {
        Some(Self { normal: revision.normal.clone(), tags: Packed::of(&revision.tags).ok()? })
    }

    pub fn open(&self, arn: &RevisionArn) -> Option<LiveRevision> {
        Some(LiveRevision { arn: arn.clone(), normal: self.normal.clone(), tags: self.tags.open().ok()? })
    }
}

impl Known {
    pub fn take_sweep(&mut self, mut sweep: Sweep) -> BTreeSet<Family> {
        self.writes.lay_over(&mut sweep);
        let live: BTreeSet<&RevisionArn> = sweep.active.values().flatten().collect();
        self.revisions.retain(|arn, _| live.contains(arn));
        self.rule_tags.retain(|rule, _| sweep.rules.contains_key(rule));
        self.stale.retain(|rule| sweep.rules.contains_key(rule));
        self.passed.retain(|family| sweep.active.contains_key(family));
        let before = self.sweep.take().unwrap_or_default();
        let listed = |name: &RuleName| sweep.rules.contains_key(name) || sweep.schedules.contains_key(name);
        let left_out = before.rules.keys().chain(before.schedules.keys()).filter(|name| !listed(name));
        let left_out: Vec<RuleName> = left_out.filter(|name| !self.writes.deleted(name)).cloned().collect();
        self.unlisted.retain(|name, ()| !listed(name));
        self.unlisted.extend(left_out.into_iter().map(|name| (name, ())));
        let changed = changed_families(&before, &sweep);
        self.sweep = Some(sweep);
        changed
    }

    pub fn learn(&mut self, facts: &Observed, wrote: bool, now: Timestamp) {
        for (arn, fact) in &facts.revisions {
            match fact {
                Fact::Known(Some(revision)) => {
                    if let Some(kept) = Kept::of(revision) {
                        self.revisions.insert(arn.clone(), kept);
                    }
                }
                Fact::Known(None) => {
                    self.revisions.remove(arn);
                }
                Fact::NotRead | Fact::Unreadable(_) => {}
            }
        }
        for (rule, fact) in &facts.rule_tags {
            if let Some(tags) = fact.known().and_then(|tags| Packed::of(tags).ok()) {
                self.rule_tags.insert(rule.clone(), tags);
                self.stale.remove(rule);
            }
        }
        for (rule, _) in facts.rules.iter().filter(|(_, fact)| **fact == Fact::Known(None)) {
            self.unlisted.remove(rule);
        }
        if let (Some(sweep), Fact::Known(_)) = (&mut self.sweep, &facts.group) {
            sweep.group = facts.group.clone();
        }
        self.learn_rules(facts, wrote, now);
        self.learn_active(facts, wrote, now);
    }

    /// Facts come whole, also those that a write did not touch: what the lists show already is no news to them.
    fn learn_rules(&mut self, facts: &Observed, wrote: bool, now: Timestamp) {
        for (rule, fact) in &facts.rules {
            let Fact::Known(live) = fact else { continue };
            if live.is_none() {
                self.rule_tags.remove(rule);
            }
            if self.sweep.as_ref().is_some_and(|sweep| shows_rule(sweep, rule, live.as_ref())) {
                continue;
            }
            let live = live.clone().map(Arc::new);
            if let Some(sweep) = &mut self.sweep {
                lay_rule(sweep, rule, live.as_ref());
            }
            if wrote {
                self.writes.rule(rule, live, now);
            }
        }
    }

    fn learn_active(&mut self, facts: &Observed, wrote: bool, now: Timestamp) {
        for (family, fact) in &facts.active {
            let Fact::Known(arns) = fact else { continue };
            let before = self.sweep.as_ref().and_then(|sweep| sweep.active.get(family)).cloned().unwrap_or_default();
            let gone = before.iter().filter(|arn| !arns.contains(arn)).map(|arn| (arn, false));
            for (arn, active) in arns.iter().map(|arn| (arn, true)).chain(gone) {
                if self.sweep.as_ref().is_some_and(|sweep| shows_revision(sweep, family, arn, active)) {
                    continue;
                }
                if let Some(sweep) = &mut self.sweep {
                    lay_revision(sweep, family, arn, active);
                }
                if wrote {
                    self.writes.revision(arn, active, now);
                }
            }
        }
    }

    /// Has the tags of those jobs read again whose turn it is after the last sweep.
    pub fn rotate(&mut self, jobs: &[Names], resync: Duration) {
        let Some(at) = self.sweep.as_ref().map(|sweep| sweep.at) else { return };
        let families: Vec<&Family> = jobs.iter().map(Names::running).collect();
        let turns = self.rotation.next(&families, at, resync);
        for (names, tagged) in turns.into_iter().filter_map(|(index, tagged)| Some((jobs.get(index)?, tagged))) {
            let family = names.running();
            if self.sweep.as_ref().is_some_and(|sweep| sweep.active.contains_key(family)) {
                self.passed.insert(family.clone());
            }
            match tagged {
                // What they were, other jobs' removals are counted by until then.
                Tagged::Rules => self.stale.extend(names.rules(&self.rule_tags).map(|(name, _)| name.clone())),
                Tagged::Revisions => self.forget_revisions(names),
            }
        }
    }

    /// Has the revisions of a job read again, with their tags.
    pub fn forget_revisions(&mut self, names: &Names) {
        let arns: Vec<RevisionArn> = names.revisions(&self.revisions).map(|(arn, _)| arn.clone()).collect();
        arns.iter().for_each(|arn| drop(self.revisions.remove(arn)));
    }
}

fn changed_families(before: &Sweep, after: &Sweep) -> BTreeSet<Family> {
    let rules = before.rules.keys().chain(after.rules.keys());
    let changed_rules = rules.filter(|name| before.rules.get(*name) != after.rules.get(*name));
    let families = before.active.keys().chain(after.active.keys());
    let changed_families = families.filter(|name| before.active.get(*name) != after.active.get(*name)).cloned();
    let schedules = before.schedules.keys().chain(after.schedules.keys());
    let changed_schedules = schedules.filter(|name| before.schedules.get(*name) != after.schedules.get(*name));
    let names = changed_rules.chain(changed_schedules);
    names.filter_map(|name| Family::new(stem(name.as_str())).ok()).chain(changed_families).collect()
}
