//! The throttle buckets of AWS and a token bucket that keeps a share of one.

use std::time::Duration;

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

/// The part of AWS's rate that this controller allows itself: one over this number. The rest is for people, pipelines and
/// the services' own calls.
pub(super) const SHARE: u32 = 2;

/// After a throttle, nothing more goes out for so long.
const REST: i128 = 1_000_000_000;

/// A token bucket in whole nanoseconds: a token is the time it takes to earn one, so nothing is ever rounded.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// What one call costs.
    cost: i128,
    /// What is held at most.
    full: i128,
    /// What is held; below zero after a plan of more calls than the bucket holds, or a throttle.
    level: i128,
    /// When `level` was true.
    at: Duration,
}

impl Tokens {
    /// A bucket that holds one call, so that a restart starts with no burst.
    pub(super) fn new(bucket: Bucket, now: Duration) -> Self {
        let rate = bucket.rate();
        let cost = i128::from(SHARE) * 1_000_000_000 / i128::from(rate.per_second.max(1));
        let full = cost * i128::from((rate.burst / SHARE).max(1));
        Self { cost, full, level: cost, at: now }
    }

    fn level(&self, now: Duration) -> i128 {
        let earned = now.saturating_sub(self.at).as_nanos();
        self.full.min(self.level.saturating_add(i128::try_from(earned).unwrap_or(i128::MAX)))
    }

    /// When `calls` can go after `ahead` others have gone; at once is `now`.
    ///
    /// More than the bucket ever holds can go once it is full: it is then overdrawn, and others wait the longer.
    pub(super) fn ready(&self, now: Duration, ahead: u64, calls: u64) -> Duration {
        let need = self.full.min(self.cost * i128::from(calls)) + self.cost * i128::from(ahead);
        let missing = need - self.level(now);
        let wait = u64::try_from(missing.max(0)).unwrap_or(u64::MAX);
        now.saturating_add(Duration::from_nanos(wait))
    }

    /// Whether `calls` can go now although what `ahead` others wait for stays untouched.
    ///
    /// A full bucket serves whoever is there: it earns nothing more, so those ahead lose nothing by it.
    pub(super) fn affords(&self, now: Duration, ahead: u64, calls: u64) -> bool {
        let (own, others) = (self.cost * i128::from(calls), self.cost * i128::from(ahead));
        self.level(now) >= self.full.min(own + others)
    }

    pub(super) fn take(&mut self, now: Duration, calls: u64) {
        self.level = self.level(now) - self.cost * i128::from(calls);
        self.at = now;
    }

    /// AWS says that the bucket is empty, whatever is thought here.
    pub(super) fn throttled(&mut self, now: Duration) {
        self.level = self.level(now).min(-REST);
        self.at = now;
    }
}
