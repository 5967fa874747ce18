//! Development tasks of ecs-etl, run as `cargo xtask TASK`.

mod codegen;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Development tasks of ecs-etl")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Generate the shapes of AWS and their SDK conversions from AWS's service models
    Codegen(codegen::Args),
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Codegen(args) => codegen::run(&args),
    }
}
