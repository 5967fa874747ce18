//! Deletion, from the engine's side: gathers what the rules of deletion need to know, asks them, and does what they allow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ecs_etl_plan::condition::Verdict;
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::prune::{self, Incomplete, OwnedJob, PruneDecision, PruneInput, Retired};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Digest, JobName};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::approval::read_approvals;
use crate::context::{Context, Interrupted};
use crate::manifests::Manifests;
use crate::orphans::{LeftBehind, Permit, Task};
use crate::remembered::{Per, Remembered};

/// A clock that was off by more than this between two looks was set, by a person or after a sleep.
const SET: SignedDuration = SignedDuration::from_secs(2);

/// What the rules of deletion are asked with: all that is known of the directory and of AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Knowledge {
    /// Why that is not complete; empty if it is.
    pub incomplete: Vec<Incomplete>,
    /// Every job that is written, usable or not.
    pub written: BTreeSet<JobName>,
    /// Jobs of ours that have a schedule in AWS.
    pub owned: Vec<OwnedJob>,
    /// Jobs that went.
    pub retired: Vec<Retired>,
    /// Since when each job has been seen gone.
    pub gone_since: BTreeMap<JobName, Timestamp>,
}

/// What is remembered for deletions. Losing it begins every grace period anew.
#[derive(Debug, Default)]
pub struct Pruning {
    /// What jobs left behind, as last seen.
    left_behind: BTreeMap<(Place, JobName), LeftBehind>,
    /// Names under which nothing of ours was found.
    strangers: BTreeSet<(Place, JobName)>,
    /// What could not be looked at yet, and why.
    unknown: BTreeMap<(Place, JobName), String>,
    /// Places whose lists could not be read, and why.
    unswept: BTreeMap<Place, String>,
    /// Since when each reason for incomplete knowledge has held.
    incomplete_since: BTreeMap<String, Timestamp>,
    gone_since: BTreeMap<JobName, Timestamp>,
    /// When each job went, as its marks were last read. They count for the hour even if a list then leaves the job out.
    retired: BTreeMap<JobName, Timestamp>,
    removing: BTreeMap<JobName, Permit>,
    /// Places that were searched for jobs that went under names which no list shows.
    searched: BTreeSet<Place>,
    /// Where that has yet to be done, and on behalf of which job.
    search: Option<(JobName, BTreeSet<Place>)>,
    /// When the rules were last asked, by the wall's clock and by one that nobody sets.
    asked: Option<(Timestamp, Instant)>,
    /// Whether the rules of deletion found their knowledge complete, when they were last asked.
    complete: bool,
    /// Digests that were released from the command line.
    released: BTreeSet<Digest>,
    /// `apply --prune`: no grace.
    pub skip_grace: bool,
    /// Where `ecs-etl approve` leaves its word.
    pub approvals: Option<PathBuf>,
}

impl Pruning {
    /// What to do with a job that is not wanted in a place.
    pub fn task(&self, place: &Place, job: &JobName) -> Task {
        if let Some((_, places)) = self.search.as_ref().filter(|(of, _)| of == job) {
            return Task::Search(places.clone());
        }
        let left = self.left_behind.get(&(place.clone(), job.clone()));
        match (left, self.removing.get(job)) {
            (Some(left), Some(permit)) if left.scheduled => Task::Remove(permit.clone()),
            (Some(left), _) if !left.scheduled && !left.doubtful && self.complete => Task::Tidy,
            (left, _) => Task::Inspect { was_scheduled: left.is_some_and(|left| left.scheduled) },
        }
    }

    /// Takes what was found; none if nothing of ours is there.
    pub fn found(&mut self, place: &Place, job: &JobName, left: Option<LeftBehind>) {
        let key = (place.clone(), job.clone());
        self.unknown.remove(&key);
        match left {
            Some(left) => {
                self.strangers.remove(&key);
                if let Some(at) = left.retired_at.filter(|_| !left.scheduled) {
                    self.went(job, at);
                }
                self.left_behind.insert(key, left);
            }
            None => {
                self.left_behind.remove(&key);
                self.strangers.insert(key);
            }
        }
    }

    /// A job went, by its mark or because we removed it: where a stale list shows no revision there is nothing to set a mark on.
    pub fn went(&mut self, job: &JobName, at: Timestamp) {
        let latest = self.retired.entry(job.clone()).or_insert(at);
        *latest = at.max(*latest);
    }

    /// Whether places have to be searched on behalf of a job before it may be removed; if so, whether that is news.
    pub fn must_search(&mut self, job: &JobName, places: &BTreeSet<Place>) -> Option<bool> {
        let left: BTreeSet<Place> = places.difference(&self.searched).cloned().collect();
        let search = (!left.is_empty()).then(|| (job.clone(), left));
        let is_new = self.search != search;
        self.search = search;
        self.search.is_some().then_some(is_new)
    }

    /// Takes what a search found.
    pub fn searched(&mut self, went: BTreeMap<Place, Vec<(JobName, Timestamp)>>) {
        self.search = None;
        for (place, jobs) in went {
            self.searched.insert(place);
            jobs.iter().for_each(|(job, at)| self.went(job, *at));
        }
    }

    /// Forgets what was searched: whose jobs those were that went is another question now.
    pub fn search_again(&mut self) {
        self.searched.clear();
    }

    /// Whether it is known what a job left in a place.
    pub fn knows(&self, place: &Place, job: &JobName) -> bool {
        self.left_behind.contains_key(&(place.clone(), job.clone()))
    }

    /// Whether it is known what a job left in a place, or being found out.
    pub fn has_looked_after(&self, place: &Place, job: &JobName) -> bool {
        let key = (place.clone(), job.clone());
        self.left_behind.contains_key(&key) || self.unknown.contains_key(&key) || self.strangers.contains(&key)
    }

    /// Something could not be looked at.
    pub fn unknown(&mut self, place: &Place, job: &JobName, why: String) {
        self.unknown.insert((place.clone(), job.clone()), why);
    }

    /// A place's lists could not be read, or could.
    pub fn swept(&mut self, place: &Place, failure: Option<&Interrupted>) {
        match failure {
            Some(failure) => self.unswept.insert(place.clone(), failure.to_string()),
            None => self.unswept.remove(place),
        };
    }

    /// Whether a place's lists could not be read when this was last tried.
    pub fn has_failed(&self, place: &Place) -> bool {
        self.unswept.contains_key(place)
    }

    /// Forgets places that no document names any more.
    pub fn keep_places(&mut self, named: &BTreeSet<Place>) {
        self.unswept.retain(|place, _| named.contains(place));
        self.searched.retain(|place| named.contains(place));
    }

    /// Names that the sweeps hold and no manifest wants: others are forgotten. Those not known yet are returned.
    pub fn keep(&mut self, names: &BTreeSet<(Place, JobName)>) -> BTreeSet<(Place, JobName)> {
        self.left_behind.retain(|key, _| names.contains(key));
        self.unknown.retain(|key, _| names.contains(key));
        self.strangers.retain(|key| names.contains(key));
        let jobs: BTreeSet<&JobName> = names.iter().map(|(_, job)| job).collect();
        self.keep_permits(|job| jobs.contains(job));
        let new: BTreeSet<_> =
            names.iter().filter(|(place, job)| !self.has_looked_after(place, job)).cloned().collect();
        for key in &new {
            self.unknown.insert(key.clone(), "it has not been looked at yet".to_owned());
        }
        new
    }

    /// Places in which a job left something.
    pub fn places_of(&self, job: &JobName) -> Vec<Place> {
        self.left_behind.keys().filter(|(_, name)| name == job).map(|(place, _)| place.clone()).collect()
    }

    /// Whether anything of a job is still scheduled somewhere.
    pub fn is_scheduled(&self, job: &JobName) -> bool {
        self.left_behind.iter().any(|((_, name), left)| name == job && left.scheduled)
    }

    /// Jobs that are not wanted in a place, and still scheduled there.
    pub fn scheduled_in(&self, place: &Place) -> impl Iterator<Item = &JobName> {
        let here = self.left_behind.iter().filter(move |((of, _), left)| of == place && left.scheduled);
        here.map(|((_, job), _)| job)
    }

    /// Whether something that was found has yet to be looked at.
    pub fn is_inspecting(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// Whether every place was read, and everything that was found there has been looked at.
    pub fn knows_everything(&self, cx: &Context, manifests: &Manifests) -> bool {
        let world = cx.world();
        let own = manifests.own_places();
        self.unknown.is_empty()
            && own.iter().all(|place| world.sweep(place).is_some() && !self.unswept.contains_key(place))
    }

    /// Lets these jobs be removed, and no others any more. Those that could not be removed before.
    pub fn release(&mut self, jobs: &[JobName]) -> Vec<JobName> {
        self.keep_permits(|job| jobs.contains(job));
        let new: Vec<JobName> = jobs.iter().filter(|job| !self.removing.contains_key(*job)).cloned().collect();
        self.removing.extend(new.iter().map(|job| (job.clone(), Permit::default())));
        new
    }

    /// Lets nothing be removed any more.
    pub fn withdraw(&mut self) {
        self.complete = false;
        self.keep_permits(|_| false);
    }

    /// Withdraws the permits of other jobs than these.
    pub fn keep_permits(&mut self, mut may_go: impl FnMut(&JobName) -> bool) {
        self.removing.retain(|job, permit| {
            let stays = may_go(job);
            if !stays {
                permit.withdraw();
            }
            stays
        });
    }

    /// Reads what `ecs-etl approve` has released.
    pub fn read_approvals(&mut self) {
        let Some(directory) = &self.approvals else { return };
        match read_approvals(directory) {
            Ok(approvals) => self.released = approvals.into_iter().map(|approval| approval.digest).collect(),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "approvals cannot be read; what they released stays held"
            ),
        }
    }

    /// Digests of held sets that a person has released: by the manifest, or from the command line.
    pub fn approved(&self, cx: &Context) -> BTreeSet<Digest> {
        cx.settings().approved.iter().chain(&self.released).cloned().collect()
    }

    /// Asks the rules of deletion.
    pub fn decide(&mut self, cx: &Context, manifests: &Manifests) -> PruneDecision {
        let now = cx.clock.now();
        self.follow(now);
        let settings = cx.settings();
        let jobs = &manifests.directory.jobs;
        self.retired.retain(|_, at| now.duration_since(*at) < prune::HOUR);
        let mut knowledge = Knowledge {
            incomplete: self.incomplete(cx, manifests, now),
            written: jobs.keys().chain(manifests.directory.blocked.keys()).cloned().collect(),
            owned: self.owned(cx, manifests),
            retired: self.retired.iter().map(|(job, at)| Retired { job: job.clone(), at: *at }).collect(),
            gone_since: self.gone_since.clone(),
        };
        cx.seams().deletion(&mut knowledge);
        let drained = jobs.values().filter(|job| job.drain);
        let draining = drained.flat_map(|job| job.names()).cloned().collect();
        let left_alone = jobs.values().filter(|job| job.reconcile_disabled).map(|job| &job.name);
        let unmade = left_alone.chain(manifests.directory.blocked.keys()).cloned().collect();
        let decision = prune::decide(
            &PruneInput {
                incomplete: &knowledge.incomplete,
                written: &knowledge.written,
                unmade: &unmade,
                moved_from: &manifests.directory.former_names().into_iter().cloned().collect(),
                draining: &draining,
                owned: &knowledge.owned,
                retired: &knowledge.retired,
                gone_since: &knowledge.gone_since,
                skip_grace: self.skip_grace,
                selecting: !manifests.selector.is_everything(),
                source: &settings.identity.source,
                policy: settings.prune,
                approved: &self.approved(cx),
            },
            now,
        );
        self.gone_since = decision.gone_since.clone();
        self.complete = decision.blocked.is_none();
        decision
    }

    /// Moves what is remembered of times along with a clock that was set: no grace is over, and no hour, because of that.
    fn follow(&mut self, now: Timestamp) {
        let steady = Instant::now();
        let Some((then, before)) = self.asked.replace((now, steady)) else { return };
        let went_by = SignedDuration::try_from(steady.duration_since(before)).unwrap_or(SignedDuration::MAX);
        let set_by = now.duration_since(then).saturating_sub(went_by);
        if set_by.abs() <= SET {
            return;
        }
        tracing::warn!(
            seconds = set_by.as_secs(),
            "the clock was set; what waits for its removal waits as long as before"
        );
        for at in self.gone_since.values_mut().chain(self.retired.values_mut()) {
            *at = at.checked_add(set_by).unwrap_or(*at);
        }
    }

    /// Counts what is remembered of jobs that are gone.
    pub(crate) fn remembered(&self, all: &mut Remembered) {
        for (what, entries) in [
            ("jobs left behind", self.left_behind.len()),
            ("names that are not ours", self.strangers.len()),
            ("names that could not be looked at", self.unknown.len()),
            ("reasons for incomplete knowledge", self.incomplete_since.len()),
        ] {
            all.note(what, Per::Key, entries);
        }
        all.note("places that were not swept", Per::Place, self.unswept.len());
        all.note("places searched", Per::Place, self.searched.len());
        all.note("jobs gone", Per::Job, self.gone_since.len());
        all.note("jobs that went within the hour", Per::Job, self.retired.len());
        all.note("jobs being removed", Per::Job, self.removing.len());
        all.note("releases", Per::Job, self.released.len());
    }

    /// Jobs that are left alone for what their tags say.
    pub fn paused(&self) -> BTreeMap<&JobName, &Verdict> {
        self.left_behind.values().filter_map(|left| Some((&left.job, left.paused.as_ref()?))).collect()
    }

    fn incomplete(&mut self, cx: &Context, manifests: &Manifests, now: Timestamp) -> Vec<Incomplete> {
        let mut reasons: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
        for (file, why) in &manifests.incomplete {
            reasons.insert(format!("file {file}"), (why.clone(), Some(file.clone())));
        }
        let own = manifests.own_places();
        for (place, why) in self.unswept.iter().filter(|(place, _)| own.contains(*place)) {
            let message = format!("what is in {} could not be read: {why}", place.region);
            reasons.insert(format!("place {place:?}"), (message, None));
        }
        for place in own {
            if cx.world().sweep(&place).is_none() && !self.unswept.contains_key(&place) {
                let message = format!("what is in {} has not been read yet", place.region);
                reasons.insert(format!("place {place:?}"), (message, None));
            }
        }
        for ((place, job), why) in &self.unknown {
            let message = format!("what job {job} left in {} is not known: {why}", place.region);
            reasons.insert(format!("job {job} {place:?}"), (message, None));
        }
        self.incomplete_since.retain(|reason, _| reasons.contains_key(reason));
        let mut incomplete = Vec::new();
        for (reason, (why, file)) in reasons {
            let since = *self.incomplete_since.entry(reason).or_insert(now);
            incomplete.push(Incomplete { why, file, since });
        }
        incomplete
    }

    /// Jobs of ours that have a schedule in AWS: those left behind, and those of the manifests whose rules' tags were read.
    fn owned(&self, cx: &Context, manifests: &Manifests) -> Vec<OwnedJob> {
        let left = self.left_behind.values().filter(|left| left.scheduled && left.paused.is_none());
        let mut owned: Vec<OwnedJob> = left
            .map(|left| OwnedJob { job: left.job.clone(), source: left.source.clone(), policy: left.policy })
            .collect();
        if owned.is_empty() {
            // Nothing could go: how many there are, which sets the cap, makes no difference.
            return owned;
        }
        let settings = cx.settings();
        let world = cx.world();
        for job in manifests.directory.jobs.values().filter(|job| !job.drain && manifests.shard.has(job)) {
            let mark = Mark::new(&settings.identity.controller, &job.name);
            let Some(names) = world.names(&settings, &job.place, &job.name) else { continue };
            let by_rule = world.rule_tags_of(&job.place, &names).iter().any(|tags| mark.is_on(tags));
            if by_rule || world.has_schedules(&job.place, &names, &mark) {
                let source = Some(settings.identity.source.clone());
                owned.push(OwnedJob { job: job.name.clone(), source, policy: Some(job.deletion_policy) });
            }
        }
        owned
    }
}
