//! Events of the file system: a hint that looking is worth while, never more.
//!
//! Recursive watching is not left to notify: what is written into a fresh tree before its watch stands is never
//! reported, nor is a link swapped above, nor anything in a directory that was removed and made anew. So exactly the
//! directories that a scan read are watched, one by one, and a scan follows whenever that set grows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::approach::Waypoint;
use crate::scan::FileId;

/// More removals than this at once, and every watch is set anew.
const LOST_MAX: usize = 4096;

/// More paths than this at once are not told apart: walking over everything is as quick.
const TOUCHED_MAX: usize = 64;

/// Watches on directories.
#[derive(Debug)]
pub(super) struct Events {
    watcher: RecommendedWatcher,
    armed: BTreeMap<FileId, PathBuf>,
    shared: Arc<Shared>,
}

/// What the event thread and the watch task share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    dirty: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// Directories that are watched for some of their names only, with these names.
    passing: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// What was removed or renamed since: a watch on it, or below, watches what is no longer there.
    lost: BTreeSet<PathBuf>,
    /// Events were dropped; any watch may be lost.
    all_lost: bool,
    /// What was heard of since that was last asked.
    touched: BTreeSet<PathBuf>,
    /// Something was heard, or missed, that no single path stands for.
    beyond: bool,
}

/// How arming went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Armed {
    /// Every directory is watched, as before.
    AsBefore,
    /// There are new watches: what happened before they stood was not reported.
    Grown,
    /// Not every directory can be watched.
    Short,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On notify's thread. Marks and returns: whoever holds this up loses events.
    fn receive(&self, event: notify::Result<Event>) {
        let mut state = self.lock();
        match event {
            Ok(event) if event.need_rescan() => state.lose_all(),
            Ok(event) if !matters(&event, &state.passing) => return,
            Ok(event) => {
                state.note_lost(&event);
                state.note_touched(event);
            }
            Err(_) => state.lose_all(),
        }
        drop(state);
        self.dirty.notify_one();
    }
}

impl State {
    fn lose_all(&mut self) {
        self.all_lost = true;
        self.beyond = true;
    }

    fn note_touched(&mut self, event: Event) {
        self.beyond |= event.paths.is_empty();
        self.touched.extend(event.paths);
        if self.touched.len() > TOUCHED_MAX {
            self.touched.clear();
            self.beyond = true;
        }
    }

    fn note_lost(&mut self, event: &Event) {
        let leaves = match event.kind {
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
            EventKind::Any | EventKind::Access(_) | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Other => {
                false
            }
        };
        if leaves {
            self.lost.extend(event.paths.iter().cloned());
        }
        if self.lost.len() > LOST_MAX {
            self.lost.clear();
            self.lose_all();
        }
    }

    fn is_lost(&self, path: &Path) -> bool {
        self.all_lost || path.ancestors().any(|above| self.lost.contains(above))
    }
}

/// Reading is no change: the scan itself reads.
fn matters(event: &Event, passing: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> bool {
    let only_read = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => false,
    };
    let beside_the_way = |path: &PathBuf| {
        path.parent().and_then(|directory| passing.get(directory)).is_some_and(|names| !names.contains(path))
    };
    !only_read && (event.paths.is_empty() || !event.paths.iter().all(beside_the_way))
}

impl Events {
    /// Watches nothing yet. Each event rings `dirty`.
    pub(super) fn start(dirty: Arc<Notify>) -> notify::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), dirty });
        let receiver = Arc::clone(&shared);
        let watcher = notify::recommended_watcher(move |event| receiver.receive(event))?;
        Ok(Self { watcher, armed: BTreeMap::new(), shared })
    }

    /// The paths that were heard of since this was last asked; none if what happened is not told by paths.
    pub(super) fn take_touched(&self) -> Option<BTreeSet<PathBuf>> {
        let mut state = self.shared.lock();
        let touched = std::mem::take(&mut state.touched);
        let beyond = std::mem::take(&mut state.beyond);
        (!beyond).then_some(touched)
    }

    /// Watches `directories`, and `waypoints` for the names in them; nothing else any more.
    pub(super) fn arm(&mut self, directories: &BTreeMap<FileId, PathBuf>, waypoints: &BTreeSet<Waypoint>) -> Armed {
        let mut wanted = directories.clone();
        let mut passing: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for (directory, name) in waypoints {
            let Ok(metadata) = std::fs::metadata(directory) else { continue };
            let id = FileId::of(&metadata);
            if !directories.contains_key(&id) {
                passing.entry(directory.clone()).or_default().insert(directory.join(name));
                wanted.entry(id).or_insert_with(|| directory.clone());
            }
        }
        let lost = {
            let mut state = self.shared.lock();
            // What was heard meanwhile is still to be looked at.
            let (touched, beyond) = (std::mem::take(&mut state.touched), state.beyond);
            let now = State { passing, lost: BTreeSet::new(), all_lost: false, touched, beyond };
            std::mem::replace(&mut *state, now)
        };
        self.disarm(&wanted, &lost);
        self.watch(wanted)
    }

    /// First what is no longer wanted or lost its object: a directory that moved must not lose its new watch to the old
    /// one's removal, for the kernel knows both by the same inode.
    fn disarm(&mut self, wanted: &BTreeMap<FileId, PathBuf>, lost: &State) {
        let (kept, dropped): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.armed)
            .into_iter()
            .partition(|(id, path)| wanted.get(id) == Some(path) && !lost.is_lost(path));
        self.armed = kept;
        for path in dropped.values() {
            if let Err(error) = self.watcher.unwatch(path) {
                tracing::debug!(path = %path.display(), %error, "watch was gone already");
            }
        }
    }

    fn watch(&mut self, wanted: BTreeMap<FileId, PathBuf>) -> Armed {
        let mut armed = Armed::AsBefore;
        for (id, path) in wanted {
            if self.armed.contains_key(&id) {
                continue;
            }
            match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.armed.insert(id, path);
                    armed = Armed::Grown;
                }
                // It went away since the scan: the next one will tell.
                Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => {
                    self.shared.lock().beyond = true;
                    self.shared.dirty.notify_one();
                }
                Err(error) if is_closed(&error) => {
                    tracing::debug!(path = %path.display(), %error, "directory cannot be watched");
                }
                Err(error) => {
                    tracing::debug!(path = %path.display(), %error, "watching ends here");
                    return Armed::Short;
                }
            }
        }
        armed
    }
}

/// A directory without read permission: the scan says so where it matters, and a watch would add nothing.
fn is_closed(error: &notify::Error) -> bool {
    matches!(&error.kind, ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::PermissionDenied)
}
