//! Drawing a story from a seed.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::defaults::Defaults;
use crate::directory::Damage;
use crate::fault::{self, Kind, Outage};
use crate::hand::{Deed, Hand};
use crate::hands::Hands;
use crate::platform::{Platform, WRITING};
use crate::schedules::Schedules;
use crate::shape::pick;
use crate::sketch::{Book, Cluster, Controller, Job};
use crate::story::{Change, Crew, Event, Nature, Story, What};
use crate::timing::Timing;
use crate::triggers::Triggers;
use crate::ways::{self, Ways};

const HOUR: u32 = 3_600_000;

const SCHEDULES: [&str; 14] = [
    "5 * * * *",
    "0 2 * * *",
    "*/30 * * * *",
    "15 6-18 * * *",
    "20 4 * * 1-5",
    "@hourly",
    "@daily",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0/20 * * * ? *)",
    "cron(40 20-2 * * ? *)",
    "cron(10 3 1,23,24,25 * ? *)",
    "rate(6 hours)",
    "rate(50 minutes)",
    "30 1,7,13,19 * * *",
];

const NAMES: [&str; 14] = [
    "sales",
    "stock",
    "rates",
    "orders",
    "clicks",
    "users",
    "billing",
    "audit",
    "export",
    "import",
    "report",
    "cleanup",
    "sync",
    "daily-sales",
];

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

    fn books(&mut self, crew: Crew) -> Vec<Book> {
        let directories = crew.directories().iter().max().map_or(1, |most| most + 1);
        // Most of what can go wrong goes wrong with few jobs, and many of them are slow.
        let count = self.rng.usize(1..=12).min(self.rng.usize(1..=12));
        let mut names = NAMES.to_vec();
        self.rng.shuffle(&mut names);
        (0..directories)
            .map(|directory| {
                let identity = if crew == Crew::Neighbours && directory == 1 { "other" } else { "main" };
                let clusters = self.clusters();
                let mine =
                    names.iter().skip(if crew == Crew::Neighbours { directory * 6 } else { 0 }).take(count.min(12));
                let jobs = mine.map(|name| ((*name).to_owned(), self.job(&clusters))).collect();
                let controller = Controller {
                    name: identity.to_owned(),
                    source: "git.example/etl".to_owned(),
                    prefix: "etl-".to_owned(),
                    grace: *pick(&mut self.rng, &[300, 60, 1800]),
                    max_deletions: *pick(&mut self.rng, &[10, 2]),
                    max_changes: *pick(&mut self.rng, &[None, None, None, Some(2)]),
                    keep_revisions: *pick(&mut self.rng, &[5, 2]),
                    resync: 3600,
                    approved: None,
                };
                Book { controller, clusters, jobs }
            })
            .collect()
    }

    fn clusters(&mut self) -> BTreeMap<String, Cluster> {
        let cluster = |region: &str, role: Option<&str>| Cluster {
            region: region.to_owned(),
            role: role.map(str::to_owned),
            drain: false,
            shared: 1,
            scheduler: false,
            defaults: Defaults::default(),
        };
        let mut clusters = BTreeMap::from([("main".to_owned(), cluster("eu-central-1", None))]);
        if self.rng.u8(..3) == 0 {
            clusters.insert("far".to_owned(), cluster("us-east-1", None));
        }
        if self.rng.u8(..5) == 0 {
            let role = Some("arn:aws:iam::210987654321:role/etl");
            clusters.insert("lent".to_owned(), cluster("eu-central-1", role));
        }
        clusters
    }

    fn job(&mut self, clusters: &BTreeMap<String, Cluster>) -> Job {
        let names: Vec<&String> = clusters.keys().collect();
        let list = self.rng.u8(..4) == 0;
        let mut schedules = vec![self.schedule()];
        if list && self.rng.bool() {
            // Minutes that no other expression has: coinciding ticks are refused.
            schedules.push(format!("{} 5 * * *", self.rng.u8(50..59)));
        }
        self.versions += 1;
        let job = Job {
            cluster: (*pick(&mut self.rng, &names)).clone(),
            schedules,
            list,
            suspend: self.rng.u8(..8) == 0,
            disabled: false,
            moved_from: None,
            retain: self.rng.u8(..8) == 0,
            labels: if self.rng.bool() {
                BTreeMap::new()
            } else {
                BTreeMap::from([("team".to_owned(), "a b".to_owned())])
            },
            version: self.versions,
            shape: self.rng.u64(..),
            invalid: false,
            zone: None,
            timing: Timing::default(),
            triggers: Triggers::default(),
            adopt: None,
            overlaps: false,
        };
        self.schedules.of_job(job)
    }

    fn schedule(&mut self) -> String {
        let usual = *pick(&mut self.rng, &SCHEDULES);
        self.schedules.one(usual)
    }

    fn edit(&mut self, at: u32, directory: usize, books: &mut [Book]) {
        let Some(book) = books.get_mut(directory) else { return };
        let names: Vec<String> = book.jobs.keys().cloned().collect();
        if names.is_empty() || book.clusters.is_empty() {
            return;
        }
        let name = pick(&mut self.rng, &names).clone();
        let Some(job) = book.jobs.get(&name).cloned() else { return };
        self.versions += 1;
        if self.rng.u8(..24) == 0 {
            return self.clear_out(at, directory, book);
        }
        let put = |name: &str, job: Job| vec![Change::Put(name.to_owned(), Box::new(job))];
        let changes = match self.rng.u8(..16) {
            0..=3 => put(&name, Job { version: self.versions, ..job }),
            4 => put(&name, Job { suspend: !job.suspend, ..job }),
            5 => put(&name, Job { shape: self.rng.u64(..), version: self.versions, ..job }),
            6..=7 => put(&name, Job { schedules: vec![self.schedule()], ..job }),
            8 => {
                let labels = BTreeMap::from([("owner".to_owned(), format!("o{}", self.versions))]);
                put(&name, Job { labels, ..job })
            }
            9 => vec![Change::Remove(name)],
            10 => {
                let new = format!("{name}-{}", self.versions);
                let renamed = Job { moved_from: Some(name.clone()), ..job };
                vec![Change::Remove(name), Change::Put(new, Box::new(renamed))]
            }
            11 => {
                let clusters: Vec<&String> = book.clusters.keys().collect();
                let cluster = (*pick(&mut self.rng, &clusters)).clone();
                put(&name, Job { cluster, ..job })
            }
            12 => put(&name, Job { invalid: !job.invalid, ..job }),
            13 => {
                let Some((cluster, old)) = book.clusters.iter().next() else { return };
                vec![Change::PutCluster(cluster.clone(), Cluster { shared: self.versions, ..old.clone() })]
            }
            14 => put(&name, Job { disabled: !job.disabled, ..job }),
            _ => {
                let fresh = format!("new-{}", self.versions);
                let clusters = book.clusters.clone();
                let job = self.job(&clusters);
                put(&fresh, job)
            }
        };
        changes.iter().for_each(|change| change.apply(book));
        self.events.push(Event { at, what: What::Edit { directory, changes } });
    }

    /// Jobs that go one by one, minutes apart: together they are more than may go in an hour.
    fn clear_out(&mut self, at: u32, directory: usize, book: &mut Book) {
        let names: Vec<String> = book.jobs.keys().take(self.rng.usize(2..6)).cloned().collect();
        for (name, at) in names.into_iter().zip((at..).step_by(4 * 60_000)) {
            let change = Change::Remove(name);
            change.apply(book);
            self.events.push(Event { at, what: What::Edit { directory, changes: vec![change] } });
        }
    }

    fn damages(&mut self, calm: u32, books: &[Book]) {
        for _ in 0..self.rng.u8(1..4) {
            let directory = self.rng.usize(..books.len());
            let from = self.rng.u32(60_000..calm);
            let to = self.rng.u32(from..calm);
            let names: Vec<String> = books
                .get(directory)
                .into_iter()
                .flat_map(|book| book.jobs.keys())
                .map(|name| Book::file_of(name))
                .collect();
            if names.is_empty() {
                continue;
            }
            let file = pick(&mut self.rng, &names).clone();
            let mut between = |on: What, off: What, to: u32| {
                self.events.push(Event { at: from, what: on });
                self.events.push(Event { at: to, what: off });
            };
            let mend = What::Damage { directory, file: file.clone(), damage: None };
            let harm = |damage| What::Damage { directory, file: file.clone(), damage: Some(damage) };
            match self.rng.u8(..6) {
                0 => between(harm(Damage::Broken), mend, to),
                1 => between(harm(Damage::Unreadable), mend, to),
                2 => between(harm(Damage::Twice), mend, to),
                3 => {
                    let share = self.rng.u8(10..95);
                    between(harm(Damage::Half(share)), mend, from + WRITING);
                }
                4 => between(What::Gone { directory, gone: true }, What::Gone { directory, gone: false }, to),
                _ => {
                    between(What::Emptied { directory, emptied: true }, What::Emptied { directory, emptied: false }, to)
                }
            }
        }
    }

    fn hands(&mut self, calm: u32, books: &[Book]) {
        let mut further = Hands::of(self.seed);
        for _ in 0..self.rng.u8(1..8) {
            let directory = self.rng.usize(..books.len());
            let Some(book) = books.get(directory) else { continue };
            let names: Vec<&String> = book.jobs.keys().collect();
            if names.is_empty() {
                continue;
            }
            let job = (*pick(&mut self.rng, &names)).clone();
            let controller = book.controller.name.clone();
            let deed = match self.rng.u8(..20) {
                0 => Deed::Beside,
                1 => Deed::ClashRule,
                2 => Deed::Burst,
                _ => *pick(&mut self.rng, &Deed::DRIFT),
            };
            let at = self.rng.u32(30_000..calm);
            let times = if self.rng.u8(..6) == 0 { 3 } else { 1 };
            let rule = further.rule();
            for time in 0..times {
                let at = at.saturating_add(time * 2 * HOUR);
                if at < calm {
                    let hand = Hand { controller: controller.clone(), job: job.clone(), deed, rule };
                    self.events.push(Event { at, what: What::Hand(hand) });
                }
            }
            if deed == Deed::Pause {
                let hand = Hand { controller, job, deed: Deed::Resume, rule };
                let at = self.rng.u32(at..calm);
                self.events.push(Event { at, what: What::Hand(hand) });
            }
        }
        self.events.extend(further.seldom(calm, books));
    }

    fn kills(&mut self, calm: u32, crew: Crew) {
        // Most requests read, and what is left half done is what was half written.
        let mut writes = Rng::with_seed(self.seed.rotate_left(7) ^ 0x4b49_4c4c);
        for _ in 0..self.rng.u8(1..5) {
            let process = self.rng.usize(..crew.directories().len());
            // Most of what matters happens shortly after an edit.
            let edits: Vec<u32> = self.events.iter().map(|event| event.at).collect();
            let near = if edits.is_empty() { 0 } else { *pick(&mut self.rng, &edits) };
            let at = if self.rng.bool() { near.saturating_add(self.rng.u32(..2000)) } else { self.rng.u32(1000..calm) };
            let at = at.min(calm - 1);
            let down = *pick(&mut self.rng, &[50, 1000, 30_000, HOUR]);
            let what = if self.rng.u8(..5) == 0 {
                What::Stop { process, down }
            } else {
                What::Kill {
                    process,
                    request: (self.rng.u8(..4) != 0).then(|| self.rng.u32(..12)),
                    writes: writes.bool(),
                    effect: self.rng.bool(),
                    keeps_disk: self.rng.bool(),
                    down,
                }
            };
            self.events.push(Event { at, what });
        }
        if self.rng.u8(..4) == 0 {
            let process = self.rng.usize(..crew.directories().len());
            let at = self.rng.u32(..calm);
            let seconds = self.rng.i32(-60..60);
            self.events.push(Event { at, what: What::Skew { process, seconds } });
            self.events.push(Event { at: calm, what: What::Skew { process, seconds: 0 } });
            // For a while it may be hours off, and AWS takes nothing that is signed by it.
            let (hours, minutes) = (seconds / 8, seconds.unsigned_abs());
            let (far, near) = (at.saturating_add(minutes * 60_000), at.saturating_add(2 * minutes * 60_000));
            if near < calm {
                self.events.push(Event { at: far, what: What::Skew { process, seconds: hours * 3600 } });
                self.events.push(Event { at: near, what: What::Skew { process, seconds } });
            }
        }
    }

    fn faults(&mut self, calm: u32, books: &[Book]) -> fault::Plan {
        let mut plan =
            fault::Plan { seed: self.seed, latency: self.rng.u8(..3) != 0, until: calm / 1000, ..fault::Plan::none() };
        if self.rng.u8(..3) == 0 {
            return plan;
        }
        let rate = *pick(&mut self.rng, &[5, 20, 60]);
        for kind in Kind::ALL {
            if self.rng.u8(..4) == 0 {
                plan.kinds.push((kind, rate));
            }
        }
        for _ in 0..self.rng.u8(..3) {
            let from = self.rng.u32(..calm / 1000);
            let to = from + *pick(&mut self.rng, &[20, 300, 3600]);
            let kind = *pick(&mut self.rng, &Kind::ALL);
            let operations =
                (*pick(&mut self.rng, &["", "events:", "ecs:", "PutTargets", "Register", "List"])).to_owned();
            plan.outages.push(Outage { from, to, kind, operations });
        }
        if self.rng.u8(..8) == 0 {
            let names: Vec<&String> = books.iter().flat_map(|book| book.jobs.keys()).collect();
            if !names.is_empty() {
                plan.blocked = Some(format!("etl-{}", pick(&mut self.rng, &names)));
            }
        }
        plan
    }

    fn nature(&mut self) -> Nature {
        let sometimes = |rng: &mut Rng, value: u32| if rng.u8(..3) == 0 { value } else { 0 };
        Nature {
            list_lag: sometimes(&mut self.rng, 10),
            targets_linger: sometimes(&mut self.rng, 5),
            registration_takes: sometimes(&mut self.rng, 400),
            reorders: self.rng.bool(),
            throttles: self.rng.u8(..3) == 0,
            changes_take: *pick(&mut self.rng, &[0, 5, 30]),
        }
    }
}
