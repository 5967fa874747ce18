//! Which jobs may be taken away: the rules of the directory as a whole.
//!
//! Nothing goes without complete knowledge of what is written and of what exists; a job must have been gone for the grace
//! period; and what goes within an hour stays within caps, or waits as a set until a person approves its digest.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::job::{DeletionPolicy, Prune};
use ecs_etl_spec::name::{Digest, JobName};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::condition::{Reason, Verdict};

/// Deletions are counted over this long.
pub const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// At most one in so many of the jobs owned goes within an hour, rounded up.
const SHARE: usize = 4;

/// Something that is not known completely, so that nothing may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// What is wrong, as a sentence for a person.
    pub why: String,
    /// The file, if it is one.
    pub file: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// A job of this controller that has a schedule in AWS, in any place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedJob {
    /// Its name, by its tags.
    pub job: JobName,
    /// Value of its source tag.
    pub source: Option<String>,
    /// Its deletion policy, by its tags; none if they do not say.
    pub policy: Option<DeletionPolicy>,
}

/// A job that went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Its name.
    pub job: JobName,
    /// The newest `retired-at` of its family, which no rule uses any more.
    pub at: Timestamp,
}

/// Everything that the deletion of jobs hangs on.
#[derive(Debug, Clone)]
pub struct PruneInput<'a> {
    /// Why knowledge of the directory or of AWS is incomplete; empty if it is complete.
    pub incomplete: &'a [Incomplete],
    /// Every job that is written, usable or not: each is shielded.
    pub written: &'a BTreeSet<JobName>,
    /// Those of them that are not made where they went: their words cannot be used, or say that they are left alone.
    pub unmade: &'a BTreeSet<JobName>,
    /// Former names of the written jobs: moving is no deletion.
    pub moved_from: &'a BTreeSet<JobName>,
    /// Written jobs whose cluster drains.
    pub draining: &'a BTreeSet<JobName>,
    /// What AWS holds, in all places.
    pub owned: &'a [OwnedJob],
    /// What went lately, in all places.
    pub retired: &'a [Retired],
    /// Since when each job has been seen gone; lost with a restart, which so begins the grace anew.
    pub gone_since: &'a BTreeMap<JobName, Timestamp>,
    /// `apply --prune`: no grace.
    pub skip_grace: bool,
    /// `--job` or `-l` is given: nothing is deleted, neither what is selected nor what is not.
    pub selecting: bool,
    /// Source of the manifests: only its jobs go.
    pub source: &'a str,
    /// Grace and cap.
    pub policy: Prune,
    /// Digests that a person has approved.
    pub approved: &'a BTreeSet<Digest>,
}

/// A set that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What to approve.
    pub digest: Digest,
    /// What it covers.
    pub jobs: BTreeSet<JobName>,
    /// Why it is held, as a sentence for a person.
    pub why: String,
}

/// What becomes of the jobs that AWS holds and no manifest names, or whose cluster drains.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct PruneDecision {
    /// What is true of each of them.
    pub verdicts: BTreeMap<JobName, Verdict>,
    /// Those to remove now.
    pub remove: Vec<JobName>,
    /// Those that wait for approval.
    pub held: Option<Held>,
    /// Why nothing may go at all.
    pub blocked: Option<Incomplete>,
    /// For the next call.
    pub gone_since: BTreeMap<JobName, Timestamp>,
    /// When a grace period ends next.
    pub next_due: Option<Timestamp>,
}

/// Decides which jobs may be taken away now.
pub fn decide(input: &PruneInput<'_>, now: Timestamp) -> PruneDecision {
    let candidates = candidates(input);
    let mut decision = PruneDecision {
        verdicts: BTreeMap::new(),
        remove: Vec::new(),
        held: None,
        blocked: blocked(input, now),
        gone_since: BTreeMap::new(),
        next_due: None,
    };
    if let Some(blocked) = &decision.blocked {
        let message = blocked_message(blocked, now);
        let verdict = || Verdict::Waiting(Reason::PruningBlocked, message.clone(), None);
        decision.verdicts = candidates.keys().map(|job| ((*job).clone(), verdict())).collect();
        // What was gone before is still being waited for; what seems gone now may only be unreadable.
        let known = input.gone_since.iter().filter(|(job, _)| candidates.contains_key(job));
        decision.gone_since = known.map(|(job, since)| (job.clone(), *since)).collect();
        return decision;
    }

    let mut pending: BTreeMap<&JobName, Timestamp> = BTreeMap::new();
    for (job, owned) in candidates {
        if let Some(verdict) = stays(&owned, input) {
            decision.verdicts.insert(job.clone(), verdict);
            continue;
        }
        let since = input.gone_since.get(job).copied().unwrap_or(now);
        if !input.draining.contains(job) {
            decision.gone_since.insert(job.clone(), since);
        }
        pending.insert(job, due(input, job, since));
    }
    decision.held = hold(input, &pending, now);
    for (job, due) in pending {
        let verdict = match &decision.held {
            Some(held) => {
                let message = format!("{}; approve {} to release the set", held.why, held.digest);
                Verdict::Waiting(Reason::DeletionHeld, message, None)
            }
            None if input.selecting => {
                let message = "jobs are selected: nothing is removed".to_owned();
                Verdict::Waiting(Reason::PendingDeletion, message, None)
            }
            None if due > now => {
                decision.next_due = Some(decision.next_due.map_or(due, |next| next.min(due)));
                let message = format!("the manifest is gone; the job is removed at {due:.0}");
                Verdict::Waiting(Reason::PendingDeletion, message, Some(due))
            }
            None => {
                decision.remove.push(job.clone());
                Verdict::Waiting(Reason::Removing, "the job is being removed".to_owned(), None)
            }
        };
        decision.verdicts.insert(job.clone(), verdict);
    }
    decision
}

/// Jobs that AWS holds and that should not be there, with what is known of them in each place.
fn candidates<'a>(input: &PruneInput<'a>) -> BTreeMap<&'a JobName, Vec<&'a OwnedJob>> {
    let mut candidates: BTreeMap<&JobName, Vec<&OwnedJob>> = BTreeMap::new();
    for owned in input.owned {
        let shielded = input.written.contains(&owned.job) || input.moved_from.contains(&owned.job);
        if input.draining.contains(&owned.job) || !shielded {
            candidates.entry(&owned.job).or_default().push(owned);
        }
    }
    candidates
}

/// The oldest reason for which nothing may go.
fn blocked(input: &PruneInput<'_>, now: Timestamp) -> Option<Incomplete> {
    if let Some(oldest) = input.incomplete.iter().min_by_key(|incomplete| incomplete.since) {
        return Some(oldest.clone());
    }
    let why = "the directory holds no EtlJob; the last job of a cluster goes with `drain: true`".to_owned();
    input.written.is_empty().then_some(Incomplete { why, file: None, since: now })
}

fn blocked_message(blocked: &Incomplete, now: Timestamp) -> String {
    let seconds = now.duration_since(blocked.since).as_secs().max(0);
    match &blocked.file {
        Some(file) => format!("nothing is removed: {file}: {} (for {seconds} s)", blocked.why),
        None => format!("nothing is removed: {} (for {seconds} s)", blocked.why),
    }
}

/// Why a job stays although no manifest names it: whatever any of its places says.
fn stays(owned: &[&OwnedJob], input: &PruneInput<'_>) -> Option<Verdict> {
    if let Some(other) = owned.iter().find(|owned| owned.source.as_deref() != Some(input.source)) {
        let source = other.source.as_deref().unwrap_or("none");
        let message = format!("its resources belong to the source {source:?}, not to {:?}", input.source);
        return Some(Verdict::Paused(Reason::OtherSource, message));
    }
    let retained = owned.iter().any(|owned| owned.policy == Some(DeletionPolicy::Retain));
    retained.then(|| Verdict::Paused(Reason::Retained, "its deletionPolicy was Retain: the resources stay".to_owned()))
}

fn due(input: &PruneInput<'_>, job: &JobName, since: Timestamp) -> Timestamp {
    if input.skip_grace || input.draining.contains(job) {
        return since;
    }
    let grace = SignedDuration::from_secs(i64::from(input.policy.grace_seconds));
    since.checked_add(grace).unwrap_or(Timestamp::MAX)
}

/// Holds everything that is pending if it is more than the caps allow together with what went within the hour.
fn hold(input: &PruneInput<'_>, pending: &BTreeMap<&JobName, Timestamp>, now: Timestamp) -> Option<Held> {
    let lately = lately(input, now);
    let live: BTreeSet<&JobName> = input.owned.iter().map(|owned| &owned.job).collect();
    // The quarter is of what there was an hour ago: else a set that is allowed would be held when half of it has gone.
    let owned = live.len() + lately.len();
    let share = owned.div_ceil(SHARE);
    let cap = usize::try_from(input.policy.max_deletions).unwrap_or(usize::MAX).min(share);
    if pending.is_empty() || pending.len() + lately.len() <= cap {
        return None;
    }
    let jobs: BTreeSet<JobName> = pending.keys().map(|job| (*job).clone()).collect();
    let why = format!(
        "{} jobs would go and {} went within the hour; {cap} may (maxDeletions {}, a quarter of {} jobs owned)",
        pending.len(),
        lately.len(),
        input.policy.max_deletions,
        owned
    );
    // A set that was approved stays approved while it is carried out: those of it that went lately count as part of it.
    let mut covered = jobs.clone();
    let approved = |set: &BTreeSet<JobName>| input.approved.contains(&digest(set));
    let released = approved(&covered)
        || lately.into_iter().any(|job| {
            covered.insert(job.clone());
            approved(&covered)
        });
    (!released).then(|| Held { digest: digest(&jobs), jobs, why })
}

/// Jobs that went within the hour, latest first. Those that moved, or are back, were no deletions.
fn lately<'a>(input: &PruneInput<'a>, now: Timestamp) -> Vec<&'a JobName> {
    let counts = |retired: &&Retired| {
        let is_unmade = input.unmade.contains(&retired.job) || input.draining.contains(&retired.job);
        let back = input.written.contains(&retired.job) && !is_unmade;
        let moved = input.moved_from.contains(&retired.job);
        let live = input.owned.iter().any(|owned| owned.job == retired.job);
        !back && !moved && !live && now.duration_since(retired.at) < HOUR
    };
    let mut lately: Vec<&Retired> = input.retired.iter().filter(counts).collect();
    lately.sort_by_key(|retired| (std::cmp::Reverse(retired.at), &retired.job));
    let mut seen = BTreeSet::new();
    lately.retain(|retired| seen.insert(&retired.job));
    lately.into_iter().map(|retired| &retired.job).collect()
}

/// What a person approves: the set of jobs, whatever the order.
fn digest(jobs: &BTreeSet<JobName>) -> Digest {
    Digest::of_json(&json!({ "delete": jobs }))
}
