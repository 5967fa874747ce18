//! `ecs-etl render JOB`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use ecs_etl_controller::manifests::Manifests;
use ecs_etl_controller::manifests::Reader;
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lower;
use ecs_etl_spec::job::Job;
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;
use serde_json::Value;

use crate::args::{Render, RenderOutput};
use crate::commands::connect;
use crate::output::Terminal;
use crate::{policies, requests};

/// Prints a job after defaults, or what its targets must allow.
pub fn run(args: &Render, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    let (_, manifests) = connect::manifests(&args.dir, &Reader::default())?;
    let job = args.job.as_ref().map(|name| find(args, &manifests, name)).transpose()?;
    if args.policies {
        terminal.json(&policies(args, &manifests, job)?)?;
    } else if let Some(job) = job {
        match args.output {
            RenderOutput::Yaml => terminal.line(ecs_etl_spec::render::yaml(job).trim_end())?,
            RenderOutput::Json => terminal.json(&ecs_etl_spec::render::json(job))?,
            RenderOutput::Aws => terminal.json(&requests::bodies(&desired(args, job, &manifests)?)?)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'m>(args: &Render, manifests: &'m Manifests, name: &JobName) -> anyhow::Result<&'m Arc<Job>> {
    let directory = &manifests.directory;
    directory.jobs.get(name).ok_or_else(|| match directory.blocked.get(name) {
        Some(blocked) => anyhow!("job {name} is not valid: {}", blocked.message),
        None => anyhow!("{}", connect::no_job(name, &args.dir, manifests)),
    })
}

fn policies(args: &Render, manifests: &Manifests, job: Option<&Arc<Job>>) -> anyhow::Result<Value> {
    let jobs: Vec<&Arc<Job>> = job.map_or_else(|| manifests.directory.jobs.values().collect(), |job| vec![job]);
    let desired = jobs.into_iter().map(|job| desired(args, job, manifests));
    Ok(policies::statements(&desired.collect::<anyhow::Result<Vec<_>>>()?))
}

fn desired(args: &Render, job: &Arc<Job>, manifests: &Manifests) -> anyhow::Result<Desired> {
    let bound = job.bind(&args.account)?;
    let settings = manifests.settings(&connect::source(&args.dir));
    Ok(lower::lower(&bound, &settings.identity, &settings.prefix, Timestamp::now())?)
}
