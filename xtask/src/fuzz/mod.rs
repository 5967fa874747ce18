//! Searches for inputs that break what must hold for any input (`fuzz/src/lib.rs`).
//!
//! libFuzzer comes with the crate `libfuzzer-sys`, pinned by the lock file, and what a program must be compiled with to be
//! driven by it are stable options of the compiler: a C++ compiler is all that must be there.

mod keep;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{cargo, root, target};

/// Counters and comparisons for libFuzzer, as cargo-fuzz sets them for a program without a sanitizer: there is no unsafe
/// code here for one to watch.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// The targets, and the longest input each is given.
const TARGETS: [(&str, u32); 3] = [("manifests", 8192), ("schedules", 600), ("emulator", 8192)];

/// What to search, and for how long.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The targets, one after another; all without one
    #[arg(value_parser = ["manifests", "schedules", "emulator"])]
    targets: Vec<String>,
    /// How long each is searched
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Then add so many inputs at most to the corpus in the repository: those that reach most of what it does not
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    keep: usize,
}

/// Runs libFuzzer on each target, from the corpus in the repository and what earlier runs found below `target/fuzz`.
///
/// # Errors
/// If an input is found that does not hold; libFuzzer then says where it wrote it.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let programs = build()?;
    let wanted = |name: &str| args.targets.is_empty() || args.targets.iter().any(|target| target == name);
    for (name, longest) in TARGETS.into_iter().filter(|(name, _)| wanted(name)) {
        let search = Search::new(&programs, name, longest)?;
        search.run(args.seconds)?;
        if args.keep > 0 {
            search.keep(args.keep)?;
        }
    }
    Ok(())
}

/// Builds the instrumented programs and says where they are.
fn build() -> anyhow::Result<PathBuf> {
    let host = host()?;
    // The flags must not reach build scripts: for a named target, cargo gives them to what is built for it alone.
    let status = Command::new(cargo())
        .args(["build", "--package", "ecs-etl-fuzz", "--features", "libfuzzer", "--bins", "--profile", "fuzz"])
        .args(["--target", &host])
        .current_dir(root())
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTED.split_whitespace().collect::<Vec<_>>().join("\u{1f}"))
        .status()
        .context("cargo build did not start")?;
    ensure!(status.success(), "the fuzzers were not built: {status}");
    Ok(target().join(host).join("fuzz"))
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").current_dir(root()).output().context("rustc did not start")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not tell its host")
}

/// One target with its folders.
struct Search {
    program: PathBuf,
    longest: u32,
    dictionary: PathBuf,
    /// The corpus in the repository.
    kept: PathBuf,
    /// What was found here, by this run and those before it.
    found: PathBuf,
    /// Where an input goes that does not hold.
    broken: PathBuf,
}

impl Search {
    fn new(programs: &Path, name: &str, longest: u32) -> anyhow::Result<Self> {
        let (fuzz, here) = (root().join("fuzz"), target().join("fuzz-found"));
        let search = Self {
            program: programs.join(format!("fuzz-{name}")),
            longest,
            dictionary: fuzz.join("dict").join(format!("{name}.dict")),
            kept: fuzz.join("corpus").join(name),
            found: here.join(name),
            broken: here.join(format!("{name}-broken")),
        };
        for folder in [&search.found, &search.broken] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(search)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-rss_limit_mb=2048", "-timeout=10"]).arg(format!("-max_len={}", self.longest));
        command
    }

    fn run(&self, seconds: u32) -> anyhow::Result<()> {
        let mut command = self.command();
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-dict={}", self.dictionary.display()))
            .arg(format!("-artifact_prefix={}/", self.broken.display()))
            .arg("-print_final_stats=1")
            .args([&self.found, &self.kept]);
        finish(command, "an input does not hold: copy the file named above into fuzz/corpus, and mend what it shows")
    }

    /// Adds a few of the found inputs to the corpus in the repository.
    fn keep(&self, most: usize) -> anyhow::Result<()> {
        let (scratch, control) = (self.broken.join("merged"), self.broken.join("merge"));
        for path in [&scratch, &control] {
            remove(path)?;
        }
        fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
        let mut command = self.command();
        // Places alone, not how often each is come through: else nearly every input would be worth keeping.
        command.args(["-merge=1", "-use_counters=0"]).arg(format!("-merge_control_file={}", control.display()));
        command.args([&scratch, &self.kept, &self.found]);
        finish(command, "what the inputs reach was not told")?;
        let text = fs::read_to_string(&control).with_context(|| format!("cannot read {}", control.display()))?;
        let reaches = keep::read(&text).with_context(|| format!("cannot understand {}", control.display()))?;
        let chosen = keep::choose(reaches, &self.kept, most);
        for path in &chosen {
            let name = path.file_name().context("an input has no name")?;
            fs::copy(path, self.kept.join(name)).with_context(|| format!("cannot keep {}", path.display()))?;
        }
        remove(&scratch)?;
        remove(&control)?;
        writeln!(std::io::stdout(), "{}: {} inputs more", self.kept.display(), chosen.len()).context("cannot say so")
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn finish(mut command: Command, problem: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} did not start"))?;
    ensure!(status.success(), "{problem} ({status})");
    Ok(())
}
