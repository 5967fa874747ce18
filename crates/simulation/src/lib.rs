//! Whole histories of the controller, each decided by one seed.
pub mod directory;
pub mod fault;
pub mod generate;
pub mod hand;
pub mod history;
pub mod judge;
pub mod life;
pub mod log;
pub mod mirror;
pub mod mutant;
pub mod shape;
pub mod sketch;
pub mod story;
pub mod ticks;
pub mod wire;
pub mod world;
