//! The way to a directory: every place where a link could be swapped, or a part removed, so that the path means another one.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// How many links are followed, as Linux does.
const LINKS: usize = 40;

/// A directory, and the name in it that the way passes through.
pub(super) type Waypoint = (PathBuf, OsString);

/// Where the way to `path` (absolute) can change: each link on it, its last part, and the first part that is missing.
///
/// git-sync swaps a link above what is watched, and a directory that was removed comes back under the same name: of neither
/// does a watch on the directory itself tell.
pub(super) fn waypoints(path: &Path) -> BTreeSet<Waypoint> {
    let mut points = BTreeSet::new();
    let mut at = PathBuf::new();
    let mut links = 0;
    let mut ahead = parts(path);
    while let Some(part) = ahead.pop_front() {
        let name = match part {
            Part::Root => {
                at = PathBuf::from("/");
                continue;
            }
            Part::Up => {
                at.pop();
                continue;
            }
            Part::Name(name) => name,
        };
        let next = at.join(&name);
        let last = ahead.is_empty();
        match std::fs::read_link(&next) {
            Ok(target) => {
                points.insert((at.clone(), name));
                links += 1;
                if links > LINKS {
                    return points;
                }
                for part in parts(&target).into_iter().rev() {
                    ahead.push_front(part);
                }
            }
            Err(_) if last || !next.exists() => {
                points.insert((at, name));
                return points;
            }
            Err(_) => at = next,
        }
    }
    points
}

enum Part {
    Root,
    Up,
    Name(OsString),
}

fn parts(path: &Path) -> VecDeque<Part> {
    path.components()
        .filter_map(|component| match component {
            Component::RootDir => Some(Part::Root),
            Component::ParentDir => Some(Part::Up),
            Component::Normal(name) => Some(Part::Name(name.to_os_string())),
            Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Waypoints of `path` below a fresh directory in which `prepare` made things, without those above it.
    fn check(prepare: impl Fn(&Path), path: &str, expected: &[&str]) {
        let root = tempfile::tempdir().expect("a directory");
        let real = fs::canonicalize(root.path()).expect("it exists");
        prepare(&real);
        let found: Vec<_> = waypoints(&real.join(path))
            .into_iter()
            .map(|(directory, name)| directory.join(name))
            .filter_map(|point| Some(point.strip_prefix(&real).ok()?.to_string_lossy().into_owned()))
            .collect();
        assert_eq!(found, expected, "{path}");
    }

    fn directory(root: &Path, path: &str) {
        fs::create_dir_all(root.join(path)).expect("a directory");
    }

    #[test]
    fn every_link_on_the_way_and_its_end_are_waypoints() {
        check(|root| directory(root, "a/b"), "a/b", &["a/b"]);
        check(|_| {}, "a/b", &["a"]);
        check(|root| directory(root, "a"), "a/b/c", &["a/b"]);
        let git_sync = |root: &Path| {
            directory(root, "git/worktrees/abc/jobs");
            symlink("worktrees/abc", root.join("git/repo")).expect("a link");
        };
        check(git_sync, "git/repo/jobs", &["git/repo", "git/worktrees/abc/jobs"]);
        check(git_sync, "git/repo", &["git/repo", "git/worktrees/abc"]);
        let chain = |root: &Path| {
            directory(root, "real");
            symlink(root.join("two"), root.join("one")).expect("a link");
            symlink("x/../real", root.join("two")).expect("a link");
            directory(root, "x");
        };
        check(chain, "one", &["one", "real", "two"]);
        let circle = |root: &Path| symlink("loop", root.join("loop")).expect("a link");
        check(circle, "loop", &["loop"]);
        let broken = |root: &Path| symlink("gone/deep", root.join("link")).expect("a link");
        check(broken, "link", &["gone", "link"]);
    }
}
