//! What happens in a history, and to whom.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use super::{Cue, Stage};
use crate::directory::Directory;
use crate::sketch::Cluster;
use crate::story::{Event, What};
use crate::wire::Killing;
use crate::world::State;

impl Stage<'_> {
    pub(super) async fn happens(&mut self, event: &Event) {
        if !matches!(event.what, What::Hand(_)) {
            self.world.note(format_args!("{:?}", event.what));
        }
        match &event.what {
            What::Edit { directory, changes } => {
                self.write(*directory, |target| changes.iter().for_each(|change| change.apply(&mut target.book)));
            }
            What::Damage { directory, file, damage } => self.write(*directory, |target| match damage {
                Some(damage) => drop(target.damage.insert(file.clone(), damage.clone())),
                None => drop(target.damage.remove(file)),
            }),
            What::Gone { directory, gone } => self.write(*directory, |target| target.gone = *gone),
            What::Emptied { directory, emptied } => self.write(*directory, |target| target.emptied = *emptied),
            What::Hand(hand) => {
                self.world.note(format_args!("{hand:?}"));
                self.stranger.does(hand).await;
            }
            What::Kill { process, request, writes, effect, keeps_disk, down } => {
                let Some(player) = self.players.get_mut(*process) else { return };
                player.fate = (*down, *keeps_disk);
                match (request, &player.life) {
                    (Some(nth), Some(life)) => {
                        let killing = Killing { nth: u64::from(*nth), writes_only: *writes, effect: *effect };
                        life.wire.kill_at(killing);
                    }
                    (None, Some(_)) => self.fell(*process),
                    (_, None) => {}
                }
            }
            What::Stop { process, down } => {
                let Some(life) = self.players.get_mut(*process).and_then(|player| player.life.take()) else { return };
                life.stop().await;
                self.world.judged(|millis, judge, mirror| judge.died(millis, *process, mirror));
                self.cue(self.world.millis() + i64::from(*down), Cue::Start(*process));
            }
            What::Skew { process, seconds } => {
                if let Some(player) = self.players.get(*process) {
                    *player.skew.lock().unwrap_or_else(PoisonError::into_inner) =
                        SignedDuration::from_secs(i64::from(*seconds));
                }
            }
            What::Disk { process, full } => {
                if let Some(player) = self.players.get(*process) {
                    player.full.store(*full, Ordering::SeqCst);
                    self.world.state().judge.disk(self.world.millis(), *process, *full);
                }
            }
            What::Told { directory, source } => {
                let places: BTreeSet<String> = {
                    let state = self.world.state();
                    let book = state.directories.get(*directory).map(|directory| &directory.book);
                    book.into_iter().flat_map(|book| book.clusters.values().map(Cluster::place)).collect()
                };
                for place in places {
                    self.stranger.tells(&place, source).await;
                }
            }
            What::Legacy { place, name } => self.stranger.legacy(place, name).await,
            What::Approve { directory } => self.approve(*directory),
        }
    }

    pub(super) fn write(&mut self, directory: usize, write: impl FnOnce(&mut Directory)) {
        {
            let mut state = self.world.state();
            let Some(target) = state.directories.get_mut(directory) else { return };
            write(target);
            let target = target.clone();
            let millis = self.world.millis();
            let State { judge, mirror, .. } = &mut *state;
            judge.edited(millis, directory, &target, mirror);
        }
        let now = self.world.millis();
        for process in 0..self.players.len() {
            if self.players.get(process).is_some_and(|player| player.directory == directory) {
                // Events are debounced.
                self.cue(now + 300, Cue::Look(process));
            }
        }
    }

    /// Commits the digest of what is held.
    fn approve(&mut self, directory: usize) {
        let Some(player) = self.players.iter().find(|player| player.directory == directory) else { return };
        let held = {
            let disk = player.disk.lock().unwrap_or_else(PoisonError::into_inner);
            let status: serde_json::Value =
                disk.get("_controller").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            status.pointer("/status/held/0/digest").and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        if let Some(digest) = held {
            self.write(directory, |target| target.book.controller.approved = Some(digest));
        }
    }
}
