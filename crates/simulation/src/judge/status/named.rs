//! Promise 10: every failure stands in a status.

use std::collections::BTreeMap;

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::Call;
use ecs_etl_plan::condition::Reason;
use ecs_etl_plan::status::JobStatus;
use jiff::Timestamp;

use super::{Status, reason};
use crate::fault::{Drawn, is_write};
use crate::judge::book::{Books, Page};
use crate::judge::{Finding, Rules, job_of, polite};
use crate::story::Crew;

/// A failure must stand in the status within so many milliseconds: the call's own time, then the others of its reconcile.
const NAMED: i64 = 120_000;

/// A disk that has room again is tried within so many milliseconds.
const TRIED_AGAIN: i64 = 5_500;

/// An answer is waited for so many milliseconds.
const ANSWER: i64 = 10_000;

/// One reconcile takes at most so many milliseconds.
const ONE_RECONCILE: i128 = 20_000;

/// What one reconcile asks at once fails within so many milliseconds of each other.
const BESIDE: i64 = 16_000;

/// The same inside a call budget, where each of them waits for its turn: a bucket that AWS throttles for an hour gives one in twenty
/// seconds, whoever is in line.
const BESIDE_IN_LINE: i64 = NAMED;

/// A fault that is to be named.
#[derive(Debug, Clone)]
pub(super) struct Unnamed {
    pub process: usize,
    pub millis: i64,
    /// The job it is about, by the name that was first.
    pub job: Option<String>,
    pub code: &'static str,
    pub label: String,
    /// How a status speaks of the call.
    call: String,
    /// When the process knows of it: a read that is not answered fails once it has been waited for. Of a write, a status may say too soon
    /// what came of it.
    known: i64,
}

impl Unnamed {
    /// Whether a status of that moment may come of a later look at the job, with no time between the two to write of this.
    pub fn may_be_unwritten(&self, millis: i64, within: i64) -> bool {
        let began = millis - within;
        self.millis > began || (began..=millis).contains(&self.known)
    }

    /// Whether the process knew of it only after it had waited: what failed beside it is told with it, or as little as it.
    pub fn was_waited_for(&self) -> bool {
        self.known != self.millis
    }

    /// Whether it is about a group of schedules, which any job may have asked for, or a role that any job may have needed.
    fn is_of_any_job(&self) -> bool {
        self.label.contains(" of ecs-etl-") || self.label.contains("sts:AssumeRole")
    }

    /// Whether a text tells of this very call, whichever job it is of: one that is adopted under a name may meet what another left there.
    fn is_call_of(&self, text: &str) -> bool {
        text.contains(&self.call)
    }

    /// Whether a text names it. What keeps a role from being assumed is told as a matter of credentials.
    fn is_in(&self, text: &str) -> bool {
        text.contains(self.code) || (self.label.contains("sts:AssumeRole") && text.contains("Credentials"))
    }
}

impl Status {
    /// A status names a fault.
    pub(super) fn names(&mut self, process: usize, text: &str, about: impl Fn(&Unnamed) -> bool) {
        let is_named =
            |fault: &Unnamed| fault.process == process && (about(fault) || fault.is_call_of(text)) && fault.is_in(text);
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
        let is_waited_for = code == "Timeout" && !is_write(&call.operation);
        let known = if is_waited_for { millis + ANSWER } else { millis };
        let operation = call.operation.split_once(':').map_or("", |(_, operation)| operation);
        let fault = Unnamed {
            process,
            millis,
            job,
            code,
            label: format!("{} of {subject}", drawn.label),
            call: format!("{operation} on {subject} failed"),
            known,
        };
        // The controller's own status stands under no name; a renamed job's under its newest.
        let stands = self.standing.iter().any(|((of, name), text)| {
            let about = name.is_empty() || fault.job.as_deref() == Some(books.root(name)) || fault.is_call_of(text);
            *of == process && about && fault.is_in(text)
        });
        if stands {
            self.named.push((process, fault.job, millis));
        } else {
            self.unnamed.push(fault);
        }
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
            let pages = || shelf.into_iter().flat_map(|shelf| &shelf.pages);
            let is_fresh = |(_, page): (&String, &Page)| page.since >= fault.millis - 20_000;
            let overtaken = match fault.job.as_deref() {
                Some(job) => {
                    let mut of_job = pages().filter(|(name, _)| books.root(name) == job).peekable();
                    of_job.peek().is_none() || of_job.any(is_fresh)
                }
                // Any of them may have been the one that asked.
                None => fault.is_of_any_job() && pages().any(is_fresh),
            };
            // A directory or a file that goes meanwhile is told instead, if it was for a job that something was asked.
            let goes = (fault.job.is_some() || fault.is_of_any_job())
                && shelf.is_some_and(|shelf| {
                    let gone = shelf.incomplete_since.unwrap_or(shelf.complete_since);
                    let since = shelf.controller_since.max(gone).max(shelf.vanished).max(shelf.lost_since);
                    since >= fault.millis - 20_000
                });
            // Of a place that nobody names any more, nothing is told but that.
            let nowhere = fault.job.is_none()
                && shelf.is_some_and(|shelf| {
                    let about = fault.millis - 20_000..=fault.millis + 20_000;
                    about.contains(&shelf.vanished) || about.contains(&shelf.lost_since)
                });
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
        let is_left_alone = reason(status) == Some(Reason::ReconcileDisabled);
        let was_denied = fault.code == "AccessDeniedException";
        reason(status) == Some(Reason::NotOwned) || (was_denied && (went_on || is_left_alone))
    })
}
