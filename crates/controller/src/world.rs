//! What the controller remembers of AWS between reconciles. All of it may be lost at any moment: it only saves calls.
//!
//! A sweep reads a place's lists once. Bulk knowledge proves silence; before a write, the key is read again directly
//! (`observe`). Our own recent writes are laid over a sweep, since lists may lag behind them (docs/aws.md, Consistency).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ecs_etl_plan::observed::{Fact, LiveRevision, LiveRule, Observed, RevisionArn};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, JobName, Prefix, RuleName};
use jiff::Timestamp;

/// How long a write of ours overrules a list that does not show it yet.
const OVERLAY: Duration = Duration::from_secs(60);

/// How many resyncs pass before a job's cached tags are read again, so that ⌈N/20⌉ reads a resync verify them all.
pub const TAG_ROTATION: u32 = 20;

/// The lists of one place, read once.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    /// When the reading began.
    pub at: Timestamp,
    /// Rules that bear the controller's prefix.
    pub rules: BTreeMap<RuleName, LiveRule>,
    /// ACTIVE revisions of the families that bear it, newest first.
    pub active: BTreeMap<Family, Vec<RevisionArn>>,
    /// Rules that bear another prefix and whose descriptions name this controller and the job: a hint, no proof.
    pub under_other_prefix: Vec<(JobName, LiveRule)>,
}

/// A write that a list may not show yet.
#[derive(Debug, Clone)]
enum Write {
    Rule(RuleName, Option<LiveRule>),
    Active(Family, RevisionArn, bool),
}

/// All that is remembered.
#[derive(Debug, Default)]
pub struct World {
    sweeps: BTreeMap<Place, Sweep>,
    writes: VecDeque<(Timestamp, Place, Write)>,
    revisions: BTreeMap<RevisionArn, LiveRevision>,
    rule_tags: BTreeMap<(Place, RuleName), Tags>,
    rounds: BTreeMap<JobName, u32>,
}

/// Names under which a job's resources may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its family.
    pub family: Family,
    prefix_len: usize,
}

impl Names {
    /// Names of the job called `job`; none if they would be longer than AWS allows.
    pub fn of(prefix: &Prefix, job: &JobName) -> Option<Self> {
        let family = Family::new(format!("{prefix}{job}")).ok()?;
        Some(Self { family, prefix_len: prefix.as_str().len() })
    }

    /// Whether `rule` bears one of the job's names: the family's own, or with a suffix of six hexadecimal digits.
    pub fn owns(&self, rule: &RuleName) -> bool {
        stem(rule.as_str()) == self.family.as_str()
    }

    /// The job's name.
    pub fn job(&self) -> Option<JobName> {
        JobName::new(self.family.as_str().get(self.prefix_len..)?).ok()
    }
}

/// A rule name without the suffix that tells the schedules of a list apart.
fn stem(rule: &str) -> &str {
    match rule.rsplit_once('.') {
        Some((stem, hex)) if hex.len() == 6 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => stem,
        Some(_) | None => rule,
    }
}

impl World {
    /// The last complete sweep of a place.
    pub fn sweep(&self, place: &Place) -> Option<&Sweep> {
        self.sweeps.get(place)
    }

    /// Places swept so far.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.sweeps.keys()
    }

    /// Forgets places that no document names any more.
    pub fn keep_places(&mut self, named: &BTreeSet<Place>) {
        self.sweeps.retain(|place, _| named.contains(place));
    }

    /// Takes a sweep, and lays over it what was written since shortly before it began. Families whose lists changed since
    /// the sweep before.
    pub fn take_sweep(&mut self, place: &Place, mut sweep: Sweep) -> BTreeSet<Family> {
        let overlay = jiff::SignedDuration::try_from(OVERLAY).unwrap_or_default();
        let since = sweep.at.checked_sub(overlay).unwrap_or(Timestamp::MIN);
        while self.writes.front().is_some_and(|(at, ..)| *at < since) {
            self.writes.pop_front();
        }
        for (at, _, write) in self.writes.iter().filter(|(at, to, _)| *at >= since && to == place) {
            // A rule that lists otherwise than we wrote it before the reading may lag, or somebody else's hand was there: laid over,
            // that drift would stay unseen, and a direct read tells the two apart.
            if *at >= sweep.at || !matches!(write, Write::Rule(_, Some(_))) {
                lay(&mut sweep, write);
            }
        }
        let live: BTreeSet<&RevisionArn> = sweep.active.values().flatten().collect();
        self.revisions.retain(|arn, _| live.contains(arn) || !sweep.active.contains_key(arn.family()));
        self.rule_tags.retain(|(at, rule), _| at != place || sweep.rules.contains_key(rule));
        let before = self.sweeps.insert(place.clone(), sweep).unwrap_or_default();
        self.sweeps.get(place).map(|sweep| changed_families(&before, sweep)).unwrap_or_default()
    }

    /// Remembers what a reconcile read or wrote directly at `now`.
    pub fn learn(&mut self, place: &Place, facts: &Observed, wrote: bool, now: Timestamp) {
        for (arn, fact) in &facts.revisions {
            match fact {
                Fact::Known(Some(revision)) => {
                    self.revisions.insert(arn.clone(), revision.clone());
                }
                Fact::Known(None) => {
                    self.revisions.remove(arn);
                }
                Fact::NotRead | Fact::Unreadable(_) => {}
            }
        }
        for (rule, fact) in &facts.rule_tags {
            if let Fact::Known(tags) = fact {
                self.rule_tags.insert((place.clone(), rule.clone()), tags.clone());
            }
        }
        let Some(sweep) = self.sweeps.get_mut(place) else { return };
        let mut writes = Vec::new();
        for (rule, fact) in &facts.rules {
            if let Fact::Known(live) = fact {
                if live.is_none() {
                    self.rule_tags.remove(&(place.clone(), rule.clone()));
                }
                writes.push(Write::Rule(rule.clone(), live.clone()));
            }
        }
        for (family, fact) in &facts.active {
            if let Fact::Known(arns) = fact {
                let before = sweep.active.get(family).cloned().unwrap_or_default();
                writes.extend(arns.iter().map(|arn| Write::Active(family.clone(), arn.clone(), true)));
                let gone = before.into_iter().filter(|arn| !arns.contains(arn));
                writes.extend(gone.map(|arn| Write::Active(family.clone(), arn, false)));
            }
        }
        for write in writes {
            lay(sweep, &write);
            if wrote {
                self.writes.push_back((now, place.clone(), write));
            }
        }
    }

    /// Fills what `fresh` does not know from the sweep and the caches: enough to prove silence, never to justify a write.
    ///
    /// A rule in `wanted` that the sweep does not list is known to be absent.
    pub fn bulk(&self, place: &Place, names: &[Names], wanted: &[RuleName], fresh: &Observed) -> Observed {
        let mut view = fresh.clone();
        let Some(sweep) = self.sweeps.get(place) else { return view };
        for names in names {
            fill(&mut view.active, &names.family, sweep.active.get(&names.family).cloned().unwrap_or_default());
            for (name, rule) in sweep.rules.iter().filter(|(name, _)| names.owns(name)) {
                fill(&mut view.rules, name, Some(rule.clone()));
                if let Some(tags) = self.rule_tags.get(&(place.clone(), name.clone())) {
                    fill(&mut view.rule_tags, name, tags.clone());
                }
            }
        }
        for name in wanted {
            fill(&mut view.rules, name, sweep.rules.get(name).cloned());
        }
        view
    }

    /// Rules the sweep knows under `names`, so that a direct read asks for every one of them.
    pub fn rule_names(&self, place: &Place, names: &[Names]) -> Vec<RuleName> {
        let Some(sweep) = self.sweeps.get(place) else { return Vec::new() };
        sweep.rules.keys().filter(|rule| names.iter().any(|names| names.owns(rule))).cloned().collect()
    }

    /// Revisions already looked at: their content never changes. Those of `families` only.
    pub fn known_revisions(&self, names: &[Names]) -> BTreeMap<RevisionArn, Fact<Option<LiveRevision>>> {
        self.revisions
            .iter()
            .filter(|(arn, _)| names.iter().any(|names| names.family.as_str() == arn.family()))
            .map(|(arn, revision)| (arn.clone(), Fact::Known(Some(revision.clone()))))
            .collect()
    }

    /// Counts a silent pass of a job; in rotation, forgets its cached tags so that the next pass reads them again.
    pub fn rotate(&mut self, place: &Place, job: &JobName, names: &Names) {
        // The first turn of each job is spread by its name, or all would fall due in the same resync.
        let start = || job.as_str().bytes().fold(0_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b)));
        let round = self.rounds.entry(job.clone()).or_insert_with(|| start() % (2 * TAG_ROTATION));
        *round = (*round + 1) % (2 * TAG_ROTATION);
        if *round == 0 {
            self.rule_tags.retain(|(at, rule), _| at != place || !names.owns(rule));
        } else if *round == TAG_ROTATION {
            self.revisions.retain(|arn, _| arn.family() != names.family.as_str());
        }
    }

    /// Tags of a job's rules in a place, as far as they were read.
    pub fn rule_tags_of(&self, place: &Place, prefix: &Prefix, job: &JobName) -> impl Iterator<Item = &Tags> {
        let names = Names::of(prefix, job);
        let of_job =
            move |at: &Place, rule: &RuleName| at == place && names.as_ref().is_some_and(|names| names.owns(rule));
        self.rule_tags.iter().filter(move |((at, rule), _)| of_job(at, rule)).map(|(_, tags)| tags)
    }

    /// Rules that run `job` under another prefix, as far as their descriptions tell.
    pub fn under_other_prefix(&self, place: &Place, job: &JobName) -> Vec<LiveRule> {
        let hinted = self.sweeps.get(place).map(|sweep| sweep.under_other_prefix.as_slice()).unwrap_or_default();
        hinted.iter().filter(|(of, _)| of == job).map(|(_, rule)| rule.clone()).collect()
    }

    /// Every job name that the lists of a place mention, by rule or family.
    pub fn jobs_in(&self, place: &Place, prefix: &Prefix) -> BTreeSet<JobName> {
        let Some(sweep) = self.sweeps.get(place) else { return BTreeSet::new() };
        let rules = sweep.rules.keys().map(|rule| stem(rule.as_str()));
        let families = sweep.active.keys().map(Family::as_str);
        rules.chain(families).filter_map(|name| JobName::new(name.strip_prefix(prefix.as_str())?).ok()).collect()
    }
}

fn changed_families(before: &Sweep, after: &Sweep) -> BTreeSet<Family> {
    let rules = before.rules.keys().chain(after.rules.keys());
    let changed_rules = rules.filter(|name| before.rules.get(*name) != after.rules.get(*name));
    let families = before.active.keys().chain(after.active.keys());
    let changed_families = families.filter(|name| before.active.get(*name) != after.active.get(*name)).cloned();
    changed_rules.filter_map(|name| Family::new(stem(name.as_str())).ok()).chain(changed_families).collect()
}

fn fill<K: Ord + Clone, T>(facts: &mut BTreeMap<K, Fact<T>>, key: &K, value: T) {
    let fact = facts.entry(key.clone()).or_default();
    if matches!(fact, Fact::NotRead) {
        *fact = Fact::Known(value);
    }
}

fn lay(sweep: &mut Sweep, write: &Write) {
    match write {
        Write::Rule(name, Some(rule)) => {
            sweep.rules.insert(name.clone(), rule.clone());
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
