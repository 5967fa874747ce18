//! What the directories said when: the judge's own memory of every commit.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::defaults::Defaults;
use crate::directory::Directory;
use crate::sketch::{Book, Cluster, Job};
use crate::story::Crew;
use crate::timing::Timing;

/// A resync, a little late, in milliseconds.
pub(super) const RESYNC: i64 = 66 * 60_000;

/// What a directory says of a job, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// The job, with what its cluster gives it; none if it is not to be live.
    pub wanted: Option<Wanted>,
    /// Whether some document speaks of it, usable or not.
    pub mentioned: bool,
    /// When this last changed, in milliseconds.
    pub since: i64,
    /// Since when it is not mentioned.
    pub gone_since: Option<i64>,
    /// Versions that were wanted, with the time they came.
    pub versions: Vec<(i64, u32)>,
}

/// A job that is to be live.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub job: Job,
    /// `account/region`.
    pub place: String,
    pub shared: u32,
    /// What else its cluster gives it.
    pub defaults: Defaults,
    /// Whether its schedules are EventBridge Scheduler's.
    pub scheduled: bool,
}

impl Wanted {
    /// Whether another wish ticks at the same moments in the same place.
    pub fn ticks_like(&self, other: &Self) -> bool {
        let schedules = |wanted: &Self| {
            let job = &wanted.job;
            (job.schedules.clone(), job.list, job.zone.clone(), job.timing.clone())
        };
        let home = |wanted: &Self| (wanted.place.clone(), wanted.scheduled, wanted.job.suspend);
        schedules(self) == schedules(other) && home(self) == home(other)
    }

    /// Whether another wish is the same in other words: no zone is UTC, and where nothing is scheduled neither a zone, nor dates,
    /// nor the service that keeps schedules say anything.
    pub fn means(&self, other: &Self) -> bool {
        self.in_plain_words() == other.in_plain_words()
    }

    fn in_plain_words(&self) -> Self {
        let mut plain = self.clone();
        if plain.job.schedules.is_empty() {
            plain.job.zone = None;
            plain.job.timing = Timing::default();
            plain.scheduled = false;
        }
        plain.job.zone = plain.job.zone.filter(|zone| zone != "UTC");
        plain
    }

    /// Whether none of its schedules is to be touched any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let zone = self.job.zone.as_deref().unwrap_or("UTC");
        self.job.timing.is_over(zone, &self.job.schedules, now)
    }

    /// How a pattern knows its runs: their cluster, their group, and the container whose exit code counts.
    pub fn runs(&self, name: &str) -> (String, Option<String>, Option<String>) {
        let spec = crate::shape::spec(name, self.job.shape, self.job.version);
        let text = |path: &str| spec.pointer(path).and_then(serde_json::Value::as_str).map(str::to_owned);
        (self.job.cluster.clone(), text("/runTask/group"), text("/taskDefinition/containerDefinitions/0/name"))
    }
}

/// A place that no document names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unnamed {
    /// When it was named again.
    named: Option<i64>,
    /// Whether a process was started meanwhile: it does not know what is there.
    is_forgotten: bool,
}

/// One directory through time.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub now: Directory,
    pub pages: BTreeMap<String, Page>,
    /// Since when it cannot be known completely.
    pub incomplete_since: Option<i64>,
    /// Since when it can.
    pub complete_since: i64,
    /// When all of it last went, whatever could not be read of it before.
    pub vanished: i64,
    /// When the controller's document last changed.
    pub controller_since: i64,
    /// When a place was last named no more: what was asked there is told nobody.
    pub lost_since: i64,
    /// When a set of deletions was last released.
    pub approved: Option<i64>,
    /// Places with something in them that no document names, or did not until then, and whether somebody new knows nothing of them.
    pub unnamed: BTreeMap<String, Unnamed>,
    /// Jobs that may not be deleted, by the last valid document that named them.
    pub retained: BTreeMap<String, bool>,
}

impl Shelf {
    /// The identity of its controller.
    pub fn identity(&self) -> &str {
        &self.now.book.controller.name
    }

    /// Whether something ran in a place that no document names any more.
    pub fn has_lost_a_place(&self) -> bool {
        self.unnamed.values().any(|unnamed| unnamed.named.is_none())
    }

    /// Whether a job takes over what bears this name.
    pub fn adopts(&self, name: &str) -> bool {
        self.now.book.jobs.values().any(|job| job.adopt.as_deref() == Some(name))
    }
}

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub shelves: Vec<Shelf>,
    crew: Crew,
    /// When a stranger last reached for a job's resources.
    hands: BTreeMap<String, i64>,
    /// When it really was, whatever is forgiven for how long.
    moments: BTreeMap<String, i64>,
    /// What a renamed job was called first.
    roots: BTreeMap<String, String>,
    /// Until when somebody who knew nothing of schedules may take places for ones without any, since reading them was refused.
    blind_until: i64,
}

/// A job of which something changed: before and after.
pub(crate) struct Edited {
    pub name: String,
    pub before: Option<Wanted>,
    pub after: Option<Wanted>,
}

impl Books {
    pub fn new(books: &[Book], crew: Crew) -> Self {
        let mut all = Self {
            shelves: Vec::new(),
            crew,
            hands: BTreeMap::new(),
            moments: BTreeMap::new(),
            roots: BTreeMap::new(),
            blind_until: 0,
        };
        for (index, book) in books.iter().enumerate() {
            let now = Directory::new(book.clone());
            all.shelves.push(Shelf {
                now: Directory::new(Book { jobs: BTreeMap::new(), ..book.clone() }),
                pages: BTreeMap::new(),
                incomplete_since: None,
                complete_since: 0,
                vanished: 0,
                controller_since: 0,
                lost_since: 0,
                approved: None,
                unnamed: BTreeMap::new(),
                retained: BTreeMap::new(),
            });
            all.edited(0, index, &now);
        }
        all
    }

    /// The directory of a process.
    pub fn of_process(&self, process: usize) -> Option<&Shelf> {
        self.shelves.get(*self.crew.directories().get(process)?)
    }

    /// The identity of a process.
    pub fn identity(&self, process: usize) -> &str {
        self.of_process(process).map_or("", Shelf::identity)
    }

    /// Takes note of a commit, or of damage.
    pub fn edited(&mut self, millis: i64, directory: usize, now: &Directory) -> Vec<Edited> {
        let Some(shelf) = self.shelves.get_mut(directory) else { return Vec::new() };
        if now.is_complete() {
            if shelf.incomplete_since.take().is_some() {
                shelf.complete_since = millis;
            }
        } else {
            shelf.incomplete_since.get_or_insert(millis);
        }
        let is_away = |directory: &Directory| directory.gone || directory.emptied;
        if is_away(now) && !is_away(&shelf.now) {
            shelf.vanished = millis;
        }
        if shelf.now.book.controller != now.book.controller {
            shelf.controller_since = millis;
            let (before, after) = (&shelf.now.book.controller.approved, &now.book.controller.approved);
            if after.is_some() && before != after {
                shelf.approved = Some(millis);
            }
        }
        let places = |directory: &Directory| -> Vec<String> {
            directory.book.clusters.values().map(Cluster::place).filter(|place| directory.names(place)).collect()
        };
        for place in places(&shelf.now).into_iter().filter(|place| !now.names(place)) {
            shelf.lost_since = millis;
            shelf.unnamed.insert(place, Unnamed::default());
        }
        for (_, unnamed) in shelf.unnamed.iter_mut().filter(|(place, _)| now.names(place)) {
            unnamed.named.get_or_insert(millis);
        }
        let mut edited = Vec::new();
        let names: std::collections::BTreeSet<String> =
            shelf.pages.keys().chain(now.book.jobs.keys()).cloned().collect();
        for name in names {
            let waits_for_damaged = || now.book.upstream_of(&name).into_iter().any(|upstream| now.is_damaged(upstream));
            if now.is_damaged(&name) || waits_for_damaged() {
                // What cannot be read goes on to hold as it was read last, and what waits for it with it.
                continue;
            }
            let wanted = wanted(&now.book, &name);
            let mentioned = now.book.mentions(&name);
            if let Some(former) = now.book.jobs.get(&name).and_then(|job| job.moved_from.clone()) {
                let root = self.roots.get(&former).cloned().unwrap_or(former);
                self.roots.entry(name.clone()).or_insert(root);
            }
            if let Some(wanted) = &wanted {
                shelf.retained.insert(name.clone(), wanted.job.retain);
            }
            let page = shelf.pages.entry(name.clone()).or_insert(Page {
                wanted: None,
                mentioned: false,
                since: millis,
                gone_since: Some(millis),
                versions: Vec::new(),
            });
            if page.wanted != wanted {
                edited.push(Edited { name: name.clone(), before: page.wanted.clone(), after: wanted.clone() });
                page.since = millis;
                if let Some(wanted) = &wanted
                    && page.versions.last().is_none_or(|(_, version)| *version != wanted.job.version)
                {
                    page.versions.push((millis, wanted.job.version));
                }
                page.wanted = wanted;
            }
            if page.mentioned != mentioned {
                page.gone_since = (!mentioned).then_some(millis);
                page.mentioned = mentioned;
                page.since = millis;
            }
        }
        shelf.now = now.clone();
        edited
    }

    /// A process was started, which knows nothing of places that are named no more.
    pub fn born(&mut self, process: usize) {
        let directory = self.crew.directories().get(process);
        let shelf = directory.and_then(|directory| self.shelves.get_mut(*directory));
        for unnamed in shelf.into_iter().flat_map(|shelf| shelf.unnamed.values_mut()) {
            unnamed.is_forgotten |= unnamed.named.is_none();
        }
    }

    /// Whether a job is wanted in a place.
    pub fn wants_in(&self, job: &str, place: &str) -> bool {
        let pages = self.shelves.iter().filter_map(|shelf| shelf.pages.get(job));
        pages.filter_map(|page| page.wanted.as_ref()).any(|wanted| wanted.place == place)
    }

    /// Whether what runs in a place may run beside what somebody made anew, who knew nothing of it.
    pub fn is_forgotten(&self, millis: i64, place: &str) -> bool {
        let unnamed = self.shelves.iter().filter_map(|shelf| shelf.unnamed.get(place));
        unnamed
            .filter(|unnamed| unnamed.is_forgotten)
            .any(|unnamed| unnamed.named.is_none_or(|at| millis < at + RESYNC))
    }

    /// A stranger reached for a job's resources.
    pub fn touched(&mut self, millis: i64, forgiven_until: i64, job: &str) {
        let moment = self.moments.entry(job.to_owned()).or_insert(millis);
        *moment = millis.max(*moment);
        let at = self.hands.entry(job.to_owned()).or_insert(forgiven_until);
        *at = forgiven_until.max(*at);
    }

    /// What a stranger did to the tags of jobs is not known again before this moment.
    pub fn tags_forgotten(&mut self, until: i64) {
        let Self { hands, moments, .. } = self;
        let is_of_tags = |job: &str, at: i64| moments.get(job).is_some_and(|moment| at > *moment);
        for (_, at) in hands.iter_mut().filter(|(job, at)| is_of_tags(job, **at)) {
            *at = until.max(*at);
        }
    }

    /// A process that had not read any schedules yet was refused to: until its next resync it takes that for a place that has none.
    pub fn blinded(&mut self, millis: i64) {
        self.blind_until = millis + RESYNC;
    }

    /// Whether somebody may be blind to schedules.
    pub fn is_blind(&self, millis: i64) -> bool {
        millis <= self.blind_until
    }

    /// Whether a stranger's hand was in a job's resources just then.
    pub fn raced(&self, job: &str, from: i64, to: i64) -> bool {
        self.moments.get(job).is_some_and(|at| (from..=to).contains(at))
    }

    /// The same, whatever the job was called then.
    pub fn was_touched(&self, job: &str, from: i64, to: i64) -> bool {
        self.moments.iter().any(|(name, at)| self.root(name) == self.root(job) && (from..=to).contains(at))
    }

    /// When a stranger last reached for a job's resources.
    pub fn last_touched(&self, job: &str) -> Option<i64> {
        self.hands.get(job).copied()
    }

    /// Whether a stranger reached for a job's resources since then, whatever the job was called: a rule that it took over bears neither
    /// of its names, and goes by the first.
    pub fn touched_since(&self, job: &str, since: i64) -> bool {
        self.hands.iter().any(|(name, at)| *at >= since && self.root(name) == self.root(job))
    }

    /// Whether somebody may have changed tags of a job's, or taken a mark off what it took over, and nobody has seen it yet.
    pub fn has_retagged(&self, millis: i64) -> bool {
        let mut jobs = self.shelves.iter().flat_map(|shelf| shelf.now.book.jobs.keys());
        jobs.any(|name| self.touched_since(name, millis))
    }

    /// Jobs that were called so before they were ever renamed.
    pub fn names_of(&self, root: &str) -> Vec<String> {
        let names = self.shelves.iter().flat_map(|shelf| shelf.pages.keys());
        names.filter(|name| self.root(name) == root).cloned().collect()
    }

    /// What a job was called before it was ever renamed.
    pub fn root<'a>(&'a self, job: &'a str) -> &'a str {
        self.roots.get(job).map_or(job, String::as_str)
    }
}

fn wanted(book: &Book, name: &str) -> Option<Wanted> {
    let job = book.wants(name)?;
    let cluster = book.cluster_of(job)?;
    Some(Wanted {
        job: job.clone(),
        place: cluster.place(),
        shared: cluster.shared,
        defaults: cluster.defaults,
        scheduled: book.is_scheduled(job),
    })
}
