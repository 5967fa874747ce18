//! `_approved.json`: a held set of work that somebody released from the command line.
//!
//! It lies in the status directory and may be lost with it; then the set is held again. The lasting way is to commit the
//! digest to the manifests.

use std::io;
use std::path::{Path, PathBuf};

use ecs_etl_spec::name::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scan::{Reading, read};
use crate::status::write_atomically;

const FILE: &str = "_approved.json";
const SIZE_MAX: u64 = 64 << 10;

/// What was approved, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Digest of the set.
    pub digest: Digest,
    /// When it was approved.
    pub at: Timestamp,
}

/// Why an approval could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The file could not be read.
    #[error("{} cannot be read: {why}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The file could not be written.
    #[error("{} cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file could not be removed.
    #[error("{} cannot be removed", .path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Document {
    digest: String,
    at: Timestamp,
}

/// The approval in the status directory; none if there is none.
pub fn read_approval(directory: &Path) -> Result<Option<Approval>, ApprovalError> {
    let path = directory.join(FILE);
    let bytes = match read(&path, SIZE_MAX) {
        Reading::Whole(bytes, _) => bytes,
        Reading::InMotion => return Ok(None),
        Reading::Refused(why) => return Err(ApprovalError::Read { path, why }),
    };
    let wrong = |why: String| ApprovalError::Read { path: path.clone(), why };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let digest = Digest::parse(&document.digest).map_err(|error| wrong(error.to_string()))?;
    Ok(Some(Approval { digest, at: document.at }))
}

/// Puts `approval` in the status directory, in place of an earlier one.
pub fn write_approval(directory: &Path, approval: &Approval) -> Result<(), ApprovalError> {
    let document = Document { digest: approval.digest.as_str().to_owned(), at: approval.at };
    serde_json::to_vec_pretty(&document)
        .map_err(io::Error::from)
        .and_then(|bytes| write_atomically(directory, FILE, &bytes))
        .map_err(|source| ApprovalError::Write { path: directory.join(FILE), source })
}

/// Takes the approval away, once it has served or no longer fits.
pub fn remove_approval(directory: &Path) -> Result<(), ApprovalError> {
    let path = directory.join(FILE);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(ApprovalError::Remove { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_approval_is_kept_replaced_and_taken_away() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(read_approval(directory.path()).expect("readable"), None);
        for set in [b"one", b"two"] {
            let approval = Approval { digest: Digest::of(set), at: "2026-11-23T12:00:00Z".parse().expect("a time") };
            write_approval(directory.path(), &approval).expect("written");
            assert_eq!(read_approval(directory.path()).expect("readable"), Some(approval));
        }
        remove_approval(directory.path()).expect("removed");
        remove_approval(directory.path()).expect("nothing to remove");
        assert_eq!(read_approval(directory.path()).expect("readable"), None);
    }

    #[test]
    fn an_approval_that_makes_no_sense_releases_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let time = r#""at": "2026-11-23T12:00:00Z""#;
        for text in ["", "{", "[]", &format!(r#"{{"digest": "all", {time}}}"#), &format!("{{{time}}}")] {
            fs::write(directory.path().join(FILE), text).expect("a file");
            assert!(matches!(read_approval(directory.path()), Err(ApprovalError::Read { .. })), "{text}");
        }
    }
}
