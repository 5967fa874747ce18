//! Which part of the directory a controller looks after.

use clap::Args;
use ecs_etl_controller::manifests::Reader;
use ecs_etl_controller::shard::Shard;
use ecs_etl_plan::labels::LabelSelector;
use ecs_etl_spec::name::ClusterName;

use super::options::Select;
use super::parse;

/// A part of the jobs, with their removal.
#[derive(Debug, Args)]
pub struct Part {
    /// Look after the jobs with these labels and no others, removals included, beside other controllers: `team=data`,
    /// `team in (a,b)`, `!team`; of several with commas, all must hold
    #[arg(long, env = "ECS_ETL_SHARD", value_name = "SELECTOR", value_parser = parse::shard)]
    pub shard: Option<LabelSelector>,
    /// The same by EtlCluster; several with commas
    #[arg(long, env = "ECS_ETL_SHARD_CLUSTER", value_name = "NAME", value_delimiter = ',', value_parser = parse::cluster)]
    pub shard_cluster: Vec<ClusterName>,
}

impl Part {
    /// As the controller takes it.
    pub fn shard(&self) -> Shard {
        Shard { labels: self.shard.clone(), clusters: self.shard_cluster.iter().cloned().collect() }
    }

    /// What reads the jobs that are of it and selected.
    pub fn reader(&self, select: &Select) -> Reader {
        Reader { selector: select.selector(), shard: self.shard(), ..Reader::default() }
    }
}
