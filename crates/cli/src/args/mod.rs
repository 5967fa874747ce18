//! The command line as it is typed. What it means is resolved in `commands`.
//!
//! Every flag has a twin in the environment: `ECS_ETL_` and its name in capitals. A variable that is set to nothing
//! counts as not set.

mod commands;
mod import;
mod lease;
mod options;
mod parse;
mod shard;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use commands::{Apply, Approve, Emulator, Next, Plan, Render, RenderOutput, Run, Status, Validate};
pub use import::{Import, ImportAws, ImportFiles, ImportInto, ImportSource};
pub use lease::Lease;
pub use options::{Aws, Output};
pub use parse::From;

const GLOBAL: &str = "Global options";

/// Keep ETL jobs on Amazon ECS as a directory of YAML says.
#[derive(Debug, Parser)]
#[command(name = "ecs-etl", version, max_term_width = 100)]
#[command(
    after_help = "Without --endpoint and without an EtlController that names one, ecs-etl works on an embedded AWS that \
    needs no account and keeps its state in .ecs-etl of the working directory.\n\n\
    Examples:\n  \
    ecs-etl validate              check ./manifests, offline\n  \
    ecs-etl plan                  show what would change and why\n  \
    ecs-etl apply                 converge once\n  \
    ecs-etl run                   converge for ever\n  \
    ecs-etl status                show how it stands\n\n\
    Each flag can be set in the environment too: --status-dir as ECS_ETL_STATUS_DIR. Usage errors exit with 64."
)]
pub struct Cli {
    /// How log lines are written to standard error: for people, or one JSON object a line
    #[arg(long, global = true, help_heading = GLOBAL, env = "ECS_ETL_LOG_FORMAT", value_enum, value_name = "FORMAT",
          default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,
    /// What is logged, such as `info` or `ecs_etl_aws=debug`
    #[arg(long, global = true, help_heading = GLOBAL, env = "ECS_ETL_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// When output is coloured; `auto`: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, help_heading = GLOBAL, env = "ECS_ETL_COLOR", value_enum, value_name = "WHEN",
          default_value_t = Color::Auto)]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

// Values have no doc comments: clap would give each a paragraph of its own in --help.

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Human,
    Json,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the directory and keep AWS as it says, until SIGTERM or Ctrl-C
    Run(Run),
    /// Check every manifest, offline
    Validate(Validate),
    /// Show what would change and why; touches nothing and needs read rights only
    Plan(Plan),
    /// Converge once, then say what was done
    Apply(Apply),
    /// Show what is held back by a cap, and release it
    Approve(Approve),
    /// Show a table of jobs from the status files, or from AWS
    Status(Status),
    /// Show a job after defaults, as YAML or as the AWS requests it becomes; offline
    Render(Render),
    /// Write manifests from what other tools or AWS have
    Import(Import),
    /// Tell when a schedule expression fires, and what it becomes in AWS; offline
    Next(Next),
    /// Print the JSON Schema of the manifests, for editors
    #[command(after_help = "Example:\n  ecs-etl schema > ecs-etl.schema.json\n\n\
        and in an editor with the YAML language server, on top of each manifest:\n  \
        # yaml-language-server: $schema=ecs-etl.schema.json")]
    Schema,
    /// Serve the embedded AWS over HTTP, for `aws --endpoint-url`, other tools and tests
    Emulator(Emulator),
    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether standard output says what was done, so that a person who watches needs no log beside it.
    pub fn reports_itself(&self) -> bool {
        match self {
            Self::Run(run) => run.once,
            Self::Emulator(_) => false,
            Self::Validate(_)
            | Self::Plan(_)
            | Self::Apply(_)
            | Self::Approve(_)
            | Self::Status(_)
            | Self::Render(_)
            | Self::Import(_)
            | Self::Next(_)
            | Self::Schema
            | Self::Completions { .. } => true,
        }
    }
}

/// Reads the command line and the environment.
pub fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    match parsed {
        Ok(matches) => Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command)),
        // With a variable set, clap takes the command line for one that has arguments, and shows no help.
        Err(error) if error.kind() == ErrorKind::MissingSubcommand => {
            let nothing = without_env(Cli::command()).try_get_matches_from(["ecs-etl"]);
            Err(nothing.err().unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}

/// The command line as clap knows it.
pub fn command() -> clap::Command {
    adjusted(Cli::command())
}

fn adjusted(command: clap::Command) -> clap::Command {
    command.mut_args(adjusted_arg).mut_subcommands(adjusted)
}

fn without_env(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.env(None::<&'static str>))
}

/// Takes a variable that is set to nothing for one that is not set, and keeps values of variables out of help texts.
fn adjusted_arg(arg: clap::Arg) -> clap::Arg {
    let nothing = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let arg = arg.hide_env_values(true);
    if nothing { arg.env(None::<&'static str>) } else { arg }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_command(command: &clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().flat_map(every_command);
        std::iter::once(command.clone()).chain(below).collect()
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_twin_in_the_environment() {
        for command in every_command(&Cli::command()) {
            for arg in command.get_opts().filter(|arg| !["help", "version"].contains(&arg.get_id().as_str())) {
                let long = arg.get_long().expect("a long name").to_uppercase().replace('-', "_");
                let twin = arg.get_env().map(|name| name.to_string_lossy().into_owned());
                assert_eq!(twin, Some(format!("ECS_ETL_{long}")), "{}", command.get_name());
            }
        }
    }

    #[test]
    fn help_fits_a_terminal_and_ends_no_sentence_twice() {
        for command in every_command(&command()) {
            let name = command.get_name().to_owned();
            let help = command.term_width(80).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
                assert!(!line.contains(".. ") && !line.contains(".;"), "{name}: {line}");
            }
        }
    }
}
