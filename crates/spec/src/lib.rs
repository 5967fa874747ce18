//! Manifests of ecs-etl: YAML to valid jobs, with diagnostics that name file, line and field.
//!
//! The crate is pure: it reads no file, clock or socket. Its one entry is [`directory::load`], which takes the
//! bytes of every manifest file and returns what is valid beside what is wrong.

pub mod diagnostic;
pub mod directory;
pub mod job;
pub mod name;
pub mod schedule;
pub mod shapes;
