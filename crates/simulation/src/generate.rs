//! Drawing a story from a seed.

mod edits;
mod manifests;
mod storm;

use fastrand::Rng;

use crate::defaults::Defaults;
use crate::platform::Platform;
use crate::schedules::Schedules;
use crate::sketch::Book;
use crate::story::{Crew, Event, Story, What};
use crate::ways::{self, Ways};

const HOUR: u32 = 3_600_000;

/// The story of a seed.
pub fn story(seed: u64) -> Story {
    Drawing::new(seed).story()
}

/// Who edits.
#[derive(Debug, Clone, Copy)]
enum Editor {
    /// The team of a job.
    Team,
    /// Those that use what only some stories have.
    Ways,
    /// Those that look after all of it.
    Platform,
}

struct Drawing {
    rng: Rng,
    ways: Ways,
    schedules: Schedules,
    seed: u64,
    events: Vec<Event>,
    versions: u32,
}

impl Drawing {
    fn new(seed: u64) -> Self {
        let schedules = Schedules::of(seed);
        Self { rng: Rng::with_seed(seed), ways: Ways::of(seed), schedules, seed, events: Vec::new(), versions: 0 }
    }

    fn story(mut self) -> Story {
        let crew = match self.rng.u8(..10) {
            0 => Crew::Twins,
            1 => Crew::Rivals,
            2 => Crew::Neighbours,
            _ => Crew::One,
        };
        let days = if self.rng.u8(..48) == 0 { 3 } else { 1 };
        let end = days * 24 * HOUR;
        let calm = end - 9 * HOUR;
        let mut books = self.books(crew);
        books.iter_mut().for_each(|book| self.ways.dress(book));
        let mut defaults = Rng::with_seed(self.seed.rotate_left(43) ^ 0x4445_4641);
        let clusters = books.iter_mut().flat_map(|book| book.clusters.values_mut());
        clusters.for_each(|cluster| cluster.defaults = Defaults::draw(&mut defaults));
        let mut current = books.clone();
        let mut edits: Vec<u32> = (0..self.rng.u32(2..12)).map(|_| self.rng.u32(60_000..calm)).collect();
        edits.sort_unstable();
        let mut platform = Platform::of(self.seed, &books);
        let mut moments: Vec<(u32, Editor)> = self.ways.edits(calm).into_iter().map(|at| (at, Editor::Ways)).collect();
        moments.extend(platform.moments(&edits, calm).into_iter().map(|at| (at, Editor::Platform)));
        moments.extend(edits.iter().map(|at| (*at, Editor::Team)));
        moments.sort_by_key(|(at, _)| *at);
        for (at, editor) in moments {
            match editor {
                Editor::Team => {
                    let directory = self.rng.usize(..books.len());
                    self.edit(at, directory, &mut current);
                }
                Editor::Ways => self.edit_ways(at, &mut current),
                Editor::Platform => self.edit_platform(at, &mut platform, &mut current),
            }
            current.iter().enumerate().for_each(|(directory, book)| platform.remember(directory, book));
        }
        if self.rng.bool() {
            self.damages(calm, &current);
        }
        self.events.extend(platform.damages(calm, &books));
        if self.rng.bool() {
            self.hands(calm, &current);
        }
        if self.rng.bool() {
            self.kills(calm, crew);
        }
        for directory in 0..books.len() {
            for hours in [1, 3, 5] {
                self.events.push(Event { at: calm + hours * HOUR, what: What::Approve { directory } });
            }
        }
        let faults = self.faults(calm, &current);
        let nature = self.nature();
        let limits = self.rng.bool();
        // A heartbeat a minute shows nothing that ten an hour do not, but on the minute.
        let heartbeat = if self.rng.u8(..32) == 0 { 60 } else { 600 };
        if self.rng.u8(..6) == 0 {
            let process = self.rng.usize(..crew.directories().len());
            let from = self.rng.u32(..calm);
            let to = from.saturating_add(self.rng.u32(1000..4 * HOUR)).min(calm);
            self.events.push(Event { at: from, what: What::Disk { process, full: true } });
            self.events.push(Event { at: to, what: What::Disk { process, full: false } });
        }
        let mut events = self.events;
        events.extend(self.ways.told(calm, books.len()));
        events.extend(books.iter().flat_map(ways::legacies));
        events.sort_by_key(|event| event.at);
        let start = self.ways.start();
        Story { seed: self.seed, crew, books, events, faults, nature, limits, heartbeat, calm, end, start }
    }

    fn edit_ways(&mut self, at: u32, books: &mut [Book]) {
        // Versions of these do not get in the way of others.
        let version = 100_000 + at / 1000;
        for (directory, book) in books.iter_mut().enumerate() {
            let changes = self.ways.edit(book, version);
            if !changes.is_empty() {
                changes.iter().for_each(|change| change.apply(book));
                self.events.push(Event { at, what: What::Edit { directory, changes } });
            }
        }
    }

    fn edit_platform(&mut self, at: u32, platform: &mut Platform, books: &mut [Book]) {
        for (directory, book) in books.iter_mut().enumerate() {
            let changes = platform.edit(directory, book);
            if !changes.is_empty() {
                changes.iter().for_each(|change| change.apply(book));
                self.events.push(Event { at, what: What::Edit { directory, changes } });
            }
        }
    }
}
