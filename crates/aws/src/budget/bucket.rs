//! The throttle buckets of AWS.

use ecs_etl_plan::failure::Service;

/// One of AWS's throttle buckets: every operation in it draws on the same tokens, per account and Region
/// (docs/aws.md, Throttles and quotas).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// RegisterTaskDefinition and DeregisterTaskDefinition.
    TaskDefinitionModify,
    /// DescribeTaskDefinition and ListTaskDefinitions.
    TaskDefinitionRead,
    /// TagResource and UntagResource of ECS.
    EcsTagModify,
    /// The whole control plane of EventBridge: whether its rate is pooled over operations is not published, so it is taken
    /// to be.
    Events,
    /// The schedules of EventBridge Scheduler, one by one: each operation has hundreds a second, which are taken to be one pool.
    Scheduler,
    /// ListSchedules of EventBridge Scheduler.
    SchedulerLists,
    /// Groups of schedules and their tags: each operation has ten a second, which are taken to be one pool.
    SchedulerGroups,
}

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once.
    pub burst: u32,
    /// Calls a second, for ever.
    pub per_second: u32,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 7] = [
        Self::TaskDefinitionModify,
        Self::TaskDefinitionRead,
        Self::EcsTagModify,
        Self::Events,
        Self::Scheduler,
        Self::SchedulerLists,
        Self::SchedulerGroups,
    ];

    /// What AWS allows everybody in the account together.
    pub const fn rate(self) -> Rate {
        match self {
            Self::TaskDefinitionModify => Rate { burst: 20, per_second: 1 },
            Self::TaskDefinitionRead => Rate { burst: 50, per_second: 20 },
            Self::EcsTagModify => Rate { burst: 20, per_second: 10 },
            Self::Events => Rate { burst: 50, per_second: 50 },
            Self::Scheduler => Rate { burst: 200, per_second: 200 },
            Self::SchedulerLists => Rate { burst: 50, per_second: 50 },
            Self::SchedulerGroups => Rate { burst: 10, per_second: 10 },
        }
    }

    /// The service it belongs to.
    pub const fn service(self) -> Service {
        match self {
            Self::TaskDefinitionModify | Self::TaskDefinitionRead | Self::EcsTagModify => Service::Ecs,
            Self::Events => Service::Events,
            Self::Scheduler | Self::SchedulerLists | Self::SchedulerGroups => Service::Scheduler,
        }
    }

    /// Its name in logs and in the message of a job that waits for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TaskDefinitionModify => "task definition writes",
            Self::TaskDefinitionRead => "task definition reads",
            Self::EcsTagModify => "ECS tag writes",
            Self::Events => "EventBridge calls",
            Self::Scheduler => "EventBridge Scheduler calls",
            Self::SchedulerLists => "EventBridge Scheduler lists",
            Self::SchedulerGroups => "EventBridge Scheduler group calls",
        }
    }
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
