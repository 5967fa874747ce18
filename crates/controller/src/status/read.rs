//! Reading them back.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ecs_etl_plan::status::{ControllerStatus, JobStatus};
use ecs_etl_spec::name::JobName;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::CONTROLLER_FILE;
use crate::scan::{Reading, read};

/// Largest status file that is read, in bytes. The controller's grows with the number of jobs.
const SIZE_MAX: u64 = 64 << 20;

/// Why there is no status to show.
#[derive(Debug, thiserror::Error)]
pub enum StatusReadError {
    /// Nobody has written here.
    #[error("there is no status in {}: `ecs-etl run` and `ecs-etl apply` write it, --status-dir says where", .directory.display())]
    Missing {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory could not be listed.
    #[error("the status directory {} cannot be read", .directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The controller's file could not be understood.
    #[error("the status file {} cannot be read: {why}; remove it, and `ecs-etl run` or `ecs-etl apply` writes it anew", .path.display())]
    Controller {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
}

/// What the status files say, at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusSnapshot {
    /// The controller's.
    pub controller: ControllerStatus,
    /// The jobs' by name, as they were written.
    pub jobs: BTreeMap<String, JobStatus>,
    /// Files that could not be understood, with the reason.
    pub unreadable: BTreeMap<String, String>,
}

impl StatusSnapshot {
    /// What is known at `now`: with a stale heartbeat nothing is known of any job, whatever its file says.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        if self.controller.is_stale(now) {
            let heartbeat = self.controller.status.heartbeat;
            for job in self.jobs.values_mut() {
                *job = job.gone_stale(heartbeat);
            }
        }
        self
    }
}

/// Reads every status file of `directory`. Files of others are passed over.
pub fn read_all(directory: &Path) -> Result<StatusSnapshot, StatusReadError> {
    let JobFiles { jobs, unreadable } = read_jobs(directory)?;
    let path = directory.join(CONTROLLER_FILE);
    match document::<ControllerStatus>(&path) {
        Ok(Some(controller)) => Ok(StatusSnapshot { controller, jobs, unreadable }),
        Ok(None) => Err(StatusReadError::Missing { directory: directory.to_path_buf() }),
        Err(why) => Err(StatusReadError::Controller { path, why }),
    }
}

/// What the jobs' files say, as in [`StatusSnapshot`].
pub(super) struct JobFiles {
    pub(super) jobs: BTreeMap<String, JobStatus>,
    unreadable: BTreeMap<String, String>,
}

pub(super) fn read_jobs(directory: &Path) -> Result<JobFiles, StatusReadError> {
    let failed = |source: io::Error| {
        let directory = directory.to_path_buf();
        if source.kind() == io::ErrorKind::NotFound {
            StatusReadError::Missing { directory }
        } else {
            StatusReadError::Directory { directory, source }
        }
    };
    let mut jobs = BTreeMap::new();
    let mut unreadable = BTreeMap::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".json")) else { continue };
        if JobName::new(name).is_err() {
            continue;
        }
        match document::<JobStatus>(&directory.join(&file)) {
            Ok(Some(status)) => {
                jobs.insert(name.to_owned(), status);
            }
            Ok(None) => {}
            Err(why) => {
                unreadable.insert(format!("{name}.json"), why);
            }
        }
    }
    Ok(JobFiles { jobs, unreadable })
}

/// The document in a file; none if it went away.
fn document<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    match read(path, SIZE_MAX) {
        Reading::Whole(bytes, _) => serde_json::from_slice(&bytes).map(Some).map_err(|error| error.to_string()),
        Reading::InMotion => Ok(None),
        Reading::Refused(why) => Err(why),
    }
}
