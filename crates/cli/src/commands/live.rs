//! `ecs-etl status --live`: what AWS says now, in the form of the status files.

use std::collections::BTreeMap;

use ecs_etl_controller::engine::Mode;
use ecs_etl_controller::manifests::Reader;
use ecs_etl_controller::preview;
use ecs_etl_controller::publish::Publisher;
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::status::StatusSnapshot;
use jiff::Timestamp;

use crate::args::Status;
use crate::commands::connect;
use crate::output::Terminal;

/// Looks at every job in AWS; writes nothing. Tells beside it whether all of AWS could be read.
pub fn snapshot(args: &Status, terminal: &mut Terminal) -> anyhow::Result<(StatusSnapshot, bool)> {
    connect::runtime()?.block_on(look(args, terminal))
}

async fn look(args: &Status, terminal: &mut Terminal) -> anyhow::Result<(StatusSnapshot, bool)> {
    let session = connect::connect(&args.dir, &args.aws, Reader::default(), terminal).await?;
    let preview = preview::preview(&session.cx, &session.manifests).await;
    let readable =
        preview.jobs.values().all(Result::is_ok) && preview.unreadable.is_empty() && preview.unknown.is_empty();
    let now = Timestamp::now();
    // Never turned, so it writes nothing: it only reports.
    let mut engine = session.engine(Reporter::default(), Mode::OnePass);
    engine.reporter.preview(&session.manifests, &preview, now);
    for (place, stopped) in &preview.unreadable {
        engine.reporter.problem(format!("place/{}", place.region), stopped.to_string());
    }
    let jobs: BTreeMap<_, _> =
        engine.reporter.jobs().iter().map(|(name, status)| (name.as_str().to_owned(), status.clone())).collect();
    let publisher = Publisher::new(None, session.endpoint.clone(), args.dir.display().to_string(), now);
    let controller = publisher.controller(&engine, now, true);
    drop(engine);
    session.cx.aws.clone().close().await;
    Ok((StatusSnapshot { controller, jobs, unreadable: BTreeMap::new() }, readable))
}
