//! Flags that several commands share.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ecs_etl_aws::{Options, Share};
use ecs_etl_controller::selector::Selector;
use ecs_etl_spec::name::JobName;

use super::parse;

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

/// Which AWS, and how it is treated.
#[derive(Debug, Args)]
pub struct Aws {
    /// Which AWS, or the URL of a stand-in [default: the EtlController's `endpoint`, else embedded]
    #[arg(long, env = "ECS_ETL_ENDPOINT", value_name = "embedded|aws|URL", value_parser = parse::endpoint)]
    pub endpoint: Option<String>,
    /// Keep calls inside AWS's documented limits on other endpoints too
    #[arg(long, env = "ECS_ETL_AWS_LIMITS", value_parser = parse::switch)]
    pub aws_limits: bool,
    /// The part of AWS's documented rates to stay inside, such as 0.25, 1/6 or 25%; the rest is for others in the account
    #[arg(long, env = "ECS_ETL_AWS_SHARE", value_name = "SHARE", default_value = "0.5")]
    pub aws_share: Share,
}

impl Aws {
    /// As the connection takes it.
    pub fn options(&self) -> Options {
        Options { limits: self.aws_limits.then_some(true), share: self.aws_share, ..Options::default() }
    }
}

/// Which jobs.
#[derive(Debug, Args)]
pub struct Select {
    /// Only this job; several with commas, or the flag several times
    #[arg(long = "job", env = "ECS_ETL_JOB", value_name = "NAME", value_delimiter = ',', value_parser = parse::job_name)]
    pub jobs: Vec<JobName>,
    /// Only jobs with this label; of several, all must match
    #[arg(short = 'l', long = "selector", env = "ECS_ETL_SELECTOR", value_name = "KEY=VALUE", value_delimiter = ',',
          value_parser = parse::label)]
    pub labels: Vec<(String, String)>,
}

impl Select {
    /// As the controller takes it.
    pub fn selector(&self) -> Selector {
        Selector {
            jobs: self.jobs.iter().cloned().collect(),
            labels: self.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
        }
    }
}

/// Where the manifests are.
#[derive(Debug, Args)]
pub struct Dir {
    /// Directory of manifests, read recursively
    #[arg(value_name = "DIR", env = "ECS_ETL_DIR", default_value = "manifests")]
    pub dir: PathBuf,
}

/// Where the status is.
#[derive(Debug, Args)]
pub struct StatusDir {
    /// Directory of status files; never inside the manifests
    #[arg(long, env = "ECS_ETL_STATUS_DIR", value_name = "DIR", default_value = "status")]
    pub status_dir: PathBuf,
}
