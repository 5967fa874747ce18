//! Against a real file system: nothing here waits for a fixed time, only for a state, with a deadline.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{ManifestWatch, WatchOptions};
use crate::scan::{RootState, Scan};

/// Fails a test, never passes one: far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// With events alone: the timer is too slow to help.
fn events_only() -> WatchOptions {
    WatchOptions {
        debounce: Duration::from_millis(100),
        rescan: DEADLINE * 2,
        poll: DEADLINE * 2,
        ..WatchOptions::default()
    }
}

/// Without events.
fn timer_only() -> WatchOptions {
    let quick = Duration::from_millis(50);
    WatchOptions { events: false, debounce: quick, poll: quick, ..WatchOptions::default() }
}

struct Watched {
    watch: ManifestWatch,
    cancel: CancellationToken,
    states: usize,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Watched {
    fn start(root: &Path, options: WatchOptions) -> Self {
        let cancel = CancellationToken::new();
        Self { watch: ManifestWatch::start(root, options, cancel.clone()), cancel, states: 0 }
    }

    /// The first state for which `wanted` holds.
    async fn until(&mut self, wanted: impl Fn(&Scan) -> bool) -> Arc<Scan> {
        let mut last = None;
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                let scan = self.watch.changed().await;
                self.states += 1;
                if wanted(&scan) {
                    return scan;
                }
                last = Some(scan);
            }
        });
        match found.await {
            Ok(scan) => scan,
            Err(_) => panic!("the wanted state never came; the last one was {last:?}"),
        }
    }

    async fn holding(&mut self, path: &str, content: &str) -> Arc<Scan> {
        self.until(|scan| scan.files.get(path).is_some_and(|file| *file.bytes == *content.as_bytes())).await
    }
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for (path, content) in files {
        write(root.path(), path, content);
    }
    root
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a path below the root")).expect("its directory");
    fs::write(path, content).expect("a file");
}

#[tokio::test]
async fn the_first_state_comes_without_any_event() {
    let root = tree(&[("a.yaml", "1")]);
    let mut watched = Watched::start(root.path(), events_only());
    assert!(watched.until(|_| true).await.is_complete());
}

#[tokio::test]
async fn a_file_written_in_place_is_seen() {
    let root = tree(&[("a.yaml", "1")]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.holding("a.yaml", "1").await;
    write(root.path(), "a.yaml", "2");
    watched.holding("a.yaml", "2").await;
}

#[tokio::test]
async fn an_editor_that_renames_and_replaces_is_seen_every_time() {
    let root = tree(&[("a.yaml", "0")]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.holding("a.yaml", "0").await;
    for version in ["1", "2", "3"] {
        let file = root.path().join("a.yaml");
        // As vim does: the old file becomes the backup, a new one takes the name, the backup goes.
        fs::rename(&file, root.path().join("a.yaml~")).expect("a backup");
        fs::write(root.path().join("4913"), version).expect("a new file");
        fs::rename(root.path().join("4913"), &file).expect("in place");
        fs::remove_file(root.path().join("a.yaml~")).expect("no backup");
        let scan = watched.holding("a.yaml", version).await;
        assert_eq!(scan.files.len(), 1);
    }
}

#[tokio::test]
async fn a_checkout_of_a_thousand_files_is_few_states() {
    let root = tree(&[("0.yaml", "0")]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.until(|_| true).await;
    let before = watched.states;
    for n in 0..1000 {
        write(root.path(), &format!("team-{}/{n}.yaml", n % 20), "1");
    }
    let scan = watched.until(|scan| scan.files.len() == 1001).await;
    assert!(scan.is_complete());
    assert!(watched.states - before <= 5, "{} states", watched.states - before);
}

#[tokio::test]
async fn what_lies_in_a_fresh_tree_is_seen_however_deep() {
    let root = tree(&[]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.until(|_| true).await;
    for n in 0..50 {
        write(root.path(), &format!("{n}/very/deep/a.yaml"), "1");
    }
    watched.until(|scan| scan.files.len() == 50).await;
    write(root.path(), "49/very/deep/a.yaml", "2");
    watched.holding("49/very/deep/a.yaml", "2").await;
}

#[tokio::test]
async fn a_tree_that_is_moved_in_and_about_stays_watched() {
    let outside = tree(&[("team/deep/a.yaml", "1")]);
    let root = tree(&[]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.until(|_| true).await;
    fs::rename(outside.path().join("team"), root.path().join("team")).expect("moved in");
    watched.holding("team/deep/a.yaml", "1").await;
    fs::rename(root.path().join("team"), root.path().join("crew")).expect("renamed");
    watched.holding("crew/deep/a.yaml", "1").await;
    write(root.path(), "crew/deep/a.yaml", "2");
    watched.holding("crew/deep/a.yaml", "2").await;
}

#[tokio::test]
async fn a_swapped_link_above_the_directory_is_seen() {
    let sync = tree(&[("worktrees/aaa/jobs/a.yaml", "1"), ("worktrees/bbb/jobs/a.yaml", "2")]);
    let link = sync.path().join("repo");
    symlink("worktrees/aaa", &link).expect("a link");
    let mut watched = Watched::start(&link.join("jobs"), events_only());
    watched.holding("a.yaml", "1").await;
    for (tree, content) in [("bbb", "2"), ("aaa", "1")] {
        // As git-sync does: the new link takes the old one's name in one step.
        symlink(Path::new("worktrees").join(tree), sync.path().join("tmp-link")).expect("a link");
        fs::rename(sync.path().join("tmp-link"), &link).expect("swapped");
        watched.holding("a.yaml", content).await;
    }
    write(sync.path(), "worktrees/aaa/jobs/a.yaml", "3");
    watched.holding("a.yaml", "3").await;
}

#[tokio::test]
async fn a_link_that_is_the_directory_itself_may_be_swapped() {
    let sync = tree(&[("worktrees/aaa/a.yaml", "1"), ("worktrees/bbb/a.yaml", "1")]);
    let link = sync.path().join("repo");
    symlink("worktrees/aaa", &link).expect("a link");
    let mut watched = Watched::start(&link, events_only());
    watched.until(|scan| scan.revision.as_deref() == Some("aaa")).await;
    symlink("worktrees/bbb", sync.path().join("tmp-link")).expect("a link");
    fs::rename(sync.path().join("tmp-link"), &link).expect("swapped");
    watched.until(|scan| scan.revision.as_deref() == Some("bbb")).await;
}

#[tokio::test]
async fn no_state_mixes_two_checkouts_however_often_the_link_is_swapped() {
    let names: Vec<_> = (0..40).map(|n| format!("{n}.yaml")).collect();
    let files = |tree: &str, content| {
        names.iter().map(|name| (format!("worktrees/{tree}/{name}"), content)).collect::<Vec<_>>()
    };
    let sync = tree(&[]);
    for (path, content) in [files("aaa", "1"), files("bbb", "2"), files("ccc", "3")].concat() {
        write(sync.path(), &path, content);
    }
    let link = sync.path().join("repo");
    symlink("worktrees/aaa", &link).expect("a link");
    let mut watched = Watched::start(&link, WatchOptions { max_delay: Duration::from_millis(100), ..events_only() });
    let swaps = tokio::task::spawn_blocking({
        let (sync, link) = (sync.path().to_path_buf(), link.clone());
        move || {
            for n in 0..2000 {
                let tree = ["aaa", "bbb"][n % 2];
                symlink(Path::new("worktrees").join(tree), sync.join("tmp-link")).expect("a link");
                fs::rename(sync.join("tmp-link"), &link).expect("swapped");
            }
            symlink("worktrees/ccc", sync.join("tmp-link")).expect("a link");
            fs::rename(sync.join("tmp-link"), &link).expect("swapped");
        }
    });
    let whole = |scan: &Scan| {
        let first = &scan.files["0.yaml"].digest;
        let pure = scan.files.len() == names.len() && scan.files.values().all(|file| file.digest == *first);
        assert!(!scan.is_complete() || pure, "a mixture came to rest: {:?}", scan.files);
        scan.revision.as_deref() == Some("ccc") && scan.is_complete()
    };
    watched.until(whole).await;
    swaps.await.expect("every swap succeeds");
}

#[tokio::test]
async fn a_config_map_that_is_updated_is_seen() {
    let root = tree(&[("..2026_1/a.yaml", "1")]);
    symlink("..2026_1", root.path().join("..data")).expect("a link");
    symlink("..data/a.yaml", root.path().join("a.yaml")).expect("a link");
    let mut watched = Watched::start(root.path(), events_only());
    watched.holding("a.yaml", "1").await;
    for (version, content) in [("..2026_2", "2"), ("..2026_3", "3")] {
        // As the kubelet does.
        write(root.path(), &format!("{version}/a.yaml"), content);
        symlink(version, root.path().join("..data_tmp")).expect("a link");
        fs::rename(root.path().join("..data_tmp"), root.path().join("..data")).expect("swapped");
        let scan = watched.holding("a.yaml", content).await;
        assert_eq!(scan.revision.as_deref(), Some(version));
    }
}

#[tokio::test]
async fn a_linked_file_is_watched_where_it_lies() {
    let shared = tree(&[("a.yaml", "1")]);
    let root = tree(&[]);
    symlink(shared.path().join("a.yaml"), root.path().join("a.yaml")).expect("a link");
    let mut watched = Watched::start(root.path(), events_only());
    watched.holding("a.yaml", "1").await;
    write(shared.path(), "a.yaml", "2");
    watched.holding("a.yaml", "2").await;
}

#[tokio::test]
async fn a_directory_that_vanishes_and_returns_is_watched_again() {
    let parent = tree(&[("jobs/team/a.yaml", "0")]);
    let root = parent.path().join("jobs");
    let mut watched = Watched::start(&root, events_only());
    watched.holding("team/a.yaml", "0").await;
    for version in ["1", "2", "3"] {
        fs::remove_dir_all(&root).expect("gone");
        let gone = watched.until(|scan| matches!(scan.root, RootState::Missing { .. })).await;
        assert!(!gone.is_complete());
        write(&root, "team/a.yaml", version);
        watched.holding("team/a.yaml", version).await;
        write(&root, "team/a.yaml", "edited");
        watched.holding("team/a.yaml", "edited").await;
    }
}

#[tokio::test]
async fn a_directory_made_anew_at_once_is_watched_again() {
    let parent = tree(&[("jobs/a.yaml", "0")]);
    let root = parent.path().join("jobs");
    let mut watched = Watched::start(&root, events_only());
    watched.holding("a.yaml", "0").await;
    for version in ["1", "2", "3"] {
        // Its inode is often the old one's, given out again.
        fs::remove_dir_all(&root).expect("gone");
        write(&root, "a.yaml", version);
        watched.holding("a.yaml", version).await;
        write(&root, "a.yaml", "edited");
        watched.holding("a.yaml", "edited").await;
    }
}

#[tokio::test]
async fn a_directory_that_does_not_exist_yet_is_waited_for() {
    let parent = tree(&[]);
    let root = parent.path().join("not/yet/jobs");
    let mut watched = Watched::start(&root, events_only());
    watched.until(|scan| matches!(scan.root, RootState::Missing { .. })).await;
    write(&root, "a.yaml", "1");
    watched.holding("a.yaml", "1").await;
}

#[tokio::test]
async fn what_changes_no_manifest_is_no_new_state() {
    let root = tree(&[("a.yaml", "1")]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.holding("a.yaml", "1").await;
    write(root.path(), "README.md", "x");
    write(root.path(), "a.yaml", "1");
    write(root.path(), "b.yaml", "1");
    watched.holding("b.yaml", "1").await;
    assert_eq!(watched.states, 2);
}

#[tokio::test]
async fn a_commit_that_changes_no_manifest_is_a_new_state_with_its_revision() {
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let root = tree(&[(".git/HEAD", "ref: refs/heads/main"), (".git/refs/heads/main", &one), ("jobs/a.yaml", "1")]);
    let mut watched = Watched::start(&root.path().join("jobs"), events_only());
    watched.until(|scan| scan.revision.as_ref() == Some(&one)).await;
    write(root.path(), ".git/refs/heads/main", &two);
    watched.until(|scan| scan.revision.as_ref() == Some(&two)).await;
}

#[tokio::test]
async fn without_events_the_timer_sees_everything() {
    let parent = tree(&[("jobs/a.yaml", "1")]);
    let root = parent.path().join("jobs");
    let mut watched = Watched::start(&root, timer_only());
    watched.holding("a.yaml", "1").await;
    write(&root, "deep/er/a.yaml", "2");
    watched.holding("deep/er/a.yaml", "2").await;
    fs::remove_dir_all(&root).expect("gone");
    watched.until(|scan| matches!(scan.root, RootState::Missing { .. })).await;
    write(&root, "a.yaml", "3");
    watched.holding("a.yaml", "3").await;
}

#[tokio::test]
async fn a_look_can_be_asked_for() {
    let root = tree(&[("a.yaml", "1")]);
    let options = WatchOptions { events: false, poll: DEADLINE * 2, ..timer_only() };
    let mut watched = Watched::start(root.path(), options);
    watched.holding("a.yaml", "1").await;
    write(root.path(), "a.yaml", "2");
    watched.watch.rescan();
    watched.holding("a.yaml", "2").await;
}

#[tokio::test]
async fn nothing_comes_once_cancelled() {
    let root = tree(&[("a.yaml", "1")]);
    let mut watched = Watched::start(root.path(), events_only());
    watched.holding("a.yaml", "1").await;
    watched.cancel.cancel();
    let ended = tokio::time::timeout(DEADLINE, watched.watch.settled.changed()).await;
    assert!(ended.expect("the task ends").is_err());
    let next = tokio::time::timeout(Duration::from_millis(10), watched.watch.changed()).await;
    assert!(next.is_err());
}
