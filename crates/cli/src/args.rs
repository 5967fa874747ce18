//! The command line as it is typed. What it means is resolved in `commands`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ecs_etl_spec::name::JobName;

/// Keep ETL jobs on Amazon ECS as a directory of YAML says.
#[derive(Debug, Parser)]
#[command(name = "ecs-etl", version, max_term_width = 100)]
#[command(
    after_help = "Without --endpoint and without an EtlController that names one, ecs-etl works on an embedded AWS\n\
    that needs no account and keeps its state in .ecs-etl of the working directory."
)]
pub struct Cli {
    /// How log lines are written to standard error.
    #[arg(long, global = true, env = "ECS_ETL_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,
    /// What is logged, such as `info` or `ecs_etl_aws=debug`.
    #[arg(long, global = true, env = "ECS_ETL_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// When output is coloured.
    #[arg(long, global = true, env = "ECS_ETL_COLOR", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the directory and keep AWS as it says, until SIGTERM or Ctrl-C.
    Run(Run),
    /// Check every manifest, offline.
    Validate(Validate),
    /// Show what would change and why. Touches nothing and needs read rights only.
    Plan(Plan),
    /// Converge once, then say what was done.
    Apply(Apply),
    /// Show what is held back by a cap, and release it.
    Approve(Approve),
    /// Show a table of jobs from the status files, or from AWS.
    Status(Status),
    /// Show a job after defaults, as YAML or as the AWS requests it becomes.
    Render(Render),
    /// Tell when a schedule expression fires, and what it becomes in AWS.
    Next(Next),
    /// Print the JSON Schema of the manifests, for editors.
    Schema,
    /// Serve the embedded AWS over HTTP, for `aws --endpoint-url`, other tools and tests.
    Emulator(Emulator),
    /// Print a completion script for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Which AWS, and how it is treated.
#[derive(Debug, Args)]
pub struct Aws {
    /// Which AWS: `embedded`, `aws`, or the URL of a stand-in.
    ///
    /// Default: the EtlController's `endpoint`, else `embedded`.
    #[arg(long, env = "ECS_ETL_ENDPOINT", value_name = "embedded|aws|URL")]
    pub endpoint: Option<String>,
    /// Keep calls inside AWS's documented limits on other endpoints too.
    #[arg(long, env = "ECS_ETL_AWS_LIMITS")]
    pub aws_limits: bool,
}

/// Which jobs.
#[derive(Debug, Args)]
pub struct Select {
    /// Only this job (may be given several times).
    #[arg(long = "job", value_name = "NAME", value_parser = job_name)]
    pub jobs: Vec<JobName>,
    /// Only jobs with this label (may be given several times; all must match).
    #[arg(short = 'l', long = "selector", value_name = "KEY=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
}

/// Where the manifests are.
#[derive(Debug, Args)]
pub struct Dir {
    /// Directory of manifests, read recursively.
    #[arg(value_name = "DIR", env = "ECS_ETL_DIR", default_value = "manifests")]
    pub dir: PathBuf,
}

/// Where the status is.
#[derive(Debug, Args)]
pub struct StatusDir {
    /// Directory of status files; never inside the manifests.
    #[arg(long, env = "ECS_ETL_STATUS_DIR", value_name = "DIR", default_value = "status")]
    pub status_dir: PathBuf,
}

/// `run`.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub dir: Dir,
    #[command(flatten)]
    pub aws: Aws,
    #[command(flatten)]
    pub status: StatusDir,
    #[command(flatten)]
    pub select: Select,
    /// Converge once and exit: the same as `apply`.
    #[arg(long)]
    pub once: bool,
    /// How often the directory is looked at without any sign of a change, for file systems that send none.
    #[arg(long, env = "ECS_ETL_RESCAN_SECONDS", value_name = "SECONDS", default_value_t = 15,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub rescan_seconds: u64,
    /// How long the directory must be quiet before it is looked at.
    #[arg(long, env = "ECS_ETL_DEBOUNCE_MS", value_name = "MILLISECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub debounce_ms: u64,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    pub dir: Dir,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub dir: Dir,
    #[command(flatten)]
    pub aws: Aws,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub status: StatusDir,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    pub dir: Dir,
    #[command(flatten)]
    pub aws: Aws,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub status: StatusDir,
    /// Remove jobs whose manifest is gone, without the grace period but within the caps, and tidy away what was replaced.
    #[arg(long)]
    pub prune: bool,
    /// Do not ask before removing.
    #[arg(short, long)]
    pub yes: bool,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `approve`.
#[derive(Debug, Args)]
pub struct Approve {
    #[command(flatten)]
    pub status: StatusDir,
    /// Release what is held, through the status directory.
    #[arg(short, long)]
    pub yes: bool,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this job, in full.
    #[arg(value_name = "JOB", value_parser = job_name)]
    pub job: Option<JobName>,
    #[command(flatten)]
    pub status: StatusDir,
    /// Look at AWS instead of the status files.
    #[arg(long)]
    pub live: bool,
    /// Directory of manifests, for --live.
    #[arg(long, env = "ECS_ETL_DIR", value_name = "DIR", default_value = "manifests")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub aws: Aws,
    /// Exit with 1 unless every job is ready.
    #[arg(long)]
    pub exit_code: bool,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// The form of a rendered job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderOutput {
    /// The manifest after defaults.
    Yaml,
    /// The bodies of the AWS requests.
    Aws,
}

/// `render`.
#[derive(Debug, Args)]
pub struct Render {
    /// The job.
    #[arg(value_name = "JOB", value_parser = job_name)]
    pub job: JobName,
    /// Directory of manifests.
    #[arg(long, env = "ECS_ETL_DIR", value_name = "DIR", default_value = "manifests")]
    pub dir: PathBuf,
    /// Account to fill in where the manifest leaves it open.
    #[arg(long, env = "ECS_ETL_ACCOUNT", value_name = "ID", default_value = "123456789012")]
    pub account: String,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = RenderOutput::Yaml)]
    pub output: RenderOutput,
}

/// `next`.
#[derive(Debug, Args)]
pub struct Next {
    /// Unix cron, `cron(...)`, `rate(...)` or a macro such as `@daily`.
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    pub expression: String,
    /// How many times to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// Only times after this one, such as `2026-11-23T08:00:00Z`; default now.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// IANA time zone in which the expression is read and times are shown.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub time_zone: String,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `emulator`.
#[derive(Debug, Args)]
pub struct Emulator {
    /// Address to listen on; port 0 takes a free one, and the first line of output names it.
    #[arg(long, env = "ECS_ETL_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:4599")]
    pub listen: SocketAddr,
    /// Keep the state in this directory.
    #[arg(long, env = "ECS_ETL_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Throttle calls as AWS does.
    #[arg(long)]
    pub throttle: bool,
}

fn job_name(text: &str) -> Result<JobName, String> {
    JobName::new(text).map_err(|error| error.to_string())
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Select {
    /// As the controller takes it.
    pub fn selector(&self) -> ecs_etl_controller::selector::Selector {
        ecs_etl_controller::selector::Selector {
            jobs: self.jobs.iter().cloned().collect(),
            labels: self.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
        }
    }
}
