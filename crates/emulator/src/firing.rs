//! What becomes of a tick of a schedule, and of an event that a rule matches.

use jiff::Timestamp;

/// One tick of a scheduled rule, or one event that a rule's pattern matched, as one of its targets met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The account of the rule.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its name.
    pub rule: String,
    /// The Id of the target.
    pub target: String,
    /// The moment that the schedule names: a whole minute for `cron(...)`. For an event the same as `at`.
    pub due: Timestamp,
    /// When EventBridge called the target; after a tick some seconds later.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a target made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// ECS started tasks.
    Started {
        /// ARN of the revision that they run.
        task_definition: String,
        /// ARNs of the tasks.
        tasks: Vec<String>,
        /// Their group: the target's, or `family:FAMILY`.
        group: String,
    },
    /// ECS refused to start any: EventBridge counts a failed invocation.
    Refused {
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// The target is of a service that is not emulated.
    NotEmulated {
        /// ARN of the target.
        arn: String,
        /// What it would have been given: JSON, unless an input transformer makes something else.
        input: String,
    },
}
