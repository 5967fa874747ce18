//! A look at what moved alone, so that an edit among ten thousand files need not wait for a walk over all of them.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use super::read::{self, Reading, Stamp};
use super::{FileId, Limits, RootState, Scan, WHOLE, revision, walk};

/// More than so many are looked at with all the others.
const MOST: usize = 100;

/// Looks at `paths` again, and takes the rest as `last` has it. None where that would not do: then all is to be looked at.
///
/// It says what a whole look would have said of the directory itself, its revision and these paths. Of other files it says nothing
/// new: that something happened to them is for events to tell.
pub fn look_again(root: &Path, last: &Scan, paths: &BTreeSet<String>, limits: &Limits) -> Option<Scan> {
    let RootState::Present { path: real, id } = &last.root else { return None };
    let is_there = |real: &Path| std::fs::canonicalize(root).is_ok_and(|now| now == *real);
    let is_it = std::fs::metadata(real).is_ok_and(|metadata| metadata.is_dir() && FileId::of(&metadata) == *id);
    if paths.len() > MOST || paths.contains(WHOLE) || !is_it || !is_there(real) {
        return None;
    }
    let mut scan = last.clone();
    scan.in_motion.clear();
    for shown in paths {
        if last.problems.contains_key(shown) {
            return None;
        }
        let path = real.join(shown);
        let Some(known) = last.files.get(shown) else {
            // It went away: still so?
            let gone = std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
            if gone && !last.in_motion.contains(shown) {
                continue;
            }
            return None;
        };
        // Where a link leads may matter to more than this file.
        let metadata = std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        if known.stamp_settled && known.stamp == Stamp::of(&metadata) {
            continue;
        }
        let read_at = SystemTime::now();
        let Reading::Whole(bytes, stamp) = read::read(&path, limits.file_bytes) else { return None };
        scan.files.insert(shown.clone(), walk::manifest(bytes, stamp, read_at, Some(known)));
    }
    scan.revision = revision(root, real).0;
    is_there(real).then_some(scan)
}
