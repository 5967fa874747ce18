//! Looks after what jobs left behind: resources of ours that no manifest wants any more, found by the names in the sweeps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecs_etl_aws::Urgency;
use ecs_etl_plan::clean_up::{self, CleanUp, Keep};
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::decide::Decision;
use ecs_etl_plan::labels::Belongs;
use ecs_etl_plan::observed::{Fact, LiveRevision, Observed};
use ecs_etl_plan::ownership::{self, Mark};
use ecs_etl_plan::removal::{self, Leaving};
use ecs_etl_plan::step::Plan;
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::job::{DeletionPolicy, Place};
use ecs_etl_spec::name::{Family, JobName};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::adopted::{self, Taken};
use crate::context::{Context, Interrupted};
use crate::manifests::Manifests;
use crate::observe::{self, Homes, Trust};
use crate::{act, admit, went};

/// What to do about a job that is not wanted in a place.
#[derive(Debug, Clone)]
pub enum Task {
    /// Find out what is there and whose it is.
    Inspect {
        /// The job still had its schedule when it was looked at last.
        was_scheduled: bool,
    },
    /// Take it away, as long as the rules of deletion allow it.
    Remove(Permit),
    /// Tidy away the revisions of a job that went.
    Tidy,
    /// Look in these places for jobs that went under names which no list shows.
    Search(BTreeSet<Place>),
}

/// Leave to remove a job. It is withdrawn when the manifest is back, or when the rules of deletion do not allow it any more.
#[derive(Debug, Clone, Default)]
pub struct Permit(CancellationToken);

impl Permit {
    /// Whether it holds.
    fn holds(&self) -> bool {
        !self.0.is_cancelled()
    }

    /// Withdraws it, from every worker that was given it.
    pub fn withdraw(&self) {
        self.0.cancel();
    }
}

/// What a job left behind in a place.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftBehind {
    /// Where.
    pub place: Place,
    /// The job.
    pub job: JobName,
    /// It has a rule of ours: it still runs.
    pub scheduled: bool,
    /// Its source, by its tags.
    pub source: Option<String>,
    /// Its deletion policy, by its tags.
    pub policy: Option<DeletionPolicy>,
    /// When the newest revision was retired.
    pub retired_at: Option<Timestamp>,
    /// Why it is left alone, if a tag says so, or if it may be another shard's.
    pub paused: Option<Verdict>,
    /// It may be another shard's: nothing is written to it.
    pub doubtful: bool,
}

/// What came of looking after it.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    /// What is there now; none if nothing of ours is.
    pub left: Option<LeftBehind>,
    /// Operations that AWS confirmed.
    pub actions: Vec<&'static str>,
    /// Why it stopped early.
    pub stopped: Option<Interrupted>,
    /// When something falls due.
    pub next_due: Option<Timestamp>,
    /// Jobs that went under names which no list shows, and when, by the place that was searched.
    pub went: BTreeMap<Place, Vec<(JobName, Timestamp)>>,
}

/// Names in the sweeps that no manifest wants where they are. Moves of a wanted job are its own business.
pub fn names(cx: &Context, manifests: &Manifests) -> BTreeSet<(Place, JobName)> {
    let settings = cx.settings();
    let former: BTreeSet<&str> = manifests.directory.former_names().into_iter().map(JobName::as_str).collect();
    let world = cx.world();
    let mut names = BTreeSet::new();
    let own = manifests.own_places();
    for place in world.places().filter(|place| own.contains(*place)) {
        let is_left = |job: &str| !manifests.mentions_any(job) && !former.contains(job);
        let bear_the_prefix = world.jobs_in(place, &settings.prefix).filter(|job| is_left(job));
        let others =
            world.jobs_of_another_name(place, &settings.adopted).into_iter().filter(|job| is_left(job.as_str()));
        let left = bear_the_prefix.filter_map(|job| JobName::new(job).ok()).chain(others);
        names.extend(left.map(|job| (place.clone(), job)));
    }
    names
}

/// Finds out what is there, from the sweeps and a few reads.
pub async fn inspect(
    cx: &Context,
    place: &Place,
    job: &JobName,
    was_scheduled: bool,
) -> Result<Option<LeftBehind>, Interrupted> {
    let Some(names) = cx.names(place, job) else { return Ok(None) };
    let (facts, plan) = decide(cx, place, job, &names.family, Trust::Bulk).await?;
    known(&plan)?;
    let found = left(cx, place, job, &facts, &plan).await?;
    if found.is_none() {
        cx.world().forget_adopted(place, job);
    }
    let is_known = |left: &LeftBehind| left.scheduled || (left.retired_at.is_some() && !was_scheduled);
    let is_kept = |left: &LeftBehind| matches!(left.paused, Some(Verdict::Paused(Reason::ReconcileDisabled, _)));
    if found.as_ref().is_none_or(|left| is_known(left) && !is_kept(left)) {
        return Ok(found);
    }
    // The tag by which somebody keeps it may be gone since it was read. Or it lost its schedule, and who took that away left a mark on the
    // revision that is newer than what was read of it, which may bear one of before. Another replica's removals count towards the cap
    // like our own.
    cx.world().forget_revisions(place, &names);
    let (facts, plan) = decide(cx, place, job, &names.family, Trust::Direct).await?;
    known(&plan)?;
    left(cx, place, job, &facts, &plan).await
}

/// Stops where a tag that proves ownership could not be read. Taken for nothing of ours, or for a job that has no schedule any
/// more, what is there would neither be removed nor spoken of ever again.
fn known(plan: &Plan) -> Result<(), Interrupted> {
    match &plan.verdict {
        Verdict::Stalled(Reason::OwnershipUnknown, why) => Err(Interrupted::Doubtful(why.clone())),
        Verdict::Ready(..) | Verdict::Waiting(..) | Verdict::Stalled(..) | Verdict::Paused(..) => Ok(()),
    }
}

/// Does `task` for what `job` left behind in `place`.
pub async fn look_after(cx: &Context, place: &Place, job: &JobName, task: Task) -> Result<Outcome, Interrupted> {
    let Some(names) = cx.names(place, job) else { return Ok(Outcome::nothing()) };
    match task {
        Task::Inspect { was_scheduled } => {
            Ok(Outcome { left: inspect(cx, place, job, was_scheduled).await?, ..Outcome::nothing() })
        }
        Task::Search(places) => {
            let mut outcome = Outcome { left: inspect(cx, place, job, true).await?, ..Outcome::nothing() };
            for place in places {
                let went = went::search(cx, &place).await?;
                outcome.went.insert(place, went);
            }
            Ok(outcome)
        }
        Task::Remove(permit) => remove(cx, place, job, &names.family, &permit).await,
        Task::Tidy => {
            let mut outcome = tidy(cx, place, job, &names.family).await?;
            for family in names.families().skip(1) {
                let more = tidy(cx, place, job, family).await?;
                outcome.actions.extend(more.actions);
                outcome.next_due = outcome.next_due.into_iter().chain(more.next_due).min();
                (outcome.left, outcome.stopped) = (more.left, outcome.stopped.or(more.stopped));
            }
            Ok(outcome)
        }
    }
}

async fn remove(
    cx: &Context,
    place: &Place,
    job: &JobName,
    family: &Family,
    permit: &Permit,
) -> Result<Outcome, Interrupted> {
    let (mut facts, plan) = decide(cx, place, job, family, Trust::Direct).await?;
    known(&plan)?;
    admit::leave(cx, (place, family), &facts, &plan, Urgency::Edit).await?;
    let before = left(cx, place, job, &facts, &plan).await?;
    if !permit.holds() || before.as_ref().is_none_or(|left| left.doubtful) {
        // What was read took its time, and the directory is another one now; or the job is another shard's by now.
        return Ok(Outcome { left: before, ..Outcome::nothing() });
    }
    let carried = act::carry_out(cx, &plan, &mut facts, Urgency::Edit).await;
    let left = left(cx, place, job, &facts, &plan).await?;
    Ok(Outcome { left, actions: carried.actions, stopped: carried.stopped, ..Outcome::nothing() })
}

async fn decide(
    cx: &Context,
    place: &Place,
    job: &JobName,
    family: &Family,
    trust: Trust,
) -> Result<(Observed, Plan), Interrupted> {
    let settings = cx.settings();
    let leaving = Leaving { job, family, place, identity: &settings.identity };
    let homes = Homes::left_behind(cx, place, job);
    let (facts, plan) = observe::until_decided(cx, &homes, Urgency::Drift, trust, |facts| {
        removal::decide(&leaving, facts, &settings.policy, cx.clock.now())
    })
    .await?;
    // Once its rule is gone, nothing in AWS tells which family it had taken over.
    let mut taken = Taken::seen(&facts, family);
    taken.families.retain(|family| holds_ours(cx, job, &facts, family));
    let others = adopted::of_others(&settings.identity.controller, job, &facts);
    let mut world = cx.world();
    world.adopt(place, job, &taken);
    others.iter().for_each(|(other, taken)| world.adopt(place, other, taken));
    drop(world);
    Ok((facts, plan))
}

/// Whether a revision of a family bears our marks.
fn holds_ours(cx: &Context, job: &JobName, facts: &Observed, family: &Family) -> bool {
    let settings = cx.settings();
    let mark = Mark::new(&settings.identity.controller, job);
    let revisions = facts.revisions.values().filter_map(|fact| fact.known()?.as_ref());
    let mut of_family = revisions.filter(|revision| revision.arn.family() == family.as_str());
    of_family.any(|revision| mark.is_on(&revision.tags))
}

/// Retires and deregisters the revisions of a job that went, when no retry can want them any more.
async fn tidy(cx: &Context, place: &Place, job: &JobName, family: &Family) -> Result<Outcome, Interrupted> {
    let before = inspect(cx, place, job, false).await?;
    if before.as_ref().is_none_or(|left| left.scheduled || left.doubtful) {
        // It came back, or went, since it was last looked at; or it may be another shard's.
        return Ok(Outcome { left: before, ..Outcome::nothing() });
    }
    let settings = cx.settings();
    let scope = clean_up::Scope {
        job,
        family,
        place,
        identity: &settings.identity,
        keep: Keep::Gone,
        // Longer than any job's: what it was is not known any more.
        event_age: SignedDuration::from_hours(24),
    };
    let homes = Homes::left_behind(cx, place, job);
    let mut next_due = None;
    let (mut facts, plan) = observe::until_decided(cx, &homes, Urgency::CleanUp, Trust::BulkForSilence, |facts| {
        match clean_up::decide(&scope, facts, cx.clock.now()) {
            CleanUp::Look(questions) => Decision::Look(questions),
            CleanUp::Plan(plan, due) => {
                next_due = due;
                Decision::Plan(plan)
            }
        }
    })
    .await?;
    known(&plan)?;
    admit::leave(cx, (place, family), &facts, &plan, Urgency::CleanUp).await?;
    let carried = act::carry_out(cx, &plan, &mut facts, Urgency::CleanUp).await;
    let left = left(cx, place, job, &facts, &plan).await?;
    Ok(Outcome { left, actions: carried.actions, stopped: carried.stopped, next_due, ..Outcome::nothing() })
}

/// What the facts say is there, of what our marks are on and no other shard's.
async fn left(
    cx: &Context,
    place: &Place,
    job: &JobName,
    facts: &Observed,
    plan: &Plan,
) -> Result<Option<LeftBehind>, Interrupted> {
    let Some(left) = remains(cx, place, job, facts, plan) else { return Ok(None) };
    let parting = Arc::clone(&cx.settings().parting);
    Ok(match parting.judge(cx, place, job, facts).await? {
        Belongs::Yes => Some(left),
        Belongs::No => None,
        Belongs::Unknown(why) => {
            let message = format!(
                "which shard it belonged to cannot be told: {why}; it stays until a controller without a shard, or \
                 `apply --prune` without one, takes it away"
            );
            let paused = left.scheduled.then_some(Verdict::Paused(Reason::ShardUnknown, message));
            Some(LeftBehind { paused: left.paused.clone().or(paused), doubtful: true, ..left })
        }
    })
}

fn remains(cx: &Context, place: &Place, job: &JobName, facts: &Observed, plan: &Plan) -> Option<LeftBehind> {
    let settings = cx.settings();
    let mark = Mark::new(&settings.identity.controller, job);
    let rule = facts.rules.iter().find_map(|(name, fact)| {
        let live = fact.known()?.as_ref()?;
        let tags = match name.group() {
            None => Cow::Borrowed(facts.rule_tags.get(name)?.known()?),
            Some(_) => Cow::Owned(ownership::of_schedule(facts.group.known()?.as_ref()?, live, job.as_str())),
        };
        Some(tags).filter(|tags| mark.is_on(tags))
    });
    let mut revisions: Vec<&LiveRevision> = facts
        .active
        .values()
        .filter_map(Fact::known)
        .flatten()
        .filter_map(|arn| facts.revisions.get(arn)?.known()?.as_ref())
        .filter(|revision| mark.is_on(&revision.tags))
        .collect();
    revisions.sort_by(|a, b| b.arn.cmp(&a.arn));
    let newest: Option<&Tags> = revisions.first().map(|revision| &revision.tags);
    let deciding = rule.as_deref().or(newest)?;
    Some(LeftBehind {
        place: place.clone(),
        job: job.clone(),
        scheduled: rule.is_some(),
        source: deciding.get(tags::SOURCE).cloned(),
        policy: match deciding.get(tags::POLICY).map(String::as_str) {
            Some("Retain") => Some(DeletionPolicy::Retain),
            Some("Delete") => Some(DeletionPolicy::Delete),
            // What we do not understand stays.
            Some(_) => Some(DeletionPolicy::Retain),
            None => None,
        },
        retired_at: newest.and_then(|tags| tags.get(tags::RETIRED_AT)?.parse().ok()),
        paused: match &plan.verdict {
            paused @ Verdict::Paused(..) => Some(paused.clone()),
            stalled @ Verdict::Stalled(..) => Some(stalled.clone()),
            Verdict::Ready(..) | Verdict::Waiting(..) => None,
        },
        doubtful: false,
    })
}

impl Outcome {
    fn nothing() -> Self {
        Self { left: None, actions: Vec::new(), stopped: None, next_due: None, went: BTreeMap::new() }
    }
}
