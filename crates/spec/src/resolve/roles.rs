//! The roles of a job: who starts its runs, and what its tasks may do.

use super::triggers::Triggers;
use super::{Fields, Known, arn};
use crate::job::OnScheduler;
use crate::manifest::JobSpec;
use crate::path;
use crate::variables;
use crate::yaml::Value;

/// The roles that EventBridge and EventBridge Scheduler assume: the job's own, or the cluster's. Only those that are needed
/// must be there.
pub fn of(
    fields: &mut Fields<'_>,
    spec: &JobSpec,
    known: Option<&Known>,
    scheduler: Option<OnScheduler>,
    triggers: &Triggers,
) -> (Option<String>, Option<OnScheduler>) {
    if let Some(Err(why)) = spec.role_arn.as_deref().map(arn::role) {
        fields.error("spec.roleArn", why, None);
    }
    let own = || spec.role_arn.clone();
    let Some(known) = known else { return (own(), scheduler) };
    // One that only tells of a run needs none, and a job that nothing starts is refused for that.
    let rules_start_it = scheduler.is_none() || !triggers.after.is_empty() || !triggers.events.is_empty();
    let events = own().or_else(|| known.events_role_arn.clone());
    if events.is_none() && rules_start_it {
        fields.missing("spec.roleArn", &format!("or set `eventsRoleArn` in EtlCluster `{}`", known.cluster.name));
    }
    let scheduler = scheduler.map(|mut scheduler| {
        match own().or_else(|| known.scheduler_role_arn.clone()) {
            Some(role) => scheduler.role_arn = role,
            None => {
                let help = format!(
                    "a role that scheduler.amazonaws.com may assume; or set `schedulerRoleArn` in EtlCluster `{}`",
                    known.cluster.name
                );
                fields.missing("spec.roleArn", &help);
            }
        }
        scheduler
    });
    (events.filter(|_| rules_start_it), scheduler)
}

/// Roles of the tasks, by name or ARN. Only in defaults is `${account}` filled in.
pub fn of_tasks(fields: &mut Fields<'_>) {
    const ROLES: [&str; 4] = [
        "spec.taskDefinition.taskRoleArn",
        "spec.taskDefinition.executionRoleArn",
        "spec.runTask.overrides.taskRoleArn",
        "spec.runTask.overrides.executionRoleArn",
    ];
    for role in ROLES {
        let (node, true) = path::nearest(fields.root, &path::parse(role)) else { continue };
        let text = match &node.value {
            Value::String(text) => text.clone(),
            Value::Open { template, .. } => variables::close(template, "000000000000", false),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Sequence(_) | Value::Mapping(_) => {
                continue;
            }
        };
        if let Err(why) = arn::role(&text) {
            fields.error(role, why, None);
        }
    }
}
