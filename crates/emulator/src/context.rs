//! What an operation knows besides its input.

use jiff::Timestamp;

use crate::place::Place;
use crate::request::Request;
use crate::settings::Settings;
use crate::sts;

/// The header by which a test plays an AWS service: rules put with it are managed by the service it names.
pub(crate) const ACTS_AS: &str = "x-embedded-aws-acts-as";

/// When, where and for whom an operation runs.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub now: Timestamp,
    pub place: Place,
    pub settings: &'a Settings,
    /// Who asks; nobody for what time does.
    pub request: Option<&'a Request>,
    /// The AWS service that makes the request, for rules that only it may change; see [`ACTS_AS`].
    pub acts_as: Option<String>,
    pub cause: Cause,
}

/// Why something happens, which decides how it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Somebody asked for it, once.
    Request,
    /// Its time came: the same clock would do it again.
    Time,
}

impl<'a> Context<'a> {
    /// The caller's ARN, as GetCallerIdentity tells it.
    pub(crate) fn caller(&self) -> String {
        self.request.map(sts::caller_arn).unwrap_or_default()
    }

    /// For what time does by itself.
    pub(crate) fn of_time(now: Timestamp, place: &Place, settings: &'a Settings) -> Self {
        Self { now, place: place.clone(), settings, request: None, acts_as: None, cause: Cause::Time }
    }
}

/// A moment as AWS's events write it, to the millisecond.
pub(crate) fn iso(at: Timestamp) -> serde_json::Value {
    serde_json::Value::from(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A moment as AWS's JSON protocols write it: seconds since 1970 with milliseconds behind the point.
pub(crate) fn epoch_seconds(at: Timestamp) -> serde_json::Value {
    let milliseconds = at.as_millisecond();
    if milliseconds % 1000 == 0 {
        return serde_json::Value::from(milliseconds / 1000);
    }
    // Milliseconds of any year that Timestamp holds stay below 2^53.
    serde_json::Value::from(milliseconds as f64 / 1000.0)
}
