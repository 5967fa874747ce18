//! The binary `ecs-etl`: arguments, logging, wiring, output. What is decided, is decided elsewhere.

mod args;
mod commands;
mod diagnostics;
mod logging;
mod output;
mod policies;
mod progress;
mod reach;
mod requests;
mod signals;
mod table;

use std::process::ExitCode;

use crate::args::Command;
use crate::output::Terminal;

/// The system's own keeps what many threads' worth of requests once used. How it is set: `.cargo/config.toml`; measured in
/// docs/performance.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// `EX_USAGE` of sysexits(3).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            // A reader that has seen enough (`| head`) is no failure; of any other nobody is left to tell.
            return match error.print() {
                Err(lost) if lost.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(code.max(1)),
                Ok(()) | Err(_) => ExitCode::from(code),
            };
        }
    };
    let mut terminal = Terminal::new(cli.color);
    if let Err(error) = logging::start(
        cli.log_format,
        cli.log.as_deref(),
        terminal.error_is_coloured(),
        terminal.error_is_terminal() && cli.command.reports_itself(),
    ) {
        terminal.error(&error);
        return ExitCode::from(USAGE);
    }
    match run(cli.command, &mut terminal) {
        Ok(code) => code,
        Err(error) => {
            terminal.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(args) => commands::run::run(args, terminal),
        Command::Validate(args) => commands::validate::run(&args, terminal),
        Command::Plan(args) => commands::plan::run(&args, terminal),
        Command::Apply(args) => commands::apply::run(&args, terminal),
        Command::Approve(args) => commands::approve::run(&args, terminal),
        Command::Status(args) => commands::status::run(&args, terminal),
        Command::Render(args) => commands::render::run(&args, terminal),
        Command::Import(args) => commands::import::run(&args, terminal),
        Command::Next(args) => commands::next::run(&args, terminal),
        Command::Schema => commands::schema::run(terminal),
        Command::Emulator(args) => commands::emulator::run(&args, terminal),
        Command::Completions { shell } => commands::completions::run(shell, terminal),
    }
}
