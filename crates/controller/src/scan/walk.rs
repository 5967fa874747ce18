//! The walk over the tree.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use ecs_etl_spec::name::Digest;

use super::read::{self, Reading, Stamp};
use super::{FileId, Limits, ManifestFile, RootState, Scan, WHOLE};

/// How many problems are named: each becomes a line in the log and in the status.
const PROBLEMS: usize = 1000;

/// Walks the directory `real`, which holds no link on its way.
pub(super) fn walk(real: &Path, id: FileId, previous: Option<&Scan>, limits: &Limits) -> Scan {
    let scan = Scan::without_root(RootState::Present { path: real.to_path_buf(), id });
    let mut walker = Walker { scan, previous, limits, ancestors: Vec::new(), entries: 0, bytes: 0, full: false };
    walker.directory(real, "", id);
    walker.scan
}

struct Walker<'a> {
    scan: Scan,
    previous: Option<&'a Scan>,
    limits: &'a Limits,
    /// The directories above, for links that lead back up.
    ancestors: Vec<(FileId, String)>,
    entries: usize,
    bytes: u64,
    /// A limit on the whole is used up.
    full: bool,
}

/// What a name's ending says.
fn is_manifest_name(name: &[u8]) -> bool {
    name.ends_with(b".yaml") || name.ends_with(b".yml")
}

impl Walker<'_> {
    fn directory(&mut self, directory: &Path, shown: &str, id: FileId) {
        self.scan.directories.entry(id).or_insert_with(|| directory.to_path_buf());
        if self.ancestors.len() >= self.limits.depth {
            self.problem(shown, format!("it is nested more than {} directories deep", self.limits.depth));
            return;
        }
        let Some(entries) = self.list(directory, shown) else { return };
        self.ancestors.push((id, shown.to_owned()));
        for entry in entries {
            if self.full {
                break;
            }
            self.entry(directory, shown, &entry);
        }
        self.ancestors.pop();
    }

    /// The entries that matter, sorted by name, the directory closed again: a deep tree holds no descriptors open.
    fn list(&mut self, directory: &Path, shown: &str) -> Option<Vec<fs::DirEntry>> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreachable(directory, shown, &error);
                return None;
            }
        };
        let mut kept = Vec::new();
        for entry in entries {
            self.entries += 1;
            if self.entries > self.limits.entries {
                self.exhausted(format!("it holds more than {} entries", self.limits.entries));
                break;
            }
            match entry {
                Ok(entry) if entry.file_name().as_bytes().starts_with(b".") => {}
                Ok(entry) => kept.push(entry),
                Err(error) => self.problem(shown, error.to_string()),
            }
        }
        kept.sort_by_key(fs::DirEntry::file_name);
        Some(kept)
    }

    fn entry(&mut self, directory: &Path, shown: &str, entry: &fs::DirEntry) {
        let name = entry.file_name();
        let named_manifest = is_manifest_name(name.as_bytes());
        // Most entries that are no manifests are plain files, which the directory already says: no look at the inode.
        if !named_manifest && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            return;
        }
        let path = directory.join(&name);
        let text = name.to_str().map_or_else(|| name.as_bytes().escape_ascii().to_string(), str::to_owned);
        let shown = if shown.is_empty() { text } else { format!("{shown}/{text}") };

        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unreachable(&path, &shown, &error);
                return;
            }
        };
        if !metadata.is_dir() && !named_manifest {
            return;
        }
        if name.to_str().is_none() {
            self.problem(&shown, "its name is not valid UTF-8".to_owned());
        } else if metadata.is_dir() {
            self.enter(&path, &shown, FileId::of(&metadata));
        } else if let Some(kind) = read::odd_kind(&metadata) {
            self.problem(&shown, read::not_a_file(kind));
        } else {
            if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                self.follow(&path);
            }
            self.file(&path, shown, &metadata);
        }
    }

    fn enter(&mut self, path: &Path, shown: &str, id: FileId) {
        match self.ancestors.iter().find(|(ancestor, _)| *ancestor == id) {
            Some((_, above)) => {
                let above = if above.is_empty() { "the manifest directory itself" } else { above.as_str() };
                self.problem(shown, format!("a link that leads back to {above}"));
            }
            None => self.directory(path, shown, id),
        }
    }

    fn file(&mut self, path: &Path, shown: String, metadata: &Metadata) {
        if metadata.len() > self.limits.file_bytes {
            self.problem(&shown, read::too_big(metadata.len(), self.limits.file_bytes));
            return;
        }
        let known = self.previous.and_then(|previous| previous.files.get(&shown));
        let file = match known {
            Some(known) if known.stamp_settled && known.stamp == Stamp::of(metadata) => known.clone(),
            Some(_) | None => {
                let read_at = SystemTime::now();
                match read::read(path, self.limits.file_bytes) {
                    Reading::Whole(bytes, stamp) => manifest(bytes, stamp, read_at, known),
                    Reading::InMotion => {
                        self.scan.in_motion.insert(shown);
                        return;
                    }
                    Reading::Refused(why) => {
                        self.problem(&shown, why);
                        return;
                    }
                }
            }
        };
        self.bytes = self.bytes.saturating_add(u64::try_from(file.bytes.len()).unwrap_or(u64::MAX));
        if self.bytes > self.limits.total_bytes {
            self.exhausted(format!("its manifests have more than {} bytes", self.limits.total_bytes));
        } else if self.scan.files.len() >= self.limits.files {
            self.exhausted(format!("it holds more than {} manifest files", self.limits.files));
        } else {
            self.scan.files.insert(shown, file);
        }
    }

    /// A file reached by a link changes where the link leads, so that directory matters as well.
    fn follow(&mut self, path: &Path) {
        let target = fs::canonicalize(path).ok();
        let Some(directory) = target.as_deref().and_then(Path::parent) else { return };
        if let Ok(metadata) = fs::metadata(directory) {
            self.scan.directories.entry(FileId::of(&metadata)).or_insert_with(|| directory.to_path_buf());
        }
    }

    /// A name that leads nowhere: it went away just now, or it is a link to nothing, or it is closed to us.
    fn unreachable(&mut self, path: &Path, shown: &str, error: &std::io::Error) {
        if error.kind() != ErrorKind::NotFound {
            self.problem(shown, error.to_string());
        } else if let Ok(target) = fs::read_link(path) {
            self.problem(shown, format!("a link to {}, which does not exist", target.display()));
        } else {
            self.scan.in_motion.insert(whole_if_empty(shown));
        }
    }

    fn problem(&mut self, shown: &str, why: String) {
        if self.scan.problems.len() < PROBLEMS {
            self.scan.problems.insert(whole_if_empty(shown), why);
        } else {
            let more = format!("more than {PROBLEMS} paths below it cannot be read; only the first are named");
            self.scan.problems.entry(WHOLE.to_owned()).or_insert(more);
        }
    }

    fn exhausted(&mut self, why: String) {
        self.full = true;
        self.scan.problems.insert(WHOLE.to_owned(), format!("{why}; the rest was not read"));
    }
}

fn whole_if_empty(shown: &str) -> String {
    if shown.is_empty() { WHOLE.to_owned() } else { shown.to_owned() }
}

/// The file as read; with the bytes of the last scan where they are the same, so that they are kept once.
pub(super) fn manifest(
    bytes: Vec<u8>,
    stamp: Stamp,
    read_at: SystemTime,
    known: Option<&ManifestFile>,
) -> ManifestFile {
    // A file that has more than it says it has (procfs, some FUSE) says nothing with its stamp either.
    let stamp_settled = stamp.is_settled(read_at) && stamp.is_of(&bytes);
    match known {
        Some(known) if *known.bytes == *bytes => ManifestFile { stamp, stamp_settled, ..known.clone() },
        Some(_) | None => {
            let digest = Digest::of(&bytes);
            ManifestFile { bytes: Arc::from(bytes), digest, stamp, stamp_settled }
        }
    }
}
