//! The daemon: follow the directory, keep the engine turning, say what is true, and end in good order.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::manifests::Reader;
use crate::publish::Publisher;
use crate::watch::ManifestWatch;

/// How long work in flight may take to finish after the signal to stop.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(20);

/// Runs until `stop` is cancelled. `look` asks for a look at the directory now. Whether everything in flight came to its end.
pub async fn run(
    mut engine: Engine,
    mut publisher: Publisher,
    mut watch: ManifestWatch,
    reader: Reader,
    mut look: mpsc::Receiver<()>,
    stop: CancellationToken,
) -> bool {
    let mut heartbeat = tokio::time::interval(publisher.heartbeat());
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let changed = engine.reporter.has_changed();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            scan = watch.changed() => {
                let manifests = reader.read_next(&scan, &engine.manifests, engine.cx.clock.now());
                tracing::info!(
                    files = scan.files.len(),
                    jobs = manifests.directory.jobs.len(),
                    revision = manifests.revision,
                    complete = manifests.incomplete.is_empty(),
                    "manifests changed"
                );
                engine.take_manifests(manifests, &reader.git_source);
            }
            Some(()) = look.recv() => watch.rescan(),
            _ = heartbeat.tick() => {
                engine.tick();
                publisher.publish(&mut engine, false);
            }
            () = publisher.due(changed) => publisher.publish(&mut engine, false),
            () = engine.turn() => {}
        }
    }
    let finished = engine.drain(SHUTDOWN_LIMIT).await;
    publisher.publish(&mut engine, true);
    tracing::info!("stopped");
    finished
}
