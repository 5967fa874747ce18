//! The only crate of ecs-etl that names the AWS SDK: observe, act, classify, and the call budget.

pub mod convert;
