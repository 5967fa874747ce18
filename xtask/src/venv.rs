//! The Python tools of the tests, in a virtual environment below `target`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// Oldest Python that the pinned tools run on.
const OLDEST: (u32, u32) = (3, 10);

/// Makes the virtual environment of `tests/requirements*.txt`, unless it is there and up to date, and says where it is.
///
/// Its folder `service-model` holds the botocore whose service models are the yardstick of the shapes: it is newer than
/// the one that the other tools agree on. Whoever comes second at the same time waits for the first.
///
/// # Errors
/// If there is no suitable Python, or pip cannot install everything.
pub fn ensure() -> anyhow::Result<PathBuf> {
    let tools = crate::root().join("tests").join("requirements.txt");
    let model = crate::root().join("tests").join("requirements-model.txt");
    let wanted = wanted(&[&tools, &model])?;
    let target = crate::target();
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    let lock = target.join("venv.lock");
    let lock = File::create(&lock).with_context(|| format!("cannot make {}", lock.display()))?;
    lock.lock().context("cannot wait for another run that makes the virtual environment")?;

    let environment = target.join("venv");
    // Written last, so an environment that was cut off half-made is made anew.
    let stamp = environment.join("installed-requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(environment);
    }
    if environment.exists() {
        fs::remove_dir_all(&environment).with_context(|| format!("cannot remove the old {}", environment.display()))?;
    }
    let pip = make(&environment)?;
    install(&pip, &tools, None)?;
    install(&pip, &model, Some(&environment.join("service-model")))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(environment)
}

/// Everything that an environment depends on, as one text.
fn wanted(requirements: &[&Path]) -> anyhow::Result<String> {
    let (major, minor) = python_version()?;
    let mut text = format!("# Python {major}.{minor}\n");
    for path in requirements {
        text += &fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(text)
}

fn install(pip: &Pip, requirements: &Path, into: Option<&Path>) -> anyhow::Result<()> {
    let mut pip = pip.command();
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    if let Some(folder) = into {
        pip.args(["--no-deps", "--target"]).arg(folder);
    }
    let status = pip.status().context("pip did not start")?;
    ensure!(status.success(), "pip could not install {}: {status}", requirements.display());
    Ok(())
}

/// The pip that fills an environment.
enum Pip {
    /// The environment's own, by this python.
    Own(PathBuf),
    /// Everybody's, told to work on this python.
    Shared(PathBuf),
}

impl Pip {
    fn command(&self) -> Command {
        let mut command;
        match self {
            Self::Own(python) => {
                command = Command::new(python);
                command.args(["-m", "pip"]);
            }
            Self::Shared(python) => {
                command = Command::new("python3");
                command.args(["-m", "pip", "--python"]).arg(python);
            }
        }
        command
    }
}

/// Makes the bare environment.
fn make(environment: &Path) -> anyhow::Result<Pip> {
    let own =
        Command::new("python3").args(["-m", "venv"]).arg(environment).output().context("python3 did not start")?;
    let python = environment.join("bin").join("python");
    if own.status.success() {
        return Ok(Pip::Own(python));
    }
    // Debian and Ubuntu keep the pip of environments in another package; a pip for everybody does as well.
    let bare = Command::new("python3").args(["-m", "venv", "--clear", "--without-pip"]).arg(environment).output()?;
    let shared = Command::new("python3").args(["-m", "pip", "--version"]).output()?;
    if bare.status.success() && shared.status.success() {
        return Ok(Pip::Shared(python));
    }
    bail!(
        "python3 cannot make a virtual environment (Debian and Ubuntu: install `python3-venv`):\n{}{}",
        String::from_utf8_lossy(&own.stdout),
        String::from_utf8_lossy(&own.stderr)
    );
}

fn python_version() -> anyhow::Result<(u32, u32)> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(*sys.version_info[:2])"])
        .output()
        .context("the tests need Python 3 as `python3` on the PATH")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version =
        text.trim().split_once(' ').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let Some(version) = version else { bail!("`python3` did not tell its version: {text:?}") };
    ensure!(version >= OLDEST, "the tests need Python {}.{} or newer, `python3` is {text}", OLDEST.0, OLDEST.1);
    Ok(version)
}
