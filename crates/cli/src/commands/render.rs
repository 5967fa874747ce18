//! `ecs-etl render JOB`.

use std::process::ExitCode;

use anyhow::anyhow;
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::selector::Selector;
use ecs_etl_plan::lower;
use ecs_etl_spec::job::Job;

use crate::args::{Render, RenderOutput};
use crate::commands::connect;
use crate::output::Terminal;
use crate::requests;

/// Prints a job after defaults.
pub fn run(args: &Render, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let (_, manifests) = connect::manifests(&args.dir, Selector::default())?;
    let directory = &manifests.directory;
    let job = directory.jobs.get(&args.job).ok_or_else(|| match directory.blocked.get(&args.job) {
        Some(blocked) => anyhow!("job {} is not valid: {}", args.job, blocked.message),
        None => anyhow!("{}", connect::no_job(&args.job, &args.dir, &manifests)),
    })?;
    match args.output {
        RenderOutput::Yaml => terminal.line(ecs_etl_spec::render::yaml(job).trim_end())?,
        RenderOutput::Json => terminal.json(&ecs_etl_spec::render::json(job))?,
        RenderOutput::Aws => terminal.json(&bodies(args, job, &manifests)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn bodies(args: &Render, job: &Job, manifests: &Manifests) -> anyhow::Result<serde_json::Value> {
    let bound = job.bind(&args.account)?;
    let settings = manifests.settings(&connect::source(&args.dir));
    let desired = lower::lower(&bound, &settings.identity, &settings.prefix)?;
    Ok(requests::bodies(&desired)?)
}
