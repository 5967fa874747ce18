//! Drawing the other ways in which a job may start: EventBridge Scheduler, other jobs, events. The dice are their own, so that the
//! story of a seed without them stays as it is.

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::shape::pick;
use crate::sketch::{Book, Cluster, Job};
use crate::story::{Change, Event, What};
use crate::timing;
use crate::triggers::{End, Fate, Triggers};

const ZONES: [&str; 7] = [
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/St_Johns",
    "UTC",
];

/// When most stories begin.
const USUAL: &str = "2026-11-23T00:00:00Z";

/// Days whose night clocks change somewhere, each but the first.
const STARTS: [&str; 5] =
    [USUAL, "2026-10-24T00:00:00Z", "2026-03-28T00:00:00Z", "2026-10-31T12:00:00Z", "2026-03-07T18:00:00Z"];

/// What the names of what is taken over begin with.
pub(crate) const LEGACY: &str = "Legacy_";

const SOURCES: [&str; 3] = ["shop.orders", "shop.refunds", "lake"];

/// What a story has of them.
#[derive(Debug)]
pub(crate) struct Ways {
    rng: Rng,
    zones: bool,
    triggers: bool,
    /// What rules cannot do, an adopted rule is not moved to.
    adopts: bool,
    /// When the story begins.
    start: &'static str,
    /// Dice for dates and windows.
    dates: Rng,
}

impl Ways {
    /// What the story of a seed has.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed.rotate_left(31) ^ 0x5741_5953);
        let (zones, triggers) = (rng.u8(..3) == 0, rng.u8(..3) == 0);
        let adopts = !zones && rng.u8(..4) == 0;
        let mut dates = Rng::with_seed(seed.rotate_left(13) ^ 0x4441_5445);
        let start = if zones { *pick(&mut dates, &STARTS) } else { USUAL };
        Self { rng, zones, triggers, adopts, start, dates }
    }

    /// When the story begins.
    pub fn start(&self) -> Option<String> {
        (self.start != USUAL).then(|| self.start.to_owned())
    }

    /// Gives clusters and jobs what they have of it from the beginning.
    pub fn dress(&mut self, book: &mut Book) {
        for cluster in book.clusters.values_mut().filter(|_| self.zones) {
            cluster.scheduler = self.rng.u8(..4) == 0;
        }
        let names: Vec<String> = book.jobs.keys().cloned().collect();
        for (index, name) in names.iter().enumerate() {
            let earlier = names.get(..index).unwrap_or_default();
            if let Some(job) = book.jobs.get(name).cloned() {
                let dressed = self.dressed(name, job, earlier, book);
                book.jobs.insert(name.clone(), dressed);
            }
        }
    }

    fn dressed(&mut self, name: &str, mut job: Job, earlier: &[String], book: &Book) -> Job {
        if self.zones && self.rng.bool() {
            job.zone = Some((*pick(&mut self.rng, &ZONES)).to_owned());
            self.time(&mut job);
        }
        if self.triggers {
            job.triggers = self.draw(&job, earlier, book);
            if job.triggers.starts() > 0 && self.rng.bool() {
                (job.schedules, job.list) = (Vec::new(), false);
            }
        }
        if self.adopts && !job.list && job.schedules.len() == 1 && self.rng.bool() {
            job.adopt = Some(format!("{LEGACY}{name}"));
        }
        job
    }

    /// Dates, windows and moments within some hours of the beginning.
    fn time(&mut self, job: &mut Job) {
        let begin: Timestamp = self.start.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let hours = SignedDuration::from_mins(self.dates.i64(60..20 * 60));
        let moment = begin.checked_add(hours).unwrap_or(begin);
        match self.dates.u8(..12) {
            0 => job.timing.start = Some(moment),
            1 => job.timing.end = Some(moment),
            2 => (job.schedules, job.list) = (vec![timing::at(moment)], false),
            3..5 => job.timing.window = Some(*pick(&mut self.dates, &[5, 30])),
            _ => {}
        }
    }

    fn draw(&mut self, job: &Job, earlier: &[String], book: &Book) -> Triggers {
        let mut triggers = Triggers::default();
        // Most that a job waits for can start it: what cannot is drawn by edits.
        let near: Vec<&String> = earlier
            .iter()
            .filter(|name| book.jobs.get(*name).is_some_and(|other| other.cluster == job.cluster))
            .collect();
        if !near.is_empty() {
            let after: BTreeSet<&String> = (0..self.rng.u8(..3)).map(|_| *pick(&mut self.rng, &near)).collect();
            triggers.after = after.into_iter().map(|name| (name.clone(), self.end())).collect();
        }
        for source in SOURCES {
            if self.rng.u8(..6) == 0 {
                triggers.events.insert(source.to_owned());
            }
        }
        self.draw_ends(&mut triggers);
        triggers
    }

    fn draw_ends(&mut self, triggers: &mut Triggers) {
        triggers.notify = match self.rng.u8(..6) {
            0 => BTreeSet::from([End::Failure]),
            1 => BTreeSet::from([End::Completion]),
            2 => BTreeSet::from([End::Success, End::Failure]),
            _ => BTreeSet::new(),
        };
        triggers.fate = *pick(&mut self.rng, &[Fate::Well, Fate::Well, Fate::Well, Fate::Fails, Fate::NeverStarts]);
    }

    fn end(&mut self) -> End {
        *pick(&mut self.rng, &[End::Success, End::Success, End::Failure, End::Completion])
    }

    /// When somebody edits what only such stories have.
    pub fn edits(&mut self, calm: u32) -> Vec<u32> {
        let count = if self.zones || self.triggers { self.rng.u32(1..6) } else { 0 };
        (0..count).map(|_| self.rng.u32(60_000..calm)).collect()
    }

    /// Such an edit, which makes `version` if it makes one.
    pub fn edit(&mut self, book: &Book, version: u32) -> Vec<Change> {
        let names: Vec<&String> = book.jobs.keys().collect();
        if names.is_empty() || book.clusters.is_empty() {
            return Vec::new();
        }
        let name = (*pick(&mut self.rng, &names)).clone();
        let Some(job) = book.jobs.get(&name).cloned() else { return Vec::new() };
        let put = |job: Job| vec![Change::Put(name.clone(), Box::new(job))];
        let kind = match (self.zones, self.triggers) {
            (true, true) => self.rng.u8(..8),
            (true, false) => self.rng.u8(..3),
            (false, _) => self.rng.u8(3..8),
        };
        match kind {
            0 if self.rng.bool() => {
                let clusters: Vec<(&String, &Cluster)> = book.clusters.iter().collect();
                let (name, cluster) = *pick(&mut self.rng, &clusters);
                vec![Change::PutCluster(name.clone(), Cluster { scheduler: !cluster.scheduler, ..cluster.clone() })]
            }
            0 | 1 => put(Job { zone: Some((*pick(&mut self.rng, &ZONES)).to_owned()), ..job }),
            2 if self.dates.bool() => {
                let mut other = Job { timing: timing::Timing::default(), ..job };
                self.time(&mut other);
                put(other)
            }
            2 => put(Job { zone: None, ..job }),
            3 | 4 => {
                let earlier: Vec<String> =
                    names.iter().map(|name| (*name).clone()).take_while(|other| *other != name).collect();
                let triggers = self.draw(&job, &earlier, book);
                self.retriggered(&name, job, triggers, version)
            }
            5 => {
                // Any other job, in whatever cluster: it may wait for this one.
                let others: Vec<&&String> = names.iter().filter(|other| ***other != name).collect();
                if others.is_empty() {
                    return Vec::new();
                }
                let after = vec![((**pick(&mut self.rng, &others)).clone(), self.end())];
                let triggers = Triggers { after, ..job.triggers.clone() };
                self.retriggered(&name, job, triggers, version)
            }
            6 => {
                let mut triggers = job.triggers.clone();
                self.draw_ends(&mut triggers);
                self.retriggered(&name, job, triggers, version)
            }
            _ => self.retriggered(&name, job, Triggers::default(), version),
        }
    }

    /// A job with other triggers, and with a schedule where nothing else would start it.
    fn retriggered(&mut self, name: &str, job: Job, triggers: Triggers, version: u32) -> Vec<Change> {
        let schedules = if job.schedules.is_empty() && triggers.starts() == 0 {
            vec!["25 * * * *".to_owned()]
        } else {
            job.schedules.clone()
        };
        // What a container does is part of its task definition.
        let version = if triggers.fate == job.triggers.fate && passes_on(&triggers) == passes_on(&job.triggers) {
            job.version
        } else {
            version
        };
        vec![Change::Put(name.to_owned(), Box::new(Job { triggers, schedules, version, ..job }))]
    }

    /// Events of others that jobs may wait for.
    pub fn told(&mut self, calm: u32, directories: usize) -> Vec<Event> {
        let count = if self.triggers { self.rng.u32(3..20) } else { 0 };
        let tell = |rng: &mut Rng| Event {
            at: rng.u32(60_000..calm + (3_600_000 * 8)),
            what: What::Told { directory: rng.usize(..directories), source: (*pick(rng, &SOURCES)).to_owned() },
        };
        (0..count).map(|_| tell(&mut self.rng)).collect()
    }
}

/// What was there before the controller: a family and a rule for each job that takes them over, but one in three.
pub(crate) fn legacies(book: &Book) -> impl Iterator<Item = Event> {
    let adopting = book.jobs.iter().filter(|(_, job)| job.shape % 3 != 0);
    adopting.filter_map(|(_, job)| {
        let place = book.cluster_of(job).map(Cluster::place)?;
        Some(Event { at: 0, what: What::Legacy { place, name: job.adopt.clone()? } })
    })
}

fn passes_on(triggers: &Triggers) -> (bool, bool) {
    (triggers.after.is_empty(), triggers.events.is_empty())
}
