//! What the controller remembers of AWS between reconciles. All of it may be lost at any moment: it only saves calls.
//!
//! A sweep reads a place's lists once. Bulk knowledge proves silence; before a write, the key is read again directly
//! (`observe`). Our own recent writes are laid over a sweep, since lists may lag behind them (docs/aws.md, Consistency).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ecs_etl_plan::normalise::Normal;
use ecs_etl_plan::observed::{Fact, LiveRevision, LiveRule, Observed, RevisionArn, RuleState};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, JobName, Prefix, RuleName};
use ecs_etl_spec::shapes::Packed;
use jiff::Timestamp;

use crate::adopted::{Adopted, Taken, stem};
use crate::context::Settings;
use crate::remembered::{Per, Remembered};

/// How long a write of ours overrules a list that does not show it yet.
const OVERLAY: Duration = Duration::from_secs(60);

/// How many resyncs pass before a job's cached tags are read again, so that ⌈N/20⌉ reads a resync verify them all.
const TAG_ROTATION: u32 = 20;

/// The lists of one place, read once.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    /// When the reading began.
    pub at: Timestamp,
    /// Rules that bear the controller's prefix, that a job takes over, or that say they are ours.
    pub rules: BTreeMap<RuleName, LiveRule>,
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

/// A write that a list may not show yet.
#[derive(Debug, Clone)]
enum Write {
    Rule(RuleName, Option<Box<LiveRule>>),
    Active(Family, RevisionArn, bool),
}

/// What was written to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject<'a> {
    Rule(&'a RuleName),
    Revision(&'a RevisionArn),
}

impl Write {
    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Rule(name, _) => Subject::Rule(name),
            Self::Active(_, arn, _) => Subject::Revision(arn),
        }
    }

    fn shows_in(&self, sweep: &Sweep) -> bool {
        match self {
            Self::Rule(name, live) if name.group().is_some() => {
                sweep.schedules.get(name) == live.as_ref().map(|live| &live.state)
            }
            Self::Rule(name, live) => sweep.rules.get(name) == live.as_deref(),
            Self::Active(family, arn, active) => {
                sweep.active.get(family).is_some_and(|arns| arns.contains(arn)) == *active
            }
        }
    }
}

/// All that is remembered, place by place.
#[derive(Debug, Default)]
pub struct World(BTreeMap<Place, Known>);

/// What is remembered of one place. Everything is found by a range over names: a reconcile costs the same whatever the number
/// of jobs.
#[derive(Debug, Default)]
struct Known {
    sweep: Option<Sweep>,
    writes: VecDeque<(Timestamp, Write)>,
    revisions: BTreeMap<RevisionArn, Kept>,
    rule_tags: BTreeMap<RuleName, Packed<Tags>>,
    /// Silent passes of each family, for the rotation of its tags.
    rounds: BTreeMap<Family, u32>,
    /// What jobs have taken over, also those whose manifest is gone.
    adopted: Adopted,
    /// Whether the controller's group of schedules was ever seen there.
    grouped: bool,
    /// Rules and schedules that an earlier list showed and a later one did not, though we did not delete them: a list may lag, so
    /// they are asked for by name until a direct read says that they are gone. A map, as names are looked up in the sweep's.
    unlisted: BTreeMap<RuleName, ()>,
}

/// A revision as it is kept: of every job there is one, and maps of seven tags take three times their text.
#[derive(Debug)]
struct Kept {
    normal: Normal,
    tags: Packed<Tags>,
}

impl Kept {
    fn of(revision: &LiveRevision) -> Option<Self> {
        Some(Self { normal: revision.normal.clone(), tags: Packed::of(&revision.tags).ok()? })
    }

    fn open(&self, arn: &RevisionArn) -> Option<LiveRevision> {
        Some(LiveRevision { arn: arn.clone(), normal: self.normal.clone(), tags: self.tags.open().ok()? })
    }
}

/// Names under which a job's resources may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its own family.
    pub family: Family,
    /// What it has taken over.
    pub taken: Taken,
}

impl Names {
    /// Names of the job called `job`; none if they would be longer than AWS allows.
    pub fn of(prefix: &Prefix, job: &JobName) -> Option<Self> {
        Some(Self { family: Family::new(format!("{prefix}{job}")).ok()?, taken: Taken::default() })
    }

    /// The family whose revisions the job runs: one that it has taken over, or its own.
    pub fn running(&self) -> &Family {
        self.taken.families.first().unwrap_or(&self.family)
    }

    /// Its own family, and those it has taken over.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        std::iter::once(&self.family).chain(self.taken.families.iter().filter(|family| **family != self.family))
    }

    /// Whether anything of the job is among these, by family or by what its rules are called.
    pub fn is_among(&self, changed: &BTreeSet<Family>) -> bool {
        let mut rules = self.taken.rules.iter().map(|rule| stem(rule.as_str()));
        self.families().any(|family| changed.contains(family)) || rules.any(|rule| changed.contains(rule))
    }

    /// Those of `rules` that bear one of the job's names: the family's own, or with a suffix of six hexadecimal digits.
    fn rules<'a, V>(
        &self,
        rules: &'a BTreeMap<RuleName, V>,
    ) -> impl Iterator<Item = (&'a RuleName, &'a V)> + use<'a, V> {
        if rules.is_empty() {
            return Vec::new().into_iter();
        }
        let family = self.family.as_str();
        // Names are ordered by their text. What is too long for a name bears none.
        let from = |text: &str| RuleName::new(text).ok().map(|first| rules.range(first..)).into_iter().flatten();
        let plain = from(family).take_while(|(name, _)| name.as_str() == family);
        let dotted = format!("{family}.");
        let suffixed = from(&dotted).take_while(|(name, _)| name.as_str().starts_with(&dotted));
        let taken = self.taken.rules.iter().filter(|rule| stem(rule.as_str()) != family);
        let taken = taken.filter_map(|rule| rules.get_key_value(rule));
        let found: Vec<_> =
            plain.chain(suffixed.filter(|(name, _)| stem(name.as_str()) == family)).chain(taken).collect();
        found.into_iter()
    }

    /// Those of `revisions` that are of the family.
    fn revisions<'a, V>(
        &self,
        revisions: &'a BTreeMap<RevisionArn, V>,
    ) -> impl Iterator<Item = (&'a RevisionArn, &'a V)> {
        // Revisions are ordered by family first, and AWS numbers them from one.
        let firsts = self.families().filter_map(|family| RevisionArn::parse(&format!(":task-definition/{family}:0")));
        let of_family = |first: RevisionArn| {
            let family = first.family().to_owned();
            revisions.range(first..).take_while(move |(arn, _)| arn.family() == family)
        };
        firsts.flat_map(of_family).collect::<Vec<_>>().into_iter()
    }
}

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
                fill(&mut view.rules, name, sweep.rules.get(name).cloned());
            }
            for (name, rule) in names.rules(&sweep.rules) {
                fill(&mut view.rules, name, Some(rule.clone()));
                if let Some(tags) = known.rule_tags.get(name).and_then(|tags| tags.open().ok()) {
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
                None => fill(&mut view.rules, name, sweep.rules.get(name).cloned()),
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

    /// Whether the controller's group of schedules was ever seen in a place, so that schedules of ours may be there.
    pub fn has_seen_group(&self, place: &Place) -> bool {
        self.0.get(place).is_some_and(|known| known.grouped)
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

    /// Whether a silent pass of a job was counted, since something of it is there.
    pub fn has_passed(&self, place: &Place, names: &Names) -> bool {
        self.0.get(place).is_some_and(|known| known.rounds.contains_key(names.running()))
    }

    /// Counts a silent pass of a job; in rotation, forgets its cached tags so that the next pass reads them again.
    pub fn rotate(&mut self, place: &Place, names: &Names) {
        if let Some(known) = self.0.get_mut(place) {
            known.rotate(names);
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

    /// Jobs of which something may be there that bears another name than theirs: descriptions hint at it, or it was known.
    pub fn jobs_of_another_name(&self, place: &Place) -> BTreeSet<JobName> {
        let Some((known, sweep)) = self.0.get(place).and_then(|known| Some((known, known.sweep.as_ref()?))) else {
            return BTreeSet::new();
        };
        let is_there = |taken: &Taken| {
            taken.families.iter().any(|family| sweep.active.contains_key(family))
                || taken.rules.iter().any(|rule| sweep.rules.contains_key(rule))
        };
        let remembered = known.adopted.iter().filter(|(_, taken)| is_there(taken)).map(|(job, _)| job);
        sweep.under_other_prefix.iter().map(|(job, _)| job).chain(remembered).cloned().collect()
    }

    /// Counts what is remembered.
    pub(crate) fn remembered(&self, all: &mut Remembered) {
        all.note("places", Per::Place, self.0.len());
        for known in self.0.values() {
            let Known { sweep, writes, revisions, rule_tags, rounds, adopted, grouped: _, unlisted } = known;
            for (what, entries) in [
                ("writes of ours", writes.len()),
                ("revisions", revisions.len()),
                ("rules' tags", rule_tags.len()),
                ("families in rotation", rounds.len()),
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

    /// Every job name that the lists of a place mention, by rule or family.
    pub fn jobs_in(&self, place: &Place, prefix: &Prefix) -> BTreeSet<JobName> {
        let Some(sweep) = self.sweep(place) else { return BTreeSet::new() };
        let rules = sweep.rules.keys().chain(sweep.schedules.keys()).map(|rule| stem(rule.as_str()));
        let families = sweep.active.keys().map(Family::as_str);
        rules.chain(families).filter_map(|name| JobName::new(name.strip_prefix(prefix.as_str())?).ok()).collect()
    }
}

impl Known {
    fn take_sweep(&mut self, mut sweep: Sweep) -> BTreeSet<Family> {
        let overlay = jiff::SignedDuration::try_from(OVERLAY).unwrap_or_default();
        let since = sweep.at.checked_sub(overlay).unwrap_or(Timestamp::MIN);
        while self.writes.front().is_some_and(|(at, _)| *at < since) {
            self.writes.pop_front();
        }
        // Of several writes to one thing the last counts: a rule was absent before it was put.
        let last: BTreeMap<Subject<'_>, &(Timestamp, Write)> =
            self.writes.iter().map(|entry| (entry.1.subject(), entry)).collect();
        for (at, write) in last.into_values() {
            // A rule that lists otherwise than we wrote it before the reading may lag, or somebody else's hand was there: laid over,
            // that drift would stay unseen, and a direct read tells the two apart.
            let listed_whole = matches!(write, Write::Rule(name, Some(_)) if name.group().is_none());
            if *at >= sweep.at || !listed_whole {
                lay(&mut sweep, write);
            }
        }
        let live: BTreeSet<&RevisionArn> = sweep.active.values().flatten().collect();
        self.revisions.retain(|arn, _| live.contains(arn));
        self.rule_tags.retain(|rule, _| sweep.rules.contains_key(rule));
        self.rounds.retain(|family, _| sweep.active.contains_key(family));
        self.grouped |= matches!(sweep.group, Fact::Known(Some(_)));
        let before = self.sweep.take().unwrap_or_default();
        let deleted = |name: &RuleName| {
            let last = self.writes.iter().rev().find(|(_, write)| write.subject() == Subject::Rule(name));
            matches!(last, Some((_, Write::Rule(_, None))))
        };
        let listed = |name: &RuleName| sweep.rules.contains_key(name) || sweep.schedules.contains_key(name);
        // Hardly any is left out, so the writes are searched for those alone.
        let left_out = before.rules.keys().chain(before.schedules.keys()).filter(|name| !listed(name));
        let left_out: Vec<RuleName> = left_out.filter(|name| !deleted(name)).cloned().collect();
        self.unlisted.retain(|name, ()| !listed(name));
        self.unlisted.extend(left_out.into_iter().map(|name| (name, ())));
        let changed = changed_families(&before, &sweep);
        self.sweep = Some(sweep);
        changed
    }

    fn learn(&mut self, facts: &Observed, wrote: bool, now: Timestamp) {
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
            }
        }
        for (rule, _) in facts.rules.iter().filter(|(_, fact)| **fact == Fact::Known(None)) {
            self.unlisted.remove(rule);
        }
        self.grouped |= matches!(facts.group, Fact::Known(Some(_)));
        if let (Some(sweep), Fact::Known(_)) = (&mut self.sweep, &facts.group) {
            sweep.group = facts.group.clone();
        }
        let mut writes = Vec::new();
        for (rule, fact) in &facts.rules {
            if let Fact::Known(live) = fact {
                if live.is_none() {
                    self.rule_tags.remove(rule);
                }
                writes.push(Write::Rule(rule.clone(), live.clone().map(Box::new)));
            }
        }
        for (family, fact) in &facts.active {
            if let Fact::Known(arns) = fact {
                let before =
                    self.sweep.as_ref().and_then(|sweep| sweep.active.get(family)).cloned().unwrap_or_default();
                writes.extend(arns.iter().map(|arn| Write::Active(family.clone(), arn.clone(), true)));
                let gone = before.into_iter().filter(|arn| !arns.contains(arn));
                writes.extend(gone.map(|arn| Write::Active(family.clone(), arn, false)));
            }
        }
        for write in writes {
            // Facts come whole, also those that the write did not touch: what the lists show already is no news to them.
            let news = self.sweep.as_ref().is_none_or(|sweep| !write.shows_in(sweep));
            if let Some(sweep) = &mut self.sweep {
                lay(sweep, &write);
            }
            if wrote && news {
                self.writes.push_back((now, write));
            }
        }
    }

    fn rotate(&mut self, names: &Names) {
        // The first turn of each job is spread by its name, or all would fall due in the same resync.
        let start = || {
            names.running().as_str().bytes().fold(0_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b)))
                % (2 * TAG_ROTATION)
        };
        let round = self.rounds.entry(names.running().clone()).or_insert_with(start);
        *round = (*round + 1) % (2 * TAG_ROTATION);
        if *round == 0 {
            let rules: Vec<RuleName> = names.rules(&self.rule_tags).map(|(name, _)| name.clone()).collect();
            rules.iter().for_each(|rule| drop(self.rule_tags.remove(rule)));
        } else if *round == TAG_ROTATION {
            let arns: Vec<RevisionArn> = names.revisions(&self.revisions).map(|(arn, _)| arn.clone()).collect();
            arns.iter().for_each(|arn| drop(self.revisions.remove(arn)));
        }
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

fn fill<K: Ord + Clone, T>(facts: &mut BTreeMap<K, Fact<T>>, key: &K, value: T) {
    let fact = facts.entry(key.clone()).or_default();
    if matches!(fact, Fact::NotRead) {
        *fact = Fact::Known(value);
    }
}

fn lay(sweep: &mut Sweep, write: &Write) {
    match write {
        Write::Rule(name, live) if name.group().is_some() => match live {
            Some(live) => drop(sweep.schedules.insert(name.clone(), live.state.clone())),
            None => drop(sweep.schedules.remove(name)),
        },
        Write::Rule(name, Some(rule)) => {
            sweep.rules.insert(name.clone(), LiveRule::clone(rule));
        }
        Write::Rule(name, None) => {
            sweep.rules.remove(name);
        }
        Write::Active(family, arn, true) => {
            let list = sweep.active.entry(family.clone()).or_default();
            if !list.contains(arn) {
                list.push(arn.clone());
                list.sort_by(|a, b| b.cmp(a));
            }
        }
        Write::Active(family, arn, false) => {
            if let Some(list) = sweep.active.get_mut(family) {
                list.retain(|other| other != arn);
                if list.is_empty() {
                    sweep.active.remove(family);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
