//! What starts without a schedule: each end of a run and each event starts what waits for it, and tells who asked, once.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_emulator::firing::{Firing, Outcome};

use super::book::{Books, Edited, Shelf};
use super::status::{Ready, Status};
use super::tick::{DISTURBED, holders, is_disturbed, is_old_news, is_shared};
use super::{Finding, Rules, job_of};
use crate::mirror::{Mirror, TARGET};
use crate::sketch::Job;
use crate::story::Crew;
use crate::triggers::{Fate, Triggers};

/// From its start to the event of its end, a run takes so many milliseconds in the emulator.
const RUNS: i64 = 66_000;

/// From its start to that event, one whose containers never start.
const FAILS: i64 = 6_000;

/// An event is with its targets by then, in milliseconds.
const DELIVERY: i64 = 2_000;

/// What something that happens does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Starts,
    Tells,
}

/// A time in which whatever a job waits for must start it.
#[derive(Debug, Clone)]
struct Duty {
    job: String,
    root: String,
    directory: usize,
    place: String,
    triggers: Triggers,
    from: i64,
    to: Option<i64>,
}

/// Something that a rule may wait for.
#[derive(Debug, Clone)]
struct Cause {
    place: String,
    /// From when on all was to be in force that it meets.
    began: i64,
    what: What,
    /// Whether it is certain how the rules know it.
    certain: bool,
}

#[derive(Debug, Clone)]
enum What {
    /// A run of this job ended.
    Ended(String, Fate),
    /// An event with this source.
    Told(String),
}

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    duties: Vec<Duty>,
    /// When each job was last ready, by directory.
    ready: BTreeMap<(usize, String), i64>,
    /// By the moment at which the bus hears of it.
    causes: BTreeMap<i64, Vec<Cause>>,
    /// How often a job, by its first name, was started or told of, by the moment.
    seen: BTreeMap<i64, BTreeMap<(String, Effect), usize>>,
}

impl Chains {
    /// A job became ready.
    pub fn ready(&mut self, millis: i64, ready: &Ready, books: &Books) {
        let Some(shelf) = books.of_process(ready.process) else { return };
        let directory = books.shelves.iter().position(|other| std::ptr::eq(other, shelf)).unwrap_or(0);
        let Some(wanted) = shelf.pages.get(&ready.job).and_then(|page| page.wanted.as_ref()) else { return };
        self.ready.insert((directory, ready.job.clone()), millis);
        let open = self.duties.iter().any(|duty| duty.is_of(directory, &ready.job) && duty.to.is_none());
        let is_doubtful = ready.doubted || is_old_news(shelf, &ready.job, books);
        if open || ready.suspended || wanted.job.suspend || is_doubtful {
            return;
        }
        self.duties.push(Duty {
            job: ready.job.clone(),
            root: books.root(&ready.job).to_owned(),
            directory,
            place: wanted.place.clone(),
            triggers: wanted.job.triggers.clone(),
            from: books.last_touched(&ready.job).map_or(millis, |hand| millis.max(hand + DISTURBED)),
            to: None,
        });
    }

    /// A commit: what waits for something else, or for runs that are known otherwise, owes nothing until it is ready again.
    pub fn edited(&mut self, millis: i64, directory: usize, edited: &[Edited], books: &Books) {
        for Edited { name, before, after } in edited {
            let kept = before.as_ref().zip(after.as_ref());
            let known = kept
                .is_some_and(|(before, after)| before.place == after.place && before.runs(name) == after.runs(name));
            let stays = kept.is_some_and(|(before, after)| {
                known && before.job.suspend == after.job.suspend && before.job.triggers.like(&after.job.triggers)
            });
            let root = books.root(name);
            for duty in self.duties.iter_mut().filter(|duty| duty.directory == directory && duty.to.is_none()) {
                let waits = duty.triggers.after.iter().any(|(upstream, _)| books.root(upstream) == root);
                if (duty.job == *name && !stays) || (waits && !known) {
                    duty.to = Some(millis);
                }
            }
        }
    }

    /// A stranger's hand.
    pub fn touched(&mut self, millis: i64, job: &str) {
        for duty in self.duties.iter_mut().filter(|duty| duty.job == job && duty.to.is_none()) {
            duty.to = Some(millis);
        }
    }

    /// Somebody told a bus of an event.
    pub fn told(&mut self, millis: i64, place: &str, source: &str) {
        let what = What::Told(source.to_owned());
        let cause = Cause { place: place.to_owned(), began: millis, what, certain: true };
        self.causes.entry(millis).or_default().push(cause);
    }

    /// A target was called.
    pub fn fired(&mut self, millis: i64, firing: &Firing, mirror: &Mirror, books: &Books) {
        let Some(job) = job_of(&firing.rule) else { return };
        let place = format!("{}/{}", firing.account, firing.region);
        let root = books.root(job).to_owned();
        let by_event = firing.schedule_group.is_none() && mirror.is_pattern(&(place.clone(), firing.rule.clone()));
        let effect = match &firing.outcome {
            Outcome::Started { .. } => Some(Effect::Starts),
            Outcome::NotEmulated { .. } | Outcome::Queued { .. } if firing.target == TARGET => Some(Effect::Tells),
            Outcome::NotEmulated { .. }
            | Outcome::Queued { .. }
            | Outcome::Refused { .. }
            | Outcome::Failed { .. }
            | Outcome::NotPlaced { .. } => None,
        };
        // What is left of a job that was renamed twice meanwhile goes by no document any more; and of what runs in a place that no document
        // named, somebody new made the job anew elsewhere.
        let is_left = !is_spoken_of(job, books) || (books.is_forgotten(millis, &place) && !books.wants_in(job, &place));
        if let Some(effect) = effect.filter(|_| by_event && !is_left) {
            *self.seen.entry(millis).or_default().entry((root.clone(), effect)).or_default() += 1;
        }
        if let Outcome::Started { task_definition, tasks, .. } = &firing.outcome {
            let name = task_definition.rsplit_once("task-definition/").map_or("", |(_, name)| name);
            let Some(revision) = mirror.revisions.get(&(place.clone(), name.to_owned())) else { return };
            // A renamed job keeps the family that it took over.
            if job_of(&revision.family).map(|of| books.root(of)) != Some(root.as_str()) {
                return;
            }
            let certain = self.is_settled(millis, job, books);
            let what = What::Ended(root, revision.fate);
            let ends = millis + if revision.fate == Fate::NeverStarts { FAILS } else { RUNS };
            let cause = Cause { place, began: millis, what, certain };
            self.causes.entry(ends).or_default().extend(tasks.iter().map(|_| cause.clone()));
        }
    }

    /// Whether what runs of a job is what its manifest says, and started by nobody else.
    fn is_settled(&self, millis: i64, job: &str, books: &Books) -> bool {
        // Another directory's job of the same first name runs under another name, and is waited for by others.
        let root = books.root(job);
        let holds = |shelf: &&Shelf| shelf.pages.keys().any(|name| books.root(name) == root);
        let mut shelves = books.shelves.iter().enumerate().filter(|(_, shelf)| holds(shelf));
        let (Some((directory, shelf)), None) = (shelves.next(), shelves.next()) else { return false };
        let ready = self.ready.get(&(directory, job.to_owned()));
        let since = shelf.pages.get(job).map_or(i64::MAX, |page| page.since);
        ready.is_some_and(|ready| *ready > since) && !is_disturbed(books, job, millis)
    }

    /// What should have been started or told by now.
    pub fn due(&mut self, millis: i64, books: &Books, status: &Status, rules: &Rules) -> Finding {
        let until = millis - DELIVERY;
        let rest = self.causes.split_off(&until);
        let causes = std::mem::replace(&mut self.causes, rest);
        let rest = self.seen.split_off(&until);
        let seen = std::mem::replace(&mut self.seen, rest);
        if rules.crew == Crew::Rivals {
            return None;
        }
        let moments: BTreeSet<i64> = causes.keys().chain(seen.keys()).copied().collect();
        let mut finding = None;
        for at in moments {
            let causes = causes.get(&at).map_or(&[][..], Vec::as_slice);
            let seen = seen.get(&at);
            for duty in self.duties.iter().filter(|duty| duty.covers(at, rules)) {
                if finding.is_none() && !is_shared(books, &duty.root) && !status.is_stuck(&duty.job) {
                    finding = duty.judge(at, causes, seen, books, rules);
                }
            }
            finding = finding.or_else(|| twice(at, causes, seen, books, status));
        }
        // A run that is under way may still meet a duty that is over; none lasts longer.
        self.duties.retain(|duty| duty.to.is_none_or(|to| to > until - RUNS - DELIVERY));
        finding
    }
}

/// Whether a directory speaks of a job of this name, or of one that was called so before, whether or not its words can be used.
fn is_spoken_of(job: &str, books: &Books) -> bool {
    let names = |name: &String, of: &Job| name == job || of.moved_from.as_deref() == Some(job);
    books.shelves.iter().any(|shelf| {
        shelf.now.book.jobs.iter().any(|(name, of)| names(name, of))
            // As it was read last, if it is damaged now.
            || shelf.pages.iter().any(|(name, page)| page.wanted.as_ref().is_some_and(|wanted| names(name, &wanted.job)))
    })
}

impl Duty {
    fn is_of(&self, directory: usize, job: &str) -> bool {
        self.directory == directory && self.job == job
    }

    fn covers(&self, at: i64, rules: &Rules) -> bool {
        self.begins(rules) <= at && self.to.is_none_or(|to| at < to)
    }

    /// When all is in force that was put for it.
    fn begins(&self, rules: &Rules) -> i64 {
        self.from + rules.changes_take + 1000
    }

    fn judge(
        &self,
        at: i64,
        causes: &[Cause],
        seen: Option<&BTreeMap<(String, Effect), usize>>,
        books: &Books,
        rules: &Rules,
    ) -> Finding {
        for effect in [Effect::Starts, Effect::Tells] {
            let mut expected = 0;
            for cause in causes.iter().filter(|cause| cause.place == self.place) {
                let count = self.meets(cause, effect, books);
                let certain = cause.certain && cause.began >= self.begins(rules);
                if count > 0 && !certain {
                    return None;
                }
                expected += count;
            }
            let found = seen.and_then(|seen| seen.get(&(self.root.clone(), effect))).copied().unwrap_or(0);
            // A run that began before may be meant by a rule that was meant for it.
            if found != expected {
                return Some(format!(
                    "what happened at {} {effect:?} {} {found} times instead of {expected}: {causes:?}",
                    rules.at(at),
                    self.job
                ));
            }
        }
        None
    }

    /// How many of its rules a cause meets.
    fn meets(&self, cause: &Cause, effect: Effect, books: &Books) -> usize {
        let Triggers { after, events, notify, fate: _ } = &self.triggers;
        match (&cause.what, effect) {
            (What::Ended(root, fate), Effect::Starts) => {
                after.iter().filter(|(upstream, end)| books.root(upstream) == root && end.is_met_by(*fate)).count()
            }
            (What::Ended(root, fate), Effect::Tells) if *root == self.root => {
                notify.iter().filter(|end| end.is_met_by(*fate)).count()
            }
            (What::Told(source), Effect::Starts) => usize::from(events.contains(source)),
            (What::Ended(..) | What::Told(_), Effect::Tells) => 0,
        }
    }
}

/// One thing that happens starts no job twice, whatever is being changed meanwhile.
fn twice(
    at: i64,
    causes: &[Cause],
    seen: Option<&BTreeMap<(String, Effect), usize>>,
    books: &Books,
    status: &Status,
) -> Finding {
    // Two controllers may call different jobs alike, and one of them may rename its own: each starts its job once.
    let most = |root: &str| causes.len().max(1) * holders(books, root).max(1);
    let ((root, _), count) =
        seen?.iter().find(|((root, effect), count)| *effect == Effect::Starts && **count > most(root))?;
    let mut names = books.shelves.iter().flat_map(|shelf| shelf.pages.keys()).filter(|name| books.root(name) == root);
    // What a stranger put there stays for as long as something keeps us from the job.
    let disturbed = names
        .any(|name| is_disturbed(books, name, at) || status.is_stuck(name) || status.is_unrepaired(name, at, books));
    (!disturbed).then(|| format!("one thing that happened started {root} {count} times: {causes:?}"))
}
