//! What a change of the controller's prefix leaves behind: rules of ours under names that nothing asks for any more.
//!
//! They still fire. A job that were created beside them would run twice a tick, so it is not: it misses its new words rather
//! than doubles, and says so.

use ecs_etl_aws::{Answer, Urgency};
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::{Desired, Identity};
use ecs_etl_plan::lower::description_names;
use ecs_etl_plan::observed::{LiveRule, Look};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::step::{Kind, Plan};
use ecs_etl_plan::tags;
use ecs_etl_spec::name::JobName;

use crate::context::{Context, Interrupted};

/// The job that a rule's description says it belongs to, if it names this controller.
pub fn hinted(identity: &Identity, rule: LiveRule) -> Option<(JobName, LiveRule)> {
    let job = description_names(identity, rule.description.as_deref()?)?;
    Some((job, rule))
}

/// Replaces a plan to create the job by one that leaves it alone, if it has a rule of ours under another prefix.
pub async fn hold(cx: &Context, desired: &Desired, plan: Plan, urgency: Urgency) -> Result<Plan, Interrupted> {
    if plan.kind != Kind::Create {
        return Ok(plan);
    }
    let hinted = cx.world().under_other_prefix(&desired.place, &desired.job);
    for rule in hinted {
        if is_ours(cx, desired, &rule, urgency).await? {
            let message = format!(
                "rule {} runs this job under another prefix, and {} beside it would run it twice; put the prefix back, \
                 or remove what bears the old one (`drain: true` under the old prefix)",
                rule.name, desired.family
            );
            return Ok(Plan::leave(&desired.job, Verdict::Stalled(Reason::LocationLost, message)));
        }
    }
    Ok(plan)
}

/// Whether the rule is still there with our mark and our source on it: descriptions hint, tags prove.
async fn is_ours(cx: &Context, desired: &Desired, rule: &LiveRule, urgency: Urgency) -> Result<bool, Interrupted> {
    let identity = &cx.settings().identity;
    let mark = Mark::new(&identity.controller, &desired.job);
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
