//! SIGTERM and SIGINT ask for an orderly end, a second one for an immediate one; SIGHUP asks for a look at the directory.

use std::process::exit;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal, as shells report a death by SIGINT.
const ABORTED: i32 = 130;

/// Cancels the token at the first SIGTERM or SIGINT, and ends the process at the second.
pub fn shutdown() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cancelled = token.clone();
    tokio::spawn(async move {
        let mut first = true;
        loop {
            tokio::select! {
                Some(()) = terminate.recv() => {}
                Some(()) = interrupt.recv() => {}
                else => return,
            }
            if !first {
                tracing::warn!("second signal, ending at once");
                exit(ABORTED);
            }
            first = false;
            tracing::info!("shutting down; finishing what is in flight");
            cancelled.cancel();
        }
    });
    Ok(token)
}

/// SIGHUP.
pub fn hangup() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}
