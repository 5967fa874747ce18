//! What the controller remembers of AWS between reconciles. All of it may be lost at any moment: it only saves calls.
//!
//! A sweep reads a place's lists once. Bulk knowledge proves silence; before a write, the key is read again directly
//! (`observe`). Our own recent writes are laid over a sweep, since lists may lag behind them (docs/aws.md, Consistency).

mod known;
mod names;
mod turn;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::observed::{Fact, LiveRevision, LiveRule, Observed, RevisionArn, RuleState};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{ControllerName, Family, JobName, Prefix, RuleName};
use jiff::Timestamp;

use crate::adopted::{Adopted, Taken, stem};
use crate::context::Settings;
use crate::remembered::{Per, Remembered};

use known::Known;
pub use names::Names;

/// The lists of one place, read once.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    /// When the reading began.
    pub at: Timestamp,
    /// Rules that bear the controller's prefix, that a job takes over, or that say they are ours.
    pub rules: BTreeMap<RuleName, Arc<LiveRule>>,
    /// Tags of the controller's group of schedules in EventBridge Scheduler; `Known(None)` if there is none, and not read as long
    /// as nothing hangs on it.
    pub group: Fact<Option<Tags>>,
    /// Schedules in it that bear the prefix, with their states: the list tells no more.
    pub schedules: BTreeMap<RuleName, RuleState>,
    /// Schedules in it that bear another prefix.
    pub other_schedules: Vec<RuleName>,
    /// ACTIVE revisions of the families that bear it or that a job has taken over, newest first.
    pub active: BTreeMap<Family, Vec<RevisionArn>>,
    /// Rules that are called after something else and whose descriptions name this controller and the job: a hint, no proof.
    pub under_other_prefix: Vec<(JobName, LiveRule)>,
}

/// All that is remembered, place by place.
#[derive(Debug, Default)]
pub struct World(BTreeMap<Place, Known>);

impl World {
    /// The last complete sweep of a place.
    pub fn sweep(&self, place: &Place) -> Option<&Sweep> {
        self.0.get(place)?.sweep.as_ref()
    }

    /// Places swept so far.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter(|(_, known)| known.sweep.is_some()).map(|(place, _)| place)
    }

    /// Forgets places that no document names any more.
    pub fn keep_places(&mut self, named: &BTreeSet<Place>) {
        self.0.retain(|place, _| named.contains(place));
    }

    /// Takes a sweep, and lays over it what was written since shortly before it began. Families whose lists changed since
    /// the sweep before.
    pub fn take_sweep(&mut self, place: &Place, sweep: Sweep) -> BTreeSet<Family> {
        self.0.entry(place.clone()).or_default().take_sweep(sweep)
    }

    /// Remembers what a reconcile read or wrote directly at `now`.
    pub fn learn(&mut self, place: &Place, facts: &Observed, wrote: bool, now: Timestamp) {
        self.0.entry(place.clone()).or_default().learn(facts, wrote, now);
    }

    /// Remembers that a rule may be there soon, until a list shows it or a direct read says that it is not.
    pub fn expect(&mut self, place: &Place, rule: &RuleName) {
        self.0.entry(place.clone()).or_default().unlisted.insert(rule.clone(), ());
    }

    /// Fills what `fresh` does not know from the sweep and the caches: enough to prove silence, never to justify a write.
    ///
    /// A rule in `wanted` that the sweep does not list is known to be absent.
    pub fn bulk(&self, place: &Place, names: &[Names], wanted: &[RuleName], fresh: &Observed) -> Observed {
        let mut view = fresh.clone();
        let Some((known, sweep)) = self.0.get(place).and_then(|known| Some((known, known.sweep.as_ref()?))) else {
            return view;
        };
        for names in names {
            for family in names.families() {
                fill(&mut view.active, family, sweep.active.get(family).cloned().unwrap_or_default());
            }
            for name in names.taken.rules.iter().filter(|name| view.rules.contains_key(*name)).collect::<Vec<_>>() {
                fill(&mut view.rules, name, sweep.rules.get(name).map(|rule| LiveRule::clone(rule)));
            }
            for (name, rule) in names.rules(&sweep.rules) {
                fill(&mut view.rules, name, Some(LiveRule::clone(rule)));
                let cached = known.rule_tags.get(name).filter(|_| !known.stale.contains(name));
                if let Some(tags) = cached.and_then(|tags| tags.open().ok()) {
                    fill(&mut view.rule_tags, name, tags);
                }
            }
            for (name, _) in names.rules(&sweep.schedules) {
                // The list does not tell what they are.
                view.rules.entry(name.clone()).or_default();
            }
        }
        for name in wanted {
            match name.group() {
                None => fill(&mut view.rules, name, sweep.rules.get(name).map(|rule| LiveRule::clone(rule))),
                Some(_) if sweep.schedules.contains_key(name) || sweep.group.known().is_none() => {}
                Some(_) => fill(&mut view.rules, name, None),
            }
        }
        if view.group == Fact::NotRead {
            view.group = sweep.group.clone();
        }
        view
    }

    /// Rules the sweep knows under `names`, so that a direct read asks for every one of them.
    pub fn rule_names(&self, place: &Place, names: &[Names]) -> Vec<RuleName> {
        let Some(sweep) = self.sweep(place) else { return Vec::new() };
        let rules = names.iter().flat_map(|names| names.rules(&sweep.rules)).map(|(name, _)| name);
        let schedules = names.iter().flat_map(|names| names.rules(&sweep.schedules)).map(|(name, _)| name);
        let unlisted = self.0.get(place).map(|known| &known.unlisted);
        let unlisted = unlisted.into_iter().flat_map(|unlisted| names.iter().flat_map(|names| names.rules(unlisted)));
        rules.chain(schedules).chain(unlisted.map(|(name, ())| name)).cloned().collect()
    }

    /// Whether the controller's group of schedules is to be read with the lists of a place: always but where the last reading saw
    /// that there is none, and nothing was made since.
    pub fn reads_group(&self, place: &Place) -> bool {
        self.sweep(place).is_none_or(|sweep| sweep.group != Fact::Known(None))
    }

    /// Whether the sweep of a place shows anything under `names`.
    pub fn shows(&self, place: &Place, names: &Names) -> bool {
        self.sweep(place).is_some_and(|sweep| {
            sweep.active.contains_key(&names.family)
                || names.rules(&sweep.rules).next().is_some()
                || names.rules(&sweep.schedules).next().is_some()
        })
    }

    /// Revisions of these families already looked at in a place: their content never changes.
    pub fn known_revisions(&self, place: &Place, names: &[Names]) -> BTreeMap<RevisionArn, Fact<Option<LiveRevision>>> {
        let Some(known) = self.0.get(place) else { return BTreeMap::new() };
        let revisions = names.iter().flat_map(|names| names.revisions(&known.revisions));
        let opened = revisions.filter_map(|(arn, kept)| Some((arn.clone(), Fact::Known(Some(kept.open(arn)?)))));
        opened.collect()
    }

    /// Whether nothing of a job is taken for granted any more.
    pub fn has_passed(&self, place: &Place, names: &Names) -> bool {
        self.0.get(place).is_some_and(|known| known.passed.contains(names.running()))
    }

    /// Takes note of a silent pass of a job.
    pub fn pass(&mut self, place: &Place, names: &Names) {
        if let Some(known) = self.0.get_mut(place) {
            known.passed.insert(names.running().clone());
        }
    }

    /// Has the tags of some of a place's jobs read again, after a sweep of it: by and by those of all.
    pub fn rotate(&mut self, place: &Place, jobs: &[Names], resync: Duration) {
        if let Some(known) = self.0.get_mut(place) {
            known.rotate(jobs, resync);
        }
    }

    /// Has the revisions of a job read again, with their tags: somebody may have marked them.
    pub fn forget_revisions(&mut self, place: &Place, names: &Names) {
        if let Some(known) = self.0.get_mut(place) {
            known.forget_revisions(names);
        }
    }

    /// Has one revision read again, with its tags.
    pub fn forget_revision(&mut self, place: &Place, revision: &RevisionArn) {
        if let Some(known) = self.0.get_mut(place) {
            known.revisions.remove(revision);
        }
    }

    /// Has the tags of a rule read again. What they were, removals are counted by until then.
    pub fn doubt_tags(&mut self, place: &Place, arn: &str) {
        let name = arn.rsplit_once('/').and_then(|(_, name)| RuleName::new(name).ok());
        if let Some((known, name)) = self.0.get_mut(place).zip(name)
            && known.rule_tags.contains_key(&name)
        {
            known.stale.insert(name);
        }
    }

    /// Tags of a job's rules in a place, as far as they were read.
    pub fn rule_tags_of(&self, place: &Place, names: &Names) -> Vec<Tags> {
        let known = self.0.get(place).into_iter();
        known.flat_map(|known| names.rules(&known.rule_tags).filter_map(|(_, tags)| tags.open().ok())).collect()
    }

    /// Schedules that may run `job` under another prefix, as far as their names tell.
    pub fn schedules_under_other_prefix(&self, place: &Place, job: &JobName) -> Vec<RuleName> {
        let others = self.sweep(place).map(|sweep| sweep.other_schedules.as_slice()).unwrap_or_default();
        others.iter().filter(|name| stem(name.as_str()).ends_with(job.as_str())).cloned().collect()
    }

    /// Whether the group of schedules is ours, and holds one that bears a name of the job.
    pub fn has_schedules(&self, place: &Place, names: &Names, mark: &Mark<'_>) -> bool {
        self.sweep(place).is_some_and(|sweep| {
            let group = sweep.group.known().and_then(Option::as_ref);
            group.is_some_and(|tags| mark.is_of_controller(tags)) && names.rules(&sweep.schedules).next().is_some()
        })
    }

    /// Rules that run `job` under another prefix, as far as their descriptions tell.
    pub fn under_other_prefix(&self, place: &Place, job: &JobName) -> Vec<LiveRule> {
        let hinted = self.sweep(place).map(|sweep| sweep.under_other_prefix.as_slice()).unwrap_or_default();
        hinted.iter().filter(|(of, _)| of == job).map(|(_, rule)| rule.clone()).collect()
    }

    /// ARNs of the rules under `names` that fire, as the sweep of a place shows them; none if no schedule does either.
    pub fn started_by(&self, place: &Place, names: &Names) -> Option<BTreeSet<String>> {
        let sweep = self.sweep(place)?;
        let rules = names.rules(&sweep.rules).filter(|(_, rule)| rule.state.may_fire());
        let rules: BTreeSet<String> = rules.map(|(_, rule)| rule.arn.clone()).collect();
        let by_schedule = names.rules(&sweep.schedules).any(|(_, state)| state.may_fire());
        (by_schedule || !rules.is_empty()).then_some(rules)
    }

    /// Whether all that fires under `names` in a place is another controller's, as its tags say. Those that were not read prove nothing.
    pub fn is_of_others(&self, place: &Place, names: &Names, controller: &ControllerName) -> bool {
        let Some((known, sweep)) = self.0.get(place).and_then(|known| Some((known, known.sweep.as_ref()?))) else {
            return false;
        };
        let mut rules = names.rules(&sweep.rules).filter(|(_, rule)| rule.state.may_fire());
        let mut schedules = names.rules(&sweep.schedules).filter(|(_, state)| state.may_fire());
        // The group of schedules is this controller's own.
        schedules.next().is_none()
            && rules.all(|(name, _)| {
                let tags = known.rule_tags.get(name).and_then(|tags| tags.open().ok());
                let owner = tags.and_then(|tags| tags.get(tags::CONTROLLER).cloned());
                owner.is_some_and(|owner| owner != controller.as_str())
            })
    }

    /// Whether the sweep of a place shows one of these rules.
    pub fn shows_rule_of(&self, place: &Place, arns: &BTreeSet<String>) -> bool {
        self.sweep(place).is_some_and(|sweep| sweep.rules.values().any(|rule| arns.contains(&rule.arn)))
    }

    /// Names under which a job's resources may be found in a place.
    pub fn names(&self, settings: &Settings, place: &Place, job: &JobName) -> Option<Names> {
        let mut names = Names::of(&settings.prefix, job)?;
        let known = self.0.get(place).and_then(|known| known.adopted.get(job));
        for taken in settings.adopted.get(job).into_iter().chain(known) {
            names.taken.extend(taken);
        }
        Some(names)
    }

    /// Everything that jobs are known to have taken over in a place.
    pub fn adopted(&self, place: &Place) -> Taken {
        let mut all = Taken::default();
        self.0.get(place).into_iter().flat_map(|known| known.adopted.values()).for_each(|taken| all.extend(taken));
        all
    }

    /// Remembers what a job has taken over in a place.
    pub fn adopt(&mut self, place: &Place, job: &JobName, taken: &Taken) {
        if !taken.is_empty() {
            self.0.entry(place.clone()).or_default().adopted.entry(job.clone()).or_default().extend(taken);
        }
    }

    /// Forgets it: nothing of it is the job's any more.
    pub fn forget_adopted(&mut self, place: &Place, job: &JobName) {
        if let Some(known) = self.0.get_mut(place) {
            known.adopted.remove(job);
        }
    }

    /// Jobs of which something may be there that bears another name than theirs: descriptions hint at it, or it was known, or is
    /// `written` in the manifest of a job that goes with its cluster.
    pub fn jobs_of_another_name(&self, place: &Place, written: &Adopted) -> BTreeSet<JobName> {
        let Some((known, sweep)) = self.0.get(place).and_then(|known| Some((known, known.sweep.as_ref()?))) else {
            return BTreeSet::new();
        };
        let is_there = |taken: &Taken| {
            taken.families.iter().any(|family| sweep.active.contains_key(family))
                || taken.rules.iter().any(|rule| sweep.rules.contains_key(rule))
        };
        let named = known.adopted.iter().chain(written).filter(|(_, taken)| is_there(taken)).map(|(job, _)| job);
        sweep.under_other_prefix.iter().map(|(job, _)| job).chain(named).cloned().collect()
    }

    /// Counts what is remembered.
    pub(crate) fn remembered(&self, all: &mut Remembered) {
        all.note("places", Per::Place, self.0.len());
        for known in self.0.values() {
            let Known { sweep, writes, revisions, rule_tags, rotation, stale, passed, adopted, unlisted } = known;
            for (what, entries) in [
                ("writes of ours", writes.len()),
                ("revisions", revisions.len()),
                ("rules' tags", rule_tags.len()),
                ("families in rotation", rotation.len()),
                ("rules whose tags are stale", stale.len()),
                ("families that passed", passed.len()),
                ("rules that a list left out", unlisted.len()),
                ("jobs that took something over", adopted.len()),
            ] {
                all.note(what, Per::Thing, entries);
            }
            let Some(sweep) = sweep else { continue };
            let listed = sweep.rules.len() + sweep.schedules.len() + sweep.other_schedules.len();
            all.note("listed rules", Per::Thing, listed + sweep.under_other_prefix.len());
            all.note("listed revisions", Per::Thing, sweep.active.values().map(Vec::len).sum());
        }
    }

    /// What may be names of jobs in the lists of a place, by rule or family; some more than once.
    pub fn jobs_in<'a>(&'a self, place: &Place, prefix: &'a Prefix) -> impl Iterator<Item = &'a str> {
        let sweep = self.sweep(place).into_iter();
        let names = sweep.flat_map(|sweep| {
            let rules = sweep.rules.keys().chain(sweep.schedules.keys()).map(|rule| stem(rule.as_str()));
            rules.chain(sweep.active.keys().map(Family::as_str))
        });
        names.filter_map(|name| name.strip_prefix(prefix.as_str()))
    }
}

fn fill<K: Ord + Clone, T>(facts: &mut BTreeMap<K, Fact<T>>, key: &K, value: T) {
    let fact = facts.entry(key.clone()).or_default();
    if matches!(fact, Fact::NotRead) {
        *fact = Fact::Known(value);
    }
}

#[cfg(test)]
mod tests;
