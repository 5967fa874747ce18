//! Promise 7: a job that fails, or waits for somebody, delays no other. Whatever is written for a job, and meets no fault of its own,
//! is in AWS within a minute, however many others are blocked, denied, or refused meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::status::ControllerStatus;

use super::book::{Books, Edited, Wanted};
use super::excuse::{Places, is_excuse, tells_of_aws};
use super::status::{Status, reason};
use super::{Finding, Rules, calm, expect, job_of};
use crate::directory::Directory;
use crate::fault::{Kind, SLOW};
use crate::mirror::Mirror;
use crate::story::Crew;

/// An edit is in AWS within so many milliseconds: it is seen, and each of a dozen jobs is read and written. For what is slow of its
/// own there is time beside it: a plan of a dozen steps waits for as many answers, one after another.
const PROMPT: i64 = 60_000;

/// The same inside a call budget, where a dozen jobs stand in one line.
const IN_LINE: i64 = 15 * 60_000;

/// What was said for less than so many milliseconds may have been seen by nobody: files are to rest before they are read.
const UNSEEN: i64 = 2_000;

/// What was said of a job before edits that nobody may have seen.
#[derive(Debug)]
struct Before {
    /// When the first of them came.
    edited: i64,
    words: Option<Wanted>,
    /// Since when the job was due.
    due: Option<i64>,
}

/// The oracle. One controller alone is held to it: two of them give each other cause to wait.
#[derive(Debug, Default)]
pub(crate) struct Prompt {
    /// Since when nothing but the controller itself keeps a job from being as it is written.
    due: BTreeMap<String, i64>,
    /// Until when each job waits for slow answers.
    slow: BTreeMap<String, i64>,
    /// Whether the process is there.
    lives: bool,
    /// What was due when its manifest, or that of a job it waits for, could not be read any more.
    unreadable: BTreeSet<String>,
    /// What was said of each job until it was edited, for as long as that may be unseen.
    before: BTreeMap<String, Before>,
    places: Places,
}

impl Prompt {
    /// A commit.
    pub fn edited(&mut self, millis: i64, edited: &[Edited], mirror: &Mirror, books: &Books, rules: &Rules) {
        self.before.retain(|_, before| before.edited > millis - UNSEEN);
        for Edited { name, before, after } in edited {
            if is_same(before.as_ref(), after.as_ref()) {
                // Nobody looks at a job for that: what was due is, and what strangers did waits for the resync.
                continue;
            }
            let due = self.due.remove(name);
            let before = Before { edited: millis, words: before.clone(), due };
            let before = self.before.entry(name.clone()).or_insert(before);
            if before.edited < millis && is_same(before.words.as_ref(), after.as_ref()) {
                // Nobody looks at a job for words that came and went.
                self.due.extend(before.due.map(|since| (name.clone(), since)));
                continue;
            }
            if books.was_touched(name, millis - rules.list_lag, millis) {
                // An edit is read directly, but the list of revisions lags for that, too, and is read again with the next resync.
                continue;
            }
            self.owe(millis, name, mirror, books, rules);
        }
        // What cannot be read is left as it is, and has its minute when it can.
        self.unreadable.extend(self.due.extract_if(.., |name, _| is_unreadable(name, books)).map(|(name, _)| name));
        for name in self.unreadable.extract_if(.., |name| !is_unreadable(name, books)).collect::<Vec<_>>() {
            self.owe(millis, &name, mirror, books, rules);
        }
    }

    /// A process was started, and looks at everything anew.
    pub fn born(&mut self, millis: i64, mirror: &Mirror, books: &Books, rules: &Rules) {
        self.died();
        self.lives = true;
        let Some(shelf) = books.shelves.first() else { return };
        // It knows nothing of what was read before it was there, and only lists that lag show what a stranger has just done: they
        // are read again with the next resync.
        let unseen = |name: &str| books.was_touched(name, millis - rules.list_lag, millis);
        for name in shelf.pages.keys().filter(|name| !is_unreadable(name, books) && !unseen(name)) {
            self.owe(millis, name, mirror, books, rules);
        }
    }

    /// From now on a job is to become as it is written, unless it is.
    fn owe(&mut self, millis: i64, job: &str, mirror: &Mirror, books: &Books, rules: &Rules) {
        let judged = self.lives && rules.crew == Crew::One;
        let wanted = wanted(job, books).filter(|wanted| judged && !wanted.job.disabled);
        if wanted.is_some_and(|wanted| mismatch(mirror, books, job, wanted, rules, millis).is_some()) {
            self.due.insert(job.to_owned(), millis);
        }
    }

    /// The process ended.
    pub fn died(&mut self) {
        self.all_wait();
        self.slow.clear();
        self.lives = false;
        self.places = Places::default();
    }

    /// The status of the controller was written: a place may have answered, and its jobs have their minute from now on.
    pub fn told(&mut self, millis: i64, status: &ControllerStatus, books: &Books, rules: &Rules) {
        let answered = self.places.told(status, books, rules);
        for (job, since) in &mut self.due {
            if wanted(job, books).is_some_and(|wanted| answered.contains(&wanted.place)) {
                *since = millis;
            }
        }
    }

    /// What waits for a place, and says so, is not late yet.
    fn wait_for_places(&mut self, millis: i64, books: &Books, status: &Status) {
        for (job, since) in &mut self.due {
            let says_so = status.of(0, job).and_then(reason).is_some_and(tells_of_aws);
            if says_so && wanted(job, books).is_some_and(|wanted| self.places.is_unread(&wanted.place)) {
                *since = millis;
            }
        }
    }

    /// All jobs may be late: the directory is not there, or AWS wants fewer calls.
    pub fn all_wait(&mut self) {
        self.due.clear();
        self.unreadable.clear();
        self.before.values_mut().for_each(|before| before.due = None);
    }

    /// Of places that nobody names nothing is remembered, and their lists are read anew when they are named.
    pub fn keep_places(&mut self, millis: i64, directory: &Directory) {
        if !directory.gone {
            self.places.keep(millis, |place| directory.names(place));
        }
    }

    /// A stranger's hand: it may be found in rotation only.
    pub fn touched(&mut self, job: &str, books: &Books) {
        let root = books.root(job);
        self.due.retain(|name, _| books.root(name) != root);
        self.unreadable.retain(|name| books.root(name) != root);
        let before = self.before.iter_mut().filter(|(name, _)| books.root(name) == root);
        before.for_each(|(_, before)| before.due = None);
    }

    /// A call met with a fault: what it was about may be late, and everything if all need it.
    pub fn faulted(&mut self, millis: i64, kind: Kind, subject: &str, books: &Books) {
        match kind {
            Kind::ReorderedList => {}
            Kind::Slow => self.slowed(millis, subject, books),
            // A bucket is the account's, credentials are the place's, a list is every job's, and a clock is the process's.
            Kind::Throttled | Kind::ExpiredCredentials | Kind::StaleList | Kind::ClockOff => self.all_wait(),
            Kind::ServerError
            | Kind::ServerErrorAfterEffect
            | Kind::Timeout
            | Kind::TimeoutAfterEffect
            | Kind::LostRequest
            | Kind::LostAnswer
            | Kind::FailedEntry
            | Kind::Concurrent
            | Kind::RoleNotReady
            | Kind::AccessDenied => self.refused(subject, books),
        }
    }

    /// An answer is slow: what was asked about, or everything if all need it, waits so much longer. What is asked at once is waited for
    /// once, and nobody waits for what is slow of another.
    fn slowed(&mut self, millis: i64, subject: &str, books: &Books) {
        let about = job_of(subject).filter(|job| !job.is_empty()).map(|job| books.root(job));
        for (job, since) in self.due.iter_mut().filter(|(job, _)| about.is_none_or(|about| books.root(job) == about)) {
            let until = self.slow.entry(job.clone()).or_insert(millis);
            let from = millis.max(*until);
            *until = millis + i64::from(SLOW);
            *since += *until - from;
        }
    }

    /// AWS refused a call: what it was about may be late, and everything if all need it.
    pub fn refused(&mut self, subject: &str, books: &Books) {
        match job_of(subject).filter(|job| !job.is_empty()) {
            Some(job) => self.touched(job, books),
            None => self.all_wait(),
        }
    }

    /// Something of a job was written: if it is as it should be now, it is no longer due, and was so in time or not.
    pub fn wrote(
        &mut self,
        millis: i64,
        job: &str,
        mirror: &Mirror,
        books: &Books,
        status: &Status,
        rules: &Rules,
    ) -> Finding {
        self.wait_for_places(millis, books, status);
        let since = *self.due.get(job)?;
        let wanted = wanted(job, books)?;
        if mismatch(mirror, books, job, wanted, rules, millis).is_none() {
            self.due.remove(job);
            if status.is_silent(millis, 0) {
                return None;
            }
            return late(millis, since, job, wanted, mirror, books, status, rules, "it is so only now");
        }
        None
    }

    /// What is still not as it is written although it should be by now.
    pub fn overdue(&mut self, millis: i64, mirror: &Mirror, books: &Books, status: &Status, rules: &Rules) -> Finding {
        if status.is_silent(millis, 0) {
            // Why it waits cannot be read; it is asked again when the disk takes statuses.
            return None;
        }
        self.wait_for_places(millis, books, status);
        let due: Vec<(String, i64)> = self.due.extract_if(.., |_, since| is_late(millis, *since, rules)).collect();
        due.into_iter().find_map(|(job, since)| {
            let wanted = wanted(&job, books)?;
            let why = mismatch(mirror, books, &job, wanted, rules, millis)?;
            late(millis, since, &job, wanted, mirror, books, status, rules, &why)
        })
    }
}

fn wanted<'a>(job: &str, books: &'a Books) -> Option<&'a Wanted> {
    books.shelves.first()?.pages.get(job)?.wanted.as_ref()
}

/// Whether a job is wanted as it was.
fn is_same(before: Option<&Wanted>, after: Option<&Wanted>) -> bool {
    before.zip(after).is_some_and(|(before, after)| before.means(after))
}

fn mismatch(mirror: &Mirror, books: &Books, job: &str, wanted: &Wanted, rules: &Rules, millis: i64) -> Finding {
    expect::mismatch(mirror, books.of_process(0)?, job, wanted, rules.start, rules.at(millis))
}

/// Whether the manifest of a job, or of one that it waits for, cannot be read.
fn is_unreadable(job: &str, books: &Books) -> bool {
    books.shelves.first().is_some_and(|shelf| {
        let damaged = |name: &str| shelf.now.is_damaged(name);
        damaged(job) || shelf.now.book.upstream_of(job).into_iter().any(damaged)
    })
}

fn is_late(millis: i64, since: i64, rules: &Rules) -> bool {
    millis - since > if rules.limited { IN_LINE } else { PROMPT }
}

#[expect(clippy::too_many_arguments, reason = "what is known of one job at one moment")]
fn late(
    millis: i64,
    since: i64,
    job: &str,
    wanted: &Wanted,
    mirror: &Mirror,
    books: &Books,
    status: &Status,
    rules: &Rules,
    why: &str,
) -> Finding {
    let told = status.of(0, job).and_then(reason);
    let is_its_own = told.is_some_and(is_excuse)
        || books.of_process(0).is_some_and(|shelf| calm::excuse(mirror, shelf, job, wanted).is_some());
    (is_late(millis, since, rules) && !is_its_own).then(|| {
        let seconds = (millis - since) / 1000;
        format!("nothing has been in the way of {job} for {seconds} s, and its status says {told:?}: {why}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_given_the_time_of_its_own_slow_answers_once() {
        let books = Books::new(&[], Crew::One);
        let mut prompt = Prompt { due: ["a", "b"].map(|job| (job.to_owned(), 0)).into(), ..Prompt::default() };
        for (millis, subject) in [(1_000, "etl-a"), (1_000, "etl-a.5097cc"), (3_000, "etl-a:1")] {
            prompt.faulted(millis, Kind::Slow, subject, &books);
        }
        assert_eq!((prompt.due["a"], prompt.due["b"]), (6_000, 0));
        prompt.faulted(10_000, Kind::Slow, "ecs-etl-main", &books);
        assert_eq!((prompt.due["a"], prompt.due["b"]), (10_000, 4_000));
    }
}
