//! Pure decisions of ecs-etl: normalise, compare, and plan the writes that converge a job.
//!
//! Everything here is a function of its arguments: what is desired, what was observed, the policy and `now`. No clock, file,
//! socket, runtime or SDK: a test over the dependency tree and `clippy.toml` hold it to that.
//!
//! [`decide::decide`] answers with a [`decide::Decision`]: either the facts it still lacks ([`observed::Look`]) or a
//! [`step::Plan`] that leaves the executor no choice. So AWS is asked only what a decision hangs on, and each call can be
//! explained.

pub mod adoption;
pub mod changes;
pub mod clean_up;
mod compare;
pub mod condition;
pub mod decide;
pub mod desired;
pub mod explain;
pub mod failure;
pub mod labels;
pub mod lease;
pub mod lint;
pub mod lower;
pub mod normalise;
pub mod observed;
pub mod ownership;
pub mod prune;
pub mod removal;
pub mod status;
pub mod step;
pub mod tags;
