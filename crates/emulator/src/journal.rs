//! State that survives the process: an append-only file of changes, on the disk before they are answered.
//!
//! A line holds all changes of one write, so a line is there whole or not at all. The first line names the format.
//! A line cut short by a crash was never answered and is dropped; anything else that does not read is an error, for
//! silently losing what was answered would be worse. Opening a journal with much history in it rewrites it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::emulator::Emulator;
use crate::settings::Settings;
use crate::state::{Change, State};

/// The format this code writes; it reads no other.
const FORMAT: u32 = 1;

const JOURNAL: &str = "journal.jsonl";
const REWRITTEN: &str = "journal.jsonl.new";
const LOCK: &str = "lock";

/// So much history, in lines beyond the rows that are left, is worth rewriting at open.
const SLACK: usize = 1000;

/// The journal of one folder, held for this process alone.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Held, never read.
    _lock: Lock,
}

/// A locked file that is free at its drop. Closing alone would not do: a process that is just being started holds a copy of
/// the descriptor, and with it the lock, until it runs its program.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A lock that cannot be taken off ends with the process.
        drop(self.0.unlock());
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has the folder.
    #[error(
        "the embedded AWS in {} is in use by another process: end that one, or choose another folder for this one",
        folder.display()
    )]
    InUse {
        /// The folder that is locked.
        folder: PathBuf,
    },
    /// A file or folder could not be made, read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that was answered for does not read.
    #[error(
        "{} is damaged at line {line}: remove the folder to start with an empty AWS, or restore the file",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is of another version of this program, or none of its.
    #[error("{} is not a journal of format {FORMAT}, the only one known here", path.display())]
    Format {
        /// The journal.
        path: PathBuf,
    },
    /// The runtime ended while a write was under way.
    #[error("the process ended while the journal was being written")]
    Interrupted,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "ecs-etl-emulator-journal")]
    format: u32,
}

impl Journal {
    /// Opens the journal of `folder`, makes both if need be, and gives back the emulator that it remembers.
    ///
    /// # Errors
    ///
    /// When another process holds the folder, when it cannot be written, and when the journal is damaged.
    pub fn open(folder: &Path, settings: Settings) -> Result<(Self, Emulator), JournalError> {
        make_folder(folder).map_err(io_error("make the folder", folder))?;
        let lock = take_lock(folder)?;
        let path = folder.join(JOURNAL);
        let mut read =
            if path.try_exists().map_err(io_error("look at", &path))? { read(&path)? } else { Read::default() };
        let file = if read.lines > read.state.len() + SLACK || read.end == 0 {
            rewrite(folder, &read.state)?
        } else {
            reopen(&path, read.end)?
        };
        read.state.keep_book();
        Ok((Self { path, file, _lock: lock }, Emulator::with_state(settings, read.state)))
    }

    /// Writes changes down as one line and waits for the disk.
    ///
    /// # Errors
    ///
    /// When the disk refuses; what was to be written is then not to be answered, and the journal not to be used again.
    pub fn append(&mut self, changes: &[Change]) -> Result<(), JournalError> {
        let written = write_line(&mut self.file, &changes).and_then(|()| self.file.sync_data());
        written.map_err(io_error("write", &self.path))
    }
}

/// What a journal says, and how far it is sound.
#[derive(Default)]
struct Read {
    state: State,
    lines: usize,
    /// Bytes up to the end of the last whole line; 0 for no journal yet.
    end: u64,
}

fn read(path: &Path) -> Result<Read, JournalError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    let mut reader = BufReader::new(file);
    let mut read = Read::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(io_error("read", path))?;
        // A line without its end, or with blocks that never reached the disk, belongs to a write that was not answered.
        if line.last() != Some(&b'\n') {
            // The first line was there before the file had its name, so a crash cannot have cut that.
            if read.lines == 0 && !line.is_empty() {
                return Err(JournalError::Format { path: path.to_owned() });
            }
            break;
        }
        let last = reader.fill_buf().map_err(io_error("read", path))?.is_empty();
        if last && line.contains(&0) {
            break;
        }
        read.lines += 1;
        if read.lines == 1 {
            match serde_json::from_slice::<Header>(&line) {
                Ok(Header { format: FORMAT }) => {}
                Ok(Header { .. }) | Err(_) => return Err(JournalError::Format { path: path.to_owned() }),
            }
        } else {
            let damaged = |source| JournalError::Damaged { path: path.to_owned(), line: read.lines, source };
            let changes: Vec<Change> = serde_json::from_slice(&line).map_err(damaged)?;
            for change in changes {
                let damaged = |source| JournalError::Damaged { path: path.to_owned(), line: read.lines, source };
                read.state.apply(change).map_err(damaged)?;
            }
        }
        read.end += length as u64;
    }
    Ok(read)
}

/// Writes the state as a fresh journal beside the old one and puts it in its place.
fn rewrite(folder: &Path, state: &State) -> Result<File, JournalError> {
    let (path, fresh) = (folder.join(JOURNAL), folder.join(REWRITTEN));
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        private(&mut options);
        let mut writer = BufWriter::new(options.open(&fresh)?);
        write_line(&mut writer, &Header { format: FORMAT })?;
        for change in state.everything() {
            write_line(&mut writer, &[change])?;
        }
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        // The new name is only on the disk once its folder is.
        File::open(folder)?.sync_all()?;
        Ok(file)
    };
    write().map_err(io_error("write", &path))
}

/// Opens a sound journal for appending, less what a crash cut short.
fn reopen(path: &Path, end: u64) -> Result<File, JournalError> {
    let open = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() > end {
            tracing::warn!(path = %path.display(), "a write that a crash cut short is dropped from the journal");
            file.set_len(end)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::Start(end))?;
        Ok(file)
    };
    open().map_err(io_error("open", path))
}

fn take_lock(folder: &Path) -> Result<Lock, JournalError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    private(&mut options);
    let lock = options.open(&path).map_err(io_error("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(JournalError::Io { action: "lock", path, source }),
    }
}

fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Task definitions may hold secrets in plain text, so nobody else reads the folder.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    drop(options);
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_free_at_once_though_a_process_being_started_holds_the_descriptor() {
        let root = tempfile::tempdir().unwrap();
        let lock = take_lock(root.path()).unwrap();
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(take_lock(root.path()).is_ok());
        drop(inherited);
    }
}
