//! The status directory, and who may write it: one daemon at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Name of the lock file. It stays when the lock is given back: taking it away would let two daemons lock two files.
const LOCK: &str = "_lock";
/// What unfinished files of a process that died are called.
pub(crate) const UNFINISHED_PREFIX: &str = ".ecs-etl-";
pub(crate) const UNFINISHED_SUFFIX: &str = ".tmp";

/// Why the status directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StatusDirError {
    /// Somebody else writes it.
    #[error("{holder} uses the status directory {}; stop that one, or give this one its own --status-dir", .directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// Who.
        holder: String,
    },
    /// Writing it would wake the watch of the manifests, and a checkout may clean it away.
    #[error("the status directory {} lies in the manifest directory {}; choose another with --status-dir", .directory.display(), .manifests.display())]
    InsideManifests {
        /// The status directory.
        directory: PathBuf,
        /// The manifest directory.
        manifests: PathBuf,
    },
    /// It could not be made.
    #[error("the status directory {} cannot be created", .directory.display())]
    Create {
        /// The directory.
        directory: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No file can be made in it.
    #[error("the status directory {} cannot be written", .directory.display())]
    Write {
        /// The directory.
        directory: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Its file system has no locks.
    #[error("the status directory {} cannot be locked", .directory.display())]
    Lock {
        /// The directory.
        directory: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Who holds a status directory, as the lock file says for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    since: Timestamp,
}

/// A status directory that is this process's alone until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct StatusDir {
    path: PathBuf,
    /// The locked file.
    lock: File,
}

impl StatusDir {
    /// Makes `directory` if need be, and locks it. `manifests` is the directory it must not lie in.
    pub fn open(directory: &Path, manifests: &Path, now: Timestamp) -> Result<Self, StatusDirError> {
        if resolved(directory).starts_with(resolved(manifests)) {
            let (directory, manifests) = (directory.to_path_buf(), manifests.to_path_buf());
            return Err(StatusDirError::InsideManifests { directory, manifests });
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| StatusDirError::Create { directory: directory.to_path_buf(), source })?;

        let mut file = open_lock(directory)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut file);
                return Err(StatusDirError::InUse { directory: directory.to_path_buf(), holder });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StatusDirError::Lock { directory: directory.to_path_buf(), source });
            }
        }
        if let Err(error) = sign(&mut file, now) {
            // The lock holds all the same; only a second daemon's error would say less.
            tracing::warn!(%error, "the lock file cannot say who holds it");
        }
        remove_unfinished(directory);
        Ok(Self { path: directory.to_path_buf(), lock: file })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StatusDir {
    fn drop(&mut self) {
        // Closing alone would not do: a process that is just being started holds a copy of the descriptor, and with it the
        // lock, until it runs its program. A lock that cannot be taken off ends with the process.
        drop(self.lock.unlock());
    }
}

/// The lock file, made if need be; on a disk that takes no file now, the one that is there, or the directory itself. Converging
/// goes on without status files, and a second daemon is kept away all the same.
fn open_lock(directory: &Path) -> Result<File, StatusDirError> {
    let path = directory.join(LOCK);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let source = match opened {
        Ok(file) => return Ok(file),
        Err(source) => source,
    };
    let disk = matches!(source.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull);
    let fallback = || File::open(&path).or_else(|_absent| File::open(directory));
    match if disk { fallback() } else { Err(io::Error::from(source.kind())) } {
        Ok(file) => {
            tracing::error!(directory = %directory.display(), error = %source, "the status directory takes no files; converging goes on without status");
            Ok(file)
        }
        Err(_nothing_to_lock) => Err(StatusDirError::Write { directory: directory.to_path_buf(), source }),
    }
}

/// The path with links resolved as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (fs::canonicalize(existing), path.strip_prefix(existing)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

fn sign(file: &mut File, now: Timestamp) -> io::Result<()> {
    let holder = Holder { pid: std::process::id(), host: host(), since: now };
    let mut text = serde_json::to_string(&holder)?;
    text.push('\n');
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(4096).read_to_string(&mut text);
    match read.ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok()) {
        Some(Holder { pid, host, since }) => format!("another ecs-etl (pid {pid} on {host} since {since:.0})"),
        None => "another ecs-etl".to_owned(),
    }
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "an unknown host".to_owned())
}

fn remove_unfinished(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let unfinished =
            name.to_str().is_some_and(|name| name.starts_with(UNFINISHED_PREFIX) && name.ends_with(UNFINISHED_SUFFIX));
        if unfinished && let Err(error) = fs::remove_file(entry.path()) {
            tracing::debug!(%error, path = %entry.path().display(), "unfinished file stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().expect("a time")
    }

    fn open(directory: &Path) -> Result<StatusDir, StatusDirError> {
        StatusDir::open(directory, Path::new("/nowhere/manifests"), noon())
    }

    #[test]
    fn the_second_daemon_is_told_who_the_first_one_is() {
        let root = tempfile::tempdir().expect("a directory");
        let directory = root.path().join("a/status");
        let first = open(&directory).expect("free");
        assert_eq!(first.path(), directory);
        let text = open(&directory).expect_err("in use").to_string();
        let expected = format!("another ecs-etl (pid {} on ", std::process::id());
        assert!(text.starts_with(&expected), "{text}");
        let expected = format!(
            " since 2026-11-23T12:00:00Z) uses the status directory {}; stop that one, or give this one its own --status-dir",
            directory.display()
        );
        assert!(text.ends_with(&expected), "{text}");
    }

    #[test]
    fn a_lock_goes_with_its_holder_and_not_with_its_file() {
        let root = tempfile::tempdir().expect("a directory");
        drop(open(root.path()).expect("free"));
        assert!(root.path().join(LOCK).exists());
        assert!(open(root.path()).is_ok());
    }

    #[test]
    fn a_directory_is_free_at_once_though_a_process_being_started_holds_the_descriptor() {
        let root = tempfile::tempdir().expect("a directory");
        let first = open(root.path()).expect("free");
        let inherited = first.lock.try_clone().expect("a descriptor");
        drop(first);
        assert!(open(root.path()).is_ok());
        drop(inherited);
    }

    #[test]
    fn what_an_earlier_process_left_unfinished_is_removed() {
        let root = tempfile::tempdir().expect("a directory");
        let unfinished = root.path().join(format!("{UNFINISHED_PREFIX}x{UNFINISHED_SUFFIX}"));
        let strangers = root.path().join(".keep");
        fs::write(&unfinished, "half").expect("a file");
        fs::write(&strangers, "").expect("a file");
        let _held = open(root.path()).expect("free");
        assert!(!unfinished.exists() && strangers.exists());
    }

    #[test]
    fn a_status_directory_in_the_manifests_is_refused_by_whatever_path() {
        let root = tempfile::tempdir().expect("a directory");
        let manifests = root.path().join("manifests");
        fs::create_dir(&manifests).expect("a directory");
        symlink(&manifests, root.path().join("link")).expect("a link");
        for inside in ["manifests", "manifests/status", "link/status", "manifests/../link/deep/status"] {
            let refused = StatusDir::open(&root.path().join(inside), &manifests, noon());
            assert!(matches!(refused, Err(StatusDirError::InsideManifests { .. })), "{inside}: {refused:?}");
        }
        assert_eq!(fs::read_dir(&manifests).expect("it is there").count(), 0, "nothing was made in it");
        assert!(StatusDir::open(&root.path().join("manifests-status"), &manifests, noon()).is_ok());
    }

    #[test]
    fn a_directory_that_cannot_be_is_a_clear_error() {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("file"), "").expect("a file");
        let error = open(&root.path().join("file/status")).expect_err("a file is in the way");
        assert!(matches!(error, StatusDirError::Create { .. }));
        let error = open(Path::new("/proc/self")).expect_err("no files can be made there");
        assert_eq!(error.to_string(), "the status directory /proc/self cannot be written");
    }

    #[test]
    fn only_its_owner_reads_the_directory() {
        let root = tempfile::tempdir().expect("a directory");
        let directory = root.path().join("status");
        let _held = open(&directory).expect("free");
        let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join(LOCK))), (0o700, 0o600));
    }
}
