//! Writing them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use ecs_etl_plan::status::{ControllerStatus, JobStatus};
use ecs_etl_spec::name::{Digest, JobName};
use serde::Serialize;

use super::read::read_jobs;
use super::{CONTROLLER_FILE, remove, replace, sync_directory};
use crate::lock::StatusDir;

/// Why a status file is not up to date. The earlier content stays; the next call tries again.
#[derive(Debug, thiserror::Error)]
pub enum StatusWriteError {
    /// It could not be written.
    #[error("the status file {} cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason: a full or read-only disk.
        source: io::Error,
    },
    /// It could not be removed.
    #[error("the status file {} of a job that is gone cannot be removed", .path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Where statuses go. Each call brings what it is given up to date or says why not; the next one tries again.
pub trait StatusSink: std::fmt::Debug + Send + Sync {
    /// Brings the statuses of these jobs up to date.
    ///
    /// # Errors
    ///
    /// The first failure; one that fails does not stop the others.
    fn write_jobs(&mut self, jobs: &[&JobStatus]) -> Result<(), StatusWriteError>;

    /// Removes the status of a job that is gone for good.
    ///
    /// # Errors
    ///
    /// It is still there.
    fn remove_job(&mut self, job: &JobName) -> Result<(), StatusWriteError>;

    /// Brings the controller's status up to date.
    ///
    /// # Errors
    ///
    /// The earlier one stays.
    fn write_controller(&mut self, status: &ControllerStatus) -> Result<(), StatusWriteError>;
}

impl StatusSink for StatusWriter {
    fn write_jobs(&mut self, jobs: &[&JobStatus]) -> Result<(), StatusWriteError> {
        StatusWriter::write_jobs(self, jobs.iter().copied()).map(drop)
    }

    fn remove_job(&mut self, job: &JobName) -> Result<(), StatusWriteError> {
        StatusWriter::remove_job(self, job)
    }

    fn write_controller(&mut self, status: &ControllerStatus) -> Result<(), StatusWriteError> {
        StatusWriter::write_controller(self, status)
    }
}

/// Writes the status files of one directory. Blocks on the disk: call it where blocking is allowed.
#[derive(Debug)]
pub struct StatusWriter {
    directory: StatusDir,
    /// What each file holds, by digest: equal content is not written again.
    written: BTreeMap<String, Digest>,
}

impl StatusWriter {
    /// Writes into `directory`. What files hold from before is not assumed.
    pub fn new(directory: StatusDir) -> Self {
        Self { directory, written: BTreeMap::new() }
    }

    /// Where it writes.
    pub fn directory(&self) -> &StatusDir {
        &self.directory
    }

    /// The jobs' statuses from before, so that transition times outlive a restart. What cannot be read is as if it had
    /// never been.
    pub fn earlier(&self) -> BTreeMap<String, JobStatus> {
        match read_jobs(self.directory.path()) {
            Ok(files) => files.jobs,
            Err(error) => {
                tracing::debug!(%error, "no earlier status");
                BTreeMap::new()
            }
        }
    }

    /// Brings the files of `jobs` up to date and says how many had to be written. One that fails does not stop the others; the
    /// first failure is returned.
    pub fn write_jobs<'a>(&mut self, jobs: impl IntoIterator<Item = &'a JobStatus>) -> Result<usize, StatusWriteError> {
        let mut count = 0;
        let mut first_failure = None;
        for job in jobs {
            match self.write(&format!("{}.json", job.metadata.name), job) {
                Ok(written) => count += usize::from(written),
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        if count > 0 {
            self.sync()?;
        }
        first_failure.map_or(Ok(count), Err)
    }

    /// Brings the controller's file up to date.
    pub fn write_controller(&mut self, status: &ControllerStatus) -> Result<(), StatusWriteError> {
        if self.write(CONTROLLER_FILE, status)? {
            self.sync()?;
        }
        Ok(())
    }

    /// Removes the file of a job that is gone for good.
    pub fn remove_job(&mut self, job: &JobName) -> Result<(), StatusWriteError> {
        self.remove_file(&format!("{job}.json"))
    }

    /// Removes the files of all jobs but those for which `keep` holds, and of nothing that is not a job's status.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) -> Result<(), StatusWriteError> {
        self.earlier().keys().filter(|job| !keep(job)).try_for_each(|job| self.remove_file(&format!("{job}.json")))
    }

    fn write(&mut self, name: &str, content: &impl Serialize) -> Result<bool, StatusWriteError> {
        let path = self.directory.path().join(name);
        let mut bytes = match serde_json::to_vec_pretty(content) {
            Ok(bytes) => bytes,
            Err(error) => return Err(StatusWriteError::Write { path, source: error.into() }),
        };
        bytes.push(b'\n');
        let digest = Digest::of(&bytes);
        if self.written.get(name) == Some(&digest) && path.exists() {
            return Ok(false);
        }
        if let Err(source) = replace(self.directory.path(), name, &bytes) {
            // Whatever ends the trouble, a new disk or a restored directory, may hold something else.
            self.written.clear();
            return Err(StatusWriteError::Write { path, source });
        }
        self.written.insert(name.to_owned(), digest);
        Ok(true)
    }

    fn remove_file(&mut self, name: &str) -> Result<(), StatusWriteError> {
        self.written.remove(name);
        let path = self.directory.path().join(name);
        match remove(self.directory.path(), name) {
            Ok(true) => self.sync(),
            Ok(false) => Ok(()),
            Err(source) => Err(StatusWriteError::Remove { path, source }),
        }
    }

    fn sync(&self) -> Result<(), StatusWriteError> {
        let path = self.directory.path();
        sync_directory(path).map_err(|source| StatusWriteError::Write { path: path.to_path_buf(), source })
    }
}
