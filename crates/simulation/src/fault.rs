//! What goes wrong between a controller and AWS. Each decision is a function of the seed and of which call it is, so a fault
//! stays where it is when something else is taken out of a story.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use ecs_etl_emulator::Reply;
use ecs_etl_emulator::door::{Call, Conduct, Fault};
use serde::{Deserialize, Serialize};

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// `ThrottlingException`, without effect.
    Throttled,
    /// A server error, without effect.
    ServerError,
    /// A server error although the request took effect.
    ServerErrorAfterEffect,
    /// No answer, and no effect.
    Timeout,
    /// No answer, although the request took effect.
    TimeoutAfterEffect,
    /// The connection breaks before the request arrives.
    LostRequest,
    /// The connection breaks before the answer arrives.
    LostAnswer,
    /// A 200 whose one entry failed.
    FailedEntry,
    /// "Too many concurrent attempts", or its like in EventBridge.
    Concurrent,
    /// The role cannot be assumed yet.
    RoleNotReady,
    /// The credentials have expired.
    ExpiredCredentials,
    /// A permission is missing for a while.
    AccessDenied,
    /// The answer takes some seconds.
    Slow,
    /// A list is as it was some time ago.
    StaleList,
    /// A list is in another order.
    ReorderedList,
    /// The clock that the request was signed by is more than five minutes off. It is never drawn: it follows from the clock.
    ClockOff,
}

impl Kind {
    /// Every kind that is drawn.
    pub const ALL: [Self; 15] = [
        Self::Throttled,
        Self::ServerError,
        Self::ServerErrorAfterEffect,
        Self::Timeout,
        Self::TimeoutAfterEffect,
        Self::LostRequest,
        Self::LostAnswer,
        Self::FailedEntry,
        Self::Concurrent,
        Self::RoleNotReady,
        Self::ExpiredCredentials,
        Self::AccessDenied,
        Self::Slow,
        Self::StaleList,
        Self::ReorderedList,
    ];

    /// Whether it can happen to an operation.
    pub fn fits(self, operation: &str) -> bool {
        let name = operation.rsplit(':').next().unwrap_or(operation);
        match self {
            Self::FailedEntry => matches!(name, "PutTargets" | "RemoveTargets"),
            Self::Concurrent => {
                matches!(
                    name,
                    "RegisterTaskDefinition"
                        | "PutRule"
                        | "PutTargets"
                        | "EnableRule"
                        | "DisableRule"
                        | "DeleteRule"
                        | "UpdateSchedule"
                        | "DeleteSchedule"
                )
            }
            Self::RoleNotReady => matches!(
                operation,
                "events:PutTargets"
                    | "ecs:RegisterTaskDefinition"
                    | "scheduler:CreateSchedule"
                    | "scheduler:UpdateSchedule"
            ),
            Self::StaleList | Self::ReorderedList => {
                matches!(name, "ListRules" | "ListTaskDefinitions" | "ListSchedules")
            }
            Self::ExpiredCredentials => !operation.starts_with("sts:"),
            Self::Throttled
            | Self::ServerError
            | Self::ServerErrorAfterEffect
            | Self::Timeout
            | Self::TimeoutAfterEffect
            | Self::LostRequest
            | Self::LostAnswer
            | Self::AccessDenied
            | Self::Slow
            | Self::ClockOff => true,
        }
    }

    /// What a status must say of it; none for what is no failure.
    pub fn code(self, operation: &str) -> Option<&'static str> {
        Some(match self {
            Self::Throttled if operation.starts_with("sts:") => "Throttling",
            Self::AccessDenied if operation.starts_with("sts:") => "AccessDenied",
            Self::ServerError | Self::ServerErrorAfterEffect if operation.starts_with("sts:") => "InternalFailure",
            Self::Throttled => "ThrottlingException",
            Self::ServerError | Self::ServerErrorAfterEffect if operation.starts_with("ecs:") => "ServerException",
            Self::ServerError | Self::ServerErrorAfterEffect if is_scheduler(operation) => "InternalServerException",
            Self::ServerError | Self::ServerErrorAfterEffect => "InternalException",
            Self::Timeout | Self::TimeoutAfterEffect => "Timeout",
            Self::LostRequest | Self::LostAnswer => "Connection",
            Self::FailedEntry => "ConcurrentModificationException",
            Self::Concurrent if operation.starts_with("ecs:") => "ClientException",
            Self::Concurrent if is_scheduler(operation) => "ConflictException",
            Self::Concurrent => "ConcurrentModificationException",
            Self::RoleNotReady if operation.starts_with("ecs:") => "ClientException",
            Self::RoleNotReady => "ValidationException",
            Self::ExpiredCredentials => "ExpiredTokenException",
            Self::AccessDenied => "AccessDeniedException",
            Self::ClockOff if operation.starts_with("sts:") => "SignatureDoesNotMatch",
            Self::ClockOff => "InvalidSignatureException",
            Self::Slow | Self::StaleList | Self::ReorderedList => return None,
        })
    }

    /// Whether a request took effect all the same.
    pub fn has_effect(self) -> bool {
        match self {
            Self::ServerErrorAfterEffect
            | Self::TimeoutAfterEffect
            | Self::LostAnswer
            | Self::Slow
            | Self::StaleList
            | Self::ReorderedList => true,
            Self::Throttled
            | Self::ServerError
            | Self::Timeout
            | Self::LostRequest
            | Self::FailedEntry
            | Self::Concurrent
            | Self::RoleNotReady
            | Self::ExpiredCredentials
            | Self::AccessDenied
            | Self::ClockOff => false,
        }
    }

    /// What the wire does.
    pub fn fault(self, operation: &str, latency: Latency) -> Fault {
        let Latency { before, after } = latency;
        let error =
            |status: u16, message: &str| refusal(operation, status, self.code(operation).unwrap_or_default(), message);
        let answer = match self {
            Self::Throttled => Conduct::Reply(error(if is_scheduler(operation) { 429 } else { 400 }, "Rate exceeded")),
            Self::ServerError | Self::ServerErrorAfterEffect => {
                Conduct::Reply(error(500, "An internal failure occurred"))
            }
            Self::Timeout | Self::TimeoutAfterEffect => Conduct::Never,
            Self::LostRequest | Self::LostAnswer => Conduct::ConnectionReset,
            Self::FailedEntry => Conduct::Reply(failed_entry()),
            Self::Concurrent if operation.starts_with("ecs:") => Conduct::Reply(error(
                400,
                "Too many concurrent attempts to create a new revision of the specified family.",
            )),
            Self::Concurrent if is_scheduler(operation) => {
                Conduct::Reply(error(409, "The schedule is being changed by another request."))
            }
            Self::Concurrent => Conduct::Reply(error(400, "Rule was modified concurrently.")),
            Self::RoleNotReady if operation.starts_with("ecs:") => {
                Conduct::Reply(error(400, "ECS was unable to assume the role 'etl' that was provided for this task."))
            }
            Self::RoleNotReady if is_scheduler(operation) => Conduct::Reply(error(
                400,
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            )),
            Self::RoleNotReady => Conduct::Reply(error(
                400,
                "Provided role 'events' cannot be assumed by principal 'events.amazonaws.com'.",
            )),
            Self::ExpiredCredentials => {
                Conduct::Reply(error(400, "The security token included in the request is expired"))
            }
            Self::AccessDenied => Conduct::Reply(error(400, "User is not authorized to perform this action")),
            Self::ClockOff => Conduct::Reply(error(400, "Signature expired: its time is more than 5 min. off")),
            Self::Slow | Self::StaleList | Self::ReorderedList => Conduct::Normal,
        };
        let after = if self == Self::Slow { after + Duration::from_millis(u64::from(SLOW)) } else { after };
        Fault { before, effect: self.has_effect(), after, answer }
    }
}

/// How much longer an answer takes that is slow, in milliseconds.
pub const SLOW: u32 = 4_000;

/// How far a clock may be off before AWS takes nothing that was signed by it (docs/aws.md, On the wire).
pub(crate) const MOST_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

fn is_scheduler(operation: &str) -> bool {
    operation.starts_with("scheduler:")
}

/// A refusal in the protocol of the operation's service.
fn refusal(operation: &str, status: u16, code: &str, message: &str) -> Reply {
    if operation.starts_with("sts:") {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        return Reply::xml(status, format!("<ErrorResponse>{error}<RequestId>none</RequestId></ErrorResponse>"));
    }
    let mut reply = Reply::error(status, code, message);
    if is_scheduler(operation) {
        reply.headers.push(("x-amzn-errortype".to_owned(), code.to_owned()));
    }
    reply
}

/// The one entry of a PutTargets or RemoveTargets that failed.
fn failed_entry() -> Reply {
    Reply::json(
        200,
        &serde_json::json!({
            "FailedEntryCount": 1,
            "FailedEntries": [{"TargetId": "ecs-etl", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "The rule was modified"}],
        }),
    )
}

/// How long a request and its answer are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The request.
    pub before: Duration,
    /// The answer.
    pub after: Duration,
}

/// A time in which a kind of fault happens to every call that it fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// From this second of the history.
    pub from: u32,
    /// To this one.
    pub to: u32,
    /// What happens.
    pub kind: Kind,
    /// Only to operations whose name contains this; to all if it is empty.
    pub operations: String,
}

/// The faults of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the draws come from.
    pub seed: u64,
    /// Kinds, with how many of a thousand calls each happens to.
    pub kinds: Vec<(Kind, u16)>,
    /// Times of trouble.
    pub outages: Vec<Outage>,
    /// Writes for this job fail for want of a permission, for the whole storm.
    pub blocked: Option<String>,
    /// Faults of these very calls: kind, operation, and which call of that operation it is.
    #[serde(default)]
    pub exactly: Vec<(Kind, String, u64)>,
    /// The second at which the storm ends.
    pub until: u32,
    /// Whether requests and answers take their time.
    pub latency: bool,
    /// If given, only these happen: those that a failing history was found to need.
    pub only: Option<BTreeSet<String>>,
}

/// A fault that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its kind.
    pub kind: Kind,
    /// Which call it happened to, in words that stay the same when others are taken out.
    pub label: String,
}

impl Plan {
    /// Nothing goes wrong, and nothing takes time.
    pub fn none() -> Self {
        Self {
            seed: 0,
            kinds: Vec::new(),
            outages: Vec::new(),
            blocked: None,
            exactly: Vec::new(),
            until: 0,
            latency: false,
            only: None,
        }
    }

    /// What happens to the `nth` call of an operation by a process, `second` seconds into the history; `body` is the request's.
    pub fn draw(&self, second: u32, process: usize, call: &Call, nth: u64, body: &[u8]) -> Option<Drawn> {
        if second >= self.until {
            return None;
        }
        let operation = call.operation.as_str();
        let exactly =
            self.exactly.iter().find(|(_, of, which)| of == operation && *which == nth).map(|(kind, ..)| *kind);
        let kind = exactly
            .or_else(|| self.blocking(operation, body))
            .or_else(|| self.outage(second, operation))
            .or_else(|| {
                let mut left = u16::try_from(self.hash("fault", process, operation, nth) % 1000).unwrap_or(0);
                let mut drawn = None;
                for (kind, rate) in &self.kinds {
                    if left < *rate {
                        drawn = Some(*kind);
                        break;
                    }
                    left -= rate;
                }
                drawn.filter(|kind| kind.fits(operation))
            })?;
        let label = format!("{kind:?} {process} {operation} {nth}");
        let happens = self.only.as_ref().is_none_or(|only| only.contains(&label));
        happens.then_some(Drawn { kind, label })
    }

    /// How long a call takes.
    pub fn latency(&self, process: usize, call: &Call, nth: u64) -> Latency {
        if !self.latency {
            return Latency { before: Duration::ZERO, after: Duration::ZERO };
        }
        let drawn = self.hash("latency", process, &call.operation, nth);
        let millis = |bits: u64| if bits & 1 == 0 { Duration::ZERO } else { Duration::from_millis(bits % 61) };
        Latency { before: millis(drawn & 0xffff), after: millis((drawn >> 16) & 0xffff) }
    }

    /// Whether a kind may happen at all.
    pub fn may(&self, kind: Kind) -> bool {
        self.kinds.iter().any(|(drawn, _)| *drawn == kind) || self.outages.iter().any(|outage| outage.kind == kind)
    }

    fn blocking(&self, operation: &str, body: &[u8]) -> Option<Kind> {
        let job = self.blocked.as_ref()?;
        let text = std::str::from_utf8(body).ok()?;
        (is_write(operation) && text.contains(job.as_str())).then_some(Kind::AccessDenied)
    }

    fn outage(&self, second: u32, operation: &str) -> Option<Kind> {
        let outage = self.outages.iter().find(|outage| {
            (outage.from..outage.to).contains(&second)
                && operation.contains(&outage.operations)
                && outage.kind.fits(operation)
        })?;
        Some(outage.kind)
    }

    fn hash(&self, what: &str, process: usize, operation: &str, nth: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, what, process, operation, nth).hash(&mut hasher);
        hasher.finish()
    }
}

/// The longest that a call can take before it is given up, in milliseconds.
pub const LONGEST: i64 = 15_000;

/// Whether an operation changes AWS.
pub fn is_write(operation: &str) -> bool {
    let name = operation.split_once(':').map_or(operation, |(_, name)| name);
    !["Describe", "List", "Get", "AssumeRole"].iter().any(|read| name.starts_with(read))
}
