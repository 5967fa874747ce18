//! What becomes of a tick of a schedule, and of an event that a rule matches, each time that it is tried to deliver it.

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
    /// How often it had called it before, for the same tick or event.
    pub retries: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What of a retry policy ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// It was tried again as often as it was to be.
    MaximumRetryAttempts,
    /// It is as old as it was to become.
    MaximumEventAgeInSeconds,
}

impl Exhausted {
    /// The word that dead letters have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaximumRetryAttempts => "MaximumRetryAttempts",
            Self::MaximumEventAgeInSeconds => "MaximumEventAgeInSeconds",
        }
    }
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
    /// The target failed in a way that passes: EventBridge tries again, and counts nothing yet.
    Failed {
        /// The error code.
        code: String,
        /// The message.
        message: String,
        /// When it tries again.
        again: Timestamp,
    },
    /// The target refused, or failed too often: EventBridge counts a failed invocation, which it does not try again.
    Refused {
        /// The error code.
        code: String,
        /// The message.
        message: String,
        /// What of the retry policy is used up; none for what was not to be tried again at all.
        exhausted: Option<Exhausted>,
        /// Id of the message in the target's dead-letter queue, if it has one that is there.
        dead_letter: Option<String>,
    },
    /// ECS had no place for the tasks. It says so in a success, so EventBridge takes the event for delivered.
    NotPlaced {
        /// ARN of the revision that was to run.
        task_definition: String,
        /// Why there was no place.
        reason: String,
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
