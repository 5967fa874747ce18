//! Promise 3: no tick of an enabled schedule starts nothing, starts twice, or starts an old spec after its successor was ready.

use std::collections::BTreeMap;

use ecs_etl_emulator::firing::{Firing, Outcome};
use jiff::{SignedDuration, Timestamp};

use super::book::{Books, Edited, RESYNC, Shelf};
use super::rate::Rates;
use super::status::{Ready, Status};
use super::{Finding, Rules, fires_for};
use crate::mirror::Mirror;
use crate::sketch::Job;
use crate::story::Crew;
use crate::ticks::ticks_in;
use crate::timing::Timing;

/// EventBridge delivers within the minute; then a little for what is under way.
const DELIVERY: i64 = 65_000;

/// How long after a stranger's hand our own doings are not judged: it takes a resync to find, and some tries to repair.
pub(super) const DISTURBED: i64 = 3 * 66 * 60_000;

/// A plan that goes wrong is looked at again within so many milliseconds.
const PLAN: i64 = 10_000;

/// A time in which every tick must start exactly one run.
#[derive(Debug, Clone)]
struct Duty {
    job: String,
    /// What the job was called first: starts are counted under it.
    root: String,
    directory: usize,
    schedules: Vec<String>,
    zone: String,
    timing: Timing,
    from: i64,
    to: Option<i64>,
    checked: i64,
    /// When each of its rates last started something, or was to begin to.
    rated: BTreeMap<String, Timestamp>,
}

/// What a tick started: the name the job has now, and the version.
type Start = (String, Option<u32>);

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Tick {
    duties: Vec<Duty>,
    /// What each tick of a job started, under the name the job was first called.
    starts: BTreeMap<(String, Timestamp), Vec<Start>>,
    rates: Rates,
    /// When each version of a job was ready.
    ready: BTreeMap<String, Vec<(i64, u32)>>,
    /// Lists whose ticks may coincide that each job ever had, with their zones: as many runs start then as schedules tick.
    coinciding: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// Jobs that were made, and when, by a process that could not read some place: what they left there runs on until it can and has
    /// been taken away. A place that fails delays no job elsewhere, and the status names it.
    beside: BTreeMap<String, i64>,
    /// When each process last wrote a rule of a job, by the name that was first.
    wrote: BTreeMap<(usize, String), i64>,
    /// Jobs that one of two equal processes left half done when it ended, by the name that was first, until something of them is written.
    half_done: BTreeMap<String, i64>,
}

impl Tick {
    /// A job became ready: from now on it must run.
    pub fn ready(&mut self, millis: i64, ready: &Ready, books: &Books, rules: &Rules) {
        let Some(shelf) = books.of_process(ready.process) else { return };
        let Some(wanted) = shelf.pages.get(&ready.job).and_then(|page| page.wanted.as_ref()) else { return };
        self.ready.entry(ready.job.clone()).or_default().push((millis, wanted.job.version));
        let directory = books.shelves.iter().position(|other| std::ptr::eq(other, shelf)).unwrap_or(0);
        let open =
            self.duties.iter().any(|duty| duty.job == ready.job && duty.directory == directory && duty.to.is_none());
        let half_done = self.half_done.get(books.root(&ready.job)).is_some_and(|since| millis < since + RESYNC);
        let is_doubtful = half_done
            || ready.doubted
            || is_old_news(shelf, &ready.job, books)
            || (rules.crew == Crew::Twins && self.is_overwritten(millis, ready.process, books.root(&ready.job)));
        if !open && !is_doubtful && !ready.suspended && !wanted.job.suspend {
            let schedules = wanted.job.schedules.clone();
            let zone = wanted.job.zone.clone().unwrap_or_else(|| "UTC".to_owned());
            // What is ready by bulk knowledge may not have seen the last hand yet.
            let from = books.last_touched(&ready.job).map_or(millis, |hand| millis.max(hand + DISTURBED));
            self.duties.push(Duty {
                job: ready.job.clone(),
                root: books.root(&ready.job).to_owned(),
                directory,
                schedules,
                zone,
                timing: wanted.job.timing.clone(),
                from,
                to: None,
                checked: from,
                rated: BTreeMap::new(),
            });
        }
    }

    /// A commit: jobs whose ticks it moves owe nothing until they are ready again.
    pub fn edited(&mut self, millis: i64, directory: usize, edited: &[Edited], books: &Books) {
        for Edited { name, before, after } in edited {
            self.coincide(books.root(name), before.iter().map(|wanted| &wanted.job));
            let stays = before.as_ref().zip(after.as_ref()).is_some_and(|(before, after)| before.ticks_like(after));
            if !stays {
                self.close(millis, |duty| duty.job == *name && duty.directory == directory);
            }
        }
    }

    /// Takes note of lists whose ticks may coincide.
    fn coincide<'a>(&mut self, root: &str, jobs: impl Iterator<Item = &'a Job>) {
        for job in jobs.filter(|job| job.overlaps && job.schedules.len() > 1) {
            let list = (job.zone.clone().unwrap_or_else(|| "UTC".to_owned()), job.schedules.clone());
            let lists = self.coinciding.entry(root.to_owned()).or_default();
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
    }

    /// How many runs a tick of a job may start.
    fn most(&self, root: &str, due: Timestamp) -> usize {
        let lists = self.coinciding.get(root).into_iter().flatten();
        lists.map(|(zone, schedules)| ticking(zone, schedules, due)).max().unwrap_or(1).max(1)
    }

    /// A job was made while some place could not be read, by the name that was first.
    pub fn made_beside(&mut self, millis: i64, root: &str) {
        self.beside.insert(root.to_owned(), millis);
    }

    /// A stranger's hand.
    pub fn touched(&mut self, millis: i64, job: &str) {
        self.close(millis, |duty| duty.job == job);
    }

    /// A process wrote a rule of a job, by the name that was first. What one of two equal ones writes over what the other has just
    /// written holds from when it says so itself, which takes as long as AWS keeps it from that.
    pub fn wrote(&mut self, millis: i64, process: usize, root: &str, rules: &Rules) {
        if rules.crew == Crew::Twins && self.others_wrote(process, root, millis - PLAN) {
            self.close(millis, |duty| duty.root == root);
        }
        self.wrote.insert((process, root.to_owned()), millis);
        self.half_done.remove(root);
    }

    /// Whether another process wrote a rule of a job after this one did, just now.
    fn is_overwritten(&self, millis: i64, process: usize, root: &str) -> bool {
        let own = self.wrote.get(&(process, root.to_owned())).copied();
        self.others_wrote(process, root, own.unwrap_or(i64::MIN).max(millis - PLAN))
    }

    /// Whether another process has written a rule of a job since then.
    fn others_wrote(&self, process: usize, root: &str, since: i64) -> bool {
        self.wrote.iter().any(|((of, job), at)| *of != process && job == root && *at > since)
    }

    /// Jobs of whose rules a process has written one since then, by the name that was first, and when.
    pub fn written_since(&self, process: usize, since: i64) -> impl Iterator<Item = (&str, i64)> {
        let lately = self.wrote.iter().filter(move |((of, _), at)| *of == process && **at > since);
        lately.map(|((_, root), at)| (root.as_str(), *at))
    }

    /// A process ended. What one of two equal ones had begun upon what the other did at the same time, the other one finds with its
    /// next resync only: until then nothing is owed, whatever it said of the job.
    pub fn died(&mut self, millis: i64, process: usize, rules: &Rules) {
        if rules.crew == Crew::Twins {
            let begun: Vec<String> =
                self.written_since(process, millis - PLAN).map(|(root, _)| root.to_owned()).collect();
            self.half_done.extend(begun.into_iter().map(|root| (root, millis)));
        }
        let Self { duties, half_done, .. } = self;
        for duty in duties.iter_mut().filter(|duty| duty.to.is_none() && half_done.get(&duty.root) == Some(&millis)) {
            duty.to = Some(millis);
        }
    }

    fn close(&mut self, millis: i64, which: impl Fn(&Duty) -> bool) {
        for duty in self.duties.iter_mut().filter(|duty| duty.to.is_none() && which(duty)) {
            duty.to = Some(millis);
        }
    }

    /// A tick started something, or did not.
    pub fn fired(
        &mut self,
        firing: &Firing,
        status: &Status,
        mirror: &Mirror,
        books: &Books,
        rules: &Rules,
    ) -> Finding {
        let Outcome::Started { task_definition, .. } = &firing.outcome else { return None };
        let job = fires_for(firing, mirror)?;
        let name = task_definition.rsplit_once("task-definition/").map_or("", |(_, name)| name);
        let place = format!("{}/{}", firing.account, firing.region);
        let version = mirror.revisions.get(&(place, name.to_owned())).and_then(|revision| revision.version);
        let key = (books.root(job).to_owned(), firing.due);
        let fired = (format!("{}/{}", firing.account, firing.region), firing.rule.clone());
        let is_tick = !mirror.is_pattern(&fired);
        // A rule that somebody took the marks off is nobody's of ours any more, and is left alone for ever.
        let is_theirs = mirror.rules.get(&fired).is_some_and(|rule| !rule.tags.contains_key("ecs-etl/controller"));
        let at = i64::try_from(firing.at.duration_since(rules.start).as_millis()).unwrap_or(0);
        let named =
            firing.schedule_group.as_ref().map_or_else(|| fired.1.clone(), |group| format!("{group}/{}", fired.1));
        if let Some(rule) = mirror.rules.get(&(fired.0.clone(), named)) {
            self.rates.started(books.root(job), &rule.expression, firing.due);
        }
        let now = books.shelves.iter().filter_map(|shelf| shelf.pages.get(job)?.wanted.as_ref());
        self.coincide(books.root(job), now.map(|wanted| &wanted.job));
        let most = self.most(books.root(job), firing.due);
        if books.is_forgotten(at, &fired.0) && !books.wants_in(job, &fired.0) {
            // What runs there, of whatever version, nobody knows of.
            return None;
        }
        let starts = self.starts.entry(key).or_default();
        if is_tick {
            starts.push((job.to_owned(), version));
        }
        let is_beside = self.beside.get(books.root(job)).is_some_and(|made| *made > at - DISTURBED);
        let is_forgiven =
            is_beside || status.is_unrepaired(job, at, books) || books.is_blind(at) || is_disturbed(books, job, at);
        if rules.crew == Crew::Rivals || is_shared(books, books.root(job)) || is_theirs || is_forgiven {
            return None;
        }
        if starts.len() > most && !starts.iter().any(|(other, _)| is_forgotten(books, job, other)) {
            return Some(format!(
                "the tick {} of {job} started {} runs, versions {starts:?}",
                firing.due,
                starts.len()
            ));
        }
        let version = version?;
        let shelf =
            books.shelves.iter().find(|shelf| shelf.pages.get(job).is_some_and(|page| page.wanted.is_some()))?;
        let page = shelf.pages.get(job)?;
        let ready = self.ready.get(job)?;
        let (ready_at, known) = ready.iter().rev().find(|(since, _)| *since <= at - rules.changes_take - 1000)?;
        // It may have been written again since then.
        let mut before = page.versions.iter().rev().filter(|(since, _)| since <= ready_at);
        let first = before.find(|(_, other)| other == known).map_or(0, |(since, _)| *since);
        let allowed: Vec<u32> =
            page.versions.iter().filter(|(since, _)| *since >= first).map(|(_, other)| *other).collect();
        (!allowed.contains(&version)).then(|| {
            format!("the tick {} of {job} started version {version} although version {known} was ready", firing.due)
        })
    }

    /// Ticks that should have started something by now.
    pub fn due(&mut self, millis: i64, books: &Books, status: &Status, rules: &Rules) -> Finding {
        if rules.crew == Crew::Rivals {
            self.duties.clear();
            return None;
        }
        let margin = DELIVERY + rules.changes_take;
        let mut missed = None;
        let Self { duties, starts, rates, .. } = self;
        for duty in duties.iter_mut() {
            // Of two controllers that find a name free at once, one has the rule in the end.
            if is_shared(books, &duty.root) && rules.crew == Crew::Neighbours {
                duty.to.get_or_insert(millis);
            }
            let from = duty.checked.max(duty.from + rules.changes_take + 1000);
            let margin = margin + duty.timing.lateness();
            let until = duty.to.unwrap_or(millis).min(millis) - margin;
            if until <= from {
                continue;
            }
            let Duty { job, root, schedules, rated, timing, .. } = duty;
            // With dates of its own, a rate counts from the first of them and ends with the last.
            for schedule in schedules.iter().filter(|_| !timing.is_dated(&[])) {
                let since = rated.entry(schedule.clone()).or_insert(rules.at(duty.from));
                let idle = rates.missed(root, schedule, since, rules.at(until));
                let told = |(from, to)| format!("{job} ({schedule}) started nothing from {from} to {to}");
                missed = missed.or(idle.map(told));
            }
            for schedule in &duty.schedules {
                let ticks = ticks_in(&duty.zone, schedule, rules.at(from), rules.at(until)).into_iter().flatten();
                for tick in ticks.filter(|tick| duty.timing.holds(*tick)) {
                    let started = starts.get(&(duty.root.clone(), tick)).map_or(0, Vec::len);
                    // Of schedules that coincide, each starts a run.
                    let due = if duty.schedules.len() > 1 { ticking(&duty.zone, &duty.schedules, tick) } else { 1 };
                    let at = i64::try_from(tick.duration_since(rules.start).as_millis()).unwrap_or(0);
                    if started < due && missed.is_none() && !status.is_unrepaired(&duty.job, at, books) {
                        let what = if started == 0 { "nothing".to_owned() } else { format!("{started} of {due}") };
                        missed = Some(format!("the tick {tick} of {} ({schedule}) started {what}", duty.job));
                    }
                }
            }
            duty.checked = until;
        }
        duties.retain(|duty| duty.to.is_none_or(|to| duty.checked < to - margin - duty.timing.lateness()));
        missed
    }
}

/// How many of these schedules fire at a moment.
fn ticking(zone: &str, schedules: &[String], at: Timestamp) -> usize {
    let until = at.checked_add(SignedDuration::from_secs(1)).unwrap_or(at);
    let ticks = |schedule: &&String| ticks_in(zone, schedule, at, until).is_some_and(|ticks| ticks.contains(&at));
    schedules.iter().filter(ticks).count()
}

/// How many directories hold a job, by the name that was first.
pub(super) fn holders(books: &Books, root: &str) -> usize {
    let holds = |shelf: &&super::book::Shelf| shelf.pages.keys().any(|name| books.root(name) == root);
    books.shelves.iter().filter(holds).count()
}

/// Whether a status that calls a job ready may tell of a time before a stranger's hand: a disk that was full delays it, and what a directory
/// does not say is not repaired.
pub(super) fn is_old_news(shelf: &Shelf, job: &str, books: &Books) -> bool {
    shelf.incomplete_since.is_some_and(|since| books.touched_since(job, since))
}

/// Whether several directories hold a job.
pub(super) fn is_shared(books: &Books, root: &str) -> bool {
    holders(books, root) > 1
}

/// Whether a stranger's hand may still show. What a directory does not say for a while is not repaired meanwhile.
pub(super) fn is_disturbed(books: &Books, job: &str, at: i64) -> bool {
    let is_idle = |shelf: &Shelf| {
        let is_blocked = shelf.now.is_damaged(job);
        is_blocked
            || shelf.pages.get(job).is_some_and(|page| page.wanted.as_ref().is_none_or(|wanted| wanted.job.disabled))
    };
    let since =
        books.shelves.iter().filter(|shelf| shelf.pages.contains_key(job)).map(|shelf| match shelf.incomplete_since {
            // What a blocked job left is not repaired.
            _ if is_idle(shelf) => 0,
            Some(since) => since - DISTURBED,
            None if shelf.complete_since > at - DISTURBED => 0,
            None => at - DISTURBED,
        });
    books.touched_since(job, since.min().unwrap_or(at - DISTURBED))
}

/// Whether a job was renamed twice before it ever ran under the name in between: no manifest tells any more what the first one became.
fn is_forgotten(books: &Books, job: &str, other: &str) -> bool {
    let moved = |job: &str| {
        books.shelves.iter().find_map(|shelf| shelf.pages.get(job)?.wanted.as_ref()?.job.moved_from.clone())
    };
    job != other && moved(job).as_deref() != Some(other) && moved(other).as_deref() != Some(job)
}
