//! The shipped SDK client against the emulator in this process: every question, every write, every way to fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, helpers too")]

mod acts;
mod direct;
mod faults;
mod limits;
mod lists;
mod log;
mod looks;
mod normal_forms;
mod roles;
mod state;
mod wire;
mod world;
