//! `ecs-etl run [DIR]`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use ecs_etl_controller::daemon;
use ecs_etl_controller::engine::Mode;
use ecs_etl_controller::lock::StatusDir;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::scan::{RootState, Scan};
use ecs_etl_controller::status::StatusWriter;
use ecs_etl_controller::watch::{ManifestWatch, WatchOptions};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::USAGE;
use crate::args::{Apply, Output, Run};
use crate::commands::connect::Session;
use crate::commands::{apply, connect, lease};
use crate::output::Terminal;
use crate::signals;

const ONCE: &str = "--lease is for the daemon; a single pass takes none";

const EMBEDDED: &str = "--lease needs an AWS with DynamoDB, and the embedded one has none: only one process can use it at a \
    time, so nothing can stand by; name another with --endpoint or in the EtlController";

/// Runs the daemon.
pub fn run(args: Run, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    if let Some(why) = args.lease.lease.as_ref().and_then(|_| args.once.then_some(ONCE)) {
        terminal.error(&anyhow!(why));
        return Ok(ExitCode::from(USAGE));
    }
    if args.once {
        let Run { dir, aws, status, select, part, .. } = args;
        let once = Apply { dir, aws, select, part, status, prune: false, yes: false, output: Output::Text };
        return apply::run(&once, terminal);
    }
    connect::runtime()?.block_on(serve(&args, terminal))
}

async fn serve(args: &Run, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let stop = signals::shutdown()?;
    // Before any wait: unheard, SIGHUP ends a process.
    let looks = looks()?;
    let started = Timestamp::now();
    let directory = StatusDir::open(&args.status.status_dir, &args.dir.dir, started)?;
    let files = StatusWriter::new(directory);
    let options = WatchOptions {
        debounce: Duration::from_millis(args.debounce_ms),
        rescan: Duration::from_secs(args.rescan_seconds),
        ..WatchOptions::default()
    };
    let mut watch = ManifestWatch::start(&args.dir.dir, options, stop.clone());
    let Some(scan) = first_scan(&mut watch, args, &stop).await else { return Ok(ExitCode::SUCCESS) };
    let reader = args.part.reader(&args.select);
    let manifests = reader.read(&scan, Timestamp::now());
    let chosen = args.aws.endpoint.as_deref().or(manifests.directory.controller.endpoint.as_deref());
    if args.lease.lease.is_some() && chosen.is_none_or(|endpoint| endpoint == "embedded") {
        terminal.error(&anyhow!(EMBEDDED));
        return Ok(ExitCode::from(USAGE));
    }
    let mut session = connect::open(&args.dir.dir, &args.aws, reader, scan, manifests, terminal).await?;

    let kept = match &args.lease.lease {
        Some(table) => {
            // The lease is this identity's.
            session.reader.identity = Some(session.cx.settings().identity.controller.clone());
            Some(lease::take(&args.lease, table, &session).await?)
        }
        None => None,
    };

    let mut reporter = Reporter::default();
    reporter.resume(files.earlier().into_values());
    let mut engine = session.engine(reporter, Mode::Daemon);
    let Session { cx, manifests, scan, reader, endpoint } = session;
    // The engine and the watch keep what is said now: what was said at the start is not kept beside it.
    drop((manifests, scan));
    engine.read_approvals_in(&args.status.status_dir);
    let shown = args.dir.dir.display().to_string();
    let publisher = Publisher::new(Some(Box::new(files)), endpoint, shown, started);
    let aws = cx.aws.clone();
    let finished = daemon::run(engine, publisher, watch, reader, looks, stop).await;
    if let Some(kept) = kept {
        kept.end(finished).await?;
    }
    aws.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The first settled look at the directory. Without a flag, its EtlController says which AWS this is about, so a directory that
/// is not there yet is waited for; none when asked to stop meanwhile.
async fn first_scan(watch: &mut ManifestWatch, args: &Run, stop: &CancellationToken) -> Option<Scan> {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            scan = watch.changed() => match &scan.root {
                RootState::Present { .. } => return Some(Scan::clone(&scan)),
                RootState::Missing { why } => {
                    tracing::warn!(directory = %args.dir.dir.display(), why, "waiting for the manifest directory");
                }
                RootState::NotADirectory => {
                    tracing::error!(directory = %args.dir.dir.display(), "not a directory; waiting for one");
                }
            }
        }
    }
}

/// SIGHUP: look at the directory now.
fn looks() -> std::io::Result<mpsc::Receiver<()>> {
    let mut hangup = signals::hangup()?;
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP, looking at the directory");
            if send.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(receive)
}
