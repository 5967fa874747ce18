//! What is true of every job, kept for the status files, the log and the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::TARGET_ID;
use ecs_etl_plan::failure::NextTry;
use ecs_etl_plan::observed::{Fact, Observed, RevisionArn};
use ecs_etl_plan::prune::{self, PruneDecision};
use ecs_etl_plan::status::{
    Held, HeldKind, JobStatus, Live, Problem, PruningBlocked, Resync, ScheduleStatus, StatusInput, next_status,
};
use ecs_etl_spec::diagnostic::Severity;
use ecs_etl_spec::job::{Job, Origin, Place};
use ecs_etl_spec::name::{Digest, JobName};
use jiff::Timestamp;

use crate::context::Interrupted;
use crate::manifests::Manifests;
use crate::preview::Preview;
use crate::reconcile::Outcome;
use crate::verdict;

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
    problems: BTreeMap<String, String>,
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
    drifted: usize,
    failed: usize,
}

impl Reporter {
    /// Takes over what an earlier process left in the status directory, so that transition times survive a restart.
    pub fn resume(&mut self, statuses: impl IntoIterator<Item = JobStatus>) {
        for status in statuses {
            if let Ok(name) = JobName::new(status.metadata.name.clone()) {
                self.jobs.insert(name, status);
            }
        }
    }

    /// What is reported of every job.
    pub fn jobs(&self) -> &BTreeMap<JobName, JobStatus> {
        &self.jobs
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
        std::mem::take(&mut self.changed)
    }

    /// Whether any did.
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Asks for every status to be written again: the files may be gone.
    pub fn all_changed(&mut self) {
        self.changed = self.jobs.keys().cloned().collect();
    }

    /// The directory was read: its findings, and the jobs it cannot use.
    pub fn manifests(&mut self, manifests: &Manifests, now: Timestamp) {
        self.problems.retain(|about, _| !about.starts_with("manifests/"));
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
            let verdict = Verdict::Stalled(verdict::of_blocked(blocked.reason), blocked.message.clone());
            self.set(name, Some(&blocked.origin), None, &verdict, None, &[], None, &[], now);
        }
    }

    /// Remembers a problem that belongs to no job, and logs it when it is new.
    pub fn problem(&mut self, about: String, message: String) {
        if self.problems.get(&about) != Some(&message) {
            tracing::error!(about, problem = message, "problem");
            self.problems.insert(about, message);
        }
    }

    /// A problem that belongs to no job is over.
    pub fn solved(&mut self, about: &str) {
        if self.problems.remove(about).is_some() {
            tracing::info!(about, "problem solved");
        }
    }

    /// A place cannot be swept: nothing is known of the jobs in it that have not been handled yet.
    pub fn place_failed(
        &mut self,
        manifests: &Manifests,
        place: &Place,
        stopped: &Interrupted,
        retrying: Option<Retrying>,
        now: Timestamp,
    ) {
        self.problem(about(place), stopped.to_string());
        let verdict = verdict::of_interruption(stopped);
        for job in manifests.wanted().filter(|job| job.place == *place) {
            self.set(&job.name, Some(&job.origin), None, &verdict, None, &[], retrying.map(|r| (r, stopped)), &[], now);
        }
    }

    /// A place was swept.
    pub fn place_swept(&mut self, place: &Place) {
        self.solved(&about(place));
    }

    /// No document names a place any more: what its jobs have there is reported, never guessed at.
    ///
    /// A job that is written still, for another place, may run in both.
    pub fn place_lost(
        &mut self,
        place: &Place,
        jobs: &BTreeSet<JobName>,
        is_written: impl Fn(&JobName) -> bool,
        now: Timestamp,
    ) {
        let names: Vec<&str> = jobs.iter().map(JobName::as_str).collect();
        let message = format!(
            "no EtlCluster names {} any more; what {} jobs have there stays as it is and goes on running ({}); write the \
             EtlCluster again, with drain: true to remove them",
            place.region,
            jobs.len(),
            names.join(", ")
        );
        self.problem(about(place), message.clone());
        for job in jobs.iter().filter(|job| !is_written(job)) {
            self.left_behind(job, &Verdict::Stalled(Reason::LocationLost, message.clone()), &[], now);
        }
    }

    /// A document names a place.
    pub fn place_named(&mut self, place: &Place) {
        let lost = self.problems.get(&about(place)).is_some_and(|problem| problem.starts_with("no EtlCluster names"));
        if lost {
            self.solved(&about(place));
        }
    }

    /// What the rules of deletion said.
    pub fn pruning(&mut self, decision: &PruneDecision) {
        let blocked = decision.blocked.as_ref().filter(|_| !decision.verdicts.is_empty()).map(|blocked| {
            PruningBlocked { why: blocked.why.clone(), file: blocked.file.clone(), since: blocked.since }
        });
        if blocked.is_some() && self.pruning_blocked.is_none() {
            tracing::warn!(
                why = blocked.as_ref().map(|blocked| &blocked.why),
                "pruning is blocked; nothing is deleted"
            );
        }
        self.pruning_blocked = blocked;
        self.hold(HeldKind::Deletions, decision.held.as_ref());
    }

    /// What `maxChanges` holds.
    ///
    /// The set may have grown since its jobs were looked at: each is to name the digest that releases it now.
    pub fn held_changes(&mut self, held: Option<&prune::Held>, now: Timestamp) {
        let is_new = self.hold(HeldKind::Changes, held);
        if let Some(held) = held.filter(|_| is_new) {
            let verdict = verdict::of_interruption(&Interrupted::Held(held.clone()));
            for job in &held.jobs {
                self.set(job, None, None, &verdict, None, &[], None, &[], now);
            }
        }
    }

    /// True if the set is another one than before.
    fn hold(&mut self, kind: HeldKind, held: Option<&prune::Held>) -> bool {
        let before = self.held.iter().find(|held| held.kind == kind).map(|held| held.digest.clone());
        self.held.retain(|held| held.kind != kind);
        let Some(held) = held else { return before.is_some() };
        let digest = held.digest.as_str().to_owned();
        let is_new = before.as_ref() != Some(&digest);
        if is_new {
            tracing::error!(?kind, digest, jobs = held.jobs.len(), why = held.why, "held until it is approved");
        }
        let jobs = held.jobs.iter().map(|job| job.as_str().to_owned()).collect();
        self.held.push(Held { kind, digest, jobs, message: held.why.clone() });
        is_new
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
        self.round.failed += usize::from(stopped.is_some());
        let retry = retrying.zip(stopped);
        self.set(&job.name, Some(&job.origin), Some(&job.digest), &verdict, live, actions, retry, notes, now);
    }

    /// Sets the status of a job that is left behind.
    pub fn left_behind(&mut self, job: &JobName, verdict: &Verdict, actions: &[&'static str], now: Timestamp) {
        self.set(job, None, None, verdict, None, actions, None, &[], now);
    }

    /// A job is gone for good: its status file goes too.
    pub fn forget(&mut self, job: &JobName) {
        self.last_seen.remove(job);
        self.actions.remove(job);
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
        announce(job, before, &after, verdict);
        self.jobs.insert(job.clone(), after);
        self.changed.insert(job.clone());
    }
}

/// Logs a change of state: INFO when it is good, WARN when it will be tried again, ERROR when a person is needed.
fn announce(job: &JobName, before: Option<&JobStatus>, after: &JobStatus, verdict: &Verdict) {
    let words = |status: &JobStatus| {
        status.status.conditions.first().map(|ready| (ready.status, ready.reason, ready.message.clone()))
    };
    if before.and_then(words) == words(after) {
        return;
    }
    let (reason, message) = verdict::words(verdict);
    let next_try = after.status.retry.as_ref().map(|retry| retry.next_at.to_string());
    match verdict {
        Verdict::Ready(..) | Verdict::Paused(..) => tracing::info!(%job, ?reason, detail = message, "job state"),
        Verdict::Waiting(
            Reason::Progressing | Reason::WaitingForTick | Reason::PendingDeletion | Reason::Removing,
            ..,
        ) => {
            tracing::info!(%job, ?reason, detail = message, "job state");
        }
        Verdict::Waiting(..) => tracing::warn!(%job, ?reason, detail = message, next_try, "job state"),
        Verdict::Stalled(..) => tracing::error!(%job, ?reason, detail = message, next_try, "job state"),
    }
}

/// What was seen of a job, for its status.
fn live(observed: &Observed) -> Live {
    let mut schedules = Vec::new();
    let mut pinned: Option<RevisionArn> = None;
    for (name, rule) in &observed.rules {
        let Fact::Known(Some(rule)) = rule else { continue };
        let Some(expression) = &rule.expression else { continue };
        schedules.push(ScheduleStatus {
            name: name.as_str().to_owned(),
            expression: expression.clone(),
            state: rule.state.as_str().to_owned(),
        });
        let targets = observed.targets.get(name).and_then(Fact::known);
        let ours = targets.into_iter().flatten().find(|target| target.id.as_deref() == Some(TARGET_ID));
        let arn = ours.and_then(|target| target.ecs_parameters.as_ref()?.task_definition_arn.as_deref());
        pinned = pinned.or_else(|| arn.and_then(RevisionArn::parse));
    }
    Live { task_definition: pinned, schedules }
}

fn about(place: &Place) -> String {
    match &place.assume_role_arn {
        Some(role) => format!("place/{}/{role}", place.region),
        None => format!("place/{}", place.region),
    }
}
