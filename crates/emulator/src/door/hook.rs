//! The seam for observers and faults: it is asked before each request and told after it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::firing::Firing;
use crate::reply::Reply;
use crate::request::Request;
use crate::state::Change;

/// Which request of a door's life this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts the door's requests from 0, in the order they were sent.
    pub sequence: u64,
    /// The operation as IAM writes an action, such as `ecs:RegisterTaskDefinition`; `unknown` when it is none of ours.
    pub operation: String,
}

/// How a request fares between the caller and AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How long the request is under way before it takes effect.
    pub before: Duration,
    /// Whether the request takes effect at all.
    pub effect: bool,
    /// How long the answer is under way.
    pub after: Duration,
    /// What becomes of the answer.
    pub answer: Conduct,
}

/// What the caller gets instead of, or as, AWS's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conduct {
    /// AWS's own answer; a request that took no effect has none, so its connection is reset.
    Normal,
    /// This answer, whatever AWS said.
    Reply(Reply),
    /// The connection breaks before the answer arrives.
    ConnectionReset,
    /// Nothing ever arrives, and the connection stays open.
    Never,
}

impl Fault {
    /// No fault: immediate effect and AWS's own answer.
    pub fn none() -> Self {
        Self { before: Duration::ZERO, effect: true, after: Duration::ZERO, answer: Conduct::Normal }
    }

    /// The request is refused with `reply` and takes no effect, as by a throttle or a failing front end.
    pub fn refused(reply: Reply) -> Self {
        Self { effect: false, answer: Conduct::Reply(reply), ..Self::none() }
    }

    /// The request takes effect, but its answer is lost with the connection.
    pub fn lost_answer() -> Self {
        Self { answer: Conduct::ConnectionReset, ..Self::none() }
    }

    /// The request never arrives: the connection breaks first.
    pub fn lost_request() -> Self {
        Self { effect: false, answer: Conduct::ConnectionReset, ..Self::none() }
    }
}

/// Decides each request's fault and sees each outcome.
pub trait Observer: Send + Sync {
    /// Asked when the request is sent; it must not block.
    fn decide(&self, call: &Call, request: &Request) -> Fault {
        let (Call { .. }, Request { .. }) = (call, request);
        Fault::none()
    }

    /// What is sent instead of the request: a client that says something else.
    fn sends(&self, call: &Call, request: Request) -> Request {
        let Call { .. } = call;
        request
    }

    /// What arrives instead of AWS's answer: one that is older, in another order, or cut short.
    fn arrives(&self, call: &Call, request: &Request, reply: Reply) -> Reply {
        let (Call { .. }, Request { .. }) = (call, request);
        reply
    }

    /// Told once the request took effect (`Some` reply of AWS, whatever the caller gets to see) or was stopped (`None`).
    fn saw(&self, call: &Call, request: &Request, reply: Option<&Reply>);

    /// Told what a request changed, at the moment it does and in the order in which requests take effect; it must not block.
    fn changed(&self, at: Timestamp, call: &Call, request: &Request, change: &Change) {
        let (_, Call { .. }, Request { .. }, Change { .. }) = (at, call, request, change);
    }

    /// Told of each tick of a schedule and what it started. Only the hook that a door was spawned with hears of them.
    fn fired(&self, firing: &Firing) {
        let Firing { .. } = firing;
    }
}

/// A shared [`Observer`], or none.
#[derive(Clone)]
pub struct Hook(Option<Arc<dyn Observer>>);

impl Hook {
    /// Watches nothing and injects nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Asks and tells `observer`.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    pub(super) fn decide(&self, call: &Call, request: &Request) -> Fault {
        self.0.as_ref().map_or_else(Fault::none, |observer| observer.decide(call, request))
    }

    pub(super) fn sends(&self, call: &Call, request: Request) -> Request {
        match &self.0 {
            Some(observer) => observer.sends(call, request),
            None => request,
        }
    }

    pub(super) fn arrives(&self, call: &Call, request: &Request, reply: Reply) -> Reply {
        match &self.0 {
            Some(observer) => observer.arrives(call, request, reply),
            None => reply,
        }
    }

    pub(super) fn changed(&self, at: Timestamp, call: &Call, request: &Request, change: &Change) {
        if let Some(observer) = &self.0 {
            observer.changed(at, call, request, change);
        }
    }

    pub(super) fn fired(&self, firing: &Firing) {
        if let Some(observer) = &self.0 {
            observer.fired(firing);
        }
    }

    pub(super) fn saw(&self, call: &Call, request: &Request, reply: Option<&Reply>) {
        if let Some(observer) = &self.0 {
            observer.saw(call, request, reply);
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook(observer)" } else { "Hook(none)" })
    }
}

/// Counts requests by operation.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Meter {
    /// A meter at zero; its clones count together.
    pub fn new() -> Self {
        Self::default()
    }

    /// A hook that counts on this meter.
    pub fn hook(&self) -> Hook {
        Hook::new(Arc::new(self.clone()))
    }

    /// The count of each operation since the last [`Meter::reset`].
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The count of one operation, named as IAM does.
    pub fn count(&self, operation: &str) -> u64 {
        self.counts().get(operation).copied().unwrap_or(0)
    }

    /// All requests counted.
    pub fn total(&self) -> u64 {
        self.counts().values().sum()
    }

    /// The requests counted whose operation changes AWS: all but Describe, List and Get, and AssumeRole.
    pub fn mutating(&self) -> u64 {
        let reads = |operation: &str| {
            let name = operation.split_once(':').map_or(operation, |(_, name)| name);
            ["Describe", "List", "Get", "AssumeRole"].iter().any(|read| name.starts_with(read))
        };
        self.counts().iter().filter(|(operation, _)| !reads(operation)).map(|(_, count)| count).sum()
    }

    /// Starts over at zero.
    pub fn reset(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Observer for Meter {
    fn saw(&self, call: &Call, _request: &Request, _reply: Option<&Reply>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
}
