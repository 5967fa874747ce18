//! Memory is bounded: hours after the last edit, what a controller remembers is explained by the jobs that are written and by what
//! AWS has, however many passes there were, and whatever came and went before.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_controller::remembered::{Per, Remembered};

use super::book::Books;
use super::{Finding, job_of};
use crate::mirror::{Mirror, belongs_to};
use crate::sketch::Cluster;

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What each process said last that it remembers.
    last: BTreeMap<usize, Remembered>,
}

impl Memory {
    /// A process counted what it remembers.
    pub fn counted(&mut self, process: usize, remembered: Remembered) {
        self.last.insert(process, remembered);
    }

    /// A process ended, and with it all that it remembered.
    pub fn died(&mut self, process: usize) {
        self.last.remove(&process);
    }

    /// What is remembered without a reason.
    pub fn unexplained(&self, mirror: &Mirror, books: &Books) -> Finding {
        self.last.iter().find_map(|(process, remembered)| {
            let reasons = Reasons::of(*process, mirror, books)?;
            remembered.0.iter().find_map(|(what, (per, entries))| {
                let most = reasons.most(*per);
                (*entries > most).then(|| format!("{entries} {what} are remembered where {reasons:?} explain {most}"))
            })
        })
    }
}

/// What there is, and may be remembered.
#[derive(Debug)]
struct Reasons {
    places: usize,
    jobs: usize,
    things: usize,
}

impl Reasons {
    fn of(process: usize, mirror: &Mirror, books: &Books) -> Option<Self> {
        let shelf = books.of_process(process)?;
        let identity = books.identity(process);
        let places: BTreeSet<String> = shelf.now.book.clusters.values().map(Cluster::place).collect();
        let mut jobs: BTreeSet<&str> = shelf.now.book.jobs.keys().map(String::as_str).collect();
        let rules = mirror.rules.iter().map(|((_, name), rule)| (name, &rule.tags));
        let active = mirror.revisions.iter().filter(|(_, revision)| revision.active);
        let revisions = active.map(|((_, name), revision)| (name, &revision.tags));
        let mut things = 0;
        for (name, tags) in rules.chain(revisions) {
            // What bears a name of ours is looked at, whosever it is.
            let named = job_of(name);
            let marked = tags.get("ecs-etl/job").map(String::as_str).filter(|_| belongs_to(tags, identity));
            if named.or(marked).is_some() {
                // It, and its family.
                things += 2;
                jobs.extend(named.into_iter().chain(marked));
            }
        }
        Some(Self { places: places.len(), jobs: jobs.len(), things })
    }

    /// How many entries there may be.
    fn most(&self, per: Per) -> usize {
        let Self { places, jobs, things } = self;
        match per {
            Per::Place => *places,
            Per::Job => *jobs,
            // A sweep for each place; a look and a clean-up for each job, and one more wherever it left something.
            Per::Key => places + 2 * jobs + places * jobs,
            Per::Thing => things + jobs,
        }
    }
}
