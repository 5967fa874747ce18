//! `ecs-etl import`: read a source, write manifests, report.

use std::path::PathBuf;
use std::process::ExitCode;

use ecs_etl_import::{
    File, Found, Import, ImportError, Options, cloudformation, copilot, ecschedule, ecspresso, manifests, terraform,
};
use ecs_etl_spec::name::Region;
use jiff::Timestamp;

use crate::args::{self, ImportFiles, ImportInto, ImportSource};
use crate::output::Terminal;

mod files;
mod live;
mod report;
mod schedules;

use files::Input;

/// Writes manifests from what another tool has.
pub fn run(args: &args::Import, terminal: &mut Terminal) -> anyhow::Result<ExitCode> {
    match &args.source {
        ImportSource::Aws(aws) => live::import(aws, terminal),
        ImportSource::Ecschedule(ecschedule) => {
            let inputs = if ecschedule.task_definitions.is_empty() {
                Vec::new()
            } else {
                files::read(&ecschedule.task_definitions)?
            };
            let known: Vec<File<'_>> = inputs.iter().map(Input::file).collect();
            from_files(&ecschedule.from, terminal, |files| each(files, |file| ecschedule::read(file, &known)))
        }
        ImportSource::Cloudformation(from) => {
            let region = from.region.as_ref().map(Region::as_str);
            from_files(from, terminal, |files| each(files, |file| cloudformation::read(file, region)))
        }
        ImportSource::Copilot(copilot) => {
            let environment = copilot.environment.as_deref();
            from_files(&copilot.from, terminal, |files| each(files, |file| copilot::read(file, environment)))
        }
        ImportSource::Terraform(from) => from_files(from, terminal, |files| each(files, terraform::read)),
        ImportSource::Ecspresso(ecspresso) => {
            from_files(&ecspresso.from, terminal, |files| ecspresso::read(files, ecspresso.schedule.as_deref()))
        }
    }
}

fn from_files(
    from: &ImportFiles,
    terminal: &mut Terminal,
    read: impl FnOnce(&[File<'_>]) -> Result<Found, ImportError>,
) -> anyhow::Result<ExitCode> {
    let ImportFiles { files, region, cluster, into } = from;
    let inputs = files::read(files)?;
    let files: Vec<File<'_>> = inputs.iter().map(Input::file).collect();
    let found = read(&files)?;
    let region = region.as_ref().map(|region| region.as_str().to_owned());
    write(found, Known { region, cluster: cluster.clone() }, into, "aws", terminal)
}

/// Reads each file by itself.
fn each(files: &[File<'_>], read: impl Fn(&File<'_>) -> Result<Found, ImportError>) -> Result<Found, ImportError> {
    let mut all = Found::default();
    for file in files {
        all.extend(read(file)?);
    }
    Ok(all)
}

/// What the caller knows where the source does not say it.
#[derive(Default)]
struct Known {
    region: Option<String>,
    cluster: Option<String>,
}

/// Writes the manifests of what was found; `endpoint` goes into the EtlController.
fn write(
    found: Found,
    known: Known,
    into: &ImportInto,
    endpoint: &str,
    terminal: &mut Terminal,
) -> anyhow::Result<ExitCode> {
    let ImportInto { output, force, controller, report } = into;
    let Known { region, cluster } = known;
    let options = Options {
        now: Timestamp::now(),
        controller: controller.clone().map(|name| (name, endpoint.to_owned())),
        region,
        cluster,
    };
    let import: Import = manifests(found, &options);
    let written: Vec<PathBuf> = files::write(output, &import.manifests, *force)?;
    report::print(&import, output, &written, *report, terminal)?;
    Ok(ExitCode::SUCCESS)
}
