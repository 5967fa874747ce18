//! The flags of `import`, source by source.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ecs_etl_spec::name::{ControllerName, Region};

use super::options::{Aws, Output};
use super::parse;

/// `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "The report on standard error lists what could not be carried over, what is to be filled in and what to look \
    at; each of it is also a comment in the manifest. Nothing in AWS is changed.\n\n\
    Examples:\n  \
    ecs-etl import ecschedule ecschedule.yaml --output manifests\n  \
    ecs-etl validate manifests"
)]
pub struct Import {
    /// What to import from.
    #[command(subcommand)]
    pub source: ImportSource,
}

/// A source of schedules.
#[derive(Debug, Subcommand)]
pub enum ImportSource {
    /// Rules of EventBridge and schedules of EventBridge Scheduler that start ECS tasks, as they are in AWS
    Aws(ImportAws),
    /// A configuration of ecschedule, YAML or JSON
    Ecschedule(ImportEcschedule),
    /// Task definitions of ecspresso, with its configuration and service definition if given too
    Ecspresso(ImportEcspresso),
    /// A CloudFormation template, YAML or JSON
    Cloudformation(ImportFiles),
    /// Manifests of AWS Copilot's scheduled jobs
    Copilot(ImportCopilot),
    /// What `terraform show -json` prints of a state or a plan
    Terraform(ImportFiles),
}

/// Where the manifests go.
#[derive(Debug, Args)]
pub struct ImportInto {
    /// Directory the manifests are written to; it is made if need be
    #[arg(long, env = "ECS_ETL_OUTPUT", value_name = "DIR", value_parser = parse::output_dir)]
    pub output: PathBuf,
    /// Overwrite manifests that are there
    #[arg(long, env = "ECS_ETL_FORCE", value_parser = parse::switch)]
    pub force: bool,
    /// Write an EtlController of this name too: the identity of whoever will own the jobs
    #[arg(long, env = "ECS_ETL_CONTROLLER", value_name = "NAME", value_parser = parse::controller)]
    pub controller: Option<ControllerName>,
    /// Form of the report
    #[arg(short = 'o', long, env = "ECS_ETL_REPORT", value_enum, default_value_t = Output::Text)]
    pub report: Output,
}

/// Sources that are files.
#[derive(Debug, Args)]
pub struct ImportFiles {
    /// File to import; standard input without one
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Region, where the source names none
    #[arg(long, env = "ECS_ETL_REGION", value_name = "REGION", value_parser = parse::region)]
    pub region: Option<Region>,
    /// ECS cluster, where the source names none
    #[arg(long, env = "ECS_ETL_CLUSTER", value_name = "NAME|ARN")]
    pub cluster: Option<String>,
    #[command(flatten)]
    pub into: ImportInto,
}

/// `import aws`.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads rules of the default bus and schedules of EventBridge Scheduler, with their targets, tags and task definitions. It \
    wants the rights to read that `plan` has. A rule can be taken over; a schedule cannot, so its job is suspended at first.\n\n\
    Example:\n  \
    ecs-etl import aws --endpoint aws --region ap-northeast-1 --prefix nightly- --output manifests"
)]
pub struct ImportAws {
    #[command(flatten)]
    pub aws: Aws,
    /// Region to import from
    #[arg(long, env = "ECS_ETL_REGION", value_name = "REGION", value_parser = parse::region)]
    pub region: Region,
    /// Only rules and schedules whose name starts like this
    #[arg(long, env = "ECS_ETL_PREFIX", value_name = "PREFIX", default_value = "")]
    pub prefix: String,
    /// Only rules with this tag, and schedules whose group has it; of several, all must match
    #[arg(long = "tag", env = "ECS_ETL_TAG", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = parse::label)]
    pub tags: Vec<(String, String)>,
    #[command(flatten)]
    pub into: ImportInto,
}

/// `import copilot`.
#[derive(Debug, Args)]
pub struct ImportCopilot {
    #[command(flatten)]
    pub from: ImportFiles,
    /// Environment of Copilot whose overrides hold
    #[arg(long, env = "ECS_ETL_ENVIRONMENT", value_name = "NAME")]
    pub environment: Option<String>,
}

/// `import ecschedule`.
#[derive(Debug, Args)]
pub struct ImportEcschedule {
    #[command(flatten)]
    pub from: ImportFiles,
    /// Task definition that rules name by its family, as JSON; several with commas, or the flag several times
    #[arg(long = "task-definition", env = "ECS_ETL_TASK_DEFINITION", value_name = "FILE", value_delimiter = ',')]
    pub task_definitions: Vec<PathBuf>,
}

/// `import ecspresso`.
#[derive(Debug, Args)]
pub struct ImportEcspresso {
    #[command(flatten)]
    pub from: ImportFiles,
    /// When the job runs, which ecspresso does not know
    #[arg(long, env = "ECS_ETL_SCHEDULE", value_name = "EXPR", value_parser = parse::schedule)]
    pub schedule: Option<String>,
}
