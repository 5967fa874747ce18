//! One pass: converge every job, remove what may go if asked, and stop.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::daemon::SHUTDOWN_LIMIT;
use crate::engine::Engine;

/// How far a pass is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Jobs that have come to an end, good or bad.
    pub done: usize,
    /// Jobs that were looked at, those that wait for their turn to be written included.
    pub seen: usize,
    /// Jobs in all.
    pub jobs: usize,
    /// How long the engine waits for its next turn, if it waits for the call budget or a retry.
    pub waiting: Option<Duration>,
    /// How long until the last of those that wait for the call budget has its turn.
    pub left: Option<Duration>,
    /// How many those are.
    pub in_line: usize,
}

/// Turns the engine until nothing is left to do. False when `stop` came first.
pub async fn settle(engine: &mut Engine, stop: &CancellationToken, progress: &mut dyn FnMut(Progress)) -> bool {
    // What may be removed is known only at the end, and may need one more look.
    for _ in 0..2 {
        while !engine.is_idle() {
            progress(engine.progress());
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    // What was given up is told by the log.
                    let _finished: bool = engine.drain(SHUTDOWN_LIMIT).await;
                    return false;
                }
                () = engine.turn() => {}
            }
        }
        engine.tick();
    }
    progress(engine.progress());
    true
}

/// Tidies up, and with `remove` takes away the jobs whose manifest is gone, as far as the rules allow. False when `stop` came
/// first.
pub async fn prune(
    engine: &mut Engine,
    stop: &CancellationToken,
    progress: &mut dyn FnMut(Progress),
    remove: bool,
) -> bool {
    if remove {
        engine.release_removals();
    }
    engine.tidy_all();
    settle(engine, stop, progress).await
}
