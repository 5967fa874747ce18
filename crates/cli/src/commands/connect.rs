//! What every command that talks to AWS begins with: read the directory, choose the endpoint, say which it is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use ecs_etl_aws::{Aws, Endpoint};
use ecs_etl_controller::clock::Clock;
use ecs_etl_controller::context::Context;
use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::manifests::{Manifests, Reader};
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::scan::{self, Limits, Scan};
use ecs_etl_controller::{settle, source};
use ecs_etl_spec::name::{ClusterName, JobName};
use ecs_etl_spec::suggest::nearest;

use crate::args;
use crate::output::{Terminal, Tone, toned};

/// How long a command waits for files that are being written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads a directory once it is at rest.
///
/// # Errors
///
/// There is no directory, or none of the jobs that the selector names is written in it.
pub fn manifests(dir: &Path, which: &Reader) -> anyhow::Result<(Scan, Manifests)> {
    let scan = settle::settled(dir, &Limits::default(), PATIENCE);
    match &scan.root {
        scan::RootState::Present { .. } => {}
        scan::RootState::Missing { why } => bail!(
            "cannot read the manifest directory {}: {why}; name the directory of your manifests, or go to where it is",
            dir.display()
        ),
        scan::RootState::NotADirectory => {
            bail!("{} is not a directory; name the directory that holds the manifests", dir.display())
        }
    }
    let reader = Reader { git_source: source(dir), ..which.clone() };
    let manifests = reader.read(&scan, Clock::system().now());
    if let Some(job) = manifests.selector.jobs.iter().find(|job| !is_written(&manifests, job)) {
        bail!("{}", no_job(job, dir, &manifests));
    }
    Ok((scan, manifests))
}

fn is_written(manifests: &Manifests, job: &JobName) -> bool {
    manifests.directory.jobs.contains_key(job) || manifests.directory.blocked.contains_key(job)
}

/// That a job is not written anywhere, and which one may be meant.
pub fn no_job(job: &JobName, dir: &Path, manifests: &Manifests) -> String {
    let known = manifests.directory.jobs.keys().chain(manifests.directory.blocked.keys()).map(JobName::as_str);
    let dir = dir.display();
    match nearest(job.as_str(), known) {
        Some(near) => format!("no job {job} in {dir}; did you mean {near}?"),
        None if manifests.incomplete.is_empty() => {
            format!("no job {job} in {dir}; `ecs-etl status --live` lists its jobs")
        }
        None => format!("no job {job} in {dir}, but not every file could be read; `ecs-etl validate` shows why"),
    }
}

/// Where the manifests come from, as the ownership tag says it.
pub fn source(dir: &Path) -> String {
    source::default_source(dir)
}

/// A connection, and what it was made for.
pub struct Session {
    /// What everything works with.
    pub cx: Arc<Context>,
    /// What the directory says.
    pub manifests: Manifests,
    /// The scan it was read from.
    pub scan: Scan,
    /// Makes manifests of later scans.
    pub reader: Reader,
    /// Which AWS, in words.
    pub endpoint: String,
}

/// Reads the directory, connects to the AWS that the flag, the EtlController or the default names, and says which it is.
pub async fn connect(dir: &Path, aws: &args::Aws, which: Reader, terminal: &mut Terminal) -> anyhow::Result<Session> {
    let (scan, manifests) = manifests(dir, &which)?;
    if let Some(problem) = &manifests.directory.controller_problem {
        bail!("{problem}; nothing was done, since whose resources are ours is not known");
    }
    open(dir, aws, which, scan, manifests, terminal).await
}

/// Connects with a directory that was read already.
pub async fn open(
    dir: &Path,
    aws: &args::Aws,
    which: Reader,
    scan: Scan,
    manifests: Manifests,
    terminal: &mut Terminal,
) -> anyhow::Result<Session> {
    let controller = &manifests.directory.controller;
    let chosen = aws.endpoint.as_deref().or(controller.endpoint.as_deref()).unwrap_or("embedded");
    let endpoint = Endpoint::parse(chosen)?;
    let on_aws = matches!(endpoint, Endpoint::Aws);
    let endpoint_of_manifests = aws.endpoint.is_none().then(|| chosen.to_owned());
    let reader = Reader { git_source: source(dir), needs_controller: on_aws, endpoint: endpoint_of_manifests, ..which };
    let manifests = reader.judged(manifests);
    if let Some(problem) = &manifests.directory.controller_problem {
        bail!("{problem}");
    }
    let aws = Aws::connect(endpoint, aws.options()).await?;
    let endpoint = aws.describe();
    let settings = manifests.settings(&reader.git_source);
    let shard = &manifests.shard;
    terminal.note(format!(
        "{} {}, controller {}, prefix {}{}",
        toned(Tone::Dim, "using"),
        toned(Tone::Bold, &endpoint),
        settings.identity.controller,
        settings.prefix,
        if shard.is_everything() { String::new() } else { format!(", shard {shard}") }
    ))?;
    if let Some(warning) = nothing_in(&manifests) {
        terminal.note(warning)?;
    } else if !manifests.selector.is_everything() && manifests.wanted().next().is_none() {
        terminal.note("nothing is selected: no valid job has that name and these labels")?;
    }
    let cx = Arc::new(Context::new(aws, Clock::system(), settings));
    Ok(Session { cx, manifests, scan, reader, endpoint })
}

/// That no job is of the shard, and what of it may be wrong.
fn nothing_in(manifests: &Manifests) -> Option<String> {
    let Manifests { shard, directory, .. } = manifests;
    if shard.is_everything() || directory.jobs.values().any(|job| shard.has(job)) {
        return None;
    }
    let known = || directory.clusters.keys().map(ClusterName::as_str);
    let unknown = shard.clusters.iter().find(|cluster| !directory.clusters.contains_key(*cluster));
    let hint = unknown.map(|cluster| match nearest(cluster.as_str(), known()) {
        Some(near) => format!(": there is no EtlCluster {cluster}; did you mean {near}?"),
        None => format!(": there is no EtlCluster {cluster}"),
    });
    Some(format!("no valid job is of the shard {shard}{}", hint.unwrap_or_default()))
}

impl Session {
    /// An engine that already knows the manifests.
    pub fn engine(&self, reporter: Reporter, mode: Mode) -> Engine {
        let mut engine = Engine::new(Arc::clone(&self.cx), reporter, mode);
        engine.take_manifests(self.manifests.clone(), &self.reader.git_source);
        engine
    }
}

/// The runtime that commands run in.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
