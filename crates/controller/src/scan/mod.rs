//! One look at the manifest directory: which files there are, what they hold, and whether that is all of it.
//!
//! A look never fails as a whole. What could not be read is a problem with its path, and a scan with problems is not
//! complete: nothing is deleted on the strength of it, while everything that was read is still acted on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecs_etl_spec::directory::File;
use ecs_etl_spec::name::Digest;

use crate::source::git::Checkout;

mod again;
mod compare;
mod read;
mod walk;

pub use again::look_again;
pub use compare::differing;
pub use read::Stamp;
pub(crate) use read::{Reading, read};

/// Key of a problem that concerns the directory as a whole.
pub const WHOLE: &str = ".";

/// How much a scan reads at most. What lies beyond is a problem, never silently left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of one file, in bytes.
    pub file_bytes: u64,
    /// Size of all files together, in bytes: all of them are kept in memory.
    pub total_bytes: u64,
    /// Number of manifest files.
    pub files: usize,
    /// Number of directory entries of any kind: bounds the time spent in a directory that was given by mistake, and in
    /// symbolic links that multiply.
    pub entries: usize,
    /// How deep directories nest.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1 << 20, total_bytes: 64 << 20, files: 200_000, entries: 400_000, depth: 64 }
    }
}

/// Device and inode: what a file or directory is, whatever its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Device.
    pub dev: u64,
    /// Inode on it.
    pub ino: u64,
}

/// What the directory itself was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootState {
    /// It is a directory.
    Present {
        /// Where it really is, links resolved: what was walked, even if a link was swapped meanwhile.
        path: PathBuf,
        /// What it is.
        id: FileId,
    },
    /// It is not there, or cannot be reached.
    Missing {
        /// The system's words.
        why: String,
    },
    /// It is something else, such as a file.
    NotADirectory,
}

/// One manifest file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Digest of the bytes.
    pub digest: Digest,
    /// What the file system said of it.
    pub stamp: Stamp,
    /// Whether a later write is sure to show in the stamp, so that an equal one saves reading the file again.
    pub stamp_settled: bool,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The directory itself.
    pub root: RootState,
    /// Manifest files by path below the directory, with `/` between parts.
    pub files: BTreeMap<String, ManifestFile>,
    /// What could not be read, by path, [`WHOLE`] for the directory; with the reason.
    pub problems: BTreeMap<String, String>,
    /// What changed under the reader's hands, by path. Never acted on: the next look decides.
    pub in_motion: BTreeSet<String>,
    /// Commit of the checkout that holds the directory, else what its link (or its `..data`) leads to.
    pub revision: Option<String>,
    /// Every directory whose change could change the next scan, by what it is, with a path that leads to it.
    pub directories: BTreeMap<FileId, PathBuf>,
}

impl Scan {
    fn without_root(root: RootState) -> Self {
        Self {
            root,
            files: BTreeMap::new(),
            problems: BTreeMap::new(),
            in_motion: BTreeSet::new(),
            revision: None,
            directories: BTreeMap::new(),
        }
    }

    /// The scan of a directory that exists in memory only, with these files.
    pub fn of_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a Arc<[u8]>)>) -> Self {
        let id = FileId { dev: 0, ino: 0 };
        let file = |bytes: &Arc<[u8]>| ManifestFile {
            digest: Digest::of(bytes),
            bytes: Arc::clone(bytes),
            stamp: Stamp::none(),
            stamp_settled: true,
        };
        let files = files.into_iter().map(|(path, bytes)| (path.to_owned(), file(bytes))).collect();
        Self { files, ..Self::without_root(RootState::Present { path: PathBuf::new(), id }) }
    }

    /// The scan of a directory that is not there.
    pub fn of_nothing(why: &str) -> Self {
        Self::without_root(RootState::Missing { why: why.to_owned() })
    }

    /// Whether these are all the manifests there are. Deletion needs this (and that every file parses).
    pub fn is_complete(&self) -> bool {
        matches!(self.root, RootState::Present { .. }) && self.problems.is_empty() && self.in_motion.is_empty()
    }

    /// What each file holds, in the order of their paths.
    pub fn digests(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.files.iter().map(|(path, file)| (path.as_str(), &file.digest))
    }

    /// The manifest at `path`, as it is shown; none if no file that was read is called so.
    pub fn manifest_at(&self, path: &Path) -> Option<&str> {
        let RootState::Present { path: real, .. } = &self.root else { return None };
        let shown = path.strip_prefix(real).ok()?.to_str()?;
        self.files.get_key_value(shown).map(|(shown, _)| shown.as_str())
    }

    /// The files as the manifest reader takes them.
    pub fn manifests(&self) -> Vec<File<'_>> {
        self.files.iter().map(|(path, file)| File { path, bytes: &file.bytes }).collect()
    }

    /// Everything that keeps it from being complete: path and reason, the directory itself first.
    pub fn shortcomings(&self) -> BTreeMap<String, String> {
        let mut all = self.problems.clone();
        match &self.root {
            RootState::Present { .. } => {}
            RootState::Missing { why } => {
                all.insert(WHOLE.to_owned(), format!("the directory cannot be read: {why}"));
            }
            RootState::NotADirectory => {
                all.insert(WHOLE.to_owned(), "it is not a directory".to_owned());
            }
        }
        for path in &self.in_motion {
            all.entry(path.clone()).or_insert_with(|| "it changed while it was read".to_owned());
        }
        all
    }
}

/// Looks at `root` and everything below it. `previous` saves reading what has not changed since.
///
/// Blocks on the file system: call it where blocking is allowed.
pub fn scan(root: &Path, previous: Option<&Scan>, limits: &Limits) -> Scan {
    // The links on the way are resolved once. If they are swapped during the walk, the walk stays in the old tree and
    // the check at the end notices.
    let real = match std::fs::canonicalize(root) {
        Ok(real) => real,
        Err(error) => return Scan::without_root(RootState::Missing { why: error.to_string() }),
    };
    let id = match std::fs::metadata(&real) {
        Ok(metadata) if !metadata.is_dir() => return Scan::without_root(RootState::NotADirectory),
        Ok(metadata) => FileId::of(&metadata),
        Err(error) => return Scan::without_root(RootState::Missing { why: error.to_string() }),
    };

    let mut scan = walk::walk(&real, id, previous, limits);
    let (revision, checkout) = revision(root, &real);
    scan.revision = revision;
    for directory in checkout.iter().flat_map(Checkout::directories_of_head) {
        if let Ok(metadata) = std::fs::metadata(&directory) {
            scan.directories.entry(FileId::of(&metadata)).or_insert(directory);
        }
    }
    if std::fs::canonicalize(root).ok() != Some(real) {
        scan.in_motion.insert(WHOLE.to_owned());
    }
    scan
}

/// Which commit, or else which version behind a link, the directory is of; and the checkout that says so.
fn revision(root: &Path, real: &Path) -> (Option<String>, Option<Checkout>) {
    let checkout = Checkout::holding(real);
    let revision = checkout.as_ref().and_then(Checkout::head).or_else(|| link_target(root)).or_else(|| data(real));
    (revision, checkout)
}

/// What the directory's own link leads to, as git-sync writes it.
fn link_target(root: &Path) -> Option<String> {
    let target = std::fs::read_link(root).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

/// What `..data` leads to in a Kubernetes ConfigMap mount.
fn data(root: &Path) -> Option<String> {
    link_target(&root.join("..data"))
}

#[cfg(test)]
mod tests;
