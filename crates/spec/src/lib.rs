//! Manifests of ecs-etl: YAML to valid jobs, with diagnostics that name file, line and field.
//!
//! The crate is pure: it reads no file, clock or socket. Its one entry is [`directory::load`], which takes the
//! bytes of every manifest file and returns what is valid beside what is wrong.

pub mod adopt;
mod bind;
pub mod check;
mod defaults;
pub mod diagnostic;
pub mod directory;
mod document;
pub mod fill_in;
mod finding;
pub mod job;
mod manifest;
pub mod name;
mod path;
pub mod pattern;
pub mod render;
mod resolve;
pub mod schedule;
pub mod schema;
pub mod shapes;
pub mod suggest;
pub mod trigger;
mod typed;
pub mod variables;
pub mod yaml;

pub use bind::BindError;
