//! Our emulator, moto and ministack answer the same calls alike, or `deviations.yaml` says why not.
//!
//! `ECS_ETL_SEQUENCES` is how many random sequences are tried, `ECS_ETL_SEED` the seed of the first.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

use std::io::Write as _;

use ecs_etl_tests::deviations;
use ecs_etl_tests::differential::judge::{Bench, Judgement, Unexplained};
use ecs_etl_tests::differential::sequence::{self, Call};
use ecs_etl_tests::differential::shrink;
use ecs_etl_tests::server::Kind;

/// Sequences when nothing else is said: what a minute is enough for.
const SEQUENCES: u64 = 40;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error is open");
}

/// What is wrong, and the shortest way to see it.
fn report(bench: &Bench, calls: &[Call], found: &Unexplained) -> String {
    let shortest = shrink::shrink(bench, calls, found);
    let lines: Vec<String> = shortest.iter().map(|call| format!("      {call}")).collect();
    format!("{found}\n    shown by\n{}", lines.join("\n"))
}

#[test]
fn random_calls_are_answered_alike_but_for_what_the_table_explains() {
    let bench = Bench::start(&[Kind::Moto, Kind::Ministack], deviations::table());
    let first = setting("ECS_ETL_SEED", 1);
    let mut all = Judgement::default();
    let mut reports: Vec<(Unexplained, String)> = Vec::new();
    for seed in first..first + setting("ECS_ETL_SEQUENCES", SEQUENCES) {
        let calls = sequence::generate(seed);
        let judgement = bench.judge(&calls);
        for found in &judgement.unexplained {
            if !reports.iter().any(|(known, _)| known.is_like(found)) {
                let text = format!("seed {seed}: {}", report(&bench, &calls, found));
                say(&text);
                reports.push((found.clone(), text));
            }
        }
        all.add(judgement);
    }
    say(&format!("{} answers compared, {} passed over since an excused difference came before", all.compared, all.passed_over));
    for ((id, kind), times) in &all.excused {
        say(&format!("  {times:>5} excused by {id} of {kind}"));
    }
    let texts: Vec<String> = reports.into_iter().map(|(_, text)| text).collect();
    assert!(texts.is_empty(), "{} differences that nothing explains\n{}", texts.len(), texts.join("\n"));
}
