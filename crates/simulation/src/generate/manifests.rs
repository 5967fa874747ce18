//! The directories that a story begins with.

use std::collections::BTreeMap;

use super::Drawing;
use crate::shape::pick;
use crate::sketch::{Book, Cluster, Controller, Job};
use crate::story::Crew;
use crate::timing::Timing;
use crate::triggers::Triggers;

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

impl Drawing {
    pub(super) fn books(&mut self, crew: Crew) -> Vec<Book> {
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
        let mut clusters = BTreeMap::from([("main".to_owned(), Cluster::plain("eu-central-1", None))]);
        if self.rng.u8(..3) == 0 {
            clusters.insert("far".to_owned(), Cluster::plain("us-east-1", None));
        }
        if self.rng.u8(..5) == 0 {
            let role = Some("arn:aws:iam::210987654321:role/etl");
            clusters.insert("lent".to_owned(), Cluster::plain("eu-central-1", role));
        }
        clusters
    }

    pub(super) fn job(&mut self, clusters: &BTreeMap<String, Cluster>) -> Job {
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

    pub(super) fn schedule(&mut self) -> String {
        let usual = *pick(&mut self.rng, &SCHEDULES);
        self.schedules.one(usual)
    }
}
