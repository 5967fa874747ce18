//! `_approved.json`: held sets of work that somebody released from the command line.
//!
//! It lies in the status directory and may be lost with it; then the sets are held again. The lasting way is to commit the
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
}

#[derive(Serialize, Deserialize)]
struct Document {
    approved: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    digest: String,
    at: Timestamp,
}

/// The approvals in the status directory; none if there are none.
pub fn read_approvals(directory: &Path) -> Result<Vec<Approval>, ApprovalError> {
    let path = directory.join(FILE);
    let bytes = match read(&path, SIZE_MAX) {
        Reading::Whole(bytes, _) => bytes,
        Reading::InMotion => return Ok(Vec::new()),
        Reading::Refused(why) => return Err(ApprovalError::Read { path, why }),
    };
    let wrong = |why: String| ApprovalError::Read { path: path.clone(), why };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let approval = |Entry { digest, at }: Entry| {
        let digest = Digest::parse(&digest).map_err(|error| wrong(error.to_string()))?;
        Ok(Approval { digest, at })
    };
    document.approved.into_iter().map(approval).collect()
}

/// Puts `approvals` in the status directory, in place of earlier ones.
pub fn write_approvals(directory: &Path, approvals: &[Approval]) -> Result<(), ApprovalError> {
    let entry = |approval: &Approval| Entry { digest: approval.digest.as_str().to_owned(), at: approval.at };
    let document = Document { approved: approvals.iter().map(entry).collect() };
    serde_json::to_vec_pretty(&document)
        .map_err(io::Error::from)
        .and_then(|bytes| write_atomically(directory, FILE, &bytes))
        .map_err(|source| ApprovalError::Write { path: directory.join(FILE), source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn approval(set: &[u8]) -> Approval {
        Approval { digest: Digest::of(set), at: "2026-11-23T12:00:00Z".parse().expect("a time") }
    }

    #[test]
    fn approvals_are_kept_and_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(read_approvals(directory.path()).expect("readable"), []);
        for sets in [vec![approval(b"one")], vec![approval(b"two"), approval(b"three")]] {
            write_approvals(directory.path(), &sets).expect("written");
            assert_eq!(read_approvals(directory.path()).expect("readable"), sets);
        }
    }

    #[test]
    fn an_approval_that_makes_no_sense_releases_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let good = format!(r#"{{"digest": "{}", "at": "2026-11-23T12:00:00Z"}}"#, Digest::of(b"one"));
        let bad = r#"{"digest": "all", "at": "2026-11-23T12:00:00Z"}"#;
        let lists = [good.clone(), format!("[{good}]"), format!(r#"{{"approved": [{good}, {bad}]}}"#)];
        for text in ["", "{", "[]", r#"{"approved": [{}]}"#].into_iter().map(str::to_owned).chain(lists) {
            fs::write(directory.path().join(FILE), &text).expect("a file");
            assert!(matches!(read_approvals(directory.path()), Err(ApprovalError::Read { .. })), "{text}");
        }
    }
}
