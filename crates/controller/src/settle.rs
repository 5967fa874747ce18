//! Half a YAML file can parse. So a scan is acted on only when the one after it says the same.
//!
//! Files that never come to rest must not hold up the others for ever: when patience runs out, what moves is set aside and the
//! rest is acted on. Such a scan is not complete, so nothing is deleted on the strength of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::scan::{Limits, RootState, Scan, WHOLE, differing, scan};

/// Time between two looks that must agree.
pub const GAP: Duration = Duration::from_millis(50);

/// Looks at `root` until two looks agree, at most for `patience`: for a process that looks only once.
///
/// Blocks on the file system and between looks: call it where blocking is allowed.
pub fn settled(root: &Path, limits: &Limits, patience: Duration) -> Scan {
    let mut settling = Settling::new(patience);
    loop {
        let scan = scan(root, settling.last().map(Arc::as_ref), limits);
        if let Some(scan) = settling.observe(scan, Instant::now()) {
            return Arc::unwrap_or_clone(scan);
        }
        std::thread::sleep(GAP);
    }
}

/// Compares each scan with the one before.
#[derive(Debug)]
pub struct Settling {
    patience: Duration,
    last: Option<Arc<Scan>>,
    /// What differed between the last two scans.
    moving: BTreeSet<String>,
    restless_since: Option<Instant>,
}

impl Settling {
    /// Nothing was seen yet. After `patience` without rest, what moves is set aside.
    pub fn new(patience: Duration) -> Self {
        Self { patience, last: None, moving: BTreeSet::new(), restless_since: None }
    }

    /// The scan seen last, settled or not.
    pub fn last(&self) -> Option<&Arc<Scan>> {
        self.last.as_ref()
    }

    /// Paths of files that differed between the last two scans; empty at rest, and where there are no two.
    pub fn moving(&self) -> &BTreeSet<String> {
        &self.moving
    }

    /// Takes the next scan. Answers with what may be acted on; with nothing, look again soon.
    pub fn observe(&mut self, scan: Scan, now: Instant) -> Option<Arc<Scan>> {
        let scan = Arc::new(scan);
        let last = self.last.replace(Arc::clone(&scan))?;
        self.moving = moving(&last, &scan);
        if self.moving.is_empty() && last.revision == scan.revision {
            self.restless_since = None;
            return Some(scan);
        }
        let since = *self.restless_since.get_or_insert(now);
        let is_over = now.saturating_duration_since(since) >= self.patience;
        is_over.then(|| Arc::new(set_aside(&scan, std::mem::take(&mut self.moving))))
    }
}

/// Whether two scans ask for the same: files, problems, completeness and revision.
pub fn same_content(one: &Scan, other: &Scan) -> bool {
    let root = |scan: &Scan| match &scan.root {
        RootState::Present { .. } => None,
        RootState::Missing { .. } | RootState::NotADirectory => Some(scan.root.clone()),
    };
    root(one) == root(other)
        && differing(one.digests(), other.digests()).next().is_none()
        && one.problems == other.problems
        && one.in_motion == other.in_motion
        && one.revision == other.revision
}

/// Paths on which the newer scan cannot be relied.
fn moving(last: &Scan, scan: &Scan) -> BTreeSet<String> {
    let mut moving: BTreeSet<String> = last.in_motion.union(&scan.in_motion).cloned().collect();
    if last.root != scan.root {
        moving.insert(WHOLE.to_owned());
    }
    moving.extend(differing(last.digests(), scan.digests()).map(str::to_owned));
    let problems = last.problems.keys().chain(scan.problems.keys());
    moving.extend(problems.filter(|path| last.problems.get(*path) != scan.problems.get(*path)).cloned());
    moving
}

fn set_aside(scan: &Scan, moving: BTreeSet<String>) -> Scan {
    let mut scan = scan.clone();
    scan.files.retain(|path, _| !moving.contains(path));
    scan.in_motion = moving;
    scan
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().expect("a directory");
        for (path, content) in files {
            fs::write(root.path().join(path), content).expect("a file");
        }
        root
    }

    fn look(root: &Path) -> Scan {
        scan(root, None, &Limits::default())
    }

    #[test]
    fn one_look_is_not_enough_and_two_equal_ones_are() {
        let root = tree(&[("a.yaml", "1")]);
        let (mut settling, now) = (Settling::new(PATIENCE), Instant::now());
        assert_eq!(settling.observe(look(root.path()), now), None);
        let settled = settling.observe(look(root.path()), now).expect("two looks agree");
        assert!(settled.is_complete() && settled.files.contains_key("a.yaml"));
    }

    #[test]
    fn a_file_that_is_still_being_written_is_waited_for() {
        let root = tree(&[("a.yaml", "name: sal")]);
        let (mut settling, now) = (Settling::new(PATIENCE), Instant::now());
        assert_eq!(settling.observe(look(root.path()), now), None);
        fs::write(root.path().join("a.yaml"), "name: sales").expect("the rest");
        assert_eq!(settling.observe(look(root.path()), now), None);
        let settled = settling.observe(look(root.path()), now).expect("two looks agree");
        assert_eq!(*settled.files["a.yaml"].bytes, *b"name: sales");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn one_that_looks_once_passes_over_what_does_not_come_to_rest() {
        let root = tree(&[("b.yaml", "1")]);
        // It holds something else whenever it is read.
        let restless = root.path().join("a.yaml");
        std::os::unix::fs::symlink("/proc/sys/kernel/random/uuid", &restless).expect("a link");
        let seen = settled(root.path(), &Limits::default(), Duration::from_millis(200));
        assert_eq!(seen.files.keys().collect::<Vec<_>>(), ["b.yaml"]);
        assert!(!seen.is_complete());

        fs::remove_file(&restless).expect("removed");
        assert!(settled(root.path(), &Limits::default(), PATIENCE).is_complete());
    }

    #[test]
    fn a_restless_file_is_set_aside_in_the_end_and_the_others_go_on() {
        let root = tree(&[("a.yaml", "0"), ("b.yaml", "1")]);
        let (mut settling, start) = (Settling::new(PATIENCE), Instant::now());
        let mut looks = (0..=11).map(|second| {
            fs::write(root.path().join("a.yaml"), second.to_string()).expect("a write");
            settling.observe(look(root.path()), start + Duration::from_secs(second))
        });
        assert!(looks.by_ref().take(11).all(|settled| settled.is_none()), "the first second has nothing to compare");
        let settled = looks.next().flatten().expect("patience has run out");
        assert_eq!(settled.files.keys().collect::<Vec<_>>(), ["b.yaml"]);
        assert_eq!(settled.shortcomings().keys().collect::<Vec<_>>(), ["a.yaml"]);
        assert!(!settled.is_complete(), "what a.yaml holds must not be deleted");
    }

    #[test]
    fn a_file_that_just_went_away_is_not_gone_until_a_second_look_says_so() {
        let root = tree(&[("a.yaml", "1"), ("b.yaml", "1")]);
        let (mut settling, now) = (Settling::new(PATIENCE), Instant::now());
        assert_eq!(settling.observe(look(root.path()), now), None);
        fs::remove_file(root.path().join("a.yaml")).expect("removed");
        assert_eq!(settling.observe(look(root.path()), now), None);
        assert!(settling.observe(look(root.path()), now).is_some_and(|scan| scan.is_complete()));
    }

    #[test]
    fn a_missing_directory_settles_like_any_other_state() {
        let root = tree(&[]);
        let missing = root.path().join("missing");
        let (mut settling, now) = (Settling::new(PATIENCE), Instant::now());
        assert_eq!(settling.observe(look(&missing), now), None);
        let settled = settling.observe(look(&missing), now).expect("two looks agree");
        assert!(!settled.is_complete());
    }

    #[test]
    fn the_same_files_in_another_directory_are_the_same_content() {
        let (one, other) = (tree(&[("a.yaml", "1")]), tree(&[("a.yaml", "1")]));
        assert!(same_content(&look(one.path()), &look(other.path())));
        fs::write(other.path().join("a.yaml"), "2").expect("a write");
        assert!(!same_content(&look(one.path()), &look(other.path())));
        assert!(!same_content(&look(one.path()), &look(&one.path().join("missing"))));
    }
}
