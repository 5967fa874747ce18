//! What the end-to-end tests stand on: servers that play AWS, a meter of the calls between, the real program, and a
//! client of our own that reads and spoils what the program built.
//!
//! Nothing here uses the AWS SDK or the crates under test, so that a fault of theirs cannot hide itself.

pub mod canonical;
pub mod deviations;
pub mod differential;
pub mod meter;
pub mod program;
pub mod random;
pub mod raw;
pub mod recording;
pub mod rest;
pub mod server;
pub mod template;
pub mod tools;
pub mod wire;
pub mod workspace;
