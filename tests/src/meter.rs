//! A meter between the program and a server: it counts calls, keeps what they said, and can break them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufReader;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wire::{self, Message};

/// One call that passed.
#[derive(Debug, Clone)]
pub struct Call {
    /// `ecs`, `events`, `sts` or `tagging`.
    pub service: String,
    /// AWS's name of the operation.
    pub operation: String,
    /// What was asked; form fields as an object of strings.
    pub request: Value,
    /// Status code that the program saw; 0 when it saw no answer.
    pub status: u16,
    /// When the request had arrived.
    pub at: Instant,
}

impl Call {
    /// Whether the operation changes anything in AWS.
    pub fn mutates(&self) -> bool {
        !["Describe", "List", "Get", "AssumeRole"].iter().any(|read| self.operation.starts_with(read))
    }

    /// Whether the call belongs to the clean-up of replaced revisions, which budgets count apart.
    pub fn cleans_up(&self) -> bool {
        let only =
            |keys: Vec<Option<&str>>| !keys.is_empty() && keys.iter().all(|key| *key == Some("ecs-etl/retired-at"));
        let list = |name: &str| self.request.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        self.service == "ecs"
            && match self.operation.as_str() {
                "DeregisterTaskDefinition" => true,
                "TagResource" => only(list("tags").iter().map(|tag| tag["key"].as_str()).collect()),
                "UntagResource" => only(list("tagKeys").iter().map(Value::as_str).collect()),
                _ => false,
            }
    }
}

/// The calls of one stretch of a test.
#[derive(Debug, Clone, Default)]
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// Mutating calls, clean-up of replaced revisions included, in order.
    pub fn mutating(&self) -> Vec<&Call> {
        self.0.iter().filter(|call| call.mutates()).collect()
    }

    /// Names of the mutating operations in order, clean-up of replaced revisions left out.
    pub fn changes(&self) -> Vec<&str> {
        self.0.iter().filter(|call| call.mutates() && !call.cleans_up()).map(|call| call.operation.as_str()).collect()
    }

    /// How many calls only read.
    pub fn reads(&self) -> usize {
        self.0.iter().filter(|call| !call.mutates()).count()
    }

    /// How often each operation was called.
    pub fn by_operation(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.0 {
            *counts.entry(format!("{}:{}", call.service, call.operation)).or_default() += 1;
        }
        counts
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for call in &self.0 {
            writeln!(f, "  {} {}:{} {}", call.status, call.service, call.operation, call.request)?;
        }
        Ok(())
    }
}

/// What is done to a call in place of passing it on.
#[derive(Debug, Clone)]
pub enum Effect {
    /// The server never sees it and the connection ends.
    LoseRequest,
    /// It takes effect, and the connection ends without an answer.
    LoseAnswer,
    /// The server never sees it; the program gets this status and body.
    Answer(u16, String),
    /// It takes effect; the program gets this status and body all the same.
    EffectThenAnswer(u16, String),
    /// It takes effect, and the answer comes late.
    Delay(Duration),
}

impl Effect {
    /// AWS's throttle.
    pub fn throttle() -> Self {
        Self::Answer(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.to_owned())
    }

    /// A failure inside AWS, before any effect.
    pub fn server_error() -> Self {
        Self::Answer(500, r#"{"__type":"InternalException","message":"Exception on server side"}"#.to_owned())
    }

    /// A proxy's page in place of an answer.
    pub fn garbage() -> Self {
        Self::Answer(200, "<html><body>Welcome to the hotel network</body></html>".to_owned())
    }
}

/// An effect on the next calls of one operation.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Operation, or `*` for any.
    pub operation: String,
    /// How many calls it hits.
    pub times: usize,
    /// What it does to them.
    pub effect: Effect,
}

#[derive(Debug, Default)]
struct Shared {
    calls: Mutex<Vec<Call>>,
    faults: Mutex<Vec<Fault>>,
    stopped: AtomicBool,
}

/// A running meter; it stops listening when dropped.
#[derive(Debug)]
pub struct Meter {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Meter {
    /// Starts a meter on a free loopback port in front of `server`.
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port for the meter");
        let address = listener.local_addr().expect("the meter's own address");
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&accepting);
                thread::spawn(move || {
                    // A peer that goes away in mid-message is the test's doing or the program's end.
                    serve(stream, server, &shared).unwrap_or_default();
                });
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Endpoint to give to the program.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls since the last time, in the order they arrived.
    pub fn take(&self) -> Calls {
        Calls(std::mem::take(&mut *lock(&self.shared.calls)))
    }

    /// The calls since the last [`Meter::take`], which stay counted.
    pub fn peek(&self) -> Calls {
        Calls(lock(&self.shared.calls).clone())
    }

    /// Breaks the next `times` calls of `operation` (`*` for any).
    pub fn inject(&self, operation: &str, times: usize, effect: Effect) {
        lock(&self.shared.faults).push(Fault { operation: operation.to_owned(), times, effect });
    }

    /// Lets every call pass again.
    pub fn heal(&self) {
        lock(&self.shared.faults).clear();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then sees that it is over; if it is gone already, so much the better.
        drop(TcpStream::connect(self.address));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, server: SocketAddr, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Message::read(&mut reader)? {
        let at = Instant::now();
        let (service, operation, body) = describe(&request);
        let index = {
            let mut calls = lock(&shared.calls);
            calls.push(Call { service, operation: operation.clone(), request: body, status: 0, at });
            calls.len() - 1
        };
        let Some(answer) = pass(&request, server, next_fault(shared, &operation))? else {
            stream.shutdown(Shutdown::Both)?;
            return Ok(());
        };
        if let Some(call) = lock(&shared.calls).get_mut(index).filter(|call| call.at == at) {
            call.status = answer.status();
        }
        answer.write(&stream)?;
    }
    Ok(())
}

/// Carries out one call under an effect; `None` when the program gets no answer.
fn pass(request: &Message, server: SocketAddr, effect: Option<Effect>) -> std::io::Result<Option<Message>> {
    Ok(match effect {
        None => Some(wire::exchange(server, request)?),
        Some(Effect::LoseRequest) => None,
        Some(Effect::LoseAnswer) => {
            wire::exchange(server, request)?;
            None
        }
        Some(Effect::Answer(status, body)) => Some(Message::answer(status, body)),
        Some(Effect::EffectThenAnswer(status, body)) => {
            wire::exchange(server, request)?;
            Some(Message::answer(status, body))
        }
        Some(Effect::Delay(delay)) => {
            let answer = wire::exchange(server, request)?;
            thread::sleep(delay);
            Some(answer)
        }
    })
}

fn next_fault(shared: &Shared, operation: &str) -> Option<Effect> {
    let mut faults = lock(&shared.faults);
    let hit =
        faults.iter_mut().find(|fault| fault.times > 0 && (fault.operation == operation || fault.operation == "*"))?;
    hit.times -= 1;
    Some(hit.effect.clone())
}

/// Service, operation and body of a call, from `X-Amz-Target` or from the form of the query protocol.
fn describe(request: &Message) -> (String, String, Value) {
    let text = String::from_utf8_lossy(&request.body);
    if let Some(target) = request.header("x-amz-target") {
        let (api, operation) = target.split_once('.').unwrap_or(("", target));
        let service = match api {
            "AmazonEC2ContainerServiceV20141113" => "ecs",
            "AWSEvents" => "events",
            "ResourceGroupsTaggingAPI_20170126" => "tagging",
            other => other,
        };
        return (service.to_owned(), operation.to_owned(), serde_json::from_str(&text).unwrap_or(Value::Null));
    }
    if let Some(operation) = scheduler(&request.start) {
        return ("scheduler".to_owned(), operation.to_owned(), serde_json::from_str(&text).unwrap_or(Value::Null));
    }
    let form: BTreeMap<String, String> = text.split('&').filter_map(|pair| pair.split_once('=')).map(decoded).collect();
    let operation = form.get("Action").cloned().unwrap_or_else(|| request.start.clone());
    ("sts".to_owned(), operation, serde_json::json!(form))
}

/// The operation of EventBridge Scheduler that a method and a path mean, such as `POST /schedules/a HTTP/1.1`.
fn scheduler(start: &str) -> Option<&'static str> {
    let (method, path) = start.split_once(" /")?;
    let path = path.split([' ', '?']).next()?;
    let (resource, name) = path.split_once('/').unwrap_or((path, ""));
    Some(match (method, resource, name.is_empty()) {
        ("GET", "schedules", true) => "ListSchedules",
        ("GET", "schedules", false) => "GetSchedule",
        ("POST", "schedules", false) => "CreateSchedule",
        ("PUT", "schedules", false) => "UpdateSchedule",
        ("DELETE", "schedules", false) => "DeleteSchedule",
        ("POST", "schedule-groups", false) => "CreateScheduleGroup",
        ("GET", "tags", false) => "ListTagsForResource",
        _ => return None,
    })
}

fn decoded((name, value): (&str, &str)) -> (String, String) {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16)).unwrap_or(0);
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => u8::try_from(hex(rest.next()) * 16 + hex(rest.next())).unwrap_or(b'?'),
            other => other,
        });
    }
    (name.to_owned(), String::from_utf8_lossy(&bytes).into_owned())
}
