//! What must hold, checked after every event. Each promise has an oracle of its own; the first one that is broken ends the
//! history.
//!
//! The judge sees what a stranger to the code could see: requests and what they changed, ticks and what they started, the
//! status files, and what people did. It knows nothing of plans, queues and decisions.

mod aim;
mod book;
mod calm;
mod chains;
mod churn;
mod cleanup;
mod collateral;
mod deletion;
mod excuse;
mod expect;
mod memory;
mod names;
mod polite;
mod prompt;
mod rate;
mod rules;
mod status;
mod tick;

use std::collections::BTreeMap;

use ecs_etl_controller::remembered::Remembered;
use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::Call;
use ecs_etl_emulator::firing::Firing;
use jiff::Timestamp;

use crate::directory::Directory;
use crate::fault::{self, Drawn, Kind};
use crate::mirror::{Changed, Mirror};
use crate::story::{Crew, Story};
use crate::world::Who;

pub(crate) use names::job_of;
pub use rules::Rules;

use names::{about, fires_for, name_of, tags_changed};

pub use calm::{EndState, end_state, without_tags};

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which oracle noticed.
    pub oracle: &'static str,
    /// When, in milliseconds since the beginning.
    pub millis: i64,
    /// What happened, for a person.
    pub what: String,
}

/// What an oracle holds, in the words of the promise.
pub fn promise(oracle: &str) -> &'static str {
    match oracle {
        "collateral" => "nothing without this controller's mark is written, and nothing of others goes",
        "deletion" => "deletion needs complete knowledge, waits for the grace period and stays within the caps",
        "churn" => "equal content registers nothing",
        "clean-up" => "what is replaced or removed is tidied away in time, and nothing that is kept",
        "ticks" => "no tick starts nothing, starts twice, or starts an old spec after its successor was ready",
        "chains" => "each end of a run and each event starts what waits for it, and tells who asked, once",
        "status" => "the status is whole, true and without secrets",
        "named" => "every failure stands in the status",
        "discreet" => "no secret is in the log",
        "attempts" => "failed tries back off",
        "polite" => "calls stay inside the budget",
        "silence" => "at rest nothing is written",
        "convergence" => "everything comes to be as the manifests say",
        "twin" => "a process that knows nothing decides the same",
        "independence" => "however it came about, the end is that of the direct path",
        "rivals" => "two controllers that want different things say so",
        "isolation" => "a job that fails delays no other, and no daemon ends by itself",
        "memory" => "what is remembered is explained by what there is",
        _ => "a promise without a name",
    }
}

/// What a process's change of AWS is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// When it was made, in milliseconds.
    pub millis: i64,
    /// Who made it.
    pub process: usize,
    /// AWS after it.
    pub mirror: &'a Mirror,
    /// What the directories said.
    pub books: &'a book::Books,
    /// What the history allows.
    pub rules: &'a Rules,
}

/// Who judges a history.
#[derive(Debug)]
pub struct Judge {
    rules: Rules,
    /// The first promise broken.
    pub broken: Option<Broken>,
    books: book::Books,
    collateral: collateral::Collateral,
    deletion: deletion::Deletion,
    churn: churn::Churn,
    polite: polite::Polite,
    status: status::Status,
    tick: tick::Tick,
    chains: chains::Chains,
    prompt: prompt::Prompt,
    memory: memory::Memory,
}

/// How long it may take a process that knows nothing to see that somebody undoes its repairs, in milliseconds: three repairs, between
/// which the other side looks, waits for half an hour of grace, and is looked at. One that is killed at a write may be killed long after
/// the storm.
const FOUGHT: i64 = 3 * (2 * 66 + 30) * 60_000;

/// Tags are read again within so many milliseconds: in rotation only, every twentieth to fortieth resync.
const ROTATION: i64 = 42 * 66 * 60_000;

/// A finding of an oracle; none if all is well.
type Finding = Option<String>;

impl Judge {
    /// A judge of `story`, which begins at `start`.
    pub fn new(story: &Story, start: Timestamp) -> Self {
        Self {
            rules: Rules::of(story, start),
            broken: None,
            books: book::Books::new(&story.books, story.crew),
            collateral: collateral::Collateral::default(),
            deletion: deletion::Deletion::default(),
            churn: churn::Churn,
            polite: polite::Polite::default(),
            status: status::Status::default(),
            tick: tick::Tick::default(),
            chains: chains::Chains::default(),
            prompt: prompt::Prompt::default(),
            memory: memory::Memory::default(),
        }
    }

    fn find(&mut self, oracle: &'static str, millis: i64, finding: Finding) {
        if let Some(what) = finding.filter(|_| self.broken.is_none()) {
            self.broken = Some(Broken { oracle, millis, what });
        }
    }

    /// A promise was broken that only the history itself can see.
    pub fn accuse(&mut self, oracle: &'static str, millis: i64, what: String) {
        self.find(oracle, millis, Some(what));
    }

    /// What was late before whatever happens now, which may excuse it from now on.
    fn look_at_clock(&mut self, millis: i64, mirror: &Mirror) {
        let late = self.prompt.overdue(millis, mirror, &self.books, &self.status, &self.rules);
        self.find("isolation", millis, late);
        let (news, finding) = self.status.ripe(millis, mirror, &self.books, &self.rules);
        self.find("status", millis, finding);
        for ready in news {
            self.ready(millis, &ready);
        }
    }

    /// A job became ready.
    fn ready(&mut self, millis: i64, ready: &status::Ready) {
        self.tick.ready(millis, ready, &self.books, &self.rules);
        self.chains.ready(millis, ready, &self.books);
    }

    /// A directory changed.
    pub fn edited(&mut self, millis: i64, directory: usize, now: &Directory, mirror: &Mirror) {
        self.look_at_clock(millis, mirror);
        let changed = self.books.edited(millis, directory, now);
        if now.gone || now.emptied {
            self.prompt.all_wait();
        }
        self.prompt.keep_places(millis, now);
        self.prompt.edited(millis, &changed, mirror, &self.books, &self.rules);
        self.tick.edited(millis, directory, &changed, &self.books);
        self.chains.edited(millis, directory, &changed, &self.books);
    }

    /// A request is about to suffer a fault.
    pub fn faulted(&mut self, millis: i64, who: &Who, drawn: &Drawn, call: &Call, request: &Request, mirror: &Mirror) {
        let Who::Process { process, .. } = who else { return };
        self.look_at_clock(millis, mirror);
        if drawn.kind == Kind::AccessDenied
            && call.operation == "scheduler:ListTagsForResource"
            && (self.status.is_young(millis, *process)
                || self.status.misses_a_place(*process)
                || self.books.is_blind(millis))
        {
            self.books.blinded(millis);
        }
        if drawn.kind != Kind::AccessDenied || !self.is_needless(*process, request, mirror) {
            self.status.faulted(millis, *process, drawn, call, request, &self.books);
        }
        self.prompt.faulted(millis, drawn.kind, &polite::subject(request), &self.books);
        let finding = self.polite.failed(millis, *process, drawn, call, request);
        self.find("attempts", millis, finding);
    }

    /// Whether a request asks for an older revision of a job that is gone, whose newest one tells whose it was; or for the tags of a rule that
    /// a stale list shows still, while its targets tell that it is gone.
    fn is_needless(&self, process: usize, request: &Request, mirror: &Mirror) -> bool {
        if let Some(rule) = names::rule_asked_for(request) {
            return !mirror.rules.contains_key(&rule);
        }
        let Some((place, name)) = names::revision_asked_for(request) else { return false };
        let Some((family, number)) = name.rsplit_once(':') else { return false };
        let newer = mirror.family(&place, family).into_iter().find(|revision| revision.active);
        let job =
            newer.filter(|newer| newer.number.to_string() != number).and_then(|newer| newer.tags.get("ecs-etl/job"));
        let shelf = self.books.of_process(process);
        job.zip(shelf).is_some_and(|(job, shelf)| shelf.pages.get(job).is_none_or(|page| page.wanted.is_none()))
    }

    /// AWS refused a request of its own accord.
    pub fn refused(&mut self, millis: i64, who: &Who, call: &Call, request: &Request, text: &str, mirror: &Mirror) {
        if *who == Who::Stranger {
            return;
        }
        self.look_at_clock(millis, mirror);
        let throttled = text.contains(status::THROTTLED);
        if let Who::Process { process, .. } = who
            && !throttled
        {
            self.polite.refused(millis, *process, call, request, text);
        }
        if fault::is_write(&call.operation) && !throttled {
            // A write that AWS does not take yet, such as of a rule whose targets linger, is the job's own failure.
            self.prompt.refused(&polite::subject(request), &self.books);
        }
        if throttled {
            // Buckets are the account's, and all jobs slow down when one is empty.
            self.prompt.all_wait();
        }
        if throttled && self.rules.never_throttled {
            let finding = Some(format!("{} was throttled although nobody else made calls", call.operation));
            self.find("polite", millis, finding);
        }
    }

    /// A request changed something.
    pub fn changed(&mut self, millis: i64, who: &Who, call: &Call, changed: &Changed, mirror: &Mirror) {
        match who {
            Who::Stranger => {
                // What was there before anybody looked is no disturbance.
                if let Some(job) = about(changed).filter(|_| millis > 0) {
                    let until = if tags_changed(changed) { millis + ROTATION } else { millis };
                    self.touched(millis, until, job);
                }
            }
            Who::Process { process, .. } => {
                let Self { rules, books, .. } = self;
                let sight = Sight { millis, process: *process, mirror, books, rules };
                let collateral = self.collateral.check(changed, sight);
                let deletion = self.deletion.check(changed, sight);
                let churn = self.churn.check(changed, sight);
                let cleanup = cleanup::check(changed, sight);
                if !cleanup::is_due(changed, sight) {
                    self.polite.wrote(millis, *process, call, name_of(changed));
                }
                self.find("collateral", millis, collateral);
                self.find("deletion", millis, deletion);
                self.find("churn", millis, churn);
                self.find("clean-up", millis, cleanup);
                if let Some(job) = about(changed).filter(|_| matches!(changed, Changed::Rule(..))) {
                    self.tick.wrote(millis, *process, self.books.root(job), &self.rules);
                }
                let is_made = matches!(changed, Changed::Rule(_, None, Some(_)));
                if let Some(job) = about(changed).filter(|_| is_made && self.status.misses_a_place(*process)) {
                    self.tick.made_beside(millis, self.books.root(job));
                }
                let Self { rules, books, status, prompt, .. } = self;
                let late = about(changed).and_then(|job| prompt.wrote(millis, job, mirror, books, status, rules));
                self.find("isolation", millis, late);
            }
        }
    }

    /// A tick came due.
    pub fn fired(&mut self, firing: &Firing, mirror: &Mirror) {
        let is_stuck = fires_for(firing, mirror).is_some_and(|job| self.status.is_stuck(job));
        let finding = self.tick.fired(firing, &self.status, mirror, &self.books, &self.rules).filter(|_| !is_stuck);
        let millis = i64::try_from(firing.at.duration_since(self.rules.start).as_millis()).unwrap_or(0);
        self.chains.fired(millis, firing, mirror, &self.books);
        self.find("ticks", millis, finding);
    }

    /// Somebody told the buses of a place of an event.
    pub fn told(&mut self, millis: i64, place: &str, source: &str) {
        self.chains.told(millis, place, source);
    }

    /// A job's status was written.
    pub fn job_status(&mut self, millis: i64, process: usize, text: &str, mirror: &Mirror) {
        let (news, finding) = self.status.job(millis, process, text, mirror, &self.books, &self.rules);
        self.find("status", millis, finding);
        let overcounted = self.status.overcounted();
        self.find("attempts", millis, overcounted);
        if let Some(ready) = news {
            self.ready(millis, &ready);
        }
    }

    /// A job's status was removed.
    pub fn job_status_gone(&mut self, process: usize, job: &str) {
        self.status.gone(process, job);
    }

    /// The controller's status was written.
    pub fn controller_status(&mut self, millis: i64, process: usize, text: &str) {
        match self.status.controller(millis, process, text, &self.books) {
            Ok(status) => self.prompt.told(millis, &status, &self.books, &self.rules),
            Err(finding) => self.find("status", millis, Some(finding)),
        }
    }

    /// A line of the log was written.
    pub fn logged(&mut self, millis: i64, line: &str) {
        if line.contains(crate::shape::CANARY) {
            self.find("discreet", millis, Some(format!("a secret is in the log: {line}")));
        }
    }

    /// A process was started.
    pub fn born(&mut self, millis: i64, process: usize, mirror: &Mirror) {
        self.books.born(process);
        self.status.born(millis, process);
        self.prompt.born(millis, mirror, &self.books, &self.rules);
    }

    /// A process ended, in whatever way.
    pub fn died(&mut self, millis: i64, process: usize, mirror: &Mirror) {
        self.look_at_clock(millis, mirror);
        self.status.died(process);
        self.prompt.died();
        self.tick.died(millis, process, &self.rules);
        self.memory.died(process);
    }

    /// The disk of a process that ended is gone. What it wrote in the end no list shows yet, and who comes after it may take that for undone, as
    /// it may what a stranger did.
    pub fn lost_disk(&mut self, millis: i64, process: usize) {
        self.status.lost(process);
        // Whoever knows nothing takes the tags of rules for granted until the rotation reads them.
        self.books.tags_forgotten(millis + ROTATION);
        let unseen = self.tick.written_since(process, millis - self.rules.list_lag);
        let unseen: Vec<(String, i64)> = unseen.map(|(root, at)| (root.to_owned(), at)).collect();
        for (root, at) in unseen {
            for job in self.books.names_of(&root) {
                self.touched(at, at, &job);
            }
        }
    }

    /// Somebody reached for a job's resources whose doing may be seen as late as `until`.
    fn touched(&mut self, millis: i64, until: i64, job: &str) {
        self.books.touched(millis, until, job);
        self.tick.touched(millis, job);
        self.chains.touched(millis, job);
        self.prompt.touched(job, &self.books);
    }

    /// Whether the storm is over.
    pub fn is_calm(&self, millis: i64) -> bool {
        millis >= self.rules.calm
    }

    /// A process counted what it remembers.
    pub fn remembers(&mut self, process: usize, remembered: Remembered) {
        self.memory.counted(process, remembered);
    }

    /// The disk of a process refuses, or takes statuses again.
    pub fn disk(&mut self, millis: i64, process: usize, full: bool) {
        self.status.disk(millis, process, full);
    }

    /// Time has gone by: what was to have happened by now has.
    pub fn time(&mut self, millis: i64, mirror: &Mirror) {
        self.look_at_clock(millis, mirror);
        let ticks = self.tick.due(millis, &self.books, &self.status, &self.rules);
        let chains = self.chains.due(millis, &self.books, &self.status, &self.rules);
        let named = self.status.overdue(millis, &self.books, &self.rules);
        self.find("ticks", millis, ticks);
        self.find("chains", millis, chains);
        self.find("named", millis, named);
    }

    /// The history is at its end, after hours of calm.
    pub fn at_rest(&mut self, millis: i64, mirror: &Mirror) {
        let unexplained = self.memory.unexplained(mirror, &self.books);
        self.find("memory", millis, unexplained);
        let silence = self.polite.silence(millis).filter(|what| !self.takes_over_again(millis, what));
        if self.rules.crew == Crew::Rivals {
            // Who fights for ever must at least say so.
            let knows = !self.status.was_born_since(millis - FOUGHT);
            let unnamed = silence.filter(|_| knows && !self.status.names_a_fight());
            self.find(
                "rivals",
                millis,
                unnamed.map(|what| format!("two controllers fight and no status says so: {what}")),
            );
            return;
        }
        self.find("silence", millis, silence);
        let in_vain = self.polite.in_vain(millis, |process, words| self.status.says(process, words));
        self.find("silence", millis, in_vain);
        let untidy = cleanup::left_over(millis, mirror, &self.books, &self.status, &self.rules);
        self.find("clean-up", millis, untidy);
        let convergence = calm::convergence(millis, mirror, &self.books, &self.status, &self.rules);
        self.find("convergence", millis, convergence);
    }

    /// A process that knew nothing has looked at everything since then.
    pub fn twin(&mut self, since: i64, millis: i64, mirror: &Mirror) {
        // What runs in a place that no document names, it cannot know of.
        let is_hidden = calm::hides_a_place(mirror, &self.books);
        if self.rules.crew == Crew::Rivals || is_hidden || self.may_begin(since, mirror) {
            return;
        }
        let wrote = self.polite.written_since(since).filter(|what| !self.takes_over_again(millis, what));
        self.find(
            "twin",
            millis,
            wrote.map(|what| format!("a process that knew nothing found something to do: {what}")),
        );
    }

    /// Whether a job of the first controller could not be made before that moment, for another one had its family until then.
    fn may_begin(&self, millis: i64, mirror: &Mirror) -> bool {
        let Some(shelf) = self.books.of_process(0) else { return false };
        let identity = self.books.identity(0);
        shelf.pages.iter().any(|(name, page)| {
            let wanted = page.wanted.as_ref();
            wanted.is_some_and(|wanted| calm::was_freed(millis, mirror, identity, name, wanted, &self.rules))
        })
    }

    /// Whether the last write put tags back that somebody changed or took off: it is seen only by rotation, up to days later, and a
    /// process that knows nothing sees it at once.
    fn takes_over_again(&self, millis: i64, wrote: &str) -> bool {
        let tagged = ["events:TagResource", "ecs:TagResource"];
        tagged.iter().any(|call| wrote.starts_with(call)) && self.books.has_retagged(millis)
    }

    /// Whether somebody may have changed tags of a job that nobody has read again yet: nobody but the first controller is started anew at
    /// the end.
    pub fn may_bear_others_tags(&self, directory: usize, job: &str, millis: i64) -> bool {
        self.rules.crew == Crew::Neighbours && directory > 0 && self.books.touched_since(job, millis)
    }

    /// Jobs of a directory that are as they should be, at the end.
    pub fn settled(&self, directory: usize, millis: i64, mirror: &Mirror) -> BTreeMap<String, bool> {
        calm::settled(directory, mirror, &self.books, self.rules.at(millis))
    }
}
