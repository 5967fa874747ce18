//! What is true of every job, kept for the status files, the log and the command line.

mod announce;
mod held;
mod live;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::failure::NextTry;
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::status::{Held, JobStatus, Live, Problem, PruningBlocked, Resync, StatusInput, next_status};
use ecs_etl_spec::diagnostic::Severity;
use ecs_etl_spec::directory::Blocked;
use ecs_etl_spec::job::{Job, Origin, Place};
use ecs_etl_spec::name::{Digest, JobName, RuleName};
use jiff::Timestamp;

use crate::context::Interrupted;
use crate::manifests::Manifests;
use crate::preview::Preview;
use crate::reconcile::Outcome;
use crate::remembered::{Per, Remembered};
use crate::verdict;

use announce::announce;
use live::{contradicts, live, told_rules};
use places::Silence;

/// When and how often a job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retrying {
    /// How long until the next try.
    pub wait: Duration,
    /// How many tries in a row have failed.
    pub attempts: u32,
}

/// Everything that is reported.
#[derive(Debug, Default)]
pub struct Reporter {
    jobs: BTreeMap<JobName, JobStatus>,
    changed: BTreeSet<JobName>,
    actions: BTreeMap<JobName, Vec<&'static str>>,
    last_seen: BTreeMap<JobName, Timestamp>,
    /// Jobs that an earlier process did not call ready in the end.
    troubled: BTreeSet<JobName>,
    problems: BTreeMap<String, String>,
    /// Places whose lists could not be read when this was last tried.
    silent: BTreeMap<Place, Silence>,
    /// Problems came or went since the statuses were last taken.
    problems_changed: bool,
    round: Round,
    /// What is held until a person approves it.
    pub held: Vec<Held>,
    /// Why nothing may be deleted.
    pub pruning_blocked: Option<PruningBlocked>,
    /// The last complete round over all jobs.
    pub last_resync: Option<Resync>,
}

/// What happened since the last summary.
#[derive(Debug, Default)]
struct Round {
    looked_at: BTreeSet<JobName>,
    /// Those of them that wait for the call budget.
    in_line: BTreeSet<JobName>,
    drifted: usize,
    failed: usize,
}

impl Reporter {
    /// Takes over what an earlier process left in the status directory, so that transition times survive a restart.
    pub fn resume(&mut self, statuses: impl IntoIterator<Item = JobStatus>) {
        for status in statuses {
            if let Ok(name) = JobName::new(status.metadata.name.clone()) {
                if !status.is_ready() {
                    self.troubled.insert(name.clone());
                }
                self.jobs.insert(name, status);
            }
        }
    }

    /// What is reported of every job.
    pub fn jobs(&self) -> &BTreeMap<JobName, JobStatus> {
        &self.jobs
    }

    /// Whether an earlier process did not call a job ready in the end.
    pub fn was_in_trouble(&self, job: &JobName) -> bool {
        self.troubled.contains(job)
    }

    /// Whether lists show other rules of a job than were last seen of it, by this process or by one before. `listed` looks rules up in
    /// them, and all that bear the job's name.
    pub fn saw_otherwise(&self, job: &JobName, listed: impl FnOnce(&[RuleName]) -> Observed) -> bool {
        self.jobs.get(job).is_some_and(|told| contradicts(&told.status, &listed(&told_rules(&told.status))))
    }

    /// Counts what is reported.
    pub(crate) fn remembered(&self, all: &mut Remembered) {
        let Self { jobs, changed, actions, last_seen, troubled, problems, silent, round, held, .. } = self;
        for (what, entries) in [
            ("statuses", jobs.len()),
            ("changed statuses", changed.len()),
            ("jobs with actions", actions.len()),
            ("jobs last seen", last_seen.len()),
            ("jobs that were in trouble", troubled.len()),
            ("jobs of the round", round.looked_at.len().max(round.in_line.len())),
            ("held sets", held.len()),
        ] {
            all.note(what, Per::Job, entries);
        }
        all.note("problems", Per::Key, problems.len());
        all.note("places that do not answer", Per::Place, silent.len());
    }

    /// When each job was last seen live.
    pub fn last_seen(&self) -> &BTreeMap<JobName, Timestamp> {
        &self.last_seen
    }

    /// Operations done for a job since the last summary, in order.
    pub fn actions_of(&self, job: &JobName) -> &[&'static str] {
        self.actions.get(job).map(Vec::as_slice).unwrap_or_default()
    }

    /// Problems that belong to no job.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems
            .iter()
            .map(|(about, message)| Problem { about: about.clone(), message: message.clone() })
            .collect()
    }

    /// Jobs whose status changed since this was last asked.
    pub fn take_changed(&mut self) -> BTreeSet<JobName> {
        self.problems_changed = false;
        std::mem::take(&mut self.changed)
    }

    /// Whether any did, or a problem that belongs to no job.
    pub fn has_changed(&self) -> bool {
        self.problems_changed || !self.changed.is_empty()
    }

    /// Asks for every status to be written again: the files may be gone.
    pub fn all_changed(&mut self) {
        self.changed.extend(self.jobs.keys().cloned());
    }

    /// The status of a job that is gone could not be removed.
    pub fn still_gone(&mut self, job: JobName) {
        self.changed.insert(job);
    }

    /// The directory was read: its findings, and the jobs it cannot use.
    pub fn manifests(&mut self, manifests: &Manifests, now: Timestamp) {
        // Clean-up that still fails says so again; that of a job which is wanted differently now may never.
        self.problems.retain(|about, _| !about.starts_with("manifests/") && !about.starts_with(CLEAN_UP));
        for (file, why) in &manifests.incomplete {
            self.problem(format!("manifests/{file}"), why.clone());
        }
        for found in &manifests.directory.diagnostics {
            let place = format!("{}:{}:{}", found.file, found.line, found.column);
            match found.severity {
                Severity::Note => tracing::debug!(at = place, finding = found.message, "manifest note"),
                Severity::Warning => {
                    tracing::warn!(at = place, field = found.path, finding = found.message, "manifest warning")
                }
                Severity::Error => {
                    tracing::error!(
                        at = place,
                        field = found.path,
                        finding = found.message,
                        help = found.help,
                        "manifest error"
                    );
                    if found.job.is_none() && !manifests.incomplete.contains_key(&found.file) {
                        self.problem(format!("manifests/{}", found.file), found.to_string());
                    }
                }
            }
        }
        for (name, blocked) in &manifests.directory.blocked {
            let verdict = Verdict::Stalled(verdict::of_blocked(blocked.reason), message_of(blocked));
            self.set(name, Some(&blocked.origin), None, &verdict, None, &[], None, &[], now);
        }
    }

    /// Remembers a problem that belongs to no job, and logs it when it is new.
    pub fn problem(&mut self, about: String, message: String) {
        if self.problems.get(&about) != Some(&message) {
            tracing::error!(about, problem = message, "problem");
            self.problems_changed = true;
            self.problems.insert(about, message);
        }
    }

    /// Tidying up after a job, or in `place` after one that went, did not work; it is tried again.
    pub fn clean_up_failed(&mut self, job: &JobName, place: Option<&Place>, stopped: &Interrupted) {
        let message = stopped.to_string();
        let before = self.problems.insert(clean_up(job, place), message.clone());
        self.problems_changed |= before.as_ref() != Some(&message);
    }

    /// It worked.
    pub fn cleaned_up(&mut self, job: &JobName, place: Option<&Place>) {
        self.problems_changed |= self.problems.remove(&clean_up(job, place)).is_some();
    }

    /// It is not wanted any more, wherever it was.
    pub fn clean_up_ended(&mut self, job: &JobName) {
        let about = clean_up(job, None);
        let before = self.problems.len();
        self.problems.retain(|other, _| {
            other.strip_prefix(&about).is_none_or(|place| !(place.is_empty() || place.starts_with('/')))
        });
        self.problems_changed |= self.problems.len() != before;
    }

    /// A problem that belongs to no job is over.
    pub fn solved(&mut self, about: &str) {
        if self.problems.remove(about).is_some() {
            self.problems_changed = true;
            tracing::info!(about, "problem solved");
        }
    }

    /// What a preview found: a job that would change is not ready.
    pub fn preview(&mut self, manifests: &Manifests, preview: &Preview, now: Timestamp) {
        for job in manifests.wanted() {
            let Some(result) = preview.jobs.get(&job.name) else { continue };
            let (verdict, live, notes) = match result {
                Ok((plan, observed)) if plan.steps.is_empty() => {
                    (plan.verdict.clone(), Some(live(observed)), plan.notes.as_slice())
                }
                Ok((plan, observed)) => {
                    let message = format!("{} changes to make; `ecs-etl plan` shows them", plan.steps.len());
                    let verdict = Verdict::Waiting(Reason::Progressing, message, None);
                    (verdict, Some(live(observed)), plan.notes.as_slice())
                }
                Err(stopped) => (verdict::of_interruption(stopped), None, &[][..]),
            };
            self.set(&job.name, Some(&job.origin), Some(&job.digest), &verdict, live, &[], None, notes, now);
        }
    }

    /// A job was reconciled, or could not be.
    pub fn job(
        &mut self,
        job: &Job,
        result: &Result<Outcome, Interrupted>,
        retrying: Option<Retrying>,
        override_with: Option<Verdict>,
        now: Timestamp,
    ) {
        self.round.looked_at.insert(job.name.clone());
        let (live, actions, notes, stopped) = match result {
            Ok(outcome) => {
                let live = live(&outcome.observed);
                (Some(live), outcome.actions.as_slice(), outcome.plan.notes.as_slice(), outcome.stopped.as_ref())
            }
            Err(stopped) => (None, &[][..], &[][..], Some(stopped)),
        };
        let verdict = match (override_with, result, stopped) {
            (Some(verdict), _, _) => verdict,
            (None, _, Some(stopped)) => verdict::of_interruption(stopped),
            (None, Ok(outcome), None) => outcome.verdict.clone(),
            // An error always names its interruption.
            (None, Err(stopped), None) => verdict::of_interruption(stopped),
        };
        if live.is_some() {
            self.last_seen.insert(job.name.clone(), now);
        }
        self.round.drifted += usize::from(!actions.is_empty());
        match stopped {
            Some(Interrupted::Budget { .. }) => {
                self.round.in_line.insert(job.name.clone());
            }
            Some(stopped) => {
                self.round.in_line.remove(&job.name);
                self.round.failed += usize::from(!matches!(stopped, Interrupted::Counting | Interrupted::Standby));
            }
            None => {
                self.round.in_line.remove(&job.name);
            }
        }
        let retry = retrying.zip(stopped);
        self.set(&job.name, Some(&job.origin), Some(&job.digest), &verdict, live, actions, retry, notes, now);
    }

    /// Sets the status of a job that is left behind.
    pub fn left_behind(&mut self, job: &JobName, verdict: &Verdict, actions: &[&'static str], now: Timestamp) {
        self.set(job, None, None, verdict, None, actions, None, &[], now);
    }

    /// Whether a job was seen live.
    pub fn was_seen(&self, job: &JobName) -> bool {
        self.last_seen.contains_key(job)
    }

    /// A job is gone for good: its status file goes too. What failed about its revisions stands until it works.
    pub fn forget(&mut self, job: &JobName) {
        self.cleaned_up(job, None);
        self.last_seen.remove(job);
        self.troubled.remove(job);
        self.actions.remove(job);
        self.round.looked_at.remove(job);
        self.round.in_line.remove(job);
        if self.jobs.remove(job).is_some() {
            self.changed.insert(job.clone());
        }
    }

    /// Ends a round over all jobs with a line in the log.
    pub fn summarise(&mut self, jobs: usize, began: Timestamp, now: Timestamp) {
        let round = std::mem::take(&mut self.round);
        self.actions.clear();
        let counts = ecs_etl_plan::status::Counts::of(self.jobs.values());
        let millis = now.duration_since(began).as_millis().max(0);
        tracing::info!(
            jobs,
            ready = counts.ready,
            reconciling = counts.reconciling,
            stalled = counts.stalled,
            changed = round.drifted,
            failed = round.failed,
            "resync"
        );
        self.last_resync = Some(Resync {
            finished: now,
            duration_ms: u64::try_from(millis).unwrap_or(u64::MAX),
            jobs,
            drifted: round.drifted,
            failed: round.failed,
        });
    }

    /// Jobs looked at since the last summary.
    pub fn looked_at(&self) -> usize {
        self.round.looked_at.len()
    }

    /// How many of them wait for the call budget.
    pub fn waiting_for_budget(&self) -> usize {
        self.round.in_line.len()
    }

    #[expect(clippy::too_many_arguments, reason = "one row of facts; a struct would only be unpacked again")]
    fn set(
        &mut self,
        job: &JobName,
        origin: Option<&Origin>,
        spec: Option<&Digest>,
        verdict: &Verdict,
        live: Option<Live>,
        actions: &[&'static str],
        retry: Option<(Retrying, &Interrupted)>,
        notes: &[String],
        now: Timestamp,
    ) {
        let retry = retry.map(|(retrying, stopped)| {
            let wait = jiff::SignedDuration::try_from(retrying.wait).unwrap_or(jiff::SignedDuration::MAX);
            let at = now.checked_add(wait).unwrap_or(Timestamp::MAX);
            (NextTry { at, attempts: retrying.attempts }, stopped.to_string())
        });
        let input = StatusInput {
            job,
            origin,
            observed_spec: spec,
            verdict,
            live,
            actions,
            retry: retry.as_ref().map(|(next, message)| (next, message.as_str())),
            notes,
        };
        if !actions.is_empty() {
            self.actions.entry(job.clone()).or_default().extend(actions);
        }
        let before = self.jobs.get(job);
        let after = next_status(before, &input, now);
        if before == Some(&after) {
            return;
        }
        announce(job, before, &after, verdict, now);
        self.jobs.insert(job.clone(), after);
        self.changed.insert(job.clone());
    }
}

/// Why a job cannot be used, and what becomes meanwhile of that which bears the name it had before.
fn message_of(blocked: &Blocked) -> String {
    let former: Vec<String> = blocked.moved_from.iter().map(|name| format!("`{name}`")).collect();
    if former.is_empty() {
        return blocked.message.clone();
    }
    format!("{}; what runs as {} stays as it is until then", blocked.message, former.join(" or "))
}

const CLEAN_UP: &str = "clean-up/";

/// What a problem with tidying up after a job is about.
fn clean_up(job: &JobName, place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("{CLEAN_UP}{job}/{}", places::name(place)),
        None => format!("{CLEAN_UP}{job}"),
    }
}
