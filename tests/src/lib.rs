//! End-to-end tests of ecs-etl; see the `tests` folder of this crate.
