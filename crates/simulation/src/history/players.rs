//! Processes that come and go.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecs_etl_controller::scan::{RootState, Scan};
use ecs_etl_controller::settle::{GAP, Settling, same_content};
use jiff::SignedDuration;
use tokio::time::Instant;

use super::{Cue, PATIENCE, Stage, WHOLE_WAY};
use crate::life::{Birth, Disk, Life};
use crate::wire::Wire;
use crate::world::Who;

/// One controller, through all its lives.
pub(super) struct Player {
    pub(super) directory: usize,
    pub(super) life: Option<Life>,
    pub(super) lives: u32,
    pub(super) disk: Disk,
    pub(super) settling: Settling,
    pub(super) published: Option<Arc<Scan>>,
    pub(super) counts: Arc<Mutex<BTreeMap<String, u64>>>,
    pub(super) skew: Arc<Mutex<SignedDuration>>,
    /// Whether its disk refuses.
    pub(super) full: Arc<AtomicBool>,
    /// How long it stays down, and whether its disk survives, should it be killed at a request.
    pub(super) fate: (u32, bool),
}

impl Player {
    pub(super) fn new(directory: usize) -> Self {
        Self {
            directory,
            life: None,
            lives: 0,
            disk: Disk::default(),
            settling: Settling::new(PATIENCE),
            published: None,
            counts: Arc::default(),
            skew: Arc::new(Mutex::new(SignedDuration::ZERO)),
            full: Arc::default(),
            fate: (1000, true),
        }
    }
}

impl Stage<'_> {
    /// Waits until a process is killed at a request.
    pub(super) async fn somebody_killed(&self) -> usize {
        let killed = self.players.iter().enumerate().filter_map(|(process, player)| {
            let wire = Arc::clone(&player.life.as_ref()?.wire);
            Some(Box::pin(async move {
                wire.killed.notified().await;
                process
            }))
        });
        let mut killed: Vec<_> = killed.collect();
        std::future::poll_fn(|context| {
            for future in &mut killed {
                if let std::task::Poll::Ready(process) = future.as_mut().poll(context) {
                    return std::task::Poll::Ready(process);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }

    /// What the watch does: look until two looks agree, and pass on what is new.
    pub(super) fn look(&mut self, process: usize) {
        let now = self.world.millis();
        let Some(player) = self.players.get_mut(process) else { return };
        let scan = {
            let mut state = self.world.state();
            let Some(directory) = state.directories.get_mut(player.directory) else { return };
            directory.scan()
        };
        let Some(settled) = player.settling.observe(scan, Instant::now().into_std()) else {
            let gap = i64::try_from(GAP.as_millis()).unwrap_or(50);
            self.cue(now + gap, Cue::Look(process));
            return;
        };
        if player.published.as_ref().is_some_and(|published| same_content(published, &settled)) {
            return;
        }
        match (&player.life, &settled.root) {
            (Some(life), _) => life.feed(Arc::clone(&settled)),
            (None, RootState::Present { .. })
                if !self.agenda.values().any(|cue| matches!(cue, Cue::Start(other) if *other == process)) =>
            {
                self.begin(process, Arc::clone(&settled));
            }
            (None, _) => {}
        }
        if let Some(player) = self.players.get_mut(process) {
            player.published = Some(settled);
        }
    }

    pub(super) fn begin(&mut self, process: usize, scan: Arc<Scan>) {
        let Some(player) = self.players.get_mut(process) else { return };
        player.lives += 1;
        self.world.judged(|millis, judge, mirror| judge.born(millis, process, mirror));
        let who = Who::Process { process, life: player.lives };
        let faults = Arc::new(self.story.faults.clone());
        let (counts, skew) = (Arc::clone(&player.counts), Arc::clone(&player.skew));
        let wire = Wire::new(Arc::clone(&self.world), who, faults, self.mutant, counts, skew);
        let jitter = self.story.seed ^ (u64::from(player.lives) << 32) ^ (process as u64) << 56;
        player.life = Some(Life::begin(Birth {
            world: Arc::clone(&self.world),
            door: self.door.clone(),
            wire: Arc::new(wire),
            disk: Arc::clone(&player.disk),
            scan,
            jitter,
            limits: self.story.limits,
            short: self.story.seed % WHOLE_WAY != 1,
            heartbeat: Duration::from_secs(u64::from(self.story.heartbeat)),
            skew: Arc::clone(&player.skew),
            full: Arc::clone(&player.full),
            mutant: self.mutant,
            process,
        }));
    }

    /// A process was killed.
    pub(super) fn fell(&mut self, process: usize) {
        let now = self.world.millis();
        let Some(player) = self.players.get_mut(process) else { return };
        let Some(life) = player.life.take() else { return };
        life.kill();
        self.world.judged(|millis, judge, mirror| judge.died(millis, process, mirror));
        let (down, keeps_disk) = player.fate;
        if !keeps_disk {
            player.disk.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.world.judged(|millis, judge, _| judge.lost_disk(millis, process));
        }
        self.cue(now + i64::from(down), Cue::Start(process));
    }
}
