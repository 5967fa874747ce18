//! Development tasks of ecs-etl.
fn main() {}
