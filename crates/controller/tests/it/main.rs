//! The shipped controller and SDK client against the emulator, in one process, with time paused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, helpers too")]

mod adoption;
mod budgets;
mod changes;
mod converge;
mod crash;
mod daemon;
mod deletion;
mod drift;
mod lab;
mod lease;
mod limits;
mod places;
mod races;
mod retries;
mod scheduler;
mod settings;
mod shards;
mod tidy;
mod triggers;
mod trouble;
