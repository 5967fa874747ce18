//! Tidies away what a job's changes have replaced: revisions that no schedule pins any more, in its family and in those it has left.

use std::sync::Arc;
use std::time::Duration;

use ecs_etl_aws::Urgency;
use ecs_etl_plan::clean_up::{self, CleanUp, Keep};
use ecs_etl_plan::condition::Verdict;
use ecs_etl_plan::decide::Decision;
use ecs_etl_plan::desired::Identity;
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::tags;
use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::{Family, JobName};
use jiff::{SignedDuration, Timestamp};

use crate::context::{Context, Interrupted};
use crate::observe::{self, Homes, Trust};
use crate::world::Names;
use crate::{act, admit};

/// What came of it.
#[derive(Debug, Default)]
#[must_use]
pub struct Outcome {
    due: Option<Timestamp>,
}

impl Outcome {
    /// How long until something falls due.
    pub fn next_due(&self, now: Timestamp) -> Option<Duration> {
        Some(Duration::try_from(self.due?.duration_since(now)).unwrap_or_default())
    }
}

/// Tidies what the changes of a job that is converged have replaced: in its family, then in those that it has left. What a reconcile has
/// just `seen` of it proves silence at home without another call.
pub async fn tidy(cx: &Context, job: &Arc<Job>, seen: Option<&Observed>) -> Result<Outcome, Interrupted> {
    let settings = cx.settings();
    let mut due = at_home(cx, job, seen).await?;
    for home in former_homes(cx, job).await? {
        let scope = scope(job, (&home.place, &home.job, &home.family), &settings.identity, Keep::MovedAway);
        due = due.into_iter().chain(carry_out(cx, &scope, Trust::BulkForSilence).await?).min();
    }
    Ok(Outcome { due })
}

async fn at_home(cx: &Context, job: &Arc<Job>, seen: Option<&Observed>) -> Result<Option<Timestamp>, Interrupted> {
    let settings = cx.settings();
    let Some(names) = cx.names(&job.place, &job.name) else { return Ok(None) };
    let revisions =
        cx.world().sweep(&job.place).and_then(|sweep| sweep.active.get(names.running())).map_or(0, Vec::len);
    // A single one may bear the mark of what was replaced: what replaced it was deregistered by somebody else.
    if revisions < 2 && !seen.is_some_and(shows_a_mark) {
        return Ok(None);
    }
    let keep = Keep::Newest(settings.policy.keep_revisions);
    let scope = scope(job, (&job.place, &job.name, names.running()), &settings.identity, keep);
    if let Some(CleanUp::Plan(plan, due)) = seen.map(|seen| clean_up::decide(&scope, seen, cx.clock.now()))
        && plan.steps.is_empty()
    {
        return Ok(due);
    }
    carry_out(cx, &scope, Trust::Direct).await
}

/// A family that a job does not run any more.
struct FormerHome {
    place: Place,
    /// What it was called there.
    job: JobName,
    family: Family,
}

/// Families of the job's own with something in them: in places that it has left, under its former name, and its own if it runs one that it
/// has taken over. What it had taken over elsewhere no list would show to a process that was started since.
async fn former_homes(cx: &Context, job: &Job) -> Result<Vec<FormerHome>, Interrupted> {
    let settings = cx.settings();
    let homes: Vec<FormerHome> = {
        let world = cx.world();
        let running = world.names(&settings, &job.place, &job.name).map(|names| names.running().clone());
        let is_left = |home: &FormerHome| {
            let active = world.sweep(&home.place).and_then(|sweep| sweep.active.get(&home.family));
            let is_home = home.place == job.place && Some(&home.family) == running.as_ref();
            !is_home && active.is_some_and(|active| !active.is_empty())
        };
        let places = world.places().flat_map(|place| job.names().map(move |name| (place, name)));
        let homes = places.filter_map(|(place, name)| {
            let family = Names::of(&settings.prefix, name)?.family;
            Some(FormerHome { place: place.clone(), job: name.clone(), family })
        });
        homes.filter(is_left).collect()
    };
    let mut former = Vec::new();
    for home in homes {
        // Two roles may reach the same account and Region: then it is at home there.
        let is_here = home.place != job.place
            && home.place.region == job.place.region
            && cx.account(&home.place).await? == cx.account(&job.place).await?;
        if !is_here {
            former.push(home);
        }
    }
    Ok(former)
}

fn scope<'a>(
    job: &Job,
    (place, name, family): (&'a Place, &'a JobName, &'a Family),
    identity: &'a Identity,
    keep: Keep,
) -> clean_up::Scope<'a> {
    let event_age = SignedDuration::from_secs(i64::from(job.retry.maximum_event_age_seconds));
    clean_up::Scope { job: name, family, place, identity, keep, event_age }
}

/// Tidies one family. Tells when something falls due in it.
async fn carry_out(cx: &Context, scope: &clean_up::Scope<'_>, trust: Trust) -> Result<Option<Timestamp>, Interrupted> {
    let mut due = None;
    let homes = Homes::left_behind(cx, scope.place, scope.job);
    let (mut facts, plan) =
        observe::until_decided(cx, &homes, Urgency::CleanUp, trust, |facts| {
            match clean_up::decide(scope, facts, cx.clock.now()) {
                CleanUp::Look(questions) => Decision::Look(questions),
                CleanUp::Plan(plan, next) => {
                    due = next;
                    Decision::Plan(plan)
                }
            }
        })
        .await?;
    if let Verdict::Stalled(_, why) = &plan.verdict {
        return Err(Interrupted::Doubtful(why.clone()));
    }
    admit::leave(cx, (scope.place, scope.family), &facts, &plan, Urgency::CleanUp).await?;
    let carried = act::carry_out(cx, &plan, &mut facts, Urgency::CleanUp).await;
    match carried.stopped {
        Some(stopped) => Err(stopped),
        None => Ok(due),
    }
}

/// Whether a revision is known to bear the mark of what was replaced.
fn shows_a_mark(seen: &Observed) -> bool {
    let revisions = seen.revisions.values().filter_map(|fact| fact.known()?.as_ref());
    revisions.into_iter().any(|revision| revision.tags.contains_key(tags::RETIRED_AT))
}
