//! What the controller costs: calls, time against the floor, CPU and memory, for any number of jobs.
//!
//! `src/main.rs` is `cargo xtask bench`; `benches` measures single functions with criterion. Figures are in
//! docs/performance.md.

pub mod cost;
pub mod figure;
pub mod fleet;
pub mod floor;
pub mod looks;
pub mod neighbour;
pub mod pure;
pub mod real;
pub mod scenario;
pub mod stage;
pub mod wire;
pub mod work;
