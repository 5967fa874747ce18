//! One module a command.

pub mod apply;
pub mod approve;
pub mod completions;
pub mod connect;
pub mod emulator;
pub mod import;
pub mod lease;
pub mod live;
pub mod next;
pub mod plan;
pub mod render;
pub mod run;
pub mod schema;
pub mod status;
pub mod validate;
