//! The loop of ecs-etl: scan and watch the directory, queue, reconcile, report.

pub mod queue;
pub mod scan;
pub mod source;
