//! Status files on disk: written whole or not at all, and only when they change.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

mod read;
mod write;

pub use read::{StatusReadError, StatusSnapshot, read_all};
pub use write::{StatusSink, StatusWriteError, StatusWriter};

use crate::lock::{UNFINISHED_PREFIX, UNFINISHED_SUFFIX};

/// Name of the controller's file. No job can have it: a DNS label holds no `_`.
pub const CONTROLLER_FILE: &str = "_controller.json";

/// Replaces the file `name`, readable by its owner only, so that a reader, or a machine that loses power, sees the old or
/// the new content and never a part.
pub(crate) fn write_atomically(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    replace(directory, name, bytes)?;
    sync_directory(directory)
}

/// The first half: the new content is durable and in place, the rename not yet durable.
fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Created with mode 0600.
    let mut file =
        tempfile::Builder::new().prefix(UNFINISHED_PREFIX).suffix(UNFINISHED_SUFFIX).tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name)).map_err(|failed| failed.error)?;
    Ok(())
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Removes the file `name`; whether there was one.
fn remove(directory: &Path, name: &str) -> io::Result<bool> {
    match fs::remove_file(directory.join(name)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
