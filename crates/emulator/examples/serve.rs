//! Serves an embedded AWS over HTTP: `cargo run -p ecs-etl-emulator --example serve -- 127.0.0.1:4570 [FOLDER]`.

use std::error::Error;
use std::path::Path;

use ecs_etl_emulator::door::{Clock, Hook, InProcess, http};
use ecs_etl_emulator::{Emulator, Journal, Settings};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:4570".to_owned());
    let (emulator, journal) = match arguments.next() {
        None => (Emulator::new(Settings::default()), None),
        Some(folder) => {
            let (journal, emulator) = Journal::open(Path::new(&folder), Settings::default())?;
            (emulator, Some(journal))
        }
    };
    let clock = Clock::system().not_before(emulator.latest());
    let door = InProcess::spawn_with_timer(emulator, journal, clock, Hook::none());
    let stop = CancellationToken::new();
    let interrupted = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    http::serve(tokio::net::TcpListener::bind(&address).await?, door.clone(), stop).await?;
    door.close().await?;
    Ok(())
}
