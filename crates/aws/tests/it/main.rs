//! The shipped SDK client against the emulator in this process: every question, every write, every way to fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, helpers too")]

mod acts;
mod faults;
mod limits;
mod lists;
mod looks;
mod normal_forms;
mod roles;
mod state;
mod world;
