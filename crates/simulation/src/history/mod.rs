//! Running a story: one thread, one paused clock, the shipped controller against the emulator.

mod events;
mod finish;
mod limit;
mod players;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_controller::settle::Settling;
use ecs_etl_emulator::door::{Clock, Hook, InProcess};
use ecs_etl_emulator::{Emulator, Settings};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::Dispatch;

use limit::within;
use players::Player;

use crate::capture::Capture;
use crate::directory::Directory;
use crate::hand::Stranger;
use crate::judge::{Broken, Judge};
use crate::life::Life;
use crate::mutant::Mutant;
use crate::story::{Crew, Event, Nature, Story};
use crate::wire::Wire;
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

/// In one seed of so many, whatever is written to the log is looked at: of no seed that is run twice, which must come to the same
/// with a log and without.
const HEARD: u64 = 8;

/// The longest that a history may go on, of wall clock: on a busy machine the longest takes some seconds.
const LONGEST: Duration = Duration::from_secs(600);

/// How long files may keep changing before the others are acted on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a story to its end, or to the first promise broken.
///
/// # Errors
///
/// The runtime cannot be made, or the history goes on for [`LONGEST`] of wall clock (`TimedOut`).
pub fn run(story: &Story, mutant: Option<Mutant>, keeps_lines: bool) -> std::io::Result<Report> {
    let story = story.clone();
    within(LONGEST, &format!("the history of seed {}", story.seed), move || to_its_end(&story, mutant, keeps_lines))
}

fn to_its_end(story: &Story, mutant: Option<Mutant>, keeps_lines: bool) -> std::io::Result<Report> {
    // The SDK draws from here, when it renews credentials for instance.
    fastrand::seed(story.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let capture = Capture::default();
    // Lines cost time, so that they are written only if somebody is to see them.
    let dispatch = if keeps_lines || story.seed % HEARD == 5 { capture.dispatch() } else { Dispatch::none() };
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

    fn cue(&mut self, at: i64, cue: Cue) {
        self.cues += 1;
        self.agenda.insert((at, self.cues), cue);
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
