//! The loop of ecs-etl: scan and watch the directory, queue, reconcile, report.

pub mod approval;
pub mod lock;
pub mod queue;
pub mod scan;
pub mod settle;
pub mod source;
pub mod status;
pub mod watch;
