//! Our emulator, moto and ministack answer the same calls alike, or `deviations.yaml` says why not.
//!
//! `ECS_ETL_SEQUENCES` is how many random sequences are tried, `ECS_ETL_SEED` the seed of the first.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

use std::collections::BTreeMap;
use std::io::Write as _;

use ecs_etl_tests::deviations;
use ecs_etl_tests::differential::judge::{Bench, Judgement, Unexplained};
use ecs_etl_tests::differential::sequence::{self, Call};
use ecs_etl_tests::differential::shrink;
use ecs_etl_tests::server::Kind;

/// Sequences when nothing else is said.
const SEQUENCES: u64 = 150;

#[test]
fn the_same_calls_are_answered_alike_but_for_what_the_table_explains() {
    let mut run = Run::new();
    for entry in deviations::table() {
        run.try_sequence(&entry.id, &sequence::experiment(&entry));
    }
    let (first, count) = (setting("ECS_ETL_SEED", 1), setting("ECS_ETL_SEQUENCES", SEQUENCES));
    for seed in first..first + count {
        run.try_sequence(&format!("seed {seed}"), &sequence::generate(seed));
    }
    run.tell();
    assert!(run.faults.is_empty(), "{} differences that nothing explains\n{}", run.faults.len(), run.faults_told());
    let idle = run.idle_excuses();
    assert!(idle.is_empty() || count < SEQUENCES, "excuses that excuse nothing: remove them\n  {}", idle.join("\n  "));
}

#[test]
fn a_difference_that_no_entry_explains_is_shown_with_the_calls_that_it_takes() {
    let bench = Bench::start(&[Kind::Moto], Vec::new());
    let table = deviations::table();
    let entry = table.iter().find(|entry| entry.id == "put-rule-applies-tags-on-update").expect("the entry");
    let mut calls = sequence::generate(1);
    let before = calls.len();
    calls.extend(sequence::experiment(entry).into_iter().map(|call| Call { number: call.number + before, ..call }));
    let faults = bench.judge(&calls).unexplained;
    let found = faults.iter().find(|found| found.call.number == calls.len() - 1).expect("moto applies tags on update");
    let shortest: Vec<String> = shrink::shrink(&bench, &calls, found).iter().map(Call::name).collect();
    assert_eq!(shortest, ["events:PutRule", "events:PutRule", "events:ListTagsForResource"]);
}

/// A whole run, and what came of it.
struct Run {
    bench: Bench,
    all: Judgement,
    faults: Vec<(Unexplained, String)>,
}

impl Run {
    fn new() -> Self {
        let bench = Bench::start(&[Kind::Moto, Kind::Ministack], deviations::table());
        Self { bench, all: Judgement::default(), faults: Vec::new() }
    }

    /// Tries a sequence; a fault that is new is told at once, with the shortest way to see it.
    fn try_sequence(&mut self, name: &str, calls: &[Call]) {
        let judgement = self.bench.judge(calls);
        for found in &judgement.unexplained {
            if !self.faults.iter().any(|(known, _)| known.is_like(found)) {
                let shortest = shrink::shrink(&self.bench, calls, found);
                let lines: Vec<String> = shortest.iter().map(|call| format!("      {call}")).collect();
                let text = format!("{name}: {found}\n    shown by\n{}", lines.join("\n"));
                say(&text);
                self.faults.push((found.clone(), text));
            }
        }
        self.all.add(judgement);
    }

    fn faults_told(&self) -> String {
        self.faults.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }

    fn tell(&self) {
        let mut times: BTreeMap<(&str, Kind), usize> = BTreeMap::new();
        for ((id, _, kind), count) in &self.all.excused {
            *times.entry((id, *kind)).or_default() += count;
        }
        let (compared, over) = (self.all.compared, self.all.passed_over);
        say(&format!("{compared} answers compared, {over} passed over because an excused difference came before"));
        for ((id, kind), count) in times {
            say(&format!("  {count:>6} differences of {kind} excused by {id}"));
        }
    }

    /// Excuses that explained nothing of anybody.
    fn idle_excuses(&self) -> Vec<String> {
        let used = |id: &str, place: usize| {
            [Kind::Moto, Kind::Ministack]
                .iter()
                .any(|kind| self.all.excused.contains_key(&(id.to_owned(), place, *kind)))
        };
        let covers =
            self.bench.table().iter().flat_map(|entry| (0..entry.covers.len()).map(move |place| (entry, place)));
        covers
            .filter(|(entry, place)| !used(&entry.id, *place))
            .map(|(entry, place)| format!("{}: {:?}", entry.id, entry.covers[place]))
            .collect()
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error is open");
}
