//! Where the programs under test and the pinned Python tools are; each is made once if it is not there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Root of the repository.
pub fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// The `ecs-etl` binary: `ECS_ETL_BIN`, else built here once in the dev profile.
pub fn ecs_etl() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| match std::env::var_os("ECS_ETL_BIN") {
            Some(path) => PathBuf::from(path),
            None => {
                cargo(&["build", "--quiet", "--package", "ecs-etl"]);
                target().join("debug").join("ecs-etl")
            }
        })
        .clone()
}

/// A program of the tests' virtual environment, such as `python`, `aws` or `moto_server`.
///
/// The environment is the one `cargo xtask test` uses; it is made or brought up to date on first use.
pub fn python_tool(name: &str) -> PathBuf {
    static ENVIRONMENT: OnceLock<PathBuf> = OnceLock::new();
    let environment = ENVIRONMENT.get_or_init(|| match std::env::var_os("ECS_ETL_VENV") {
        Some(path) => PathBuf::from(path),
        None => {
            cargo(&["run", "--quiet", "--package", "xtask", "--", "venv"]);
            target().join("venv")
        }
    });
    environment.join("bin").join(name)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn cargo(arguments: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(arguments).current_dir(root()).status();
    let status = status.unwrap_or_else(|error| panic!("cargo {arguments:?} did not start: {error}"));
    assert!(status.success(), "cargo {arguments:?} failed: {status}");
}
