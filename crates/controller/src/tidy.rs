//! Tidies away what a job's changes have replaced: revisions that no schedule pins any more.

use std::sync::Arc;
use std::time::Duration;

use ecs_etl_aws::Urgency;
use ecs_etl_plan::clean_up::{self, CleanUp};
use ecs_etl_plan::condition::Verdict;
use ecs_etl_plan::decide::Decision;
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::tags;
use ecs_etl_spec::job::Job;
use jiff::{SignedDuration, Timestamp};

use crate::context::{Context, Interrupted};
use crate::observe::{self, Homes, Trust};
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

/// Tidies the family of a job that is converged. What a reconcile has just `seen` proves silence without another call.
pub async fn tidy(cx: &Context, job: &Arc<Job>, seen: Option<&Observed>) -> Result<Outcome, Interrupted> {
    let settings = cx.settings();
    let Some(names) = cx.names(&job.place, &job.name) else { return Ok(Outcome::default()) };
    let revisions =
        cx.world().sweep(&job.place).and_then(|sweep| sweep.active.get(names.running())).map_or(0, Vec::len);
    // A single one may bear the mark of what was replaced: what replaced it was deregistered by somebody else.
    if revisions < 2 && !seen.is_some_and(shows_a_mark) {
        return Ok(Outcome::default());
    }
    let scope = clean_up::Scope {
        job: &job.name,
        family: names.running(),
        place: &job.place,
        identity: &settings.identity,
        keep: Some(settings.policy.keep_revisions),
        event_age: SignedDuration::from_secs(i64::from(job.retry.maximum_event_age_seconds)),
    };
    if let Some(CleanUp::Plan(plan, due)) = seen.map(|seen| clean_up::decide(&scope, seen, cx.clock.now()))
        && plan.steps.is_empty()
    {
        return Ok(Outcome { due });
    }
    let mut due = None;
    let homes = Homes::left_behind(cx, &job.place, &job.name);
    let (mut facts, plan) = observe::until_decided(cx, &homes, Urgency::CleanUp, Trust::Direct, |facts| {
        match clean_up::decide(&scope, facts, cx.clock.now()) {
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
    admit::leave(cx, (&job.place, scope.family), &facts, &plan, Urgency::CleanUp).await?;
    let carried = act::carry_out(cx, &plan, &mut facts, Urgency::CleanUp).await;
    match carried.stopped {
        Some(stopped) => Err(stopped),
        None => Ok(Outcome { due }),
    }
}

/// Whether a revision is known to bear the mark of what was replaced.
fn shows_a_mark(seen: &Observed) -> bool {
    let revisions = seen.revisions.values().filter_map(|fact| fact.known()?.as_ref());
    revisions.into_iter().any(|revision| revision.tags.contains_key(tags::RETIRED_AT))
}
