//! Kinds of schedule that are written seldom, from dice of their own, and lists whose ticks coincide.

use fastrand::Rng;

use crate::shape::pick;
use crate::sketch::Job;

/// Macros, names, and what only the cron of AWS can say. Some fire within a day of when most stories begin, the others never.
const SELDOM: [&str; 24] = [
    "@midnight",
    "@weekly",
    "@monthly",
    "@yearly",
    "@annually",
    "25 5 * * mon-fri",
    "35 */6 * NOV,DEC *",
    "10 4 * * SUN,MON",
    "45 3 23,30 11 *",
    "12-48/12 7 * * *",
    "20 8 * * 7",
    "cron(15 3 ? * MON#4 *)",
    "cron(15 3 ? * 7#5 *)",
    "cron(25 6 ? NOV 2L *)",
    "cron(25 14 ? * SATL *)",
    "cron(5 7 22W * ? *)",
    "cron(5 7 1W * ? *)",
    "cron(30 9 L * ? *)",
    "cron(35 9 LW * ? *)",
    "cron(40 2/5 ? * L *)",
    "cron(18 10 23-2 11-2 ? 2026/2)",
    "cron(42 4 ? * TUE-SUN 2026-2030)",
    "cron(0/25 11 ? JAN-DEC * 2026,2027)",
    "rate(1 hour)",
];

/// Lists of which two ticks coincide somewhere.
const COINCIDING: [[&str; 2]; 3] = [
    ["0 2 * * *", "0 */2 * * *"],
    ["@hourly", "cron(0/30 2-9 * * ? *)"],
    ["15 6-18 * * *", "cron(15 12 ? * MON-SUN *)"],
];

/// The dice.
#[derive(Debug)]
pub(crate) struct Schedules {
    rng: Rng,
    /// Whether a story has any of it.
    seldom: bool,
}

impl Schedules {
    /// What the story of a seed has.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed.rotate_left(19) ^ 0x5449_434b);
        let seldom = rng.u8(..3) == 0;
        Self { rng, seldom }
    }

    /// One that is written seldom instead of the usual one, sometimes.
    pub fn one(&mut self, usual: &str) -> String {
        let seldom = *pick(&mut self.rng, &SELDOM);
        let is_seldom = self.rng.u8(..3) == 0;
        if self.seldom && is_seldom { seldom.to_owned() } else { usual.to_owned() }
    }

    /// The same job, or with a list of which two ticks coincide.
    pub fn of_job(&mut self, job: Job) -> Job {
        let coinciding = *pick(&mut self.rng, &COINCIDING);
        let coincides = self.rng.u8(..3) == 0;
        if !(self.seldom && coincides && job.list) {
            return job;
        }
        Job { schedules: coinciding.iter().map(|schedule| (*schedule).to_owned()).collect(), overlaps: true, ..job }
    }
}
