//! What must hold for any input, as functions that end in a panic where it does not.
//!
//! Each module is one target: `check` takes bytes and says nothing if all is well. libFuzzer searches for bytes that it
//! does not take (`cargo xtask fuzz`), and `tests/replay.rs` gives it every input below `corpus` in every test run, so
//! that what was found once stays found.
//!
//! | target | input |
//! |---|---|
//! | [`manifests`] | the files of a manifest directory, one after another |
//! | [`schedules`] | two schedules and a time, a line each |
//! | [`emulator`] | requests to one embedded AWS, a line each |

pub mod emulator;
pub mod manifests;
pub mod schedules;

/// A target: its name, which its corpus has as well, and its check.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 3] =
    [("manifests", manifests::check), ("schedules", schedules::check), ("emulator", emulator::check)];
