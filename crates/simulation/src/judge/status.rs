//! Promises 9, 10 and 11: the status is always whole, never calls ready what is not, names every failure, and holds no secret.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::Call;
use ecs_etl_plan::condition::{Reason, Status as Tristate};
use ecs_etl_plan::status::{ConditionType, ControllerStatus, JobStatus};
use jiff::Timestamp;

use super::book::Books;
use super::tick::DISTURBED;
use super::{Finding, Rules, expect, job_of, polite};
use crate::fault::Drawn;
use crate::mirror::Mirror;
use crate::shape::CANARY;
use crate::story::Crew;

/// An edit is seen, and its reconcile begun, within so many milliseconds.
const TAKEN_UP: i64 = 2_000;

/// What a move left in another place is seen once that has been read, within so many milliseconds of the start.
const UNREAD: i64 = 60_000;

/// Bulk knowledge is at most so old, in milliseconds: a resync and its jitter, twice.
const STALE: i64 = 2 * 66 * 60_000;

/// A failure must stand in the status within so many milliseconds: the call's own time, then the others of its reconcile.
const NAMED: i64 = 120_000;

/// A status is written at most so many milliseconds after it changed.
const WRITTEN: i64 = 500;

/// After a disk took nothing, all that is to be written has been within so many milliseconds.
const CAUGHT_UP: i64 = 60_000;

/// A disk that has room again is tried within so many milliseconds.
const TRIED_AGAIN: i64 = 5_500;

/// One reconcile takes at most so many milliseconds.
const ONE_RECONCILE: i128 = 20_000;

/// What one reconcile asks at once fails within so many milliseconds of each other.
const BESIDE: i64 = 16_000;

/// The same inside a call budget, where each of them waits for its turn: a bucket that AWS throttles for an hour gives one in twenty
/// seconds, whoever is in line.
const BESIDE_IN_LINE: i64 = NAMED;

/// How many tries may fail before a status is written again: jitter puts some side by side.
const UNTOLD: u32 = 2;

/// A fault that is to be named.
#[derive(Debug, Clone)]
struct Unnamed {
    process: usize,
    millis: i64,
    /// The job it is about, by the name that was first.
    job: Option<String>,
    code: &'static str,
    label: String,
}

impl Unnamed {
    /// Whether it is about a group of schedules, which any job may have asked for, or a role that any job may have needed.
    fn is_of_any_job(&self) -> bool {
        self.label.contains(" of ecs-etl-") || self.label.contains("sts:AssumeRole")
    }

    /// Whether a text names it. What keeps a role from being assumed is told as a matter of credentials.
    fn is_in(&self, text: &str) -> bool {
        text.contains(self.code) || (self.label.contains("sts:AssumeRole") && text.contains("Credentials"))
    }
}

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
        if status.is_ready() {
            // What was mended before anything could be written.
            let mended = |fault: &Unnamed| fault.job.as_deref() == Some(root) && fault.millis > millis - WRITTEN;
            self.unnamed.retain(|fault| fault.process != process || !mended(fault));
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
            self.put_off.insert((process, job), page.since);
            return (None, None);
        }
        let finding = self.is_too_early(millis, process, &job, mirror, books, rules);
        (Some(Ready { process, suspended: reason == Some(Reason::Suspended), job }), finding)
    }

    /// What was called ready too soon after an edit to be believed, and still is once the edit has been taken up.
    pub fn ripe(&mut self, millis: i64, mirror: &Mirror, books: &Books, rules: &Rules) -> (Vec<Ready>, Finding) {
        if self.put_off.values().all(|since| since + TAKEN_UP >= millis) {
            return (Vec::new(), None);
        }
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
            finding = finding.or(self.is_too_early(millis, process, &job, mirror, books, rules));
            news.push(Ready { process, job, suspended });
        }
        (news, finding)
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

    /// A status names a fault.
    fn names(&mut self, process: usize, text: &str, about: impl Fn(&Unnamed) -> bool) {
        let is_named = |fault: &Unnamed| fault.process == process && about(fault) && fault.is_in(text);
        let named = self.unnamed.iter().filter(|fault| is_named(fault));
        self.named.extend(named.map(|fault| (process, fault.job.clone(), fault.millis)));
    }

    /// A call suffers a fault, which must be named.
    pub fn faulted(
        &mut self,
        millis: i64,
        process: usize,
        drawn: &Drawn,
        call: &Call,
        request: &Request,
        books: &Books,
    ) {
        let Some(code) = drawn.kind.code(&call.operation) else { return };
        // Without the right to read Scheduler, only jobs that want to be there are told, and they say what they were refused.
        let reads_group =
            matches!(call.operation.as_str(), "scheduler:ListTagsForResource" | "scheduler:ListSchedules");
        if reads_group && drawn.kind == crate::fault::Kind::AccessDenied {
            return;
        }
        let subject = polite::subject(request);
        let job = job_of(&subject).map(|job| books.root(job).to_owned());
        let fault = Unnamed { process, millis, job, code, label: format!("{} of {subject}", drawn.label) };
        // The controller's own status stands under no name; a renamed job's under its newest.
        let stands = self.standing.iter().any(|((of, name), text)| {
            let about = name.is_empty() || fault.job.as_deref() == Some(books.root(name));
            *of == process && about && fault.is_in(text)
        });
        if stands {
            self.named.push((process, fault.job, millis));
        } else {
            self.unnamed.push(fault);
        }
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

    /// A failure that should have been named by now.
    pub fn overdue(&mut self, millis: i64, books: &Books, rules: &Rules) -> Finding {
        if rules.crew != Crew::One {
            self.unnamed.clear();
            return None;
        }
        let mut late = None;
        let beside = if rules.limited { BESIDE_IN_LINE } else { BESIDE };
        let Self { unnamed, named, statuses, silent, .. } = self;
        unnamed.retain(|fault| {
            if fault.millis > millis - NAMED {
                return true;
            }
            // What failed beside another call of the same reconcile is named with it.
            if named.iter().any(|(process, job, at)| {
                *process == fault.process
                    && (*job == fault.job || job.is_none() || fault.is_of_any_job())
                    && (at - fault.millis).abs() <= beside
            }) {
                return false;
            }
            let shelf = books.of_process(fault.process);
            // What a reconcile of an earlier spec met is not told of the later one.
            let overtaken = fault.job.as_deref().is_some_and(|job| {
                let pages =
                    shelf.into_iter().flat_map(|shelf| &shelf.pages).filter(|(name, _)| books.root(name) == job);
                let fresh = pages.map(|(_, page)| page.since >= fault.millis - 20_000);
                fresh.reduce(|one, other| one || other).unwrap_or(true)
            });
            // A directory or a file that goes meanwhile is told instead, if it was for a job that something was asked.
            let goes = (fault.job.is_some() || fault.is_of_any_job())
                && shelf.is_some_and(|shelf| {
                    let gone = shelf.incomplete_since.unwrap_or(shelf.complete_since);
                    shelf.controller_since.max(gone).max(shelf.vanished) >= fault.millis - 20_000
                });
            // Of a place that nobody names any more, nothing is told but that.
            let nowhere = fault.job.is_none()
                && shelf.is_some_and(|shelf| (fault.millis - 20_000..=fault.millis + 20_000).contains(&shelf.vanished));
            let was_silent = silent.get(&fault.process).is_some_and(|until| *until >= fault.millis - TRIED_AGAIN);
            let is_excused = overtaken || goes || nowhere || was_silent;
            if !is_excused && late.is_none() && !is_masked(statuses, books, fault, rules.start) {
                late =
                    Some(format!("{} at {} s stands in no status: {}", fault.code, fault.millis / 1000, fault.label));
            }
            false
        });
        named.retain(|(_, _, at)| *at > millis - 2 * NAMED);
        late
    }

    /// Whether a status said that a job is stuck, and none that it is ready since. In between it may tell of AWS's failures.
    pub fn is_stuck(&self, job: &str) -> bool {
        self.stuck.iter().any(|(_, name)| name == job)
    }

    /// Whether any status says that somebody undoes our repairs.
    pub fn names_a_fight(&self) -> bool {
        self.statuses.values().any(|status| reason(status) == Some(Reason::DriftFight))
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

/// Whether a failure mattered to nobody: what stands in the job's way is something else, or what failed was not needed any more when
/// all the rest was read. Without that, a reconcile that was denied something is not tried again so soon.
fn is_masked(
    statuses: &BTreeMap<(usize, String), JobStatus>,
    books: &Books,
    fault: &Unnamed,
    start: Timestamp,
) -> bool {
    let of_job = |name: &str| fault.job.as_deref() == Some(books.root(name));
    let about = statuses.iter().filter(|((process, name), _)| *process == fault.process && of_job(name));
    about.map(|(_, status)| status).any(|status| {
        let went_on = status.status.last_change.as_ref().is_some_and(|change| {
            let late = change.time.duration_since(start).as_millis() - i128::from(fault.millis);
            status.is_ready() && (-1000..ONE_RECONCILE).contains(&late)
        });
        reason(status) == Some(Reason::NotOwned) || (fault.code == "AccessDeniedException" && went_on)
    })
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
