//! Promises 9, 10 and 11: the status is always whole, never calls ready what is not, names every failure, and holds no secret.

mod named;

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::condition::{Reason, Status as Tristate};
use ecs_etl_plan::status::{ConditionType, ControllerStatus, JobStatus};

use named::Unnamed;

use super::book::Books;
use super::tick::{DISTURBED, is_shared};
use super::{Finding, Rules, expect};
use crate::mirror::Mirror;
use crate::shape::CANARY;
use crate::story::Crew;

/// An edit is seen, and its reconcile begun, within so many milliseconds.
const TAKEN_UP: i64 = 2_000;

/// What a move left in another place is seen once that has been read, within so many milliseconds of the start.
const UNREAD: i64 = 60_000;

/// Bulk knowledge is at most so old, in milliseconds: a resync and its jitter, twice.
const STALE: i64 = 2 * 66 * 60_000;

/// A status is written at most so many milliseconds after it changed.
const WRITTEN: i64 = 500;

/// After a disk took nothing, all that is to be written has been within so many milliseconds.
const CAUGHT_UP: i64 = 60_000;

/// How many tries may fail before a status is written again: jitter puts some side by side.
const UNTOLD: u32 = 2;

/// What ECS says when a revision is registered while another of the family still is.
const TOO_MANY: &str = "Too many concurrent attempts";

/// What AWS says when a bucket is empty.
pub(super) const THROTTLED: &str = "Rate exceeded";

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Status {
    statuses: BTreeMap<(usize, String), JobStatus>,
    /// What became ready too soon after an edit to be believed, by process and job, with the time of the edit.
    put_off: BTreeMap<(usize, String), i64>,
    /// When each job was last edited, and which spec its last status before was of.
    edited: BTreeMap<(usize, String), (i64, Option<String>)>,
    unnamed: Vec<Unnamed>,
    born: BTreeMap<usize, i64>,
    /// Until when each process could write nothing.
    silent: BTreeMap<usize, i64>,
    overcounted: Finding,
    /// Process, job and time of those that were named.
    named: Vec<(usize, Option<String>, i64)>,
    /// The last text of each status; the controller's under an empty name.
    standing: BTreeMap<(usize, String), String>,
    /// Jobs that were stuck and have not been ready since, by process.
    stuck: BTreeSet<(usize, String)>,
    /// When each job became ready, and when it was not any more.
    readiness: BTreeMap<String, Vec<(i64, bool)>>,
}

/// A job that has just become ready.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Who says so.
    pub process: usize,
    pub job: String,
    pub suspended: bool,
    /// Another process that is equal to this one does not say so: what it made is in no list of this one's yet, nor what it undid.
    pub doubted: bool,
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
        self.standing.insert((process, job.clone()), text.to_owned());
        let root = books.root(&job);
        self.names(process, text, |fault| fault.job.as_deref().is_none_or(|about| about == root));
        if reason == Some(Reason::Throttled) || text.contains(TOO_MANY) {
            // AWS itself may have refused another call of the same reconcile, or of the next that was waiting for its end, which then is
            // the one that is told.
            self.named.push((process, Some(root.to_owned()), millis));
        }
        if status.is_ready() || reason == Some(Reason::ChangesHeld) {
            // What was mended before anything could be written.
            let mended =
                |fault: &Unnamed| fault.job.as_deref() == Some(root) && fault.may_be_unwritten(millis, WRITTEN);
            let mended = self.unnamed.extract_if(.., |fault| fault.process == process && mended(fault));
            let waited = mended.filter(Unnamed::was_waited_for);
            self.named.extend(waited.map(|fault| (process, fault.job, fault.millis)));
        }
        if status.is_ready() {
            self.stuck.remove(&(process, job.clone()));
        } else if status.condition(ConditionType::Stalled).is_some() {
            self.stuck.insert((process, job.clone()));
        }
        let readiness = self.readiness.entry(job.clone()).or_default();
        if readiness.last().is_none_or(|(_, ready)| *ready != status.is_ready()) {
            readiness.push((millis, status.is_ready()));
        }
        let before = self.statuses.insert((process, job.clone()), status.clone());
        let since = books.of_process(process).and_then(|shelf| shelf.pages.get(&job)).map_or(0, |page| page.since);
        let edited = self.edited.entry((process, job.clone())).or_default();
        if edited.0 != since {
            *edited = (since, before.as_ref().and_then(|before| before.status.observed_spec.clone()));
        }
        let could_tell = !self.silent.contains_key(&process);
        let counted = before
            .as_ref()
            .filter(|_| could_tell)
            .filter(|before| before.is_ready())
            .and_then(|_| told_attempts(&status, &job));
        if let Some(attempts) = counted.filter(|attempts| *attempts > UNTOLD + 1) {
            self.overcounted = Some(format!("{job} was ready, and its next failure counts as number {attempts}"));
        }
        let is_news = status.is_ready()
            && before.is_none_or(|before| {
                !before.is_ready()
                    || before.status.observed_spec != status.status.observed_spec
                    || before.status.last_change != status.status.last_change
            });
        if !is_news {
            return (None, None);
        }
        let Some(page) = books.of_process(process).and_then(|shelf| shelf.pages.get(&job)) else { return (None, None) };
        if page.since >= millis - TAKEN_UP {
            // Who has not seen the edit yet speaks of what was written before.
            if self.edited.get(&(process, job.clone())).is_none_or(|(_, spec)| *spec != status.status.observed_spec) {
                self.put_off.insert((process, job), page.since);
            }
            return (None, None);
        }
        let finding = self.is_too_early(millis, process, &job, mirror, books, rules);
        let doubted = self.is_doubted(process, &job, rules);
        (Some(Ready { process, suspended: reason == Some(Reason::Suspended), job, doubted }), finding)
    }

    /// What was called ready too soon after an edit to be believed, and still is once the edit has been taken up.
    pub fn ripe(&mut self, millis: i64, mirror: &Mirror, books: &Books, rules: &Rules) -> (Vec<Ready>, Finding) {
        let ripe: Vec<(usize, String, i64)> = self
            .put_off
            .extract_if(.., |_, since| *since + TAKEN_UP < millis)
            .map(|((process, job), since)| (process, job, since))
            .collect();
        let mut news = Vec::new();
        let mut finding = None;
        for (process, job, since) in ripe {
            let page = books.of_process(process).and_then(|shelf| shelf.pages.get(&job));
            let is_same = page.is_some_and(|page| page.since == since);
            let Some(status) = self.of(process, &job).filter(|status| is_same && status.is_ready()) else { continue };
            let suspended = reason(status) == Some(Reason::Suspended);
            // Of two identities that share a name, the other one may have taken it meanwhile.
            if !is_shared(books, books.root(&job)) {
                finding = finding.or(self.is_too_early(millis, process, &job, mirror, books, rules));
            }
            let doubted = self.is_doubted(process, &job, rules);
            news.push(Ready { process, job, suspended, doubted });
        }
        (news, finding)
    }

    /// Whether another one of two equal processes does not call a job ready.
    fn is_doubted(&self, process: usize, job: &str, rules: &Rules) -> bool {
        let mut others = self.statuses.iter().filter(|((of, name), _)| *of != process && name == job);
        rules.crew == Crew::Twins && others.any(|(_, status)| !status.is_ready())
    }

    /// What AWS lacks of a job that is called ready.
    fn is_too_early(
        &self,
        millis: i64,
        process: usize,
        job: &str,
        mirror: &Mirror,
        books: &Books,
        rules: &Rules,
    ) -> Finding {
        let shelf = books.of_process(process)?;
        let wanted = shelf.pages.get(job)?.wanted.as_ref()?;
        // Places that only an unreadable document names are not read either.
        let known_since = if shelf.incomplete_since.is_some() { millis } else { shelf.complete_since };
        let just_born = self.born.get(&process).copied().unwrap_or(0).max(known_since) > millis - UNREAD;
        // Of two that hand over the same schedule at once, the later one is a second behind.
        if matches!(rules.crew, Crew::Rivals | Crew::Twins)
            || just_born
            || self.misses_a_place(process)
            || books.is_blind(millis)
            || books.touched_since(job, millis - STALE)
        {
            return None;
        }
        let why = expect::mismatch(mirror, shelf, job, wanted, rules.start, rules.at(millis))?;
        Some(format!("{job} is called ready, but {why}"))
    }

    /// Whether a process says that it cannot read a place. What it left there in an earlier life it cannot know of, and no job elsewhere
    /// waits for that.
    pub fn misses_a_place(&self, process: usize) -> bool {
        self.standing.get(&(process, String::new())).is_some_and(|told| told.contains("\"about\":\"place/"))
    }

    /// A process was started.
    pub fn born(&mut self, millis: i64, process: usize) {
        self.born.insert(process, millis);
    }

    /// Whether a process was started so lately that it may not have read a place yet.
    pub fn is_young(&self, millis: i64, process: usize) -> bool {
        self.born.get(&process).is_some_and(|born| *born > millis - UNREAD)
    }

    /// Whether any process was started since then.
    pub fn was_born_since(&self, millis: i64) -> bool {
        self.born.values().any(|born| *born > millis)
    }

    /// A job's status was removed.
    pub fn gone(&mut self, process: usize, job: &str) {
        self.statuses.remove(&(process, job.to_owned()));
        self.stuck.remove(&(process, job.to_owned()));
        self.standing.remove(&(process, job.to_owned()));
        self.unnamed.retain(|fault| fault.process != process || fault.job.as_deref() != Some(job));
    }

    /// Takes the controller's status.
    pub fn controller(
        &mut self,
        millis: i64,
        process: usize,
        text: &str,
        books: &Books,
    ) -> Result<ControllerStatus, String> {
        if text.contains(CANARY) {
            return Err(format!("a secret is in the controller's status: {text}"));
        }
        let status: ControllerStatus =
            serde_json::from_str(text).map_err(|error| format!("the controller's status does not parse: {error}"))?;
        // Those of jobs that stay have statuses of their own.
        if let Some(refused) =
            status.status.problems.iter().find(|problem| problem.message.contains("plan was refused"))
        {
            return Err(format!("a plan to take something away broke its own rules: {}", refused.message));
        }
        self.standing.insert((process, String::new()), text.to_owned());
        self.names(process, text, |_any| true);
        // As with a job's own status: AWS itself refused what was asked beside, and that is what is told.
        let throttled = status.status.problems.iter().filter(|problem| problem.message.contains(THROTTLED));
        let left = throttled.filter_map(|problem| problem.about.strip_prefix("clean-up/")?.split('/').next());
        self.named.extend(left.map(|job| (process, Some(books.root(job).to_owned()), millis)));
        Ok(status)
    }

    /// A process ended: what it had not said yet, it never will.
    pub fn died(&mut self, process: usize) {
        self.unnamed.retain(|fault| fault.process != process);
        self.put_off.retain(|(of, _), _| *of != process);
    }

    /// With its disk went the statuses of a process.
    pub fn lost(&mut self, process: usize) {
        self.standing.retain(|(of, _), _| *of != process);
    }

    /// The disk of a process refuses, or takes statuses again.
    pub fn disk(&mut self, millis: i64, process: usize, full: bool) {
        self.silent.insert(process, if full { i64::MAX } else { millis });
    }

    /// Whether a process cannot write, or has only just begun to again: its statuses are old then.
    pub fn is_silent(&self, millis: i64, process: usize) -> bool {
        self.silent.get(&process).is_some_and(|until| *until > millis - CAUGHT_UP)
    }

    /// Whether a status said that a job is stuck, and none that it is ready since. In between it may tell of AWS's failures.
    pub fn is_stuck(&self, job: &str) -> bool {
        self.stuck.iter().any(|(_, name)| name == job)
    }

    /// Whether any status says that somebody undoes our repairs; or that they are held, so that too few are made to know them again.
    pub fn names_a_fight(&self) -> bool {
        let names = |status| matches!(reason(status), Some(Reason::DriftFight | Reason::ChangesHeld));
        self.statuses.values().any(names)
    }

    /// Whether what a stranger did to a job may not have been repaired at some moment: in a storm that takes hours, and until then the
    /// job is not called ready. Before that was seen, it may have been, by what was read before.
    pub fn is_unrepaired(&self, job: &str, at: i64, books: &Books) -> bool {
        let last = self.readiness.get(job).and_then(|all| all.iter().rev().find(|(since, _)| *since <= at));
        let (since, is_ready) = last.copied().unwrap_or((0, false));
        !is_ready && books.touched_since(job, since - DISTURBED)
    }

    /// Whether a status of a process holds these words.
    pub fn says(&self, process: usize, words: &str) -> bool {
        self.standing.iter().any(|((of, _), text)| *of == process && text.contains(words))
    }

    /// What was found of failures that were not forgotten, once.
    pub fn overcounted(&mut self) -> Finding {
        self.overcounted.take()
    }

    /// The last status of a job.
    pub fn of(&self, process: usize, job: &str) -> Option<&JobStatus> {
        self.statuses.get(&(process, job.to_owned()))
    }
}

/// How many tries in a row failed, as the status says, if they were about the job itself.
fn told_attempts(status: &JobStatus, job: &str) -> Option<u32> {
    let retry = status.status.retry.as_ref()?;
    retry.message.contains(&format!("etl-{job}")).then_some(retry.attempts)
}

/// The reason of the Ready condition.
pub(crate) fn reason(status: &JobStatus) -> Option<Reason> {
    status.condition(ConditionType::Ready).map(|ready| ready.reason)
}

/// Whether Ready is not false.
pub(crate) fn is_unknown(status: &JobStatus) -> bool {
    status.condition(ConditionType::Ready).is_some_and(|ready| ready.status == Tristate::Unknown)
}
