//! Reading one file, without ever opening what is not a file and without trusting what moves.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::FileId;

/// Time stamps of file systems are coarse and clocks differ: a file written within this time before it was read may be
/// written again without a new stamp. The rule is git's, for its "racily clean" entries.
const STAMP_SETTLES: Duration = Duration::from_secs(2);

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    id: FileId,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            id: FileId::of(metadata),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp of what no file system holds.
    pub(super) fn none() -> Self {
        Self { id: FileId { dev: 0, ino: 0 }, size: 0, modified: (0, 0), changed: (0, 0) }
    }

    /// Whether the size in it is that of `bytes`.
    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        u64::try_from(bytes.len()).is_ok_and(|length| length == self.size)
    }

    /// Whether a write after `read_at` is sure to give another stamp.
    pub(super) fn is_settled(&self, read_at: SystemTime) -> bool {
        let last_second = self.modified.0.max(self.changed.0).max(0).unsigned_abs();
        let settled_from = Duration::from_secs(last_second.saturating_add(1)).saturating_add(STAMP_SETTLES);
        UNIX_EPOCH.checked_add(settled_from).is_some_and(|from| from <= read_at)
    }
}

impl FileId {
    /// What `metadata` is about.
    pub fn of(metadata: &Metadata) -> Self {
        Self { dev: metadata.dev(), ino: metadata.ino() }
    }
}

/// What came of reading a file.
#[derive(Debug)]
pub(crate) enum Reading {
    /// All of it.
    Whole(Vec<u8>, Stamp),
    /// It went away or changed meanwhile.
    InMotion,
    /// It is not to be had; why.
    Refused(String),
}

/// What kind of thing it is, when it is neither file nor directory.
pub(super) fn odd_kind(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() || kind.is_dir() {
        None
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("a device")
    } else {
        Some("of an unknown kind")
    }
}

/// Reads the file at `path` of at most `limit` bytes.
///
/// Between the look and the open the name may have come to mean something else. So the open does not block (a pipe
/// without a writer would, for ever), does not become anyone's terminal, and what was opened is looked at again.
pub(crate) fn read(path: &Path, limit: u64) -> Reading {
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    match opened.and_then(|file| read_open(file, limit)) {
        Ok(reading) => reading,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Reading::InMotion,
        Err(error) => Reading::Refused(error.to_string()),
    }
}

fn read_open(mut file: File, limit: u64) -> io::Result<Reading> {
    let before = file.metadata()?;
    if let Some(kind) = odd_kind(&before) {
        return Ok(Reading::Refused(not_a_file(kind)));
    }
    if before.len() > limit {
        return Ok(Reading::Refused(too_big(before.len(), limit)));
    }
    let mut bytes = Vec::new();
    (&mut file).take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > limit {
        return Ok(Reading::Refused(too_big(length, limit)));
    }
    let after = Stamp::of(&file.metadata()?);
    if Stamp::of(&before) != after {
        return Ok(Reading::InMotion);
    }
    Ok(Reading::Whole(bytes, after))
}

pub(super) fn too_big(size: u64, limit: u64) -> String {
    format!("it is {size} bytes; a manifest file may have {limit}")
}

pub(super) fn not_a_file(kind: &str) -> String {
    format!("it is {kind}, not a file")
}
