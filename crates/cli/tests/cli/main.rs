//! The shipped binary, as people and scripts meet it.

mod processes;
mod secrets;
mod sessions;
mod world;
