//! Jobs that went within the hour under names which no list shows.
//!
//! A job that had taken over a family of another name leaves its mark on a revision of that. With its rule went what told of the
//! family, so a process that was started since knows nothing of the removal, which counts towards the hour all the same. Before it
//! removes anything itself, it looks at the newest revision of every family that does not bear the prefix, once.

use std::collections::BTreeMap;

use ecs_etl_aws::{Answer, Urgency};
use ecs_etl_plan::labels::Belongs;
use ecs_etl_plan::observed::{Fact, LiveRevision, Look, Observed};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{ControllerName, JobName};
use jiff::Timestamp;

use crate::context::{Context, Interrupted};

/// Jobs of this shard that went from a place under such names, and when.
pub(crate) async fn search(cx: &Context, place: &Place) -> Result<Vec<(JobName, Timestamp)>, Interrupted> {
    let settings = cx.settings();
    let mut went = Vec::new();
    for (family, revisions) in cx.aws.list_active_revisions(place, "").await? {
        let Some(newest) = revisions.first().filter(|_| !family.as_str().starts_with(settings.prefix.as_str())) else {
            continue;
        };
        let look = Look::Revision(newest.clone());
        let Answer::Revision(Some(revision)) = cx.aws.look(place, &look, Urgency::CleanUp).await? else { continue };
        let Some((job, at)) = retired(&settings.identity.controller, &revision) else { continue };
        let revisions = BTreeMap::from([(newest.clone(), Fact::Known(Some(revision)))]);
        let facts = Observed { revisions, ..Observed::default() };
        if settings.parting.judge(cx, place, &job, &facts).await? != Belongs::No {
            went.push((job, at));
        }
    }
    Ok(went)
}

/// The job of ours that a revision was retired with, and when.
fn retired(controller: &ControllerName, revision: &LiveRevision) -> Option<(JobName, Timestamp)> {
    let job = JobName::new(revision.tags.get(tags::JOB)?.as_str()).ok()?;
    let at = revision.tags.get(tags::RETIRED_AT)?.parse().ok()?;
    Mark::new(controller, &job).is_on(&revision.tags).then_some((job, at))
}
