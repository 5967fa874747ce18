//! A settled scan, understood: the valid jobs, what is wrong, and whether it is all there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_plan::decide::Policy;
use ecs_etl_plan::desired::Identity;
use ecs_etl_spec::directory::{Directory, Earlier, load, load_next};
use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::{ControllerName, Digest, JobName};
use jiff::Timestamp;

use crate::adopted;
use crate::context::Settings;
use crate::scan::{RootState, Scan, WHOLE, differing};
use crate::selector::Selector;
use crate::shard::{Parting, Shard};

/// What the manifest directory says.
#[derive(Debug, Clone)]
pub struct Manifests {
    /// Jobs, clusters, controller, findings.
    pub directory: Directory,
    /// What keeps the directory from being known completely, by file (`.` for the directory): deletion waits for these.
    pub incomplete: BTreeMap<String, String>,
    /// Commit or link target.
    pub revision: Option<String>,
    /// Which jobs this process looks after.
    pub selector: Selector,
    /// Which jobs this controller looks after.
    pub shard: Shard,
    /// The files that it was read from, by their content.
    pub files: BTreeMap<String, Digest>,
}

/// Makes manifests of scans, always in the same way.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// Which jobs this process looks after.
    pub selector: Selector,
    /// Which jobs this controller looks after.
    pub shard: Shard,
    /// `source` where the EtlController names none.
    pub git_source: String,
    /// The endpoint is AWS itself: without an EtlController nobody knows whose resources are ours.
    pub needs_controller: bool,
    /// The endpoint in use, if the EtlController chose it: it cannot change while the process runs.
    pub endpoint: Option<String>,
    /// The identity that cannot change while the process runs, because it holds a lease by that name.
    pub identity: Option<ControllerName>,
}

impl Reader {
    /// Reads what a scan found. `now` tells whether a schedule is over for good.
    pub fn read(&self, scan: &Scan, now: Timestamp) -> Manifests {
        self.judged(Manifests::of(load(&scan.manifests(), now), scan))
    }

    /// What this process makes of what the directory says, also if another reader has read it.
    pub fn judged(&self, read: Manifests) -> Manifests {
        let mut manifests = Manifests { shard: self.shard.clone(), selector: self.selector.clone(), ..read };
        let directory = &mut manifests.directory;
        if self.needs_controller && directory.controller.origin.is_none() && directory.controller_problem.is_none() {
            let problem =
                "no EtlController in the directory; the endpoint `aws` needs one, to know whose resources are ours";
            directory.controller_problem = Some(problem.to_owned());
            manifests.incomplete.insert(WHOLE.to_owned(), problem.to_owned());
        }
        if let Some(endpoint) = &self.endpoint
            && directory.controller_problem.is_none()
            && directory.controller.endpoint.as_ref().is_some_and(|written| written != endpoint)
        {
            let problem =
                format!("the EtlController's endpoint is not {endpoint} any more; restart ecs-etl to change it");
            directory.controller_problem = Some(problem.clone());
            manifests.incomplete.insert(WHOLE.to_owned(), problem);
        }
        if let Some(identity) = &self.identity
            && directory.controller_problem.is_none()
            && directory.controller.name != *identity
        {
            let problem = format!(
                "the EtlController is not {identity} any more, whose lease this is; restart ecs-etl to change it"
            );
            directory.controller_problem = Some(problem.clone());
            manifests.incomplete.insert(WHOLE.to_owned(), problem);
        }
        manifests
    }

    /// Reads a scan that follows `before`: the files that changed. While the directory itself is away, what it said last goes on
    /// to hold.
    pub fn read_next(&self, scan: &Scan, before: &Manifests, now: Timestamp) -> Manifests {
        match scan.root {
            RootState::Present { .. } => {
                let read = before.files.iter().map(|(path, digest)| (path.as_str(), digest));
                let changed = differing(read, scan.digests()).collect();
                let earlier = Earlier { directory: &before.directory, changed: &changed };
                self.judged(Manifests::of(load_next(&scan.manifests(), earlier, now), scan))
            }
            RootState::Missing { .. } | RootState::NotADirectory => {
                Manifests { incomplete: scan.shortcomings(), ..before.clone() }
            }
        }
    }
}

impl Manifests {
    /// A directory that has not been read yet.
    pub fn nothing(now: Timestamp) -> Self {
        let unread = BTreeMap::from([(WHOLE.to_owned(), "the directory has not been read yet".to_owned())]);
        Self {
            directory: load(&[], now),
            incomplete: unread,
            revision: None,
            selector: Selector::default(),
            shard: Shard::default(),
            files: BTreeMap::new(),
        }
    }

    /// What a scan was found to say.
    fn of(directory: Directory, scan: &Scan) -> Self {
        let mut incomplete = scan.shortcomings();
        incomplete.extend(directory.unreadable.clone());
        if scan.files.is_empty() {
            let why = "there is no manifest (`*.yaml`, `*.yml`) in the directory";
            incomplete.entry(WHOLE.to_owned()).or_insert_with(|| why.to_owned());
        }
        if let Some(problem) = &directory.controller_problem {
            incomplete.entry(WHOLE.to_owned()).or_insert_with(|| problem.clone());
        }
        let files = scan.files.iter().map(|(path, file)| (path.clone(), file.digest.clone())).collect();
        Self {
            directory,
            incomplete,
            revision: scan.revision.clone(),
            selector: Selector::default(),
            shard: Shard::default(),
            files,
        }
    }

    /// Jobs to converge: valid, of this shard, selected, and not of a draining cluster.
    pub fn wanted(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.directory.jobs.values().filter(|job| self.wants(job))
    }

    /// A job to converge, by name.
    pub fn job(&self, name: &JobName) -> Option<&Arc<Job>> {
        self.directory.jobs.get(name).filter(|job| self.wants(job))
    }

    fn wants(&self, job: &Job) -> bool {
        !job.drain && self.shard.has(job) && self.selector.selects(job)
    }

    /// Whether a job is written, and another controller's to look after.
    pub fn is_of_another_shard(&self, name: &JobName) -> bool {
        self.directory.jobs.get(name).is_some_and(|job| !self.shard.has(job))
    }

    /// Every place that a document names.
    pub fn places(&self) -> BTreeSet<Place> {
        self.directory.clusters.values().map(|cluster| cluster.place.clone()).collect()
    }

    /// Places in which jobs of this shard may be at home. Of the others it has to know only what its jobs, before they became
    /// its, may have left there.
    pub fn own_places(&self) -> BTreeSet<Place> {
        let own = self.directory.clusters.values().filter(|cluster| self.shard.has_cluster(&cluster.name));
        own.map(|cluster| cluster.place.clone()).collect()
    }

    /// Own places that are other shards' too.
    pub fn shared_places(&self) -> BTreeSet<Place> {
        let others = self.directory.clusters.values().filter(|cluster| !self.shard.has_cluster(&cluster.name));
        let others: BTreeSet<&Place> = others.map(|cluster| &cluster.place).collect();
        self.own_places().into_iter().filter(|place| others.contains(place)).collect()
    }

    /// Whether a document speaks of this job, valid or not: then nobody may take it for gone.
    pub fn mentions(&self, name: &JobName) -> bool {
        self.mentions_any(name.as_str())
    }

    /// The same of what may be a job's name.
    pub fn mentions_any(&self, name: &str) -> bool {
        self.directory.blocked.contains_key(name) || self.directory.jobs.get(name).is_some_and(|job| !job.drain)
    }

    /// Whether it speaks of the jobs that `before` spoke of and wants those that it wanted, all where they were; whatever they say
    /// otherwise.
    pub fn has_the_jobs_of(&self, before: &Self) -> bool {
        let (now, then) = (&self.directory, &before.directory);
        let is_known = |of: &Directory| of.controller_problem.is_none();
        let is_same = |(one, other): (&Arc<Job>, &Arc<Job>)| {
            Arc::ptr_eq(one, other)
                || (one.name == other.name
                    && one.place == other.place
                    && one.drain == other.drain
                    && self.shard.has(one) == before.shard.has(other)
                    && self.wants(one) == before.wants(other))
        };
        (is_known(now) && is_known(then))
            && (self.selector == before.selector && self.shard == before.shard && now.clusters == then.clusters)
            && now.blocked.keys().eq(then.blocked.keys())
            && now.jobs.len() == then.jobs.len()
            && now.jobs.values().zip(then.jobs.values()).all(is_same)
    }

    /// The settings in force. `git_source` is used where the EtlController names no source.
    pub fn settings(&self, git_source: &str) -> Settings {
        let controller = &self.directory.controller;
        Settings {
            identity: Identity {
                controller: controller.name.clone(),
                source: controller.source.clone().unwrap_or_else(|| git_source.to_owned()),
            },
            prefix: controller.prefix.clone(),
            adopted: adopted::of(&self.directory),
            parting: Parting::of(&self.directory, &self.shard),
            policy: Policy { keep_revisions: controller.keep_revisions, ..Policy::default() },
            prune: controller.prune,
            max_changes: controller.max_changes,
            resync: Duration::from_secs(u64::from(controller.resync_seconds)),
            approved: controller.approved.clone(),
        }
    }
}
