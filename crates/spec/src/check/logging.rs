//! Logs, FireLens, and what only the task execution role may do for a container.

use super::image;
use super::launch::Launch;
use super::problem::Problems;
use crate::shapes::{ContainerDefinition, LogConfiguration, TaskDefinition};
use crate::yaml::shown;

const FARGATE_DRIVERS: [&str; 3] = ["awslogs", "splunk", "awsfirelens"];

/// Checks log drivers, the FireLens container, and that there is an execution role where one is needed.
pub(super) fn check(problems: &mut Problems, definition: &TaskDefinition, launch: Launch) {
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    let mut routers = containers.iter().enumerate().filter(|(_, container)| container.firelens_configuration.is_some());
    let router = routers.next();
    for (index, _) in routers {
        problems.error(
            format!("containerDefinitions[{index}].firelensConfiguration"),
            "a task has one FireLens container, and this is another",
        );
    }
    for (index, container) in containers.iter().enumerate() {
        let path = format!("containerDefinitions[{index}]");
        if let Some(logs) = &container.log_configuration {
            check_logs(problems, &format!("{path}.logConfiguration"), logs, launch);
            if logs.log_driver.as_deref() == Some("awsfirelens") && router.is_none() {
                problems.warning(
                    format!("{path}.logConfiguration.logDriver"),
                    "no container has a `firelensConfiguration` that would take these logs",
                );
            }
        }
        if definition.execution_role_arn.is_none() {
            check_execution_role(problems, &path, container, launch);
        }
    }
}

fn check_logs(problems: &mut Problems, path: &str, logs: &LogConfiguration, launch: Launch) {
    let driver = logs.log_driver.as_deref().unwrap_or_default();
    if launch.fargate() && !FARGATE_DRIVERS.contains(&driver) && !driver.is_empty() {
        problems
            .error(format!("{path}.logDriver"), format!("Fargate has no log driver `{}`", shown(driver)))
            .help(format!("it has {}", FARGATE_DRIVERS.join(", ")));
    }
    if driver == "awslogs" {
        let has = |option: &str| logs.options.as_ref().is_some_and(|options| options.contains_key(option));
        let missing: Vec<&str> =
            ["awslogs-group", "awslogs-region"].into_iter().filter(|option| !has(option)).collect();
        let at = format!("{path}.options");
        if !missing.is_empty() {
            problems.error(at, format!("awslogs asks for {}", missing.join(" and ")));
        } else if launch.fargate() && !has("awslogs-stream-prefix") {
            problems.warning(at, "awslogs on Fargate asks for awslogs-stream-prefix");
        }
    }
}

/// The agent fetches secrets with the execution role on any launch type; on Fargate it also pulls images and sends
/// logs with it, where EC2 has the role of the instance.
fn check_execution_role(problems: &mut Problems, path: &str, container: &ContainerDefinition, launch: Launch) {
    let mut need = |field: &str, what: &str| {
        problems
            .error(format!("{path}.{field}"), format!("{what} needs a task execution role"))
            .help("set `executionRoleArn` of the task definition");
    };
    let logs = container.log_configuration.as_ref();
    if container.secrets.as_ref().is_some_and(|secrets| !secrets.is_empty()) {
        need("secrets", "a container with secrets");
    }
    if logs.and_then(|logs| logs.secret_options.as_ref()).is_some_and(|secrets| !secrets.is_empty()) {
        need("logConfiguration.secretOptions", "a log driver with secrets");
    }
    if !launch.fargate() {
        return;
    }
    if logs.and_then(|logs| logs.log_driver.as_deref()) == Some("awslogs") {
        need("logConfiguration.logDriver", "`awslogs` on Fargate");
    }
    if container.image.as_deref().is_some_and(image::is_private_ecr) {
        need("image", "an image in a private ECR registry on Fargate");
    }
    if container.environment_files.as_ref().is_some_and(|files| !files.is_empty()) {
        need("environmentFiles", "a container with environment files");
    }
    if container.repository_credentials.is_some() {
        need("repositoryCredentials", "a private registry");
    }
}
