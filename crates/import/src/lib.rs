//! Schedules that other tools keep, as manifests of ecs-etl.
//!
//! Each source is read by its own module into [`Found`]: runs, each a schedule with what it starts, and findings, each a
//! thing that a person should know. [`manifests`] makes documents of them. The crate is pure: texts of others or facts of
//! AWS come in, texts of manifests and findings go out.
//!
//! Two rules hold for every source. What a manifest cannot say is a [`Finding`], never silence: a source reads its maps
//! through [`object::Object`], which knows what nobody asked for. And what only a person knows becomes a marker
//! ([`ecs_etl_spec::fill_in`]) that `ecs-etl validate` asks for by name and place.

pub mod aws;
pub mod cloudformation;
pub mod copilot;
mod documents;
pub mod ecschedule;
pub mod ecspresso;
mod finding;
mod found;
mod group;
mod name;
pub mod object;
mod rule;
mod secret;
mod shape;
mod target;
mod task_definition;
mod template;
pub mod terraform;
mod text;
mod timing;
mod write;

pub use documents::{Import, Manifest, Options, manifests};
pub use finding::{Finding, Kind};
pub use found::{Found, Origin, Retry, Run, Takeover};
pub use template::{Template, TemplateError};
pub use text::{File, ImportError};
