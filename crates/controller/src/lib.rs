//! The loop of ecs-etl: scan and watch the directory, queue, reconcile, report.
