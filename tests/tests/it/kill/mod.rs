//! The real daemon, killed at random moments while manifests change under it.
//!
//! Every run is another story; the seed of one that went wrong is told. `ECS_ETL_KILLS` says how often it is killed, and
//! `ECS_ETL_KILL_SEED` has a story told again, as far as processes let themselves be repeated.

mod checkout;
mod live;
mod watch;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ecs_etl_tests::program::Running;
use ecs_etl_tests::random::Random;
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::Workspace;
use serde_json::Value;

use checkout::{ANCHOR, Checkout};
use watch::Watch;

/// How long anything may take that has all it needs; far more than it takes on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the daemon is killed, unless the environment says otherwise.
const KILLS: u64 = 20;

/// One story.
struct Story {
    world: Workspace,
    checkout: Checkout,
    dice: Random,
    status: PathBuf,
    statuses: usize,
    writes: usize,
}

#[test]
fn killed_at_random_moments_it_ends_where_a_fresh_start_would() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_nanos() as u64;
    let (kills, seed) = (number("ECS_ETL_KILLS"), number("ECS_ETL_KILL_SEED").unwrap_or_else(clock));
    let told = catch_unwind(AssertUnwindSafe(|| tell(seed, kills.unwrap_or(KILLS))));
    let line = match &told {
        Ok(figures) if kills.is_some() => figures.clone(),
        Ok(_) => return,
        Err(_) => format!("it went wrong with ECS_ETL_KILLS={} ECS_ETL_KILL_SEED={seed}", kills.unwrap_or(KILLS)),
    };
    writeln!(std::io::stderr(), "{line}").expect("standard error");
    if let Err(panic) = told {
        resume_unwind(panic);
    }
}

/// Tells a story to its end and gives its figures.
fn tell(seed: u64, kills: u64) -> String {
    let begin = Instant::now();
    let mut dice = Random::new(seed);
    let world = Workspace::new(Kind::Emulator);
    live::seed_strangers(&world.aws);
    let strangers = live::strangers(&world.aws);
    let checkout = Checkout::new(&world, &mut dice);
    let status = world.folder().join("status-0");
    let watch = Watch::start(world.folder(), world.aws.clone());
    let mut story = Story { world, checkout, dice, status, statuses: 0, writes: 0 };

    story.invite_a_guest();
    for _ in 0..kills {
        story.live_and_die();
    }
    story.end_well();

    let seen = watch.stop();
    assert_eq!(live::strangers(&story.world.aws), strangers, "what others have is another");
    let guests = story.world.aws.targets(&format!("etl-{ANCHOR}"));
    assert!(guests.iter().any(|target| target["Id"] == live::GUEST), "the guest is gone: {guests:?}");
    let (revisions, contents) = story.no_needless_revision();
    story.rests();
    format!(
        "seed {seed}: {kills} kills, {} writes, {} status directories, {revisions} revisions of {contents} contents, {} status \
         files and {} rules looked at, {:?}",
        story.writes,
        story.statuses + 1,
        seen.files,
        seen.rules,
        begin.elapsed()
    )
}

impl Story {
    /// Starts the daemon, with what the last one left in its status directory or with nothing.
    fn start(&mut self) -> Running {
        if self.dice.one_in(2) {
            self.statuses += 1;
            self.status = self.world.folder().join(format!("status-{}", self.statuses));
        }
        let link = self.checkout.link();
        let mut command = self.world.command(&["run", &link.to_string_lossy()]);
        command.env("ECS_ETL_STATUS_DIR", &self.status);
        command.env("ECS_ETL_DEBOUNCE_MS", "20").env("ECS_ETL_RESCAN_SECONDS", "1");
        Running::start(command)
    }

    /// Lets somebody put a target on a rule of ours, which must outlive all.
    fn invite_a_guest(&mut self) {
        let daemon = self.start();
        let rule = format!("etl-{ANCHOR}");
        self.world.wait_until("the anchor is there", PATIENCE, |world| world.aws.rule(&rule).is_some());
        live::put_guest(&self.world.aws, &rule);
        self.kill(daemon);
    }

    /// A daemon's life: edits before and while it runs, and an end after some time or some writes.
    fn live_and_die(&mut self) {
        for _ in 0..self.dice.below(3) {
            self.checkout.edit(&mut self.dice);
        }
        let daemon = self.start();
        let (until, writes) = match self.dice.below(3) {
            0 => (Duration::from_millis(self.dice.below(1500) as u64), usize::MAX),
            _ => (Duration::from_millis(2500), 1 + self.dice.below(12)),
        };
        let begin = Instant::now();
        let mut next = Duration::from_millis(self.dice.below(400) as u64);
        while begin.elapsed() < until && self.world.meter.peek().mutating().len() < writes {
            if begin.elapsed() > next {
                self.checkout.edit(&mut self.dice);
                next = begin.elapsed() + Duration::from_millis(20 + self.dice.below(400) as u64);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.kill(daemon);
    }

    fn kill(&mut self, daemon: Running) {
        daemon.signal("KILL");
        let outcome = daemon.wait(PATIENCE);
        assert_eq!(outcome.code, None, "it ended by itself\n{outcome}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome}");
        self.writes += self.world.meter.take().mutating().len();
    }

    /// Calm: nobody edits, nobody kills, and it comes to what a fresh start on an empty AWS comes to.
    fn end_well(&mut self) {
        self.checkout.mend();
        let fresh = Workspace::new(Kind::Emulator);
        self.checkout.copy_to(&fresh.folder().join("manifests"));
        fresh.apply();
        let expected = live::schedules(&fresh.aws);
        let daemon = self.start();
        let begin = Instant::now();
        let mut approved = String::new();
        let is_there = |story: &Self| {
            let mut live = live::schedules(&story.world.aws);
            live.remove("etl-theirs");
            live == expected
        };
        while !(is_there(self) && self.is_ready()) {
            if begin.elapsed() > PATIENCE {
                let mut live = live::schedules(&self.world.aws);
                live.remove("etl-theirs");
                // Which is not as it should be is told before all of it.
                let names: Vec<_> = live.keys().chain(expected.keys()).collect();
                let differ: Vec<_> = names.into_iter().filter(|name| live.get(*name) != expected.get(*name)).collect();
                let controller = self.status("_controller");
                panic!("not within {PATIENCE:?}: {differ:?}\n{controller:#?}\n{live:#?}\n{expected:#?}");
            }
            // So many deletions within an hour want a person's word.
            let digest =
                self.status("_controller").and_then(|c| Some(c["status"]["held"][0]["digest"].as_str()?.to_owned()));
            if let Some(digest) = digest.filter(|digest| *digest != approved) {
                self.checkout.approve(&digest);
                approved = digest;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon.signal("TERM");
        let outcome = daemon.wait(PATIENCE).expect_code(0);
        assert!(!outcome.stderr.contains("panicked"), "{outcome}");
        self.writes += self.world.meter.take().mutating().len();
    }

    fn status(&self, name: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.status.join(format!("{name}.json"))).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn is_ready(&self) -> bool {
        let ready = |name: &String| {
            let conditions = self.status(name)?["status"]["conditions"].clone();
            let ready = conditions.as_array()?.iter().find(|condition| condition["type"] == "Ready")?;
            Some(ready["status"] == "True")
        };
        self.checkout.names().iter().all(|name| ready(name) == Some(true))
    }

    /// A kill between a Register and what comes after it makes none: what is equal is taken again.
    fn no_needless_revision(&self) -> (usize, usize) {
        let (mut revisions, mut all) = (0, 0);
        for (job, contents) in self.checkout.contents() {
            let registered = self.world.aws.active_revisions(&format!("etl-{job}")).len();
            assert!(registered <= contents, "{job} had {contents} contents and has {registered} revisions");
            (revisions, all) = (revisions + registered, all + contents);
        }
        (revisions, all)
    }

    /// One more pass may tidy; the one after it writes nothing.
    fn rests(&self) {
        let link = self.checkout.link();
        let apply = ["apply", &link.to_string_lossy(), "--prune", "--yes"];
        let (outcome, _) = self.world.run(&apply);
        outcome.expect_code(0);
        let (outcome, calls) = self.world.run(&apply);
        assert!(calls.mutating().is_empty(), "{outcome}\n{calls}");
    }
}
