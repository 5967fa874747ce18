//! Log lines go to standard error, for people or for machines.

mod flat;

use std::io::{self, Write};

use anyhow::Context as _;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::args::LogFormat;
use crate::progress;

/// What is logged without `--log`: our own events, and only what goes wrong in libraries.
const OURS: &str = "warn,ecs_etl=info,ecs_etl_controller=info,ecs_etl_aws=info,ecs_etl_emulator=info";

/// What is logged for somebody who watches a command that reports on itself. Findings and outcomes are in its result.
const QUIET: &str = "error,ecs_etl_controller::report=off";

/// Starts logging. `quiet` is for commands whose result says what they did, when a person watches.
pub fn start(format: LogFormat, filter: Option<&str>, colour: bool, quiet: bool) -> anyhow::Result<()> {
    let default = if quiet && format == LogFormat::Human { QUIET } else { OURS };
    let filter = EnvFilter::try_new(filter.unwrap_or(default)).with_context(|| {
        format!("--log {:?} is not a filter; try `info` or `ecs_etl_aws=debug`", filter.unwrap_or(default))
    })?;
    let lines = tracing_subscriber::registry().with(filter).with(filter_fn(is_discreet));
    match format {
        // A line that cannot be written has nobody to be reported to.
        LogFormat::Human => lines
            .with(fmt::layer().with_ansi(colour).with_target(false).with_writer(|| Line).log_internal_errors(false))
            .init(),
        LogFormat::Json => lines.with(flat::layer(|| Line)).init(),
    }
    Ok(())
}

/// Whether an event may be logged whatever was asked for: the SDK's traces hold the bodies of requests and answers, with the
/// values of environment variables.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    *metadata.level() < Level::TRACE || metadata.target().starts_with("ecs_etl")
}

/// Standard error, above the progress bar if one is shown. Each write is a whole line.
struct Line;

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        progress::aside(|| io::stderr().lock().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
