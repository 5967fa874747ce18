//! Exhaustive where that is possible: for each scenario, a crash before every call and after every write, and every write that happened
//! but was reported as failed, in three ways.

mod beyond;

use std::collections::{BTreeMap, BTreeSet};

use crate::defaults::Defaults;
use crate::fault::{self, Kind};
use crate::hand::{Deed, Hand};
use crate::history;
use crate::parallel;
use crate::sketch::{Book, Cluster, Controller, Job};
use crate::story::{Change, Crew, Event, Nature, Story, What};
use crate::timing::Timing;
use crate::triggers::{End, Triggers};

/// When a scenario's edit comes, in milliseconds.
const EDIT: u32 = 60_000;

const MINUTE: u32 = 60_000;

/// A directory, and what happens to it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    crew: Crew,
    before: Book,
    what: Vec<What>,
    /// How long it takes, in minutes.
    minutes: u32,
    /// After how many milliseconds a process that was killed is back.
    down: u32,
}

/// What came of a scenario.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Calls that the first process makes from the edit on, without a fault.
    pub calls: usize,
    /// Those of them that write.
    pub writes: usize,
    /// Histories run.
    pub histories: usize,
    /// What was broken, and how it came about.
    pub failures: Vec<String>,
}

/// Runs every scenario, on `threads` threads, and tells what came of each in their order.
///
/// # Errors
///
/// A runtime cannot be made.
pub fn run_all(scenarios: &[Scenario], threads: usize) -> std::io::Result<Vec<Outcome>> {
    parallel::each(scenarios, threads, run)
}

/// Runs a scenario with every crash and every wrong answer there can be.
///
/// # Errors
///
/// A runtime cannot be made.
fn run(scenario: &Scenario) -> std::io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let plain = scenario.story(fault::Plan::none(), None);
    let report = history::run(&plain, None, true)?;
    outcome.note("undisturbed", report.broken.map(|broken| format!("{}: {}", broken.oracle, broken.what)));
    let calls: Vec<(String, u64)> = report
        .calls
        .into_iter()
        .filter(|call| call.millis >= i64::from(EDIT) && call.process == 0)
        .map(|call| (call.operation, call.nth))
        .collect();
    outcome.calls = calls.len();
    for (index, (operation, _)) in calls.iter().enumerate() {
        // A read changes nothing: to be killed before it and after it is one and the same.
        let effects: &[bool] = if fault::is_write(operation) { &[true, false] } else { &[false] };
        for effect in effects.iter().copied() {
            let nth = u32::try_from(index).unwrap_or(u32::MAX);
            let kill = What::Kill {
                process: 0,
                request: Some(nth),
                writes: false,
                effect,
                keeps_disk: false,
                down: scenario.down,
            };
            let report = history::run(&scenario.story(fault::Plan::none(), Some(kill)), None, false)?;
            let when = if effect { "after" } else { "before" };
            let what = report.broken.map(|broken| format!("{}: {}", broken.oracle, broken.what));
            outcome.note(&format!("killed {when} call {index}"), what);
        }
    }
    for (operation, nth) in calls.into_iter().filter(|(operation, _)| fault::is_write(operation)) {
        outcome.writes += 1;
        for kind in [Kind::ServerErrorAfterEffect, Kind::TimeoutAfterEffect, Kind::LostAnswer] {
            let faults =
                fault::Plan { exactly: vec![(kind, operation.clone(), nth)], until: u32::MAX, ..fault::Plan::none() };
            let report = history::run(&scenario.story(faults, None), None, false)?;
            let what = report.broken.map(|broken| format!("{}: {}", broken.oracle, broken.what));
            outcome.note(&format!("{kind:?} of {operation} {nth}"), what);
        }
    }
    Ok(outcome)
}

impl Outcome {
    fn note(&mut self, how: &str, broken: Option<String>) {
        self.histories += 1;
        self.failures.extend(broken.map(|broken| format!("{how}: {broken}")));
    }
}

impl Scenario {
    fn new(name: &'static str, before: Book, what: Vec<What>) -> Self {
        Self { name, crew: Crew::One, before, what, minutes: 100, down: 1000 }
    }

    fn story(&self, faults: fault::Plan, kill: Option<What>) -> Story {
        let mut events: Vec<Event> = kill.into_iter().map(|what| Event { at: EDIT - 1, what }).collect();
        events.extend(
            self.what.iter().zip(0..).map(|(what, index)| Event { at: EDIT + index * 10 * MINUTE, what: what.clone() }),
        );
        Story {
            seed: 1,
            crew: self.crew,
            books: vec![self.before.clone()],
            events,
            faults,
            nature: Nature::kind(),
            limits: false,
            heartbeat: 60,
            calm: self.minutes * MINUTE,
            end: (self.minutes + 140) * MINUTE,
            start: None,
        }
    }
}

fn job() -> Job {
    Job {
        cluster: "main".to_owned(),
        schedules: vec!["5 * * * *".to_owned()],
        list: false,
        suspend: false,
        disabled: false,
        moved_from: None,
        retain: false,
        labels: BTreeMap::new(),
        version: 1,
        shape: 7,
        invalid: false,
        zone: None,
        timing: Timing::default(),
        triggers: Triggers::default(),
        adopt: None,
        overlaps: false,
    }
}

fn book(jobs: &[(&str, Job)]) -> Book {
    let lent = Cluster::plain("eu-central-1", Some("arn:aws:iam::210987654321:role/etl"));
    Book {
        controller: Controller {
            name: "main".to_owned(),
            source: "git.example/etl".to_owned(),
            prefix: "etl-".to_owned(),
            grace: 60,
            max_deletions: 10,
            max_changes: None,
            keep_revisions: 2,
            resync: 3600,
            approved: None,
        },
        clusters: BTreeMap::from([
            ("main".to_owned(), Cluster::plain("eu-central-1", None)),
            ("far".to_owned(), Cluster::plain("us-east-1", None)),
            ("lent".to_owned(), lent),
        ]),
        jobs: jobs.iter().map(|(name, job)| ((*name).to_owned(), job.clone())).collect(),
    }
}

fn put(name: &str, job: Job) -> Change {
    Change::Put(name.to_owned(), Box::new(job))
}

fn edit(changes: Vec<Change>) -> What {
    What::Edit { directory: 0, changes }
}

fn hand(deed: Deed) -> What {
    What::Hand(Hand { controller: "main".to_owned(), job: "sales".to_owned(), deed, rule: 0 })
}

/// A shape whose main container has a name of its own.
const SIDECAR: u64 = 6;

fn zoned(version: u32) -> Job {
    Job { zone: Some("Asia/Tokyo".to_owned()), version, ..job() }
}

/// A job that starts after the one beside it as well.
fn after(end: End) -> Job {
    let triggers = Triggers { after: vec![("stock".to_owned(), end)], ..Triggers::default() };
    Job { triggers, ..job() }
}

/// A job that starts at events, and tells of its ends.
fn told() -> Job {
    let triggers = Triggers {
        events: BTreeSet::from(["lake".to_owned()]),
        notify: BTreeSet::from([End::Completion]),
        ..Triggers::default()
    };
    Job { triggers, ..job() }
}

fn legacy() -> What {
    What::Legacy { place: "123456789012/eu-central-1".to_owned(), name: "Legacy_sales-2".to_owned() }
}

/// Every scenario. Beside the job that it is about, another one must stay as it is.
pub fn scenarios() -> Vec<Scenario> {
    let beside = ("stock", Job { schedules: vec!["35 * * * *".to_owned()], ..job() });
    let with = |sales: Job| book(&[("sales", sales), beside.clone()]);
    let list = |schedules: &[&str]| Job {
        list: true,
        schedules: schedules.iter().map(|s| (*s).to_owned()).collect(),
        ..job()
    };
    let scenario = Scenario::new;
    let one = |name, before: Job, after: Job| scenario(name, with(before), vec![edit(vec![put("sales", after)])]);
    let drift = |name, deed| scenario(name, with(job()), vec![hand(deed)]);
    let renamed = |version| Job { moved_from: Some("sales".to_owned()), version, ..job() };
    let rename = |version| edit(vec![Change::Remove("sales".to_owned()), put("turnover", renamed(version))]);
    let shared = Cluster {
        region: "eu-central-1".to_owned(),
        role: None,
        drain: false,
        shared: 2,
        scheduler: false,
        defaults: Defaults::default(),
    };
    let draining = Cluster { region: "us-east-1".to_owned(), drain: true, shared: 1, ..shared.clone() };
    let mut all = vec![
        scenario("create", book(std::slice::from_ref(&beside)), vec![edit(vec![put("sales", job())])]),
        one("image", job(), Job { version: 2, ..job() }),
        scenario(
            "image-and-back",
            with(job()),
            vec![edit(vec![put("sales", Job { version: 2, ..job() })]), edit(vec![put("sales", job())])],
        ),
        scenario("shared-default", with(job()), vec![edit(vec![Change::PutCluster("main".to_owned(), shared)])]),
        one("schedule", job(), Job { schedules: vec!["25 * * * *".to_owned()], ..job() }),
        one("single-to-list", job(), list(&["5 * * * *", "45 3 * * *"])),
        one("list-to-single", list(&["5 * * * *", "45 3 * * *"]), job()),
        one(
            "list-to-list",
            list(&["5 * * * *", "45 3 * * *"]),
            Job { version: 2, ..list(&["45 3 * * *", "50 4 * * *"]) },
        ),
        one("suspend", job(), Job { suspend: true, ..job() }),
        one("resume", Job { suspend: true, ..job() }, job()),
        one("labels", job(), Job { labels: BTreeMap::from([("team".to_owned(), "a".to_owned())]), ..job() }),
        one("shape", job(), Job { shape: 11, version: 2, ..job() }),
        scenario("rename", with(job()), vec![rename(1)]),
        scenario("rename-with-image", with(job()), vec![rename(2)]),
        one("another-region", job(), Job { cluster: "far".to_owned(), ..job() }),
        one("another-account", job(), Job { cluster: "lent".to_owned(), ..job() }),
        scenario("removal", with(job()), vec![edit(vec![Change::Remove("sales".to_owned())])]),
        scenario(
            "removal-of-a-list",
            with(list(&["5 * * * *", "45 3 * * *"])),
            vec![edit(vec![Change::Remove("sales".to_owned())])],
        ),
        scenario(
            "retained-removal",
            with(Job { retain: true, ..job() }),
            vec![edit(vec![Change::Remove("sales".to_owned())])],
        ),
        scenario(
            "removed-and-back",
            with(job()),
            vec![edit(vec![Change::Remove("sales".to_owned())]), edit(vec![put("sales", job())])],
        ),
        scenario(
            "drain",
            with(Job { cluster: "far".to_owned(), ..job() }),
            vec![edit(vec![Change::PutCluster("far".to_owned(), draining)])],
        ),
        scenario(
            "blocked-and-mended",
            with(job()),
            vec![
                edit(vec![put("sales", Job { invalid: true, version: 2, ..job() })]),
                edit(vec![put("sales", Job { version: 3, ..job() })]),
            ],
        ),
        one("to-scheduler", job(), zoned(1)),
        one("back-from-scheduler", zoned(1), job()),
        one("scheduler-image", zoned(1), zoned(2)),
        one("scheduler-to-list", zoned(1), Job { zone: zoned(1).zone, ..list(&["5 * * * *", "45 3 * * *"]) }),
        scenario("scheduler-removal", with(zoned(1)), vec![edit(vec![Change::Remove("sales".to_owned())])]),
        scenario("scheduler-drift-disabled", with(zoned(1)), vec![hand(Deed::Disable)]),
        scenario("scheduler-drift-deleted", with(zoned(1)), vec![hand(Deed::DeleteRule)]),
        one("after", job(), after(End::Success)),
        one("after-another-end", after(End::Success), after(End::Completion)),
        scenario(
            "upstream-container",
            with(after(End::Success)),
            vec![edit(vec![put("stock", Job { shape: SIDECAR, version: 2, ..beside.1.clone() })])],
        ),
        one("events-and-notify", job(), told()),
        scenario("removal-of-all-triggers", with(told()), vec![edit(vec![Change::Remove("sales".to_owned())])]),
        scenario(
            "adopt",
            with(job()),
            vec![legacy(), edit(vec![put("sales-2", Job { adopt: Some("Legacy_sales-2".to_owned()), ..job() })])],
        ),
        scenario(
            "adopted-removal",
            with(Job { adopt: Some("Legacy_sales".to_owned()), ..job() }),
            vec![edit(vec![Change::Remove("sales".to_owned())])],
        ),
        drift("drift-disabled", Deed::Disable),
        drift("drift-rescheduled", Deed::Reschedule),
        drift("drift-target-removed", Deed::RemoveTarget),
        drift("drift-repinned", Deed::Repin),
        drift("drift-stray", Deed::AddStray),
        drift("drift-deleted", Deed::DeleteRule),
        drift("drift-deregistered", Deed::Deregister),
        scenario(
            "removal-beside-theirs",
            with(job()),
            vec![hand(Deed::AddTheirs), edit(vec![Change::Remove("sales".to_owned())])],
        ),
    ];
    all.extend(beyond::scenarios());
    // The longest comes last.
    all.push(Scenario {
        minutes: 30 * 60,
        ..scenario(
            "clean-up",
            with(job()),
            (2..6).map(|version| edit(vec![put("sales", Job { version, ..job() })])).collect(),
        )
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_with_a_sidecar_has_one_and_the_usual_one_has_none() {
        let name = |shape: u64| {
            let spec = crate::shape::spec("stock", shape, 1);
            spec.pointer("/taskDefinition/containerDefinitions/0/name")
                .and_then(|name| name.as_str().map(str::to_owned))
        };
        assert_eq!((name(job().shape), name(SIDECAR)), (None, Some("main".to_owned())));
    }
}
