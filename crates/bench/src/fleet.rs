//! The work that is measured: any number of jobs like those that a team has, one file each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ecs_etl_controller::scan::Scan;

/// What one cluster of jobs shares.
const BASE: &str = "\
apiVersion: ecs-etl/v1
kind: EtlController
metadata: {name: bench}
spec: {source: bench, resyncSeconds: 600}
---
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec:
  region: eu-central-1
  cluster: main
  eventsRoleArn: events
  defaults:
    runTask:
      launchType: FARGATE
      networkConfiguration:
        awsvpcConfiguration: {subnets: [subnet-0a1b2c3d4e5f60718], securityGroups: [sg-0a1b2c3d4e5f60718]}
    taskDefinition:
      networkMode: awsvpc
      requiresCompatibilities: [FARGATE]
      cpu: 256
      memory: 512
      executionRoleArn: arn:aws:iam::000000000000:role/etl-execution
";

/// Jobs, each with an image of its own version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// How many.
    pub jobs: usize,
    /// The tag of their images.
    pub version: u32,
}

impl Fleet {
    /// The name of a job.
    pub fn name(index: usize) -> String {
        format!("job-{index:05}")
    }

    /// Every file by its path, the shared one first.
    pub fn files(&self) -> BTreeMap<String, Arc<[u8]>> {
        let base = ("base.yaml".to_owned(), Arc::from(BASE.as_bytes()));
        let jobs = (0..self.jobs).map(|index| (path(index), Arc::from(manifest(index, self.version).as_bytes())));
        std::iter::once(base).chain(jobs).collect()
    }

    /// The directory as the controller's scan would find it.
    pub fn scan(&self) -> Scan {
        let files = self.files();
        Scan::of_files(files.iter().map(|(path, bytes)| (path.as_str(), bytes)))
    }

    /// Writes the directory.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write(&self, directory: &Path) -> std::io::Result<()> {
        for (path, bytes) in self.files() {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

/// Where the manifest of a job is: a hundred in each folder.
pub fn path(index: usize) -> String {
    format!("team-{:03}/{}.yaml", index / 100, Fleet::name(index))
}

/// A job as teams write them, some thirty lines. Its schedule has a minute of the day of its own, as far as there are enough.
pub fn manifest(index: usize, version: u32) -> String {
    let name = Fleet::name(index);
    let team = index / 100;
    let (minute, hour) = (index % 60, (8 + index / 60) % 24);
    format!(
        "\
apiVersion: ecs-etl/v1
kind: EtlJob
metadata:
  name: {name}
  labels: {{team: team-{team:03}, tier: nightly}}
spec:
  cluster: main
  schedule: \"{minute} {hour} * * *\"
  taskDefinition:
    taskRoleArn: arn:aws:iam::000000000000:role/etl-team-{team:03}
    containerDefinitions:
      - name: main
        image: 000000000000.dkr.ecr.eu-central-1.amazonaws.com/etl/{name}:{version}
        entryPoint: [python, -m, etl.run]
        command: [--source, s3://raw/{name}, --target, s3://curated/{name}]
        environment:
          - {{name: LOG_LEVEL, value: info}}
          - {{name: BATCH_SIZE, value: \"5000\"}}
          - {{name: TABLE, value: curated.{name}}}
        secrets:
          - {{name: DSN, valueFrom: \"arn:aws:ssm:eu-central-1:000000000000:parameter/etl/team-{team:03}/dsn\"}}
        logConfiguration:
          logDriver: awslogs
          options: {{awslogs-group: /etl, awslogs-region: eu-central-1, awslogs-stream-prefix: {name}}}
"
    )
}

#[cfg(test)]
mod tests {
    use ecs_etl_controller::manifests::Reader;

    use super::*;

    #[test]
    fn every_job_is_valid() {
        let fleet = Fleet { jobs: 120, version: 1 };
        let manifests = Reader::default().read(&fleet.scan(), "2026-11-23T08:00:30Z".parse().unwrap());
        assert_eq!(manifests.wanted().count(), 120, "{:?}", manifests.directory.diagnostics);
        assert!(manifests.directory.diagnostics.is_empty(), "{:?}", manifests.directory.diagnostics);
    }
}
