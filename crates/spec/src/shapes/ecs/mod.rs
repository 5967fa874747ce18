//! ECS: the task definition, its containers, and the words of RunTask that a target can say.

mod container;
mod run_task;
mod task_definition;

pub use container::*;
pub use run_task::*;
pub use task_definition::*;
