//! The in-process door: an actor that owns every request once it is sent.
//!
//! A request that left the caller cannot be recalled, as on a network: dropping the caller's future loses the answer,
//! never the effect. Each request is a task of its own (delay, effect, delay, answer), so requests overtake one another
//! when their delays differ; the effects are applied one by one by a single task that owns emulator and journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::actor::{Actor, Effect};
use super::clock::Clock;
use super::hook::{Call, Conduct, Hook};
use crate::emulator::Emulator;
use crate::journal::{Journal, JournalError};
use crate::reply::Reply;
use crate::request::Request;

/// The connection broke before an answer arrived; whether the request took effect is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection to the embedded AWS was lost")]
pub struct ConnectionLost;

/// A handle on an emulator that runs in this process; clones share it.
#[derive(Debug, Clone)]
pub struct InProcess {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    effects: mpsc::UnboundedSender<Effect>,
    hook: Hook,
    clock: Clock,
    sequence: AtomicU64,
    in_flight: TaskTracker,
    actor: std::sync::Mutex<Option<JoinHandle<Result<(), JournalError>>>>,
}

/// What reaches the caller.
#[derive(Debug)]
enum Outcome {
    Reply(Reply),
    Reset,
    Never,
}

impl InProcess {
    /// Starts the actor on the current tokio runtime.
    ///
    /// With a journal, an answer is sent only after what it says is on the disk. Time passes with requests only: what came
    /// due in between is caught up with at the next one, so that a paused clock is never moved on for it.
    pub fn spawn(emulator: Emulator, journal: Option<Journal>, clock: Clock, hook: Hook) -> Self {
        Self::start(emulator, journal, clock, hook, false)
    }

    /// Likewise, with a timer: rules fire when they are due, also when nobody asks for anything.
    pub fn spawn_with_timer(emulator: Emulator, journal: Option<Journal>, clock: Clock, hook: Hook) -> Self {
        Self::start(emulator, journal, clock, hook, true)
    }

    fn start(emulator: Emulator, journal: Option<Journal>, clock: Clock, hook: Hook, timer: bool) -> Self {
        let (effects, inbox) = mpsc::unbounded_channel();
        let actor = Actor { emulator, journal, clock, hook: hook.clone(), timer, opened: clock.now() };
        let actor = tokio::spawn(actor.run(inbox));
        Self {
            inner: Arc::new(Inner {
                effects,
                hook,
                clock,
                sequence: AtomicU64::new(0),
                in_flight: TaskTracker::new(),
                actor: std::sync::Mutex::new(Some(actor)),
            }),
        }
    }

    /// Another door to the same emulator, with a hook and a count of requests of its own: a second client, or the next life of
    /// one that died. It closes with the first.
    pub fn with_hook(&self, hook: Hook) -> Self {
        Self {
            inner: Arc::new(Inner {
                effects: self.inner.effects.clone(),
                hook,
                clock: self.inner.clock,
                sequence: AtomicU64::new(0),
                in_flight: TaskTracker::new(),
                actor: std::sync::Mutex::new(None),
            }),
        }
    }

    /// The clock that requests are answered by: what a client must sign with, and count the life of credentials by.
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`ConnectionLost`] when a fault says so, and after [`InProcess::close`] or a failed write of the journal.
    pub async fn call(&self, request: Request) -> Result<Reply, ConnectionLost> {
        let operation = request.operation().map_or_else(|| "unknown".to_owned(), |operation| operation.to_string());
        let call = Arc::new(Call { sequence: self.inner.sequence.fetch_add(1, Ordering::Relaxed), operation });
        let (tell, told) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        self.inner.in_flight.spawn(async move {
            let outcome = inner.carry(&call, request).await;
            // A caller that went away has lost its answer; the effect stands.
            drop(tell.send(outcome));
        });
        match told.await {
            Ok(Outcome::Reply(reply)) => Ok(reply),
            Ok(Outcome::Never) => std::future::pending().await,
            Ok(Outcome::Reset) | Err(_) => Err(ConnectionLost),
        }
    }

    /// The whole state at present as JSON; see [`Emulator::snapshot`]. It is no request, just as [`InProcess::catch_up`].
    ///
    /// # Errors
    ///
    /// [`ConnectionLost`] after [`InProcess::close`].
    pub async fn snapshot(&self) -> Result<serde_json::Value, ConnectionLost> {
        let (done, snapshot) = oneshot::channel();
        self.inner.effects.send(Effect::Inspect { done }).map_err(|_closed| ConnectionLost)?;
        snapshot.await.map_err(|_closed| ConnectionLost)
    }

    /// Lets everything happen that is due by now, as the next request would. It is no request: of hooks only
    /// [`super::Observer::fired`] hears of it.
    ///
    /// # Errors
    ///
    /// [`ConnectionLost`] after [`InProcess::close`].
    pub async fn catch_up(&self) -> Result<(), ConnectionLost> {
        let (done, caught_up) = oneshot::channel();
        self.inner.effects.send(Effect::CatchUp { done }).map_err(|_closed| ConnectionLost)?;
        caught_up.await.map_err(|_closed| ConnectionLost)
    }

    /// Waits for the requests under way, then stops the actor and lets go of the journal.
    ///
    /// Requests sent later, and a second close, find the door closed.
    ///
    /// # Errors
    ///
    /// The write of the journal that failed, if one did: from then on nothing was answered.
    pub async fn close(&self) -> Result<(), JournalError> {
        self.inner.in_flight.close();
        self.inner.in_flight.wait().await;
        let actor = self.inner.actor.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(actor) = actor else { return Ok(()) };
        // An actor that is gone already has its result to tell below.
        drop(self.inner.effects.send(Effect::Close));
        match actor.await {
            Ok(result) => result,
            Err(_aborted) => Ok(()),
        }
    }
}

impl Inner {
    /// Takes one request through its fault.
    async fn carry(&self, call: &Arc<Call>, request: Request) -> Outcome {
        let fault = self.hook.decide(call, &request);
        if !fault.before.is_zero() {
            tokio::time::sleep(fault.before).await;
        }
        let request = Arc::new(self.hook.sends(call, request));
        let reply = if fault.effect { self.effect(call, &request).await } else { None };
        self.hook.saw(call, &request, reply.as_ref());
        if !fault.after.is_zero() {
            tokio::time::sleep(fault.after).await;
        }
        match (fault.answer, reply) {
            (Conduct::Reply(reply), _) => Outcome::Reply(reply),
            (Conduct::Normal, Some(reply)) => Outcome::Reply(self.hook.arrives(call, &request, reply)),
            (Conduct::ConnectionReset, _) | (Conduct::Normal, None) => Outcome::Reset,
            (Conduct::Never, _) => Outcome::Never,
        }
    }

    async fn effect(&self, call: &Arc<Call>, request: &Arc<Request>) -> Option<Reply> {
        let (done, reply) = oneshot::channel();
        let (call, request, hook) = (Arc::clone(call), Arc::clone(request), self.hook.clone());
        self.effects.send(Effect::Request { call, request, hook, done }).ok()?;
        reply.await.ok()
    }
}
