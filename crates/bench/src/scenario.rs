//! What is measured, by name.

use std::path::Path;

use anyhow::Context as _;
use ecs_etl_aws::Share;

use crate::cost;
use crate::figure::{Figure, Figures, Unit};
use crate::floor::{self, Terms};
use crate::{looks, pure, real};

/// One thing to measure.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// Whether it takes minutes.
    pub takes_minutes: bool,
    work: Work,
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Floor(Terms),
    Looks(usize),
    Pure(usize),
    Real(usize),
}

/// All of them, the quick ones first.
pub fn list() -> Vec<Scenario> {
    let alone = |jobs| Terms { jobs, share: Share::HALF, neighbour: false };
    let beside = |share| Terms { jobs: 300, share, neighbour: true };
    let mut list: Vec<Scenario> = [100, 300, 10_000]
        .map(|jobs| Scenario::of(format!("floor-{jobs}"), Work::Floor(alone(jobs)), jobs))
        .into_iter()
        .collect();
    list.push(Scenario::of("neighbour-half".to_owned(), Work::Floor(beside(Share::HALF)), 300));
    list.push(Scenario::of("neighbour-whole".to_owned(), Work::Floor(beside(Share::WHOLE)), 300));
    list.push(Scenario::of("looks-1000".to_owned(), Work::Looks(1000), 1000));
    list.extend(
        [1000, 5000, 10_000, 20_000, 50_000].map(|jobs| Scenario::of(format!("pure-{jobs}"), Work::Pure(jobs), 1)),
    );
    list.extend([1000, 10_000, 50_000].map(|jobs| Scenario::of(format!("daemon-{jobs}"), Work::Real(jobs), jobs)));
    list.sort_by_key(|scenario| scenario.takes_minutes);
    list
}

impl Scenario {
    fn of(name: String, work: Work, jobs: usize) -> Self {
        Self { name, takes_minutes: jobs >= 10_000, work }
    }

    /// Whether it runs the shipped program.
    pub fn needs_program(&self) -> bool {
        match self.work {
            Work::Real(_) => true,
            Work::Floor(_) | Work::Looks(_) | Work::Pure(_) => false,
        }
    }

    /// Measures it in this process.
    ///
    /// # Errors
    ///
    /// What is measured does not work.
    pub fn run(&self, program: Option<&Path>) -> anyhow::Result<Vec<Figure>> {
        match self.work {
            Work::Floor(terms) => with_cost(&self.name, runtime()?.block_on(floor::measure(terms))?),
            Work::Looks(jobs) => with_cost(&self.name, runtime()?.block_on(looks::measure(jobs))?),
            Work::Pure(jobs) => pure::measure(jobs),
            Work::Real(jobs) => real::measure(jobs, program.context("--program names no `ecs-etl`")?),
        }
    }
}

/// A runtime whose clock only moves when nothing else is to be done.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

/// What controller and emulator together took.
fn with_cost(name: &str, mut figures: Vec<Figure>) -> anyhow::Result<Vec<Figure>> {
    let mut own = Figures::of(name);
    own.tell("CPU, emulator included", cost::cpu_seconds(cost::OWN)?, Unit::Seconds);
    own.tell("peak memory, emulator included", cost::peak_memory(cost::OWN)? as f64 / 1e6, Unit::Megabytes);
    figures.extend(own.into_vec());
    Ok(figures)
}
