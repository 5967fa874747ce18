//! What a change of the controller's prefix, or of `adopt`, leaves behind: rules of ours under names that nothing asks for any
//! more.
//!
//! They still fire. A job that were created beside them would run twice a tick, so it is not: it misses its new words rather
//! than doubles, and says so.

use ecs_etl_aws::{Answer, Urgency};
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::{Desired, Identity};
use ecs_etl_plan::lower::{described, description_names};
use ecs_etl_plan::observed::{LiveRule, Look};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::step::{Action, Plan};
use ecs_etl_plan::tags;
use ecs_etl_spec::name::{JobName, RuleName};

use crate::context::{Context, Interrupted};

/// The job that a rule's description says it belongs to, if it names this controller.
pub fn hinted(identity: &Identity, rule: LiveRule) -> Option<(JobName, LiveRule)> {
    let job = description_names(identity, rule.description.as_deref()?)?;
    Some((job, rule))
}

/// Replaces a plan that starts the job by another rule by one that leaves it alone, if it has a rule of ours under a name
/// that is not asked for.
pub async fn hold(cx: &Context, desired: &Desired, plan: Plan, urgency: Urgency) -> Result<Plan, Interrupted> {
    if !plan.steps.iter().any(|step| begins(&step.action)) {
        return Ok(plan);
    }
    let jobs = std::iter::once(&desired.job).chain(desired.moved_from.as_ref().map(|former| &former.job));
    let hinted: Vec<(&JobName, LiveRule)> = {
        let world = cx.world();
        jobs.flat_map(|job| world.under_other_prefix(&desired.place, job).into_iter().map(move |rule| (job, rule)))
            .filter(|(_, rule)| desired.rules.iter().all(|wanted| wanted.name != rule.name))
            .collect()
    };
    for (job, rule) in hinted {
        if is_ours(cx, desired, job, &rule, urgency).await? {
            let message = format!(
                "rule {} runs this job under another name, and {} beside it would run it twice; if it was adopted, name it \
                 under `adopt.rules` again, or delete it away from its ticks; if the prefix changed, put it back, or remove \
                 what bears the old one (`drain: true` under the old prefix)",
                rule.name, desired.adoption.own
            );
            return Ok(Plan::leave(&desired.job, Verdict::Stalled(Reason::LocationLost, message)));
        }
    }
    let jobs = std::iter::once(&desired.job).chain(desired.moved_from.as_ref().map(|former| &former.job));
    for job in jobs {
        let hinted = cx.world().schedules_under_other_prefix(&desired.place, job);
        for schedule in hinted {
            if says_ours(cx, desired, job, &schedule, urgency).await? {
                let message = format!(
                    "schedule {schedule} runs this job under another prefix, and {} beside it would run it twice; put the prefix \
                     back, or remove what bears the old one (`drain: true` under the old prefix)",
                    desired.adoption.own
                );
                return Ok(Plan::leave(&desired.job, Verdict::Stalled(Reason::LocationLost, message)));
            }
        }
    }
    Ok(plan)
}

/// Whether a schedule in our group is there and says that it is the job's.
async fn says_ours(
    cx: &Context,
    desired: &Desired,
    job: &JobName,
    schedule: &RuleName,
    urgency: Urgency,
) -> Result<bool, Interrupted> {
    let identity = &cx.settings().identity;
    match cx.aws.look(&desired.place, &Look::Rule(schedule.clone()), urgency).await {
        Ok(Answer::Schedule(None)) => Ok(false),
        Ok(Answer::Schedule(Some(found))) => {
            let said = described(found.0.description.as_deref().unwrap_or_default());
            let mark = Mark::new(&identity.controller, job);
            Ok(mark.is_on(&said) && said.get(tags::SOURCE) == Some(&identity.source))
        }
        Ok(_) => Err(Interrupted::Undecided),
        Err(error) => Err(Interrupted::from(error)),
    }
}

/// Whether a step makes another rule start the job: one that is created, or taken over.
fn begins(action: &Action) -> bool {
    match action {
        Action::PutRule { create, .. } | Action::PutSchedule { create, .. } => *create,
        Action::TagRule { .. } => true,
        Action::RegisterTaskDefinition { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::PutTargets { .. }
        | Action::RemoveTargets { .. }
        | Action::DeleteRule { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::DeleteSchedule { .. }
        | Action::UntagRule { .. }
        | Action::TagRevision { .. }
        | Action::UntagRevision { .. }
        | Action::DeregisterTaskDefinition { .. } => false,
    }
}

/// Whether the rule is still there with our mark and our source on it: descriptions hint, tags prove.
async fn is_ours(
    cx: &Context,
    desired: &Desired,
    job: &JobName,
    rule: &LiveRule,
    urgency: Urgency,
) -> Result<bool, Interrupted> {
    let identity = &cx.settings().identity;
    let mark = Mark::new(&identity.controller, job);
    let look = |look| async move { cx.aws.look(&desired.place, &look, urgency).await };
    let live = match look(Look::Rule(rule.name.clone())).await {
        Ok(Answer::Rule(live)) => live,
        Ok(_) => return Err(Interrupted::Undecided),
        Err(error) => return Err(Interrupted::from(error)),
    };
    let Some(live) = live else { return Ok(false) };
    match look(Look::RuleTags(live.name, live.arn)).await {
        Ok(Answer::RuleTags(found)) => Ok(mark.is_on(&found) && found.get(tags::SOURCE) == Some(&identity.source)),
        Ok(_) => Err(Interrupted::Undecided),
        Err(error) => Err(Interrupted::from(error)),
    }
}
