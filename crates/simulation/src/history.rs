//! Running a story: one thread, one paused clock, the shipped controller against the emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecs_etl_controller::scan::{RootState, Scan};
use ecs_etl_controller::settle::{GAP, Settling, same_content};
use ecs_etl_emulator::door::{Clock, Hook, InProcess};
use ecs_etl_emulator::{Emulator, Settings};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::Dispatch;

use crate::capture::Capture;
use crate::directory::Directory;
use crate::hand::Stranger;
use crate::judge::{Broken, Judge, end_state, without_tags};
use crate::life::{Birth, Disk, Life};
use crate::mutant::Mutant;
use crate::sketch::{Book, Cluster};
use crate::story::{Crew, Event, Nature, Story, What};
use crate::wire::{Killing, Wire};
use crate::world::{Made, State, Stats, Who, World};

/// What came of a history.
#[derive(Debug)]
pub struct Report {
    /// Equal for equal histories.
    pub digest: u64,
    /// Figures.
    pub stats: Stats,
    /// The promise that was broken, if one was.
    pub broken: Option<Broken>,
    /// The calls that processes made, if lines were to be kept.
    pub calls: Vec<Made>,
    /// The faults that happened, by their labels.
    pub faults: Vec<String>,
    /// What happened, line by line, if it was to be kept.
    pub lines: Vec<(i64, String)>,
}

/// When a history begins, on every clock in it, unless its story says otherwise.
const START: &str = "2026-11-23T00:00:00Z";

/// The longest that nobody looks, in milliseconds: ticks of more than an hour ago are not told any more.
const BREATH: i64 = 40 * 60_000;

/// In one seed of so many, requests go through the whole of the SDK.
const WHOLE_WAY: u64 = 8;

/// How long files may keep changing before the others are acted on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a story to its end, or to the first promise broken.
///
/// # Errors
///
/// The runtime cannot be made.
pub fn run(story: &Story, mutant: Option<Mutant>, keeps_lines: bool) -> std::io::Result<Report> {
    // The SDK draws from here, when it renews credentials for instance.
    fastrand::seed(story.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let capture = Capture::default();
    // Lines cost time, so that they are written only if somebody is to see them.
    let dispatch = if keeps_lines { capture.dispatch() } else { Dispatch::none() };
    Ok(tracing::dispatcher::with_default(&dispatch, || {
        runtime.block_on(async { Stage::new(story, mutant, keeps_lines, capture).play().await })
    }))
}

/// What the driver is to do, at some moment.
#[derive(Debug, Clone)]
enum Cue {
    /// The next event of the story.
    Event(Event),
    /// A process looks at its directory.
    Look(usize),
    /// A process is started.
    Start(usize),
}

/// One controller, through all its lives.
struct Player {
    directory: usize,
    life: Option<Life>,
    lives: u32,
    disk: Disk,
    settling: Settling,
    published: Option<Arc<Scan>>,
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    skew: Arc<Mutex<SignedDuration>>,
    /// Whether its disk refuses.
    full: Arc<AtomicBool>,
    /// How long it stays down, and whether its disk survives, should it be killed at a request.
    fate: (u32, bool),
}

struct Stage<'a> {
    story: &'a Story,
    mutant: Option<Mutant>,
    world: Arc<World>,
    door: InProcess,
    stranger: Stranger,
    players: Vec<Player>,
    agenda: BTreeMap<(i64, u64), Cue>,
    cues: u64,
    capture: Capture,
    begin: Instant,
}

impl<'a> Stage<'a> {
    fn new(story: &'a Story, mutant: Option<Mutant>, keeps_lines: bool, capture: Capture) -> Self {
        let start: Timestamp = story.start.as_deref().unwrap_or(START).parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let directories = story.books.iter().cloned().map(Directory::new).collect();
        let world = Arc::new(World::new(start, directories, Judge::new(story, start), keeps_lines));
        let nobody = Arc::new(crate::fault::Plan::none());
        let wire = Wire::new(Arc::clone(&world), Who::Stranger, nobody, None, Arc::default(), Arc::default());
        let emulator = Emulator::new(settings(&story.nature));
        let hook = Hook::new(Arc::new(wire));
        let door = InProcess::spawn(emulator, None, Clock::starting_at(start), hook);
        let players = story.crew.directories().iter().map(|directory| Player::new(*directory)).collect();
        let stranger = Stranger::new(door.clone(), Arc::clone(&world));
        Self {
            story,
            mutant,
            world,
            door,
            stranger,
            players,
            agenda: BTreeMap::new(),
            cues: 0,
            capture,
            begin: Instant::now(),
        }
    }

    async fn play(mut self) -> Report {
        self.perform().await;
        if !self.is_broken() {
            self.rests();
        }
        if !self.is_broken() {
            self.twin().await;
        }
        if !self.is_broken() && self.story.crew != Crew::Rivals {
            self.direct_path().await;
        }
        let state = self.world.state();
        // Lines of the controllers' own logs came some time after the rest.
        let mut lines = state.log.lines().to_vec();
        lines.sort_by_key(|(millis, _)| *millis);
        Report {
            digest: state.log.digest(),
            stats: state.stats.clone(),
            broken: state.judge.broken.clone(),
            calls: state.calls.clone(),
            faults: state.faults.clone(),
            lines,
        }
    }

    /// From the beginning to the end of the calm, or to the first promise broken.
    async fn perform(&mut self) {
        for event in &self.story.events {
            self.cue(i64::from(event.at), Cue::Event(event.clone()));
        }
        for process in 0..self.players.len() {
            self.cue(i64::try_from(process * 700).unwrap_or(0), Cue::Start(process));
        }
        self.until(i64::from(self.story.end)).await;
    }

    async fn until(&mut self, end: i64) {
        while !self.is_broken() {
            let due = self.agenda.first_key_value().map(|((at, _), _)| *at).filter(|at| *at < end).unwrap_or(end);
            let next = due.min(self.world.millis() + BREATH);
            let moment = self.begin + Duration::from_millis(u64::try_from(next).unwrap_or(0));
            tokio::select! {
                biased;
                process = self.somebody_killed() => self.fell(process),
                () = tokio::time::sleep_until(moment) => {
                    if next >= end {
                        break;
                    }
                    if next == due && let Some((_, cue)) = self.agenda.pop_first() {
                        // What fired before is judged by what was written then.
                        self.check().await;
                        self.follow(cue).await;
                    }
                }
            }
            self.check().await;
        }
    }

    fn is_broken(&self) -> bool {
        self.world.state().judge.broken.is_some()
    }

    /// What only time can show.
    async fn check(&self) {
        if let Err(lost) = self.door.catch_up().await {
            self.world.note(format_args!("{lost}"));
        }
        let millis = self.world.millis();
        let mut state = self.world.state();
        for (at, line) in self.capture.take() {
            let millis = i64::try_from(at.duration_since(self.begin).as_millis()).unwrap_or(millis);
            state.judge.logged(millis, &line);
            state.log.remark(millis, || line);
        }
        let State { judge, mirror, .. } = &mut *state;
        judge.time(millis, mirror);
        let over = self.players.iter().any(|player| player.life.as_ref().is_some_and(Life::is_over));
        if over {
            state.judge.accuse("isolation", millis, "a daemon ended by itself".to_owned());
        }
    }

    /// After hours of calm, all is as it should be.
    fn rests(&self) {
        let millis = self.world.millis();
        let mut state = self.world.state();
        let State { judge, mirror, .. } = &mut *state;
        judge.at_rest(millis, mirror);
    }

    /// A process that knows nothing takes the place of all others, and finds nothing to do.
    async fn twin(&mut self) {
        for process in 0..self.players.len() {
            let Some(player) = self.players.get_mut(process) else { continue };
            player.fate = (if process == 0 { 1000 } else { i32::MAX.unsigned_abs() }, false);
            self.fell(process);
        }
        let end = self.world.millis() + 20 * 60_000;
        self.until(end).await;
        let mut state = self.world.state();
        let since = end - 20 * 60_000;
        let State { judge, mirror, .. } = &mut *state;
        judge.twin(since, end, mirror);
    }

    /// The same manifests on an empty AWS, without a fault: what they make there is what must be here.
    async fn direct_path(&self) {
        let books: Vec<Book> = self.world.state().directories.iter().map(|directory| directory.book.clone()).collect();
        let story = Story {
            events: Vec::new(),
            faults: crate::fault::Plan::none(),
            nature: Nature::kind(),
            limits: false,
            calm: 0,
            end: 10 * 60_000,
            books,
            ..self.story.clone()
        };
        let mut direct = Stage::new(&story, None, false, self.capture.clone());
        Box::pin(direct.perform()).await;
        let there = direct.world.state();
        let mut here = self.world.state();
        let millis = self.world.millis();
        for (index, directory) in story.books.iter().enumerate() {
            let settled = here.judge.settled(index, &here.mirror);
            let identity = directory.controller.name.as_str();
            let (this, other) = (end_state(&here.mirror, identity), end_state(&there.mirror, identity));
            for job in settled.iter().filter(|(_, free)| **free).map(|(job, _)| job) {
                let shared = story.books.iter().filter(|other| other.jobs.contains_key(job)).count() > 1;
                let (mut this, mut other) = (this.get(job).cloned(), other.get(job).cloned());
                if here.judge.may_bear_others_tags(index, job, millis) {
                    (this, other) = (this.map(|rows| without_tags(&rows)), other.map(|rows| without_tags(&rows)));
                }
                if (!shared || story.crew == Crew::Twins) && this != other {
                    let what = format!(
                        "{job} is not what the direct path makes of it: {}",
                        first_difference(this.as_ref(), other.as_ref())
                    );
                    here.judge.accuse("independence", millis, what);
                }
            }
        }
    }

    fn cue(&mut self, at: i64, cue: Cue) {
        self.cues += 1;
        self.agenda.insert((at, self.cues), cue);
    }

    /// Waits until a process is killed at a request.
    async fn somebody_killed(&self) -> usize {
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

    async fn follow(&mut self, cue: Cue) {
        match cue {
            Cue::Event(event) => self.happens(&event).await,
            Cue::Look(process) => self.look(process),
            Cue::Start(process) => {
                if let Some(player) = self.players.get_mut(process).filter(|player| player.life.is_none()) {
                    player.settling = Settling::new(PATIENCE);
                    player.published = None;
                    self.look(process);
                }
            }
        }
    }

    async fn happens(&mut self, event: &Event) {
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

    fn write(&mut self, directory: usize, write: impl FnOnce(&mut Directory)) {
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

    /// What the watch does: look until two looks agree, and pass on what is new.
    fn look(&mut self, process: usize) {
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

    fn begin(&mut self, process: usize, scan: Arc<Scan>) {
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
    fn fell(&mut self, process: usize) {
        let now = self.world.millis();
        let Some(player) = self.players.get_mut(process) else { return };
        let Some(life) = player.life.take() else { return };
        life.kill();
        self.world.judged(|millis, judge, mirror| judge.died(millis, process, mirror));
        let (down, keeps_disk) = player.fate;
        if !keeps_disk {
            player.disk.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.world.judged(|_, judge, _| judge.lost_disk(process));
        }
        self.cue(now + i64::from(down), Cue::Start(process));
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

impl Player {
    fn new(directory: usize) -> Self {
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

fn settings(nature: &Nature) -> Settings {
    let seconds = |seconds: u32| SignedDuration::from_secs(i64::from(seconds));
    Settings {
        throttle: nature.throttles,
        list_lag: seconds(nature.list_lag),
        removed_targets_linger: seconds(nature.targets_linger),
        registration_takes: SignedDuration::from_millis(i64::from(nature.registration_takes)),
        reorder_containers: nature.reorders,
        changes_take: seconds(nature.changes_take),
        ..Settings::default()
    }
}

/// Where two end states of a job part, for a person.
fn first_difference(here: Option<&Vec<serde_json::Value>>, there: Option<&Vec<serde_json::Value>>) -> String {
    fn walk(here: &serde_json::Value, there: &serde_json::Value, path: &str) -> Option<String> {
        use serde_json::Value;
        match (here, there) {
            _ if here == there => None,
            (Value::Object(one), Value::Object(other)) => one.keys().chain(other.keys()).find_map(|key| {
                let null = Value::Null;
                walk(one.get(key).unwrap_or(&null), other.get(key).unwrap_or(&null), &format!("{path}/{key}"))
            }),
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
                .iter()
                .zip(other)
                .enumerate()
                .find_map(|(index, (one, other))| walk(one, other, &format!("{path}/{index}"))),
            _ => Some(format!("{path} is {here} here and {there} there")),
        }
    }
    let array =
        |state: Option<&Vec<serde_json::Value>>| state.map_or(serde_json::Value::Null, |rows| rows.clone().into());
    walk(&array(here), &array(there), "").unwrap_or_default()
}
