//! `ecs-etl emulator`.

use std::process::ExitCode;

use anyhow::Context as _;
use ecs_etl_emulator::door::{Clock, Hook, InProcess, http};
use ecs_etl_emulator::{Emulator, Journal, Settings};

use crate::args;
use crate::output::Terminal;
use crate::signals;

/// Serves the embedded AWS until a signal comes.
pub fn run(args: &args::Emulator, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(args, terminal))
}

async fn serve(args: &args::Emulator, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        throttle: args.throttle,
        rules_per_bus: args.rules_per_bus,
        changes_take: jiff::SignedDuration::from_secs(i64::from(args.changes_take)),
        ..Settings::default()
    };
    let (emulator, journal) = match &args.state {
        Some(folder) => {
            let (journal, emulator) = Journal::open(folder, settings)?;
            (emulator, Some(journal))
        }
        None => (Emulator::new(settings), None),
    };
    let shutdown = signals::shutdown()?;
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", args.listen))?;
    let address = listener.local_addr()?;
    let state = match &args.state {
        Some(folder) => format!("state in {}", folder.display()),
        None => "state in memory only".to_owned(),
    };
    // A state that was kept by a faster clock goes on from where it was, never back.
    let clock = if args.speed == 1 { Clock::system() } else { Clock::accelerated(args.speed) };
    let clock = clock.not_before(emulator.latest());
    let time = if args.speed == 1 { String::new() } else { format!(", time runs {} times as fast", args.speed) };
    terminal.line(format!("embedded AWS on http://{address}, {state}{time}"))?;
    let door = InProcess::spawn_with_timer(emulator, journal, clock, Hook::none());
    http::serve(listener, door.clone(), shutdown).await?;
    door.close().await?;
    Ok(ExitCode::SUCCESS)
}
