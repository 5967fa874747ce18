//! What stands between a plan and AWS: the plan's own rules, the bound on changes, the lease, the call budget.

use ecs_etl_aws::{Reservation, Urgency};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::step::{Kind, Plan};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::AccountId;

use crate::context::{Context, Interrupted};

/// Lets a plan through, or says why not now.
pub fn admit(
    cx: &Context,
    desired: &Desired,
    observed: &Observed,
    plan: &Plan,
    urgency: Urgency,
) -> Result<(), Interrupted> {
    let violations = lint(plan, &Subject::of(desired), observed);
    if !violations.is_empty() {
        return Err(Interrupted::Refused(violations.iter().map(ToString::to_string).collect()));
    }
    match plan.kind {
        Kind::Change | Kind::Move => cx.gate().admit(&plan.job, &desired.observed_spec)?,
        Kind::Create => cx.gate().creates(&plan.job, &desired.observed_spec),
        Kind::None | Kind::Remove | Kind::CleanUp => {}
    }
    reserve(cx, &desired.place, &desired.account, plan, urgency)
}

/// Reserves the calls of a plan that nothing else stands before.
pub async fn budget(cx: &Context, place: &Place, plan: &Plan, urgency: Urgency) -> Result<(), Interrupted> {
    let account = cx.account(place).await?;
    reserve(cx, place, &account, plan, urgency)
}

fn reserve(cx: &Context, place: &Place, account: &AccountId, plan: &Plan, urgency: Urgency) -> Result<(), Interrupted> {
    if !plan.steps.is_empty() {
        cx.may_write()?;
    }
    let actions: Vec<_> = plan.steps.iter().map(|step| &step.action).collect();
    match cx.aws.reserve(place, account, &actions, urgency, plan.job.as_str()) {
        Reservation::Granted => Ok(()),
        Reservation::Wait { bucket, until } => {
            let wait = until.saturating_duration_since(tokio::time::Instant::now());
            Err(Interrupted::Budget { bucket: bucket.to_string(), wait })
        }
    }
}
