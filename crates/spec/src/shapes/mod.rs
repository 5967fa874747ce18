//! The shapes of AWS: what ECS registers, how a run is started, and what an EventBridge target holds.
//!
//! Everything under [`ecs`], [`events`] and the tables of [`members`] is generated from AWS's service models
//! (`cargo xtask codegen`). Every member is optional and keeps apart "absent", `false`, `0` and `""`; what AWS
//! requires stands in the member table, for the checks. Reading is strict: see [`strict`].

pub mod ecs;
pub mod events;
pub mod members;
pub mod packed;
pub mod size;
pub mod strict;

pub use ecs::*;
pub use members::enum_values;
pub use packed::Packed;

#[cfg(test)]
mod tests;
