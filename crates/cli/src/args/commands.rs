//! The flags of each command.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ecs_etl_spec::name::{AccountId, JobName};
use ecs_etl_spec::schedule::Zone;

use super::lease::Lease;
use super::options::{Aws, Dir, Output, Select, StatusDir};
use super::parse::{self, From};
use super::shard::Part;

/// `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGHUP: look at the directory now. SIGTERM or Ctrl-C: finish what is in flight within 20 s, write the \
    status, exit with 0; a second one ends at once.\n\n\
    Examples:\n  \
    ecs-etl run\n  \
    ecs-etl run /srv/etl-jobs --status-dir /var/lib/ecs-etl --log-format json"
)]
pub struct Run {
    #[command(flatten)]
    pub dir: Dir,
    #[command(flatten)]
    pub aws: Aws,
    #[command(flatten)]
    pub status: StatusDir,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub part: Part,
    #[command(flatten)]
    pub lease: Lease,
    /// Converge once and exit: the same as `apply`
    #[arg(long, env = "ECS_ETL_ONCE", value_parser = parse::switch)]
    pub once: bool,
    /// How often to look without a sign of change, for file systems that send none
    #[arg(long, env = "ECS_ETL_RESCAN_SECONDS", value_name = "SECONDS", default_value_t = 15,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub rescan_seconds: u64,
    /// How long the directory must be quiet before it is looked at
    #[arg(long, env = "ECS_ETL_DEBOUNCE_MS", value_name = "MILLISECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub debounce_ms: u64,
}

/// `validate`.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 0 when every manifest is valid, with 1 when one is not.\n\n\
    Example:\n  ecs-etl validate -o json | jq '.diagnostics[] | select(.severity == \"error\")'")]
pub struct Validate {
    #[command(flatten)]
    pub dir: Dir,
    /// Form of the result
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 0, with 1 after an error, and with --detailed-exitcode with 2 when something would change. Values \
    that look secret are masked.\n\n\
    Examples:\n  \
    ecs-etl plan\n  \
    ecs-etl plan --job daily-sales\n  \
    ecs-etl plan --endpoint aws --detailed-exitcode -o json"
)]
pub struct Plan {
    #[command(flatten)]
    pub dir: Dir,
    #[command(flatten)]
    pub aws: Aws,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub part: Part,
    #[command(flatten)]
    pub status: StatusDir,
    /// Exit with 2 when there are changes
    #[arg(long, env = "ECS_ETL_DETAILED_EXITCODE", value_parser = parse::switch)]
    pub detailed_exitcode: bool,
    /// Form of the result
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 0 when every job is as its manifest says, with 1 when one is not or something is held.\n\n\
    Examples:\n  \
    ecs-etl apply\n  \
    ecs-etl apply -l team=analytics\n  \
    ecs-etl apply --prune --yes"
)]
pub struct Apply {
    #[command(flatten)]
    pub dir: Dir,
    #[command(flatten)]
    pub aws: Aws,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub part: Part,
    #[command(flatten)]
    pub status: StatusDir,
    /// Remove jobs whose manifest is gone, without grace but within the caps, and tidy away what was replaced
    #[arg(long, env = "ECS_ETL_PRUNE", value_parser = parse::switch)]
    pub prune: bool,
    /// Do not ask before removing
    #[arg(short, long, env = "ECS_ETL_YES", value_parser = parse::switch)]
    pub yes: bool,
    /// Form of the result
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `approve`.
#[derive(Debug, Args)]
#[command(
    after_help = "The lasting way is to commit the line that is printed. --yes releases the set on this machine, until the \
    status directory is lost."
)]
pub struct Approve {
    #[command(flatten)]
    pub status: StatusDir,
    /// Release all that is held, through the status directory
    #[arg(short, long, env = "ECS_ETL_YES", value_parser = parse::switch)]
    pub yes: bool,
    /// Form of the result
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 when the status cannot be read or the heartbeat of a running daemon is older than 60 s. Times are \
    UTC.\n\n\
    Examples:\n  \
    ecs-etl status\n  \
    ecs-etl status daily-sales\n  \
    ecs-etl status --live --endpoint aws --exit-code"
)]
pub struct Status {
    /// Only this job, in full
    #[arg(value_name = "JOB", value_parser = parse::job_name)]
    pub job: Option<JobName>,
    #[command(flatten)]
    pub status: StatusDir,
    /// Look at AWS instead of the status files
    #[arg(long, env = "ECS_ETL_LIVE", value_parser = parse::switch)]
    pub live: bool,
    /// Directory of manifests, for --live
    #[arg(long, env = "ECS_ETL_DIR", value_name = "DIR", default_value = "manifests")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub aws: Aws,
    /// Exit with 1 unless every job is ready
    #[arg(long, env = "ECS_ETL_EXIT_CODE", value_parser = parse::switch)]
    pub exit_code: bool,
    /// Form of the result
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// The form of a rendered job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderOutput {
    #[value(alias = "text")]
    Yaml,
    Json,
    Aws,
}

/// `render`.
#[derive(Debug, Args)]
#[command(after_help = "Shows values as they stand in the manifests: nothing is masked.\n\n\
    Examples:\n  \
    ecs-etl render daily-sales\n  \
    ecs-etl render daily-sales -o aws | jq '.[0].RegisterTaskDefinition'\n  \
    ecs-etl render --policies --account 123456789012")]
pub struct Render {
    /// The job; may be left out with --policies
    #[arg(value_name = "JOB", value_parser = parse::job_name, required_unless_present = "policies")]
    pub job: Option<JobName>,
    /// The resource policies that topics, queues and functions need so that EventBridge may tell them, of all jobs or one
    #[arg(long, env = "ECS_ETL_POLICIES", value_parser = parse::switch, conflicts_with = "output")]
    pub policies: bool,
    /// Directory of manifests
    #[arg(long, env = "ECS_ETL_DIR", value_name = "DIR", default_value = "manifests")]
    pub dir: PathBuf,
    /// Account to fill in where the manifest leaves it open
    #[arg(long, env = "ECS_ETL_ACCOUNT", value_name = "ID", default_value = "123456789012", value_parser = parse::account)]
    pub account: AccountId,
    /// The manifest after defaults, or the bodies of the AWS requests
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = RenderOutput::Yaml)]
    pub output: RenderOutput,
}

/// `next`.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 1 when the expression is not valid.\n\n\
    Examples:\n  \
    ecs-etl next '0 2 * * *'\n  \
    ecs-etl next 'cron(0 9 ? * MON#1 *)' -n 12 --time-zone Asia/Tokyo\n  \
    ecs-etl next 'rate(15 minutes)' -o json")]
pub struct Next {
    /// Unix cron, `cron(...)`, `rate(...)` or a macro such as `@daily`, in quotes
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    pub expression: String,
    /// How many times to show
    #[arg(short = 'n', long, env = "ECS_ETL_COUNT", value_name = "COUNT", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// Only times after this one, such as 2026-11-23T08:00:00Z [default: now]
    #[arg(long, env = "ECS_ETL_FROM", value_name = "TIME", value_parser = parse::from)]
    pub from: Option<From>,
    /// IANA time zone in which the expression is read and times are shown
    #[arg(long, env = "ECS_ETL_TIME_ZONE", value_name = "ZONE", default_value = "UTC", value_parser = parse::time_zone)]
    pub time_zone: Zone,
    /// Form of the result
    #[arg(short, long, env = "ECS_ETL_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `emulator`.
#[derive(Debug, Args)]
#[command(after_help = "The first line of output names the address. SIGTERM or Ctrl-C ends it.\n\n\
    Examples:\n  \
    ecs-etl emulator --state ./aws\n  \
    ecs-etl emulator --speed 3600\n  \
    aws --endpoint-url http://127.0.0.1:4599 ecs list-task-definitions\n  \
    ecs-etl apply --endpoint http://127.0.0.1:4599")]
pub struct Emulator {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "ECS_ETL_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:4599")]
    pub listen: SocketAddr,
    /// Keep the state in this directory, which is made if need be
    #[arg(long, env = "ECS_ETL_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Throttle calls as AWS does
    #[arg(long, env = "ECS_ETL_THROTTLE", value_parser = parse::switch)]
    pub throttle: bool,
    /// How many rules an event bus takes, as if the quota had been raised [default: AWS's usual quota, 300]
    #[arg(long, env = "ECS_ETL_RULES_PER_BUS", value_name = "N")]
    pub rules_per_bus: Option<usize>,
    /// Let rules fire as they did for this many seconds after a change; AWS says "a short period of time" and names no figure
    #[arg(long, env = "ECS_ETL_CHANGES_TAKE", value_name = "SECONDS", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=3_600))]
    pub changes_take: u32,
    /// Let time run this many times as fast: with 3600, schedules of a day fire in 24 seconds
    #[arg(long, env = "ECS_ETL_SPEED", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub speed: u32,
}
