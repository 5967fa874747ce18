//! The wire between one life of a controller and AWS: it draws faults, kills, and sees what every request changed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ecs_etl_emulator::door::{Call, Conduct, Fault, Observer};
use ecs_etl_emulator::firing::Firing;
use ecs_etl_emulator::{Change, Reply, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Notify;

use crate::fault::{self, Drawn, Kind};
use crate::mutant::{self, Mutant};
use crate::world::{Made, State, Who, World};

/// When a process is to be killed: at its nth request of those that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killing {
    /// Which request.
    pub nth: u64,
    /// Only requests that change AWS count.
    pub writes_only: bool,
    /// Whether that request still takes effect.
    pub effect: bool,
}

/// The wire of one life.
#[derive(Debug)]
pub struct Wire {
    world: Arc<World>,
    who: Who,
    process: usize,
    faults: Arc<fault::Plan>,
    mutant: Option<Mutant>,
    /// Requests of this process by operation, over all its lives.
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    /// How far the clock is off that its requests are signed by.
    skew: Arc<Mutex<SignedDuration>>,
    dead: AtomicBool,
    killing: Mutex<Option<Killing>>,
    /// Tells that the process was killed.
    pub killed: Notify,
    memory: Mutex<Memory>,
}

/// What the wire remembers for faults of its own.
#[derive(Debug, Default)]
struct Memory {
    drawn: BTreeMap<u64, Kind>,
    /// Earlier answers to lists, by operation, place and request.
    lists: BTreeMap<(String, String, Vec<u8>), Reply>,
    mutant: mutant::Memory,
}

impl Wire {
    /// The wire of a life that has just begun.
    pub fn new(
        world: Arc<World>,
        who: Who,
        faults: Arc<fault::Plan>,
        mutant: Option<Mutant>,
        counts: Arc<Mutex<BTreeMap<String, u64>>>,
        skew: Arc<Mutex<SignedDuration>>,
    ) -> Self {
        let process = match who {
            Who::Process { process, .. } => process,
            Who::Stranger => usize::MAX,
        };
        Self {
            world,
            who,
            process,
            faults,
            mutant,
            counts,
            skew,
            dead: AtomicBool::new(false),
            killing: Mutex::new(None),
            killed: Notify::new(),
            memory: Mutex::default(),
        }
    }

    /// Nothing that is sent from now on arrives, and nothing that arrives is heard.
    pub fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Whether the process is dead.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Kills the process at a request to come.
    pub fn kill_at(&self, killing: Killing) {
        *self.killing.lock().unwrap_or_else(PoisonError::into_inner) = Some(killing);
    }

    fn count(&self, operation: &str) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(operation.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// What becomes of a request that was signed by a clock which is too far off.
    fn astray(&self, call: &Call, nth: u64) -> Option<Drawn> {
        let skew = *self.skew.lock().unwrap_or_else(PoisonError::into_inner);
        let label = || format!("{:?} {} {} {nth}", Kind::ClockOff, self.process, call.operation);
        (skew.abs() > fault::MOST_SKEW).then(|| Drawn { kind: Kind::ClockOff, label: label() })
    }

    /// Whether this is the request at which the process dies, and whether it takes effect.
    fn dies(&self, operation: &str) -> Option<bool> {
        let mut killing = self.killing.lock().unwrap_or_else(PoisonError::into_inner);
        let Killing { nth, writes_only, effect } = (*killing)?;
        if writes_only && !fault::is_write(operation) {
            return None;
        }
        if nth > 0 {
            *killing = Some(Killing { nth: nth - 1, writes_only, effect });
            return None;
        }
        *killing = None;
        Some(effect)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Wire {
    fn decide(&self, call: &Call, request: &Request) -> Fault {
        if self.is_dead() {
            return Fault { effect: false, answer: Conduct::Never, ..Fault::none() };
        }
        let nth = self.count(&call.operation);
        let latency = self.faults.latency(self.process, call, nth);
        let (millis, second) = (self.world.millis(), self.world.second());
        if let Some(effect) = self.dies(&call.operation) {
            self.die();
            self.killed.notify_one();
            let mut state = self.world.state();
            let when = if effect { "after" } else { "before" };
            *state.stats.crashes.entry(format!("{when} {}", call.operation)).or_default() += 1;
            state.stats.calls += 1;
            state.log.note(millis, format_args!("{:?} is killed {when} {}", self.who, call.operation));
            return Fault { before: latency.before, effect, answer: Conduct::Never, ..Fault::none() };
        }
        let drawn = self.astray(call, nth).or_else(|| self.faults.draw(second, self.process, call, nth, &request.body));
        let mut state = self.world.state();
        if self.process != usize::MAX && state.log.keeps_lines() {
            state.calls.push(Made { millis, process: self.process, operation: call.operation.clone(), nth });
        }
        let State { log, stats, judge, faults, mirror, .. } = &mut *state;
        stats.calls += 1;
        *stats.operations.entry(call.operation.clone()).or_default() += 1;
        match drawn {
            None => {
                log.hash(millis, &(self.process, call.operation.as_str()));
                Fault { before: latency.before, after: latency.after, ..Fault::none() }
            }
            Some(drawn) => {
                *stats.faults.entry(format!("{:?}", drawn.kind)).or_default() += 1;
                log.note(millis, format_args!("fault {}", drawn.label));
                faults.push(drawn.label.clone());
                judge.faulted(millis, &self.who, &drawn, call, request, mirror);
                if matches!(drawn.kind, Kind::StaleList | Kind::ReorderedList) {
                    self.memory().drawn.insert(call.sequence, drawn.kind);
                }
                let fault = drawn.kind.fault(&call.operation, latency);
                if self.mutant == Some(Mutant::IgnoreFailedEntries) && drawn.kind == Kind::FailedEntry {
                    // Whatever the entries say, it hears that all is well.
                    return Fault { answer: Conduct::Reply(Reply::json(200, &serde_json::json!({}))), ..fault };
                }
                fault
            }
        }
    }

    fn sends(&self, call: &Call, request: Request) -> Request {
        match &self.mutant {
            Some(mutant) => mutant.sends(call, request),
            None => request,
        }
    }

    fn arrives(&self, call: &Call, request: &Request, reply: Reply) -> Reply {
        let reply = if call.operation.contains("List") { self.bend_list(call, request, reply) } else { reply };
        match &self.mutant {
            Some(mutant) => mutant.arrives(call, request, reply, self.world.second(), &mut self.memory().mutant),
            None => reply,
        }
    }

    fn saw(&self, call: &Call, request: &Request, reply: Option<&Reply>) {
        if let Some(reply) = reply.filter(|reply| reply.status >= 400) {
            let millis = self.world.millis();
            let mut state = self.world.state();
            let State { judge, log, mirror, .. } = &mut *state;
            let text = String::from_utf8_lossy(&reply.body);
            log.note(millis, format_args!("{:?} {} refused: {text}", self.who, call.operation));
            judge.refused(millis, &self.who, call, request, &text, mirror);
        }
    }

    fn changed(&self, _at: Timestamp, call: &Call, _request: &Request, change: &Change) {
        let millis = self.world.millis();
        let at = self.world.at(millis);
        let mut state = self.world.state();
        let State { mirror, log, judge, stats, .. } = &mut *state;
        stats.writes += 1;
        log.note(millis, format_args!("{:?} {}", self.who, call.operation));
        for entity in change.entities() {
            let changed = mirror.take(&entity, at);
            if let Some(row) = entity.value.filter(|_| !changed.is_empty()) {
                log.hash(millis, row);
            }
            for changed in changed {
                judge.changed(millis, &self.who, call, &changed, mirror);
            }
        }
    }

    fn fired(&self, firing: &Firing) {
        self.world.fired(firing);
    }
}

impl Wire {
    /// Shows a list as it was, or in another order.
    fn bend_list(&self, call: &Call, request: &Request, reply: Reply) -> Reply {
        let mut memory = self.memory();
        let kind = memory.drawn.remove(&call.sequence);
        let key = (call.operation.clone(), place(request), request.body.clone());
        match kind {
            Some(Kind::StaleList) => memory.lists.get(&key).cloned().unwrap_or(reply),
            Some(Kind::ReorderedList) => reversed(&reply).unwrap_or(reply),
            Some(_) => reply,
            None if self.faults.may(Kind::StaleList) => {
                memory.lists.insert(key, reply.clone());
                reply
            }
            None => reply,
        }
    }
}

/// Who asks where: the credential scope of a signature, such as `AKID/20261123/us-east-1/ecs/aws4_request`.
pub(crate) fn place(request: &Request) -> String {
    let signature = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let scope = signature.and_then(|(_, value)| value.split_once("Credential=")?.1.split(',').next());
    scope.unwrap_or_default().to_owned()
}

/// The same answer with its lists the other way round.
fn reversed(reply: &Reply) -> Option<Reply> {
    let mut body: Value = serde_json::from_slice(&reply.body).ok()?;
    for list in body.as_object_mut()?.values_mut().filter_map(Value::as_array_mut) {
        list.reverse();
    }
    Some(Reply { body: body.to_string().into_bytes(), ..reply.clone() })
}
