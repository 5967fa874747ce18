//! Every operation of AWS that is ever called, with what a policy and the budget must know of it.

use ecs_etl_plan::failure::Service;
use ecs_etl_plan::step::Action;

use crate::budget::Bucket;

/// An operation of an AWS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// Its name in the service model, such as `PutTargets`.
    pub name: &'static str,
    /// Whether it changes anything.
    pub mutating: bool,
    /// The throttle bucket it draws on; none where AWS's limit is far out of reach.
    pub bucket: Option<Bucket>,
}

impl Operation {
    /// The action as an IAM policy names it, such as `events:PutTargets`.
    pub fn iam_action(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.name)
    }

    /// The operation that carries out `action`.
    pub fn of(action: &Action) -> Self {
        match action {
            Action::RegisterTaskDefinition { .. } => REGISTER_TASK_DEFINITION,
            Action::PutRule { .. } => PUT_RULE,
            Action::EnableRule { .. } => ENABLE_RULE,
            Action::DisableRule { .. } => DISABLE_RULE,
            Action::PutTargets { .. } => PUT_TARGETS,
            Action::RemoveTargets { .. } => REMOVE_TARGETS,
            Action::DeleteRule { .. } => DELETE_RULE,
            Action::CreateScheduleGroup { .. } => CREATE_SCHEDULE_GROUP,
            Action::PutSchedule { create: true, .. } => CREATE_SCHEDULE,
            Action::PutSchedule { create: false, .. } => UPDATE_SCHEDULE,
            Action::DeleteSchedule { .. } => DELETE_SCHEDULE,
            Action::TagRule { .. } => TAG_RULE,
            Action::UntagRule { .. } => UNTAG_RULE,
            Action::TagRevision { .. } => TAG_REVISION,
            Action::UntagRevision { .. } => UNTAG_REVISION,
            Action::DeregisterTaskDefinition { .. } => DEREGISTER_TASK_DEFINITION,
        }
    }
}

const READ: bool = false;
const WRITE: bool = true;

macro_rules! operations {
    ($($name:ident = $service:ident $operation:literal $mutating:ident $bucket:expr;)*) => {
        $(pub(crate) const $name: Operation = Operation {
            service: Service::$service,
            name: $operation,
            mutating: $mutating,
            bucket: $bucket,
        };)*

        /// The whole list: nothing else is ever called. The policies in `deploy/` are tested against it.
        pub const OPERATIONS: &[Operation] = &[$($name),*];
    };
}

operations! {
    DESCRIBE_TASK_DEFINITION = Ecs "DescribeTaskDefinition" READ Some(Bucket::TaskDefinitionRead);
    LIST_TASK_DEFINITIONS = Ecs "ListTaskDefinitions" READ Some(Bucket::TaskDefinitionRead);
    REGISTER_TASK_DEFINITION = Ecs "RegisterTaskDefinition" WRITE Some(Bucket::TaskDefinitionModify);
    DEREGISTER_TASK_DEFINITION = Ecs "DeregisterTaskDefinition" WRITE Some(Bucket::TaskDefinitionModify);
    TAG_REVISION = Ecs "TagResource" WRITE Some(Bucket::EcsTagModify);
    UNTAG_REVISION = Ecs "UntagResource" WRITE Some(Bucket::EcsTagModify);
    DESCRIBE_RULE = Events "DescribeRule" READ Some(Bucket::Events);
    LIST_RULES = Events "ListRules" READ Some(Bucket::Events);
    LIST_TARGETS_BY_RULE = Events "ListTargetsByRule" READ Some(Bucket::Events);
    LIST_TAGS_OF_RULE = Events "ListTagsForResource" READ Some(Bucket::Events);
    PUT_RULE = Events "PutRule" WRITE Some(Bucket::Events);
    ENABLE_RULE = Events "EnableRule" WRITE Some(Bucket::Events);
    DISABLE_RULE = Events "DisableRule" WRITE Some(Bucket::Events);
    PUT_TARGETS = Events "PutTargets" WRITE Some(Bucket::Events);
    REMOVE_TARGETS = Events "RemoveTargets" WRITE Some(Bucket::Events);
    DELETE_RULE = Events "DeleteRule" WRITE Some(Bucket::Events);
    TAG_RULE = Events "TagResource" WRITE Some(Bucket::Events);
    UNTAG_RULE = Events "UntagResource" WRITE Some(Bucket::Events);
    GET_SCHEDULE = Scheduler "GetSchedule" READ Some(Bucket::Scheduler);
    LIST_SCHEDULES = Scheduler "ListSchedules" READ Some(Bucket::SchedulerLists);
    LIST_TAGS_OF_GROUP = Scheduler "ListTagsForResource" READ Some(Bucket::SchedulerGroups);
    CREATE_SCHEDULE_GROUP = Scheduler "CreateScheduleGroup" WRITE Some(Bucket::SchedulerGroups);
    CREATE_SCHEDULE = Scheduler "CreateSchedule" WRITE Some(Bucket::Scheduler);
    UPDATE_SCHEDULE = Scheduler "UpdateSchedule" WRITE Some(Bucket::Scheduler);
    DELETE_SCHEDULE = Scheduler "DeleteSchedule" WRITE Some(Bucket::Scheduler);
    ASSUME_ROLE = Sts "AssumeRole" READ None;
    GET_CALLER_IDENTITY = Sts "GetCallerIdentity" READ None;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_operation_stands_in_the_list_once_and_in_its_services_bucket() {
        let actions: BTreeSet<String> = OPERATIONS.iter().map(Operation::iam_action).collect();
        assert_eq!(actions.len(), OPERATIONS.len());
        for operation in OPERATIONS {
            assert!(operation.bucket.is_none_or(|bucket| bucket.service() == operation.service), "{operation:?}");
        }
    }

    #[test]
    fn what_only_reads_is_named_so_by_aws() {
        for operation in OPERATIONS {
            let reads = ["Describe", "List", "Get", "Assume"].iter().any(|prefix| operation.name.starts_with(prefix));
            assert_eq!(operation.mutating, !reads, "{operation:?}");
        }
    }
}
