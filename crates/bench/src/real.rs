//! The daemon as a process of its own, on a real directory and an emulator behind HTTP: memory, CPU, and how soon an edit
//! reaches AWS.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::cost;
use crate::figure::{Figure, Figures, Unit};
use crate::fleet::{Fleet, manifest, path};

/// The daemon's `--debounce-ms`.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// What an edit may take besides.
const REACTION: Duration = Duration::from_millis(200);

/// Memory of a daemon with ten thousand jobs, in megabytes.
const MEMORY: f64 = 150.0;

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// A process that ends with this.
struct Process(Child);

impl Process {
    fn id(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be over already, and nothing is to be done if it cannot be ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a daemon through its first convergence, an idle while, one edit, and a checkout that touches every file.
///
/// # Errors
///
/// A program does not start, or a step takes too long.
pub fn measure(jobs: usize, program: &Path) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let (manifests, status) = (folder.path().join("manifests"), folder.path().join("status"));
    fs::create_dir(&manifests)?;
    Fleet { jobs, version: 1 }.write(&manifests)?;
    let (_emulator, endpoint) = emulator(program, folder.path(), jobs)?;
    let log = folder.path().join("log");
    let daemon = daemon(program, &manifests, &status, &endpoint, &log)?;

    let mut figures = Figures::of(format!("daemon {jobs}"));
    // The budgets are of ten thousand jobs; what more of them cost is only told.
    let hold = |what: &str, measured: f64, unit: Unit, most: f64, figures: &mut Figures| {
        if jobs <= 10_000 { figures.hold(what, measured, unit, most) } else { figures.tell(what, measured, unit) }
    };
    let start = Instant::now();
    wait("every job is ready", || Ok(ready(&status)? == jobs))?;
    figures.tell("from nothing to Ready, no limits", start.elapsed().as_secs_f64(), Unit::Seconds);
    figures.tell("CPU for that", cost::cpu_seconds(&daemon.id())?, Unit::Seconds);

    let before = cost::cpu_seconds(&daemon.id())?;
    std::thread::sleep(Duration::from_secs(30));
    figures.tell("CPU of an idle minute", 2.0 * (cost::cpu_seconds(&daemon.id())? - before), Unit::Seconds);

    let latency = edit(&manifests, &log, jobs / 2)?;
    let most = (DEBOUNCE + REACTION).as_secs_f64();
    hold("from an edit to its first call", latency.as_secs_f64(), Unit::Seconds, most, &mut figures);

    let batches = lines(&log, "manifests changed")?;
    let before = cost::cpu_seconds(&daemon.id())?;
    for index in 0..jobs {
        fs::write(manifests.join(path(index)), manifest(index, 3))?;
    }
    wait("every job has its new image", || Ok(registered(&log)? > 2 * jobs && ready(&status)? == jobs))?;
    let batches = lines(&log, "manifests changed")? - batches;
    hold("batches of a checkout of all", batches as f64, Unit::Count, 1.0, &mut figures);
    figures.tell("CPU of changing every image", cost::cpu_seconds(&daemon.id())? - before, Unit::Seconds);
    figures.tell("memory at rest", cost::memory_now(&daemon.id())? as f64 / 1e6, Unit::Megabytes);
    let peak = cost::peak_memory(&daemon.id())? as f64 / 1e6;
    hold("peak memory", peak, Unit::Megabytes, MEMORY, &mut figures);
    Ok(figures.into_vec())
}

/// Starts an emulator whose quota of rules is raised, and reads where it listens.
fn emulator(program: &Path, folder: &Path, jobs: usize) -> anyhow::Result<(Process, String)> {
    let mut child = Command::new(program)
        .args(["emulator", "--listen", "127.0.0.1:0", "--rules-per-bus", &(2 * jobs).max(300).to_string()])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    let out = child.stdout.take().context("the emulator has no output")?;
    let process = Process(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let url = line
        .split([' ', ','])
        .find(|word| word.starts_with("http://"))
        .context("the emulator did not say where it listens")?;
    Ok((process, url.to_owned()))
}

fn daemon(program: &Path, manifests: &Path, status: &Path, endpoint: &str, log: &Path) -> anyhow::Result<Process> {
    let child = Command::new(program)
        .arg("run")
        .arg(manifests)
        .args(["--endpoint", endpoint, "--log-format", "json", "--debounce-ms", &DEBOUNCE.as_millis().to_string()])
        .arg("--status-dir")
        .arg(status)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .stdout(Stdio::null())
        .stderr(fs::File::create(log)?)
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    Ok(Process(child))
}

/// Edits one file, and says how long it took until its task definition was registered.
fn edit(manifests: &Path, log: &Path, index: usize) -> anyhow::Result<Duration> {
    let before = registered(log)?;
    let start = Instant::now();
    let written = jiff::Timestamp::now();
    fs::write(manifests.join(path(index)), manifest(index, 2))?;
    wait("the edit has reached AWS", || Ok(registered(log)? > before))?;
    ensure!(start.elapsed() < PATIENCE, "the edit took too long");
    // The log says when the reconcile's first call had its answer.
    let text = fs::read_to_string(log)?;
    let name = Fleet::name(index);
    for line in text.lines().rev().take(200).collect::<Vec<_>>().into_iter().rev() {
        let line: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        let at: Option<jiff::Timestamp> = line["timestamp"].as_str().and_then(|at| at.parse().ok());
        let of_job = line["job"] == name.as_str() && line["operation"] == "RegisterTaskDefinition";
        if let Some(at) = at.filter(|at| of_job && *at > written) {
            return Ok(Duration::try_from(at.duration_since(written))?);
        }
    }
    bail!("the log does not name the edited job's registration")
}

fn registered(log: &Path) -> anyhow::Result<usize> {
    lines(log, "\"RegisterTaskDefinition\"")
}

fn lines(log: &Path, word: &str) -> anyhow::Result<usize> {
    let text = fs::read_to_string(log)?;
    Ok(text.lines().filter(|line| line.contains(word)).count())
}

/// How many jobs the status says are ready.
fn ready(status: &Path) -> anyhow::Result<usize> {
    let path: PathBuf = status.join("_controller.json");
    let Ok(text) = fs::read_to_string(path) else { return Ok(0) };
    let status: Value = serde_json::from_str(&text)?;
    Ok(usize::try_from(status["status"]["counts"]["ready"].as_u64().unwrap_or(0))?)
}

fn wait(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let start = Instant::now();
    while !is_so()? {
        ensure!(start.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
