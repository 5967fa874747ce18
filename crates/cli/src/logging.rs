//! Log lines go to standard error, for people or for machines.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// What is logged without `--log`: our own events, and only what goes wrong in libraries.
const OURS: &str = "warn,ecs_etl=info,ecs_etl_controller=info,ecs_etl_aws=info,ecs_etl_emulator=info";

/// What is logged beside a progress bar, which tells the rest.
const QUIET: &str = "error";

/// Starts logging. `quiet` is for commands whose result says what they did, when a person watches.
pub fn start(format: LogFormat, filter: Option<&str>, colour: bool, quiet: bool) -> anyhow::Result<()> {
    let default = if quiet { QUIET } else { OURS };
    let filter = EnvFilter::try_new(filter.unwrap_or(default)).with_context(|| {
        format!("--log {:?} is not a filter; try `info` or `ecs_etl_aws=debug`", filter.unwrap_or(default))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Human => builder.with_ansi(colour).with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).init(),
    }
    Ok(())
}
