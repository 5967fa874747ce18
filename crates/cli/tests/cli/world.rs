//! A directory of its own for each test, and the binary in it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The shipped binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_ecs-etl");

/// One cluster and an EtlController.
pub const BASE: &str = "\
apiVersion: ecs-etl/v1
kind: EtlController
metadata: {name: tests}
spec: {source: tests/manifests}
---
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec:
  region: eu-central-1
  eventsRoleArn: events
";

/// A small job with an environment variable.
pub fn job(name: &str, variable: &str, value: &str) -> String {
    format!(
        "apiVersion: ecs-etl/v1\nkind: EtlJob\nmetadata: {{name: {name}}}\nspec:\n  cluster: main\n  schedule: '@daily'\n  \
         taskDefinition:\n    containerDefinitions:\n      - {{image: etl, memory: 64, environment: [{{name: {variable}, value: {value}}}]}}\n"
    )
}

/// A directory with [`BASE`] and these files below `manifests`.
pub fn directory(files: &[(&str, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let manifests = dir.path().join("manifests");
    std::fs::create_dir(&manifests).unwrap();
    std::fs::write(manifests.join("base.yaml"), BASE).unwrap();
    for (name, text) in files {
        std::fs::write(manifests.join(name), text).unwrap();
    }
    dir
}

/// A program in `dir` that sees nothing of the environment of the tests.
pub fn isolated(program: &str, dir: &Path) -> Command {
    let mut path = vec![Path::new(BINARY).parent().unwrap().to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(program);
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("HOME", dir)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

/// The binary with these arguments, to its end.
pub fn ecs_etl(dir: &Path, args: &[&str]) -> Output {
    isolated(BINARY, dir).args(args).output().unwrap()
}
