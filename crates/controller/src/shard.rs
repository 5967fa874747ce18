//! A controller's part of a directory: jobs by their labels, by their EtlClusters, or both.
//!
//! Unlike [`crate::selector::Selector`], which is one command's choice and deletes nothing, a shard is a whole controller for
//! its jobs: it removes what they leave behind, and nothing of the others'. Of a job without a manifest, what is in AWS has
//! to tell whose it was; where it does not, the job stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ecs_etl_plan::labels::{Belongs, LabelSelector};
use ecs_etl_plan::observed::{Fact, LiveRevision, Observed, RevisionArn};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::directory::Directory;
use ecs_etl_spec::job::{Cluster, Job, Place};
use ecs_etl_spec::name::{AccountId, ClusterName, JobName};

use crate::context::{Context, Interrupted};

/// Which jobs a controller looks after; all of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shard {
    /// What their labels must be.
    pub labels: Option<LabelSelector>,
    /// The EtlClusters they must live in; all without any.
    pub clusters: BTreeSet<ClusterName>,
}

impl Shard {
    /// Whether it is every job there is.
    pub fn is_everything(&self) -> bool {
        self.labels.is_none() && self.clusters.is_empty()
    }

    /// Whether a job is of it. A tag that the cluster's defaults set counts as a label: in AWS the two are the same.
    pub fn has(&self, job: &Job) -> bool {
        self.labels.as_ref().is_none_or(|labels| labels.selects(&job.tags)) && self.has_cluster(&job.cluster)
    }

    /// Whether the jobs of an EtlCluster may be of it.
    pub fn has_cluster(&self, cluster: &ClusterName) -> bool {
        self.clusters.is_empty() || self.clusters.contains(cluster)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(labels) = &self.labels {
            write!(f, "{labels}")?;
        }
        let clusters: Vec<&str> = self.clusters.iter().map(ClusterName::as_str).collect();
        match (&self.labels, clusters.as_slice()) {
            (None, []) => f.write_str("everything"),
            (Some(_), []) => Ok(()),
            (labels, _) => {
                let space = if labels.is_some() { " " } else { "" };
                write!(f, "{space}in {}", clusters.join(","))
            }
        }
    }
}

/// What tells to which shard a job without a manifest belonged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parting {
    shard: Shard,
    /// Jobs of draining clusters: their manifests are still there.
    draining: BTreeMap<JobName, bool>,
    clusters: Vec<Cluster>,
}

impl Parting {
    /// That of a directory.
    pub fn of(directory: &Directory, shard: &Shard) -> Arc<Self> {
        if shard.is_everything() {
            return Arc::default();
        }
        let draining = directory.jobs.values().filter(|job| job.drain);
        let draining = draining.map(|job| (job.name.clone(), shard.has(job))).collect();
        let clusters = directory.clusters.values().cloned().collect();
        Arc::new(Self { shard: shard.clone(), draining, clusters })
    }

    /// Whether what a job left behind in `place` is this shard's, by what `facts` tell of it.
    ///
    /// # Errors
    ///
    /// An account could not be told.
    pub async fn judge(
        &self,
        cx: &Context,
        place: &Place,
        job: &JobName,
        facts: &Observed,
    ) -> Result<Belongs, Interrupted> {
        if self.shard.is_everything() {
            return Ok(Belongs::Yes);
        }
        if let Some(ours) = self.draining.get(job) {
            return Ok(if *ours { Belongs::Yes } else { Belongs::No });
        }
        let settings = cx.settings();
        let found = Found::of(facts, &Mark::new(&settings.identity.controller, job));
        let by_labels = self.by_labels(&found);
        if by_labels == Belongs::No || self.shard.clusters.is_empty() {
            return Ok(by_labels);
        }
        let account = cx.account(place).await?;
        let mut here = Vec::new();
        for cluster in self.clusters.iter().filter(|cluster| cluster.place.region == place.region) {
            if account_of(cx, &cluster.place).await? == account {
                here.push(cluster);
            }
        }
        let by_clusters = match self.by_clusters(&found, &here) {
            Some(told) => {
                cx.recall(place, job, Some(told == Belongs::Yes));
                told
            }
            // Half removed, it tells no cluster any more; it did when its removal began.
            None if cx.recall(place, job, None) => Belongs::Yes,
            None => self.by_place(
                &here,
                "no schedule tells its cluster any more, and its account and Region are of several shards",
            ),
        };
        Ok(by_labels.and(by_clusters))
    }

    fn by_labels(&self, found: &Found<'_>) -> Belongs {
        let Some(labels) = &self.shard.labels else { return Belongs::Yes };
        let witnesses = found.tags.iter().map(|tags| tags.map_or_else(unlabelled, |tags| labels.judge(tags)));
        Belongs::agreed(witnesses, "its schedules bear labels of different shards").unwrap_or_else(unlabelled)
    }

    /// By the ECS clusters that its schedules start it in; none if there is no such schedule.
    fn by_clusters(&self, found: &Found<'_>, here: &[&Cluster]) -> Option<Belongs> {
        let witnesses = found.clusters.iter().map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or(arn);
            let named: Vec<&Cluster> = here
                .iter()
                .filter(|cluster| cluster.ecs_cluster == *arn || cluster.ecs_cluster == name)
                .copied()
                .collect();
            if named.is_empty() {
                return self.by_place(here, &format!("no EtlCluster is the ECS cluster {name} that it is started in"));
            }
            self.by_place(&named, &format!("EtlClusters of several shards are the ECS cluster {name}"))
        });
        Belongs::agreed(witnesses, "its schedules start it in clusters of different shards")
    }

    /// By the EtlClusters that it may have been of: all are this shard's, or none is.
    fn by_place(&self, may_be: &[&Cluster], otherwise: &str) -> Belongs {
        let ours = may_be.iter().filter(|cluster| self.shard.has_cluster(&cluster.name)).count();
        match may_be.len() {
            0 => Belongs::Unknown(otherwise.to_owned()),
            all if all == ours => Belongs::Yes,
            _ if ours == 0 => Belongs::No,
            _ => Belongs::Unknown(otherwise.to_owned()),
        }
    }
}

fn unlabelled() -> Belongs {
    Belongs::Unknown("nothing that is left of it tells its labels".to_owned())
}

/// The account of a place, from the role that is assumed there where there is one.
async fn account_of(cx: &Context, place: &Place) -> Result<AccountId, Interrupted> {
    let in_role = place.assume_role_arn.as_deref().and_then(|role| AccountId::new(role.split(':').nth(4)?).ok());
    match in_role {
        Some(account) => Ok(account),
        None => cx.account(place).await,
    }
}

/// What of a job's remains tells where it belonged.
struct Found<'a> {
    /// The tags of each schedule, or of the revision it pins where it bears none; of the newest revision without schedules.
    tags: Vec<Option<&'a Tags>>,
    /// ARNs of the ECS clusters in which its schedules start it.
    clusters: BTreeSet<&'a str>,
}

impl<'a> Found<'a> {
    fn of(facts: &'a Observed, mark: &Mark<'_>) -> Self {
        let revisions = facts.revisions.values().filter_map(|fact| fact.known()?.as_ref());
        let ours: Vec<&LiveRevision> = revisions.filter(|revision| mark.is_on(&revision.tags)).collect();
        let newest = ours.iter().max_by(|a, b| a.arn.cmp(&b.arn)).map(|revision| &revision.tags);
        let (mut tags, mut clusters) = (Vec::new(), BTreeSet::new());
        for (name, fact) in &facts.rules {
            if !matches!(fact, Fact::Known(Some(_))) {
                continue;
            }
            let own = facts.rule_tags.get(name).and_then(Fact::known);
            if name.group().is_none() && own.is_none_or(|tags| !mark.is_on(tags)) {
                // Not ours, or not known to be: what proves it is read before anything is written.
                continue;
            }
            let targets = facts.targets.get(name).and_then(Fact::known).into_iter().flatten();
            let started: Vec<_> =
                targets.filter_map(|target| Some((target.arn.as_deref()?, target.ecs_parameters.as_ref()?))).collect();
            let pinned = started.iter().find_map(|(_, ecs)| {
                let arn = RevisionArn::parse(ecs.task_definition_arn.as_deref()?)?;
                ours.iter().find(|revision| revision.arn == arn).map(|revision| &revision.tags)
            });
            tags.push(if name.group().is_none() { own } else { pinned.or(newest) });
            clusters.extend(started.into_iter().map(|(arn, _)| arn));
        }
        if tags.is_empty() {
            tags.extend(newest.map(Some));
        }
        Self { tags, clusters }
    }
}
