//! Drawing what a platform team does beside editing jobs: it goes back to what was written before, drains clusters and lets them go,
//! retunes the controller, and breaks files that every job hangs on. The dice are their own, so that the story of a seed without it
//! stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use crate::directory::Damage;
use crate::shape::pick;
use crate::sketch::{Book, Cluster, Controller, Job};
use crate::story::{Change, Event, What};

const MINUTE: u32 = 60_000;

/// How long it takes to write a file, in milliseconds.
pub(crate) const WRITING: u32 = 320;

/// What a story has of it.
#[derive(Debug)]
pub(crate) struct Platform {
    rng: Rng,
    reverts: bool,
    places: bool,
    tunes: bool,
    breaks: bool,
    /// What each job of each directory said before, in the order of time.
    past: BTreeMap<(usize, String), Vec<Job>>,
    /// Clusters whose document went.
    former: BTreeMap<(usize, String), Cluster>,
}

impl Platform {
    /// What the story of a seed has, whose directories begin as `books`.
    pub fn of(seed: u64, books: &[Book]) -> Self {
        let mut rng = Rng::with_seed(seed.rotate_left(19) ^ 0x504c_4154);
        let [reverts, places, tunes, breaks] = [3, 6, 6, 8].map(|share| rng.u8(..share) == 0);
        let mut platform = Self { rng, reverts, places, tunes, breaks, past: BTreeMap::new(), former: BTreeMap::new() };
        books.iter().enumerate().for_each(|(directory, book)| platform.remember(directory, book));
        platform
    }

    /// Takes note of what a directory says now.
    pub fn remember(&mut self, directory: usize, book: &Book) {
        if !self.reverts {
            return;
        }
        for (name, job) in &book.jobs {
            let said = self.past.entry((directory, name.clone())).or_default();
            if said.last() != Some(job) {
                said.push(job.clone());
            }
        }
    }

    /// When it does something: most often soon after some edit.
    pub fn moments(&mut self, edits: &[u32], calm: u32) -> Vec<u32> {
        let count = |rng: &mut Rng, does: bool| if does { rng.u32(1..5) } else { 0 };
        let reverts = count(&mut self.rng, self.reverts);
        let others = count(&mut self.rng, self.places) + count(&mut self.rng, self.tunes);
        let near = |rng: &mut Rng| {
            let longest = *pick(rng, &[20_000, 5 * MINUTE, 60 * MINUTE]);
            (*pick(rng, edits) + rng.u32(1..longest)).min(calm - 1)
        };
        let mut moments: Vec<u32> = (0..reverts).map(|_| near(&mut self.rng)).collect();
        moments.extend((0..others).map(|_| self.rng.u32(MINUTE..calm)));
        moments
    }

    /// What it does then in one of the directories.
    pub fn edit(&mut self, directory: usize, book: &Book) -> Vec<Change> {
        let kinds: Vec<u8> = [(0, self.reverts), (1, self.places), (2, self.tunes)]
            .into_iter()
            .filter_map(|(kind, does)| does.then_some(kind))
            .collect();
        if kinds.is_empty() {
            return Vec::new();
        }
        match pick(&mut self.rng, &kinds) {
            0 => self.revert(directory, book),
            1 => self.redraw(directory, book),
            _ => vec![self.retune(book)],
        }
    }

    /// A job says again what it said before, or is there again. What was renamed goes back by another rename only.
    fn revert(&mut self, directory: usize, book: &Book) -> Vec<Change> {
        let said = || self.past.iter().filter(|((of, _), _)| *of == directory);
        let renamed: BTreeSet<&String> =
            said().flat_map(|(_, said)| said.iter().filter_map(|job| job.moved_from.as_ref())).collect();
        let earlier: Vec<(&String, &Job)> = said()
            .filter(|((_, name), _)| !renamed.contains(name))
            .flat_map(|((_, name), said)| said.iter().map(move |job| (name, job)))
            .filter(|(name, job)| book.jobs.get(*name) != Some(*job))
            .collect();
        if earlier.is_empty() {
            return Vec::new();
        }
        let (name, job) = *pick(&mut self.rng, &earlier);
        vec![Change::Put(name.clone(), Box::new(job.clone()))]
    }

    /// A cluster is drained, is not drained after all, goes, or comes back.
    fn redraw(&mut self, directory: usize, book: &Book) -> Vec<Change> {
        let gone: Vec<(&String, &Cluster)> = self
            .former
            .iter()
            .filter(|((of, name), _)| *of == directory && !book.clusters.contains_key(name))
            .map(|((_, name), cluster)| (name, cluster))
            .collect();
        if !gone.is_empty() && self.rng.u8(..3) != 0 {
            let (name, cluster) = *pick(&mut self.rng, &gone);
            return vec![Change::PutCluster(name.clone(), cluster.clone())];
        }
        let there: Vec<(&String, &Cluster)> = book.clusters.iter().collect();
        if there.is_empty() {
            return Vec::new();
        }
        let (name, cluster) = *pick(&mut self.rng, &there);
        let drain = |drain: bool| Change::PutCluster(name.clone(), Cluster { drain, ..cluster.clone() });
        let goes = if cluster.drain { self.rng.bool() } else { self.rng.u8(..4) == 0 };
        if !goes {
            return vec![drain(!cluster.drain)];
        }
        self.former.insert((directory, name.clone()), cluster.clone());
        vec![Change::RemoveCluster(name.clone())]
    }

    fn retune(&mut self, book: &Book) -> Change {
        let mut controller = book.controller.clone();
        let Controller { grace, max_deletions, max_changes, keep_revisions, resync, .. } = &mut controller;
        match self.rng.u8(..5) {
            0 => *grace = *pick(&mut self.rng, &[60, 300, 900]),
            1 => *max_deletions = *pick(&mut self.rng, &[1, 2, 10]),
            2 => *max_changes = *pick(&mut self.rng, &[None, Some(1), Some(3)]),
            3 => *keep_revisions = *pick(&mut self.rng, &[1, 2, 5]),
            _ => *resync = *pick(&mut self.rng, &[1800, 3600]),
        }
        Change::PutController(Box::new(controller))
    }

    /// Files that many jobs hang on are damaged for a while.
    pub fn damages(&mut self, calm: u32, books: &[Book]) -> Vec<Event> {
        let count = if self.breaks { self.rng.u32(1..3) } else { 0 };
        let mut events = Vec::new();
        for _ in 0..count {
            let directory = self.rng.usize(..books.len());
            let clusters: Vec<&String> =
                books.get(directory).into_iter().flat_map(|book| book.clusters.keys()).collect();
            let file = if clusters.is_empty() || self.rng.bool() {
                Book::CONTROLLER.to_owned()
            } else {
                Book::file_of_cluster((*pick(&mut self.rng, &clusters)).as_str())
            };
            let damage = match self.rng.u8(..4) {
                0 => Damage::Broken,
                1 => Damage::Unreadable,
                2 => Damage::Twice,
                _ => Damage::Half(self.rng.u8(10..95)),
            };
            let from = self.rng.u32(MINUTE..calm);
            let longest = *pick(&mut self.rng, &[30_000, 10 * MINUTE, 180 * MINUTE]);
            let to = (from + self.rng.u32(1_000..longest)).min(calm);
            // Half a document may say something else, so that nobody writes one slowly.
            let to = if matches!(damage, Damage::Half(_)) { from + WRITING } else { to };
            for (at, damage) in [(from, Some(damage)), (to, None)] {
                events.push(Event { at, what: What::Damage { directory, file: file.clone(), damage } });
            }
        }
        events
    }
}
