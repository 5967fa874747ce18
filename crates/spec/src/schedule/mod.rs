//! Schedules: Unix cron, AWS cron, rates and macros, as the one AWS expression each becomes.

use serde::Serialize;

/// A schedule in the form AWS takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Schedule(String);

impl Schedule {
    /// The expression sent to AWS, to the letter.
    pub fn expression(&self) -> &str {
        &self.0
    }
}
