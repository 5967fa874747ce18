//! On what a task will run, as far as a manifest tells.

use crate::shapes::{RunTask, TaskDefinition};

/// On what a task will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Launch {
    /// `requiresCompatibilities` holds FARGATE: ECS checks the task definition against it when it is registered.
    pub declared_fargate: bool,
    /// `runTask` starts it on Fargate.
    pub started_on_fargate: bool,
    /// The containers are Windows containers.
    pub windows: bool,
}

impl Launch {
    pub(super) fn of(definition: &TaskDefinition, run_task: &RunTask) -> Self {
        let compatibilities = definition.requires_compatibilities.as_deref().unwrap_or_default();
        let platform = definition.runtime_platform.as_ref();
        let family = platform.and_then(|platform| platform.operating_system_family.as_deref()).unwrap_or_default();
        Self {
            declared_fargate: compatibilities.iter().any(|name| name == "FARGATE"),
            started_on_fargate: started_on_fargate(run_task),
            windows: family.starts_with("WINDOWS"),
        }
    }

    /// Whether what Fargate demands must hold.
    pub(super) fn fargate(self) -> bool {
        self.declared_fargate || self.started_on_fargate
    }
}

/// Whether `run_task` names Fargate, as its launch type or by one of Fargate's two capacity providers.
pub(super) fn started_on_fargate(run_task: &RunTask) -> bool {
    let providers = run_task.capacity_provider_strategy.as_deref().unwrap_or_default();
    run_task.launch_type.as_deref() == Some("FARGATE")
        || providers.iter().any(|item| matches!(item.capacity_provider.as_deref(), Some("FARGATE" | "FARGATE_SPOT")))
}

/// The network mode that ECS assumes without one.
pub(super) const DEFAULT_NETWORK_MODE: &str = "bridge";

/// The network mode of a task's containers.
pub(super) fn network_mode(definition: &TaskDefinition) -> &str {
    definition.network_mode.as_deref().unwrap_or(DEFAULT_NETWORK_MODE)
}
