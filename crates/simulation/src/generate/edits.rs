//! What the teams of jobs commit.

use std::collections::BTreeMap;

use super::Drawing;
use crate::shape::pick;
use crate::sketch::{Book, Cluster, Job};
use crate::story::{Change, Event, What};

impl Drawing {
    pub(super) fn edit(&mut self, at: u32, directory: usize, books: &mut [Book]) {
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
}
