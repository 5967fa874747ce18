//! What becomes of a tick of a schedule, and of an event that a rule matches.

use jiff::Timestamp;

/// One tick of a schedule or of a scheduled rule, or one event that a rule's pattern matched, as one of its targets met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The account of rule or schedule.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// The group of a schedule of EventBridge Scheduler; none for a rule.
    pub schedule_group: Option<String>,
    /// The name of the rule, or of the schedule.
    pub rule: String,
    /// The Id of the rule's target, or the ARN of the schedule's.
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
    /// The target refused: EventBridge counts a failed invocation, which it does not try again.
    Refused {
        /// The error code.
        code: String,
        /// The message.
        message: String,
        /// Id of the message in the target's dead-letter queue, if it has one that is there.
        dead_letter: Option<String>,
    },
    /// A queue took the input as a message.
    Queued {
        /// ARN of the queue.
        queue: String,
        /// Id of the message.
        message_id: String,
    },
    /// The target is of a service that is not emulated.
    NotEmulated {
        /// ARN of the target.
        arn: String,
        /// What it would have been given: JSON, unless an input transformer makes something else.
        input: String,
    },
}
