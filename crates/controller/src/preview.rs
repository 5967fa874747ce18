//! What a pass would do, without doing it: the same reads and the same decisions, and no write.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs_etl_aws::Urgency;
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::step::Plan;
use ecs_etl_spec::job::{Job, Place};
use ecs_etl_spec::name::JobName;
use futures::StreamExt as _;
use futures::stream;

use crate::context::{Context, Interrupted};
use crate::former_prefix;
use crate::manifests::Manifests;
use crate::observe::{self, Homes, Trust};
use crate::orphans::{self, LeftBehind};
use crate::sweep;

/// Decisions under way at once.
const AT_ONCE: usize = 16;

/// What a pass would do.
#[derive(Debug, Default)]
pub struct Preview {
    /// For each job to converge: the plan and the facts it rests on, or why there is none.
    pub jobs: BTreeMap<JobName, Result<(Plan, Observed), Interrupted>>,
    /// Places whose lists could not be read.
    pub unreadable: BTreeMap<Place, Interrupted>,
    /// What jobs without a manifest left behind.
    pub left_behind: Vec<LeftBehind>,
    /// Left-behind jobs that could not be looked at.
    pub unknown: BTreeMap<(Place, JobName), Interrupted>,
}

/// Reads and decides for every job, and for everything that jobs left behind.
pub async fn preview(cx: &Context, manifests: &Manifests) -> Preview {
    let mut preview = Preview::default();
    let own = manifests.own_places();
    let places: Vec<Place> = manifests.places().into_iter().collect();
    let sweeps = places.into_iter().map(|place| async move {
        let sweep = sweep::sweep(cx, &place).await;
        (place, sweep)
    });
    for (place, sweep) in stream::iter(sweeps).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        match sweep {
            Ok(sweep) => {
                cx.world().take_sweep(&place, sweep);
            }
            Err(stopped) if own.contains(&place) => {
                preview.unreadable.insert(place, stopped);
            }
            // What a job of another shard left there before it became this one's is not seen; nothing else hangs on it.
            Err(stopped) => {
                tracing::warn!(region = %place.region, error = %stopped, "a place of other shards cannot be read")
            }
        }
    }
    let readable = |job: &&Arc<Job>| !preview.unreadable.contains_key(&job.place);
    let decisions =
        manifests.wanted().filter(readable).map(|job| async move { (job.name.clone(), decide(cx, job).await) });
    let decisions: Vec<_> = stream::iter(decisions).buffer_unordered(AT_ONCE).collect().await;
    for job in manifests.wanted() {
        if let Some(stopped) = preview.unreadable.get(&job.place) {
            preview.jobs.insert(job.name.clone(), Err(stopped.clone()));
        }
    }
    preview.jobs.extend(decisions);
    let looks = orphans::names(cx, manifests).into_iter().map(|(place, name)| async move {
        let found = orphans::inspect(cx, &place, &name, false).await;
        (place, name, found)
    });
    for (place, name, found) in stream::iter(looks).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        match found {
            Ok(found) => preview.left_behind.extend(found),
            Err(stopped) => {
                preview.unknown.insert((place, name), stopped);
            }
        }
    }
    preview
}

async fn decide(cx: &Context, job: &Arc<Job>) -> Result<(Plan, Observed), Interrupted> {
    let desired = cx.desired(job).await?;
    let homes = Homes::of(cx, &desired);
    let (observed, plan) =
        observe::until_decided(cx, &homes, Urgency::Edit, Trust::BulkForSilence, |facts| cx.decide(&desired, facts))
            .await?;
    let plan = former_prefix::hold(cx, &desired, plan, Urgency::Edit).await?;
    Ok((plan, observed))
}
