//! Promises 9, 10 and 11: the status is always whole, never calls ready what is not, names every failure, and holds no secret.

use std::collections::BTreeMap;

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::Call;
use ecs_etl_plan::condition::{Reason, Status as Tristate};
use ecs_etl_plan::status::{ConditionType, ControllerStatus, JobStatus};

use super::book::Books;
use super::{Finding, Rules, expect, job_of, polite};
use crate::fault::Drawn;
use crate::mirror::Mirror;
use crate::shape::CANARY;
use crate::story::Crew;

/// An edit is seen, and its reconcile begun, within so many milliseconds.
const TAKEN_UP: i64 = 2_000;

/// Bulk knowledge is at most so old, in milliseconds: a resync and its jitter, twice.
const STALE: i64 = 2 * 66 * 60_000;

/// A failure must stand in the status within so many milliseconds: the call's own time, then the others of its reconcile.
const NAMED: i64 = 120_000;

/// A fault that is to be named.
#[derive(Debug, Clone)]
struct Unnamed {
    process: usize,
    millis: i64,
    job: Option<String>,
    code: &'static str,
    label: String,
}

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Status {
    statuses: BTreeMap<(usize, String), JobStatus>,
    unnamed: Vec<Unnamed>,
}

/// A job that has just become ready.
#[derive(Debug)]
pub(crate) struct Ready {
    pub job: String,
    pub suspended: bool,
}

impl Status {
    /// Takes a job's status. Tells when it says ready what it did not say before.
    pub fn job(
        &mut self,
        millis: i64,
        process: usize,
        text: &str,
        mirror: &Mirror,
        books: &Books,
        rules: &Rules,
    ) -> (Option<Ready>, Finding) {
        if text.contains(CANARY) {
            return (None, Some(format!("a secret is in the status: {text}")));
        }
        let status: JobStatus = match serde_json::from_str(text) {
            Ok(status) => status,
            Err(error) => return (None, Some(format!("the status does not parse: {error}: {text}"))),
        };
        let job = status.metadata.name.clone();
        let reason = reason(&status);
        if reason == Some(Reason::PlanRefused) {
            return (None, Some(format!("a plan for {job} broke its own rules: {text}")));
        }
        self.unnamed.retain(|fault| fault.process != process || fault.job.as_deref() != Some(&job) || !text.contains(fault.code));
        let before = self.statuses.insert((process, job.clone()), status.clone());
        let is_news = status.is_ready()
            && before.is_none_or(|before| {
                !before.is_ready()
                    || before.status.observed_spec != status.status.observed_spec
                    || before.status.last_change != status.status.last_change
            });
        if !is_news {
            return (None, None);
        }
        let page = books.of_process(process).and_then(|shelf| shelf.pages.get(&job));
        let Some(page) = page.filter(|page| page.since < millis - TAKEN_UP) else { return (None, None) };
        let finding = page.wanted.as_ref().and_then(|wanted| {
            if rules.crew == Crew::Rivals || books.touched_since(&job, millis - STALE) {
                return None;
            }
            let why = expect::mismatch(mirror, books.identity(process), &job, wanted, rules.at(millis))?;
            Some(format!("{job} is called ready, but {why}"))
        });
        (Some(Ready { job, suspended: reason == Some(Reason::Suspended) }), finding)
    }

    /// A job's status was removed.
    pub fn gone(&mut self, process: usize, job: &str) {
        self.statuses.remove(&(process, job.to_owned()));
        self.unnamed.retain(|fault| fault.process != process || fault.job.as_deref() != Some(job));
    }

    /// Takes the controller's status.
    pub fn controller(&mut self, process: usize, text: &str) -> Finding {
        if text.contains(CANARY) {
            return Some(format!("a secret is in the controller's status: {text}"));
        }
        if let Err(error) = serde_json::from_str::<ControllerStatus>(text) {
            return Some(format!("the controller's status does not parse: {error}"));
        }
        self.unnamed.retain(|fault| fault.process != process || !text.contains(fault.code));
        None
    }

    /// A call suffers a fault, which must be named.
    pub fn faulted(&mut self, millis: i64, process: usize, _life: u32, drawn: &Drawn, call: &Call, request: &Request) {
        let Some(code) = drawn.kind.code(&call.operation) else { return };
        let subject = polite::subject(request);
        let job = job_of(&subject).map(str::to_owned);
        self.unnamed.push(Unnamed { process, millis, job, code, label: format!("{} of {subject}", drawn.label) });
    }

    /// A process ended: what it had not said yet, it never will.
    pub fn died(&mut self, process: usize) {
        self.unnamed.retain(|fault| fault.process != process);
    }

    /// A failure that should have been named by now.
    pub fn overdue(&mut self, millis: i64, books: &Books, rules: &Rules) -> Finding {
        if rules.crew != Crew::One {
            self.unnamed.clear();
            return None;
        }
        let mut late = None;
        self.unnamed.retain(|fault| {
            if fault.millis > millis - NAMED {
                return true;
            }
            // What a reconcile of an earlier spec met is not told of the later one.
            let overtaken = fault.job.as_deref().is_some_and(|job| {
                let shelf = books.of_process(fault.process);
                let page = shelf.and_then(|shelf| shelf.pages.get(job));
                page.is_none_or(|page| page.since >= fault.millis - 20_000)
                    || shelf.is_some_and(|shelf| shelf.controller_since >= fault.millis - 20_000)
            });
            if !overtaken && late.is_none() {
                late = Some(format!("{} at {} s stands in no status: {}", fault.code, fault.millis / 1000, fault.label));
            }
            false
        });
        late
    }

    /// The last status of a job.
    pub fn of(&self, process: usize, job: &str) -> Option<&JobStatus> {
        self.statuses.get(&(process, job.to_owned()))
    }
}

/// The reason of the Ready condition.
pub(crate) fn reason(status: &JobStatus) -> Option<Reason> {
    status.condition(ConditionType::Ready).map(|ready| ready.reason)
}

/// Whether Ready is not false.
pub(crate) fn is_unknown(status: &JobStatus) -> bool {
    status.condition(ConditionType::Ready).is_some_and(|ready| ready.status == Tristate::Unknown)
}
