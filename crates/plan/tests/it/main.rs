//! Decisions, tried against a small model of AWS that carries out their plans.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must say where")]

mod adoption;
mod answers;
mod calls;
mod create;
mod drift;
mod drifts;
mod explaining;
mod histories;
mod job;
mod labels;
mod linting;
mod lowering;
mod moves;
mod ownership;
mod prefixes;
mod properties;
mod prune;
mod purity;
mod removal;
mod scheduler;
mod shapes;
mod triggers;
mod world;
