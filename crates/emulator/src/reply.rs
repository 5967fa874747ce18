//! An answer as it leaves at the wire.

use serde_json::{Map, Value, json};

use crate::request::Operation;

/// One HTTP answer, body and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer of AWS's JSON 1.1 protocol.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::with_type(status, "application/x-amz-json-1.1", body.to_string())
    }

    /// An answer of AWS's query protocol.
    pub fn xml(status: u16, body: String) -> Self {
        Self::with_type(status, "text/xml", body)
    }

    /// An error as AWS's JSON 1.1 services send it; useful for injected faults.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"__type": code, "message": message}))
    }

    /// The throttle that both ECS and EventBridge answer when a token bucket is empty (docs/aws.md, Throttles and quotas).
    pub fn throttled() -> Self {
        Self::error(400, "ThrottlingException", "Rate exceeded")
    }

    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn with_type(status: u16, content_type: &str, body: String) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into_bytes() }
    }
}

/// A refusal, in the words of AWS.
///
/// It is not a failure of the emulator: refusing is what AWS does here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refusal {
    /// The error code, `__type` on the wire.
    pub code: &'static str,
    /// The message text.
    pub message: String,
    /// The HTTP status, 400 for all but AWS's own failures.
    pub status: u16,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400 }
    }

    /// For what the emulator has not; AWS answers so for what no service has.
    pub(crate) fn unknown(operation: &Operation) -> Self {
        Self::new("UnknownOperationException", format!("The embedded AWS does not have {operation}."))
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::error(self.status, self.code, &self.message)
    }
}

/// What an operation answers: the members of its output, or a refusal.
pub(crate) type Answer = Result<Map<String, Value>, Refusal>;
