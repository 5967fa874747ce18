//! An answer as it leaves at the wire.

use serde_json::{Map, Value, json};

use crate::request::{Operation, Service};

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
        Self::of(Protocol::Json11, status, body)
    }

    /// An answer of one of AWS's JSON protocols.
    pub(crate) fn of(protocol: Protocol, status: u16, body: &Value) -> Self {
        // A value is always JSON.
        Self::with_type(status, protocol.content_type(), serde_json::to_vec(body).unwrap_or_default())
    }

    /// An answer of AWS's query protocol.
    pub fn xml(status: u16, body: String) -> Self {
        Self::with_type(status, "text/xml", body.into_bytes())
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

    fn with_type(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body }
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

    pub(crate) fn reply(&self, protocol: Protocol) -> Reply {
        let Self { code, message, status } = self;
        let body = match protocol {
            Protocol::Json11 | Protocol::Json10 => json!({"__type": code, "message": message}),
            Protocol::Rest => json!({"Message": message}),
        };
        let mut reply = Reply::of(protocol, *status, &body);
        match protocol {
            Protocol::Json11 => {}
            Protocol::Rest => reply.headers.push(("x-amzn-errortype".to_owned(), (*code).to_owned())),
            // Clients that grew up with the query protocol look for the code of old there.
            Protocol::Json10 => {
                let old = if *code == "QueueDoesNotExist" { "AWS.SimpleQueueService.NonExistentQueue" } else { code };
                reply.headers.push(("x-amzn-query-error".to_owned(), format!("{old};Sender")));
            }
        }
        reply
    }
}

/// How a service writes its answers (docs/aws.md, On the wire).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON 1.1.
    Json11,
    /// AWS's JSON over paths and methods.
    Rest,
    /// AWS JSON 1.0 of a service that once spoke the query protocol.
    Json10,
}

impl Protocol {
    /// That of a service which speaks JSON.
    pub(crate) fn of(service: Service) -> Self {
        match service {
            Service::Ecs | Service::Events | Service::Tag | Service::Sts | Service::Emulator => Self::Json11,
            Service::Scheduler => Self::Rest,
            Service::Sqs => Self::Json10,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json11 => "application/x-amz-json-1.1",
            Self::Rest => "application/json",
            Self::Json10 => "application/x-amz-json-1.0",
        }
    }
}

/// What an operation answers: the members of its output, or a refusal.
pub(crate) type Answer = Result<Map<String, Value>, Refusal>;
