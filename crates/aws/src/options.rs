//! How AWS is called: limits, patience, and who watches.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ecs_etl_spec::name::Region;

use crate::budget::Share;
use crate::operation::Operation;

/// How long to wait for AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, connection included.
    pub attempt: Duration,
    /// For the whole call, credentials included.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), attempt: Duration::from_secs(10), operation: Duration::from_secs(15) }
    }
}

/// One finished call, for counting and measuring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// What was called.
    pub operation: Operation,
    /// Where.
    pub region: Region,
    /// On what.
    pub resource: String,
    /// The error code, if it failed.
    pub code: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

/// Somebody to be told of each finished call.
pub type Observer = Arc<dyn Fn(&CallRecord) + Send + Sync>;

/// How AWS is called.
#[derive(Clone, Default)]
pub struct Options {
    /// Whether calls are kept inside the budget; by default on AWS itself alone.
    pub limits: Option<bool>,
    /// The part of AWS's rates that calls are kept inside.
    pub share: Share,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Who is told of each call.
    pub observer: Option<Observer>,
    /// Whether requests to an AWS in this process leave out the SDK's orchestrator: its words, its reading of answers and its
    /// names for what goes wrong stay. For simulations, which ask by the million.
    pub short: bool,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, share, timeouts, observer, short } = self;
        f.debug_struct("Options")
            .field("limits", limits)
            .field("share", share)
            .field("timeouts", timeouts)
            .field("observer", &observer.is_some())
            .field("short", short)
            .finish()
    }
}
