//! The shipped binary, as people and scripts meet it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, helpers too")]

mod import;
mod processes;
mod secrets;
mod sessions;
mod world;
