//! Every input of the corpora, without a fuzzer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ecs_etl_fuzz::{TARGETS, Target};

/// As long as one input may take in a build that is not optimised, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all corpora may take up together: they travel with every clone.
const MOST_BYTES: u64 = 1 << 20;

fn corpus((name, _): Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn replay(target: Target) {
    let files = corpus(target);
    assert!(files.len() >= 10, "the corpus of {} is gone", target.0);
    for file in files {
        let input = fs::read(&file).expect("an input");
        let start = Instant::now();
        let held = std::panic::catch_unwind(|| target.1(&input));
        assert!(held.is_ok(), "see above: {}", file.display());
        assert!(start.elapsed() < PATIENCE, "{} takes {:?}", file.display(), start.elapsed());
    }
}

#[test]
fn manifests_hold_what_they_promise_on_every_input_ever_found() {
    replay(TARGETS[0]);
}

#[test]
fn schedules_hold_what_they_promise_on_every_input_ever_found() {
    replay(TARGETS[1]);
}

#[test]
fn the_emulator_holds_what_it_promises_on_every_input_ever_found() {
    replay(TARGETS[2]);
}

#[test]
fn the_corpora_stay_small() {
    let size = |file: PathBuf| fs::metadata(file).expect("an input").len();
    let total: u64 = TARGETS.into_iter().flat_map(corpus).map(size).sum();
    assert!(total < MOST_BYTES, "{total} bytes");
}
