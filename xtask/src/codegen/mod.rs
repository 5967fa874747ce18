//! Generates everything that would otherwise repeat AWS's service models by hand.
//!
//! The models are those that botocore ships; the SDK's own source says which of its fields are boxed and which must be
//! given. Output is checked in: a build needs neither botocore nor this task.

mod convert;
mod model;
mod rust;
mod sdk;
mod shapes;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use model::{Member, Model};
use sdk::Sdk;

/// Where the models are, and whether to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installed botocore package; by default that of the tests' virtual environment
    #[arg(long, value_name = "DIR")]
    botocore: Option<PathBuf>,
    /// Change nothing; fail when a checked-in file is not what would be generated
    #[arg(long)]
    check: bool,
}

/// A generated file: its path below the workspace and its text before rustfmt.
struct Output {
    path: &'static str,
    text: String,
}

/// Members of ECS RunTask that an EventBridge ECS target can say (docs/aws.md, Rules and schedules).
const RUN_TASK: &[&str] = &[
    "capacityProviderStrategy",
    "count",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "group",
    "launchType",
    "networkConfiguration",
    "overrides",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
    "referenceId",
    "tags",
];

/// Members of RegisterTaskDefinition that the controller decides, not the manifest.
const NOT_IN_TASK_DEFINITION: &[&str] = &["family", "tags"];

/// Members of PutRule that live apart from the rule once it is there.
const NOT_IN_RULE: &[&str] = &["Tags"];

/// Generates all files, then writes or compares them.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let botocore = match &args.botocore {
        Some(dir) => dir.clone(),
        None => crate::venv::ensure()?.join("service-model").join("botocore"),
    };
    let ecs = ecs_model(&botocore)?;
    let mut events = Model::read(&botocore, "events/2015-10-07")?;
    events.derive("Rule", "PutRuleRequest", |member| !NOT_IN_RULE.contains(&member))?;
    let version = model::botocore_version(&botocore)?;

    let mut outputs = shapes::ecs(&ecs, &version)?;
    outputs.push(shapes::events(&events, &version)?);
    outputs.push(table::ecs(&ecs, &version)?);
    outputs.push(table::events(&events, &version)?);
    outputs.push(convert::ecs(&ecs, &Sdk::read(workspace, "aws-sdk-ecs")?, &version)?);
    outputs.push(convert::events(&events, &Sdk::read(workspace, "aws-sdk-eventbridge")?, &version)?);

    let mut stale = Vec::new();
    for output in &outputs {
        let text = rustfmt(workspace, &output.text).with_context(|| format!("formatting {}", output.path))?;
        let path = workspace.join(output.path);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if args.check {
            stale.push(output.path);
        } else {
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!("not what `cargo xtask codegen` generates: {}", stale.join(", "));
    }
    Ok(())
}

/// The ECS model with two structures of our own: `TaskDefinition` as it is registered, and the `RunTask` of a target.
fn ecs_model(botocore: &Path) -> anyhow::Result<Model> {
    let mut ecs = Model::read(botocore, "ecs/2014-11-13")?;
    let events = Model::read(botocore, "events/2015-10-07")?;
    ecs.derive("TaskDefinition", "RegisterTaskDefinitionRequest", |member| !NOT_IN_TASK_DEFINITION.contains(&member))?;
    ecs.derive("RunTask", "RunTaskRequest", |member| RUN_TASK.contains(&member))?;
    for name in RUN_TASK {
        if !ecs.members("RunTask")?.iter().any(|m: &Member| m.name == *name) {
            bail!("RunTask has no member `{name}` any more");
        }
    }
    // What only RunTask can say is not sayable through a target: keep the values that both know.
    for (member, shape) in [("launchType", "LaunchType"), ("propagateTags", "PropagateTags")] {
        ecs.narrow_values("RunTask", member, &events.values(shape)?)?;
    }
    Ok(ecs)
}

fn rustfmt(workspace: &Path, text: &str) -> anyhow::Result<String> {
    use std::io::Write as _;
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(workspace.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting rustfmt")?;
    let mut stdin = child.stdin.take().context("rustfmt has no standard input")?;
    let input = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().context("waiting for rustfmt")?;
    if let Ok(written) = writer.join() {
        written.context("writing to rustfmt")?;
    }
    if !output.status.success() {
        bail!("rustfmt refused the text");
    }
    String::from_utf8(output.stdout).context("rustfmt wrote no UTF-8")
}
