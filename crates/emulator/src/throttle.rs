//! AWS's token buckets, per account, Region and group of operations (docs/aws.md, Throttles and quotas).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::place::Place;
use crate::reply::{Protocol, Refusal, Reply};
use crate::request::{Operation, Service};

/// The operations that share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    TaskDefinitionModify,
    TaskDefinitionRead,
    TaskDefinitionDelete,
    TagModify,
    TagRead,
    ClusterModify,
    ClusterRead,
    ClusterResourceModify,
    ClusterResourceRead,
    EventsControlPlane,
    TaggingRead,
    /// An operation of EventBridge Scheduler, each of which has a rate of its own.
    Scheduler(&'static str),
}

/// Calls a second of each of EventBridge Scheduler's operations, where AWS has least (docs/aws.md, Throttles and quotas).
const SCHEDULER: [(&str, i64); 12] = [
    ("CreateSchedule", 250),
    ("GetSchedule", 250),
    ("UpdateSchedule", 250),
    ("DeleteSchedule", 250),
    ("ListSchedules", 50),
    ("CreateScheduleGroup", 10),
    ("GetScheduleGroup", 10),
    ("DeleteScheduleGroup", 10),
    ("ListScheduleGroups", 10),
    ("TagResource", 10),
    ("UntagResource", 10),
    ("ListTagsForResource", 10),
];

/// How much a bucket holds, and how fast it fills.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: i64,
    per_second: i64,
}

impl Group {
    /// The bucket of an operation; `None` for what AWS does not limit so.
    fn of(operation: &Operation) -> Option<Self> {
        match operation.service {
            Service::Ecs => match operation.name.as_str() {
                "RegisterTaskDefinition" | "DeregisterTaskDefinition" => Some(Self::TaskDefinitionModify),
                "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies" => {
                    Some(Self::TaskDefinitionRead)
                }
                "DeleteTaskDefinitions" => Some(Self::TaskDefinitionDelete),
                "TagResource" | "UntagResource" => Some(Self::TagModify),
                "ListTagsForResource" => Some(Self::TagRead),
                "CreateCluster" | "DeleteCluster" => Some(Self::ClusterModify),
                "DescribeClusters" | "ListClusters" => Some(Self::ClusterRead),
                "RunTask" | "StopTask" => Some(Self::ClusterResourceModify),
                "DescribeTasks" | "ListTasks" => Some(Self::ClusterResourceRead),
                _ => None,
            },
            // Events have a rate of their own, a hundred times as high.
            Service::Events => (operation.name != "PutEvents").then_some(Self::EventsControlPlane),
            Service::Tag => Some(Self::TaggingRead),
            Service::Scheduler => {
                let (name, _) = SCHEDULER.iter().find(|(name, _)| *name == operation.name)?;
                Some(Self::Scheduler(name))
            }
            Service::Sqs | Service::Sts | Service::Emulator => None,
        }
    }

    fn rate(self) -> Rate {
        let (burst, per_second) = match self {
            Self::TaskDefinitionModify => (20, 1),
            Self::TaskDefinitionRead => (50, 20),
            Self::TaskDefinitionDelete => (5, 1),
            Self::TagModify => (20, 10),
            Self::TagRead => (50, 20),
            Self::ClusterModify => (20, 1),
            Self::ClusterRead => (50, 20),
            Self::ClusterResourceModify => (100, 40),
            Self::ClusterResourceRead => (100, 20),
            // One number for all of EventBridge's control plane.
            Self::EventsControlPlane => (50, 50),
            // Not published; 15 is what is commonly reported.
            Self::TaggingRead => (15, 15),
            Self::Scheduler(operation) => {
                let rate = SCHEDULER.iter().find(|(name, _)| *name == operation).map_or(1, |(_, rate)| *rate);
                (rate, rate)
            }
        };
        Rate { burst, per_second }
    }
}

/// Nanotokens, so that a bucket fills without rounding: one second's nanoseconds at one per second are one token.
const TOKEN: i64 = 1_000_000_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: i64,
    filled: Timestamp,
}

/// All buckets; one that was never used is full.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets {
    buckets: BTreeMap<(Place, Group), Bucket>,
}

impl Buckets {
    /// Takes a token for the operation, if there is one.
    pub(crate) fn admit(&mut self, now: Timestamp, place: &Place, operation: &Operation) -> bool {
        Group::of(operation).is_none_or(|group| self.take(now, place, group))
    }

    /// Takes a token for a RunTask that a rule or a schedule makes.
    pub(crate) fn admit_run(&mut self, now: Timestamp, place: &Place) -> bool {
        self.take(now, place, Group::ClusterResourceModify)
    }

    fn take(&mut self, now: Timestamp, place: &Place, group: Group) -> bool {
        let Rate { burst, per_second } = group.rate();
        let full = burst * TOKEN;
        let bucket = self.buckets.entry((place.clone(), group)).or_insert(Bucket { tokens: full, filled: now });
        let elapsed = now.duration_since(bucket.filled).as_nanos().clamp(0, i128::from(full));
        let gained = i64::try_from(elapsed).unwrap_or(full).saturating_mul(per_second);
        bucket.tokens = bucket.tokens.saturating_add(gained).min(full);
        bucket.filled = bucket.filled.max(now);
        if bucket.tokens < TOKEN {
            return false;
        }
        bucket.tokens -= TOKEN;
        true
    }
}

/// The answer to a request that found its bucket empty (docs/aws.md, Throttles and quotas).
pub(crate) fn refusal(service: Service) -> Reply {
    match service {
        // The tagging API spells it in its own way.
        Service::Tag => Reply::error(400, "ThrottledException", "Rate exceeded"),
        Service::Scheduler => {
            let refusal = Refusal { status: 429, ..Refusal::new("ThrottlingException", "Rate exceeded") };
            refusal.reply(Protocol::Rest)
        }
        Service::Ecs | Service::Events | Service::Sqs | Service::Sts | Service::Emulator => Reply::throttled(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn admitted(buckets: &mut Buckets, now: Timestamp, region: &str, name: &str, tries: usize) -> usize {
        let place = Place { account: "1".to_owned(), region: region.to_owned() };
        let operation = Operation { service: Service::Ecs, name: name.to_owned() };
        (0..tries).filter(|_| buckets.admit(now, &place, &operation)).count()
    }

    #[test]
    fn register_and_deregister_share_a_burst_of_twenty_and_one_a_second() {
        let (mut buckets, start) = (Buckets::default(), Timestamp::UNIX_EPOCH);
        let at = |milliseconds| start + SignedDuration::from_millis(milliseconds);
        assert_eq!(admitted(&mut buckets, at(0), "eu-west-1", "RegisterTaskDefinition", 15), 15);
        assert_eq!(admitted(&mut buckets, at(0), "eu-west-1", "DeregisterTaskDefinition", 15), 5);
        assert_eq!(admitted(&mut buckets, at(999), "eu-west-1", "RegisterTaskDefinition", 5), 0);
        assert_eq!(admitted(&mut buckets, at(1000), "eu-west-1", "RegisterTaskDefinition", 5), 1);
        assert_eq!(admitted(&mut buckets, at(11_000), "eu-west-1", "RegisterTaskDefinition", 50), 10);
        assert_eq!(admitted(&mut buckets, at(900_000), "eu-west-1", "RegisterTaskDefinition", 50), 20);
    }

    #[test]
    fn another_region_and_another_group_have_buckets_of_their_own() {
        let (mut buckets, now) = (Buckets::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(admitted(&mut buckets, now, "eu-west-1", "RegisterTaskDefinition", 50), 20);
        assert_eq!(admitted(&mut buckets, now, "us-east-1", "RegisterTaskDefinition", 50), 20);
        assert_eq!(admitted(&mut buckets, now, "eu-west-1", "DescribeTaskDefinition", 99), 50);
    }
}
