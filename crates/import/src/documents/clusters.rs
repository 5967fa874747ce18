//! EtlClusters: one for each ECS cluster and Region that jobs run in.

use std::collections::BTreeMap;

use ecs_etl_spec::fill_in;
use serde_json::{Map, Value as Json, json};

use super::Draft;
use crate::found::Run;
use crate::name::Names;
use crate::write::Comments;

/// Region and ECS cluster, as far as they are known.
type Key = (Option<String>, Option<String>);

/// An EtlCluster as a job needs to know it.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// Name of the EtlCluster.
    pub name: String,
    /// Its `eventsRoleArn`.
    pub role: Option<String>,
    /// Its `schedulerRoleArn`.
    scheduler_role: Option<String>,
}

/// The clusters of an import.
#[derive(Debug)]
pub(super) struct Clusters {
    by_key: BTreeMap<Key, (Cluster, Origin)>,
}

/// The first run of a cluster, for findings.
#[derive(Debug)]
struct Origin {
    file: String,
    line: u32,
}

impl Clusters {
    /// The clusters of these jobs; the role that most jobs of a cluster name becomes its own.
    pub(super) fn new(groups: &[Vec<Run>]) -> Self {
        let mut names = Names::default();
        let mut by_key: BTreeMap<Key, (Cluster, Origin)> = BTreeMap::new();
        for run in groups.iter().filter_map(|group| group.first()) {
            by_key.entry(key(run)).or_insert_with(|| {
                let short = run.cluster.as_deref().map_or("default", short_name);
                let known = if fill_in::is_open(short) { "main" } else { short };
                let cluster = Cluster {
                    name: names.give(known, "main"),
                    role: common_role(groups, &key(run), |run| run.role.as_deref()),
                    scheduler_role: common_role(groups, &key(run), |run| run.scheduler_role.as_deref()),
                };
                (cluster, Origin { file: run.origin.file.clone(), line: 0 })
            });
        }
        Self { by_key }
    }

    /// The cluster of a run that was among the groups.
    pub(super) fn of(&mut self, run: &Run) -> Cluster {
        let found = self.by_key.get(&key(run)).map(|(cluster, _)| cluster.clone());
        found.unwrap_or_else(|| Cluster { name: "main".to_owned(), role: None, scheduler_role: None })
    }

    /// A document for each.
    pub(super) fn into_drafts(self) -> Vec<Draft> {
        self.by_key
            .into_iter()
            .map(|((region, ecs_cluster), (cluster, origin))| draft(region, ecs_cluster, cluster, origin))
            .collect()
    }
}

fn draft(region: Option<String>, ecs_cluster: Option<String>, cluster: Cluster, origin: Origin) -> Draft {
    let Cluster { name, role, scheduler_role } = cluster;
    let mut spec = Map::new();
    // ECS takes `default` for a cluster that is not named.
    let ecs_cluster = ecs_cluster.unwrap_or_else(|| "default".to_owned());
    if ecs_cluster != name {
        spec.insert("cluster".to_owned(), json!(ecs_cluster));
    }
    spec.insert("region".to_owned(), json!(region.unwrap_or_else(|| fill_in::marker("region of the cluster"))));
    let role = role.unwrap_or_else(|| fill_in::marker("role that EventBridge assumes to start runs"));
    spec.insert("eventsRoleArn".to_owned(), json!(role));
    if let Some(role) = scheduler_role {
        spec.insert("schedulerRoleArn".to_owned(), json!(role));
    }
    Draft {
        path: format!("clusters/{name}.yaml"),
        resource: format!("cluster {ecs_cluster}"),
        value: json!({"apiVersion": "ecs-etl/v1", "kind": "EtlCluster", "metadata": {"name": name}, "spec": Json::Object(spec)}),
        comments: Comments::new(),
        findings: Vec::new(),
        file: origin.file,
        line: origin.line,
    }
}

fn key(run: &Run) -> Key {
    (run.region.clone(), run.cluster.clone())
}

/// The last part of an ARN, or the name itself.
fn short_name(cluster: &str) -> &str {
    cluster.rsplit('/').next().unwrap_or(cluster)
}

/// The role that most jobs of a cluster name; of equally many, the first that was found.
fn common_role(groups: &[Vec<Run>], cluster: &Key, role: fn(&Run) -> Option<&str>) -> Option<String> {
    let runs = groups.iter().filter_map(|group| group.first()).filter(|run| key(run) == *cluster);
    let roles: Vec<&str> = runs.filter_map(role).collect();
    let count = |role: &str| roles.iter().filter(|other| **other == role).count();
    let most = roles.iter().map(|role| count(role)).max()?;
    roles.iter().find(|role| count(role) == most).map(|role| (*role).to_owned())
}
