//! Active and standby.

use clap::Args;
use ecs_etl_aws::LeaseTable;

use super::parse;

/// The lease that allows writing.
#[derive(Debug, Args)]
pub struct Lease {
    /// Write only while holding a lease in this DynamoDB table, and stand by otherwise [default: no lease]
    #[arg(long, env = "ECS_ETL_LEASE", value_name = "dynamodb:[REGION/]TABLE", value_parser = parse::lease)]
    pub lease: Option<LeaseTable>,
    /// How long a lease lasts; another controller takes over up to 15 s and a look later
    #[arg(long, env = "ECS_ETL_LEASE_SECONDS", value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(30..=3600))]
    pub lease_seconds: u64,
}
