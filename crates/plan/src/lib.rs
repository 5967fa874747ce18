//! Pure decisions of ecs-etl: normalise, compare, and plan the writes that converge a job.
