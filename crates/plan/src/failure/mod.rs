//! What AWS refused, and what that means for trying again.

mod classify;
mod explain;

use jiff::Timestamp;

pub use classify::{Service, classify};

/// When a failed call is worth another try (docs/aws.md, Errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetryClass {
    /// AWS asks for fewer calls: back off, and slow the bucket down.
    Throttled,
    /// It may pass in seconds: a server error, a lost connection, a concurrent change.
    Soon,
    /// It waits for something else: a permission, a quota, a role that is not assumable yet. Minutes.
    Slow,
    /// It stays so until the manifest changes.
    Terminal,
    /// The resource does not exist.
    NotFound,
}

/// The call was given up before an answer came.
pub const TIMEOUT: &str = "Timeout";
/// The connection could not be made, or broke before the answer was complete.
pub const CONNECTION: &str = "Connection";
/// What came back is no answer of AWS: not its protocol, or without a member that it always sends.
pub const RESPONSE: &str = "Response";
/// There are no credentials to sign the call with.
pub const CREDENTIALS: &str = "Credentials";
/// The call could not be built from what it was given.
pub const REQUEST: &str = "Request";

/// A call that failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{operation} on {resource} failed: {code}: {message}")]
pub struct Failure {
    /// AWS operation, such as `PutTargets`.
    pub operation: &'static str,
    /// What it acted on.
    pub resource: String,
    /// AWS's error code; [`TIMEOUT`], [`CONNECTION`], [`RESPONSE`], [`CREDENTIALS`] or [`REQUEST`] for what never became an
    /// answer of AWS.
    pub code: String,
    /// AWS's words, cut to a length that can be shown.
    pub message: String,
    /// AWS's request id, when there was an answer.
    pub request_id: Option<String>,
    /// When to try again.
    pub class: RetryClass,
    /// Whether the effect may have happened although the answer says otherwise: a timeout, a lost connection, an answer that
    /// cannot be read, a server error.
    pub ambiguous: bool,
}

/// When and why the next try is.
#[derive(Debug, Clone, PartialEq)]
pub struct NextTry {
    /// When.
    pub at: Timestamp,
    /// How many tries have failed.
    pub attempts: u32,
}
