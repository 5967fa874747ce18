//! The binary `ecs-etl`.
fn main() {}
