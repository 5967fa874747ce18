//! One test's world: a server, the meter before it, a directory of manifests, a directory for status, and the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::meter::{Calls, Meter};
use crate::program::{self, Outcome, Running};
use crate::raw::{ACCOUNT, Aws, REGION};
use crate::server::{Kind, Server};
use crate::tools;

/// A world, torn down when dropped.
#[derive(Debug)]
pub struct Workspace {
    /// The server that plays AWS.
    pub server: Server,
    /// What stands between the program and it.
    pub meter: Meter,
    /// A client that passes the meter by.
    pub aws: Aws,
    folder: tempfile::TempDir,
}

impl Workspace {
    /// A world with an EtlController `e2e`, an EtlCluster `analytics`, and no job.
    pub fn new(kind: Kind) -> Self {
        let server = Server::start(kind);
        let meter = Meter::start(server.address());
        let aws = Aws::new(server.address());
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::create_dir(folder.path().join("manifests")).expect("a folder for manifests");
        let workspace = Self { server, meter, aws, folder };
        workspace.write("controller.yaml", CONTROLLER);
        workspace.write("cluster.yaml", cluster());
        workspace
    }

    /// The working directory of the program.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// A path below the manifest directory.
    pub fn manifest(&self, name: &str) -> PathBuf {
        self.folder.path().join("manifests").join(name)
    }

    /// Writes a manifest in one step, as an editor or git does.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.manifest(name);
        let part = self.folder.path().join("being-written");
        fs::create_dir_all(path.parent().expect("a manifest is in a folder")).expect("the manifest's folder");
        fs::write(&part, text).expect("the manifest's text");
        fs::rename(&part, &path).expect("the manifest's place");
    }

    /// The text of a manifest.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.manifest(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a job as the manifest of its name.
    pub fn write_job(&self, job: &Job) {
        self.write(&format!("{}.yaml", job.name), job.to_string());
    }

    /// Removes a manifest.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.manifest(name)).expect("a manifest to remove");
    }

    /// The program with `arguments`, at the meter.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(self.folder.path());
        command.args(arguments).env("ECS_ETL_ENDPOINT", self.meter.url());
        command
    }

    /// Runs the program with `arguments` and gives its outcome and the calls it made.
    pub fn run(&self, arguments: &[&str]) -> (Outcome, Calls) {
        self.meter.take();
        let outcome = program::run(self.command(arguments));
        (outcome, self.meter.take())
    }

    /// `apply`, which must end with every job converged; gives the calls it made.
    #[track_caller]
    pub fn apply(&self) -> Calls {
        let (outcome, calls) = self.run(&["apply", "manifests"]);
        assert!(outcome.code == Some(0), "apply did not converge\n{outcome}\n--- calls\n{calls}");
        calls
    }

    /// Starts the daemon.
    pub fn daemon(&self, arguments: &[&str]) -> Running {
        let mut all = vec!["run", "manifests"];
        all.extend(arguments);
        Running::start(self.command(&all))
    }

    /// A status file, `None` while it is not there.
    pub fn status(&self, name: &str) -> Option<Value> {
        let text = fs::read_to_string(self.folder.path().join("status").join(format!("{name}.json"))).ok()?;
        Some(
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("the status of {name} is no JSON: {error}\n{text}")),
        )
    }

    /// A condition of a job: its status and reason.
    pub fn condition(&self, job: &str, kind: &str) -> Option<(String, String)> {
        let status = self.status(job)?;
        let conditions = status["status"]["conditions"].as_array()?;
        let found = conditions.iter().find(|condition| condition["type"] == kind)?;
        Some((found["status"].as_str()?.to_owned(), found["reason"].as_str()?.to_owned()))
    }

    /// Waits until `done` holds, `limit` at most; `what` names it when it does not.
    #[track_caller]
    pub fn wait_until(&self, what: &str, limit: Duration, mut done: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + limit;
        while !done(self) {
            assert!(Instant::now() < deadline, "not within {limit:?}: {what}\n--- calls\n{}", self.meter.peek());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A folder with a copy of the samples, as `manifests`.
pub fn samples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the samples");
    let copied = Command::new("cp").arg("-r").arg(tools::root().join("manifests")).arg(folder.path()).status();
    assert!(copied.is_ok_and(|status| status.success()), "the samples were not copied");
    folder
}

/// The EtlController of a test.
const CONTROLLER: &str = "\
apiVersion: ecs-etl/v1
kind: EtlController
metadata: {name: e2e}
spec:
  source: none
  prune: {graceSeconds: 1}
";

/// The EtlCluster of a test.
fn cluster() -> String {
    format!(
        "\
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {{name: analytics}}
spec:
  region: {REGION}
  eventsRoleArn: arn:aws:iam::{ACCOUNT}:role/ecs-events
  defaults:
    tags: {{owner: data-platform}}
    taskDefinition:
      networkMode: awsvpc
      requiresCompatibilities: [FARGATE]
      cpu: 256
      memory: 512
      executionRoleArn: ecs-execution
    container:
      logConfiguration:
        logDriver: awslogs
        options: {{awslogs-group: /etl, awslogs-region: \"${{region}}\", awslogs-stream-prefix: \"${{job}}\"}}
    runTask:
      launchType: FARGATE
      networkConfiguration:
        awsvpcConfiguration: {{subnets: [subnet-a, subnet-b], securityGroups: [sg-etl]}}
"
    )
}

/// A job as the tests vary it.
#[derive(Debug, Clone)]
pub struct Job {
    /// `metadata.name`.
    pub name: String,
    /// The one container's image.
    pub image: String,
    /// `spec.schedule`, as YAML.
    pub schedule: String,
    /// `spec.suspend`.
    pub suspend: bool,
    /// The label `team`.
    pub team: String,
}

impl Job {
    /// A job that runs once a day.
    pub fn daily(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            image: format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}:1"),
            schedule: "\"0 2 * * *\"".to_owned(),
            suspend: false,
            team: "analytics".to_owned(),
        }
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, image, schedule, suspend, team } = self;
        write!(
            f,
            "\
apiVersion: ecs-etl/v1
kind: EtlJob
metadata: {{name: {name}, labels: {{team: {team}}}}}
spec:
  cluster: analytics
  schedule: {schedule}
  suspend: {suspend}
  taskDefinition:
    taskRoleArn: myetl
    containerDefinitions:
      - image: {image}
        entryPoint: [/bin/bash, /opt/myetl/bin/launch.sh]
        command: [\"2018-01-01\", \"2019-01-01\"]
        environment: [{{name: B, value: \"2\"}}, {{name: A, value: \"\"}}]
"
        )
    }
}
