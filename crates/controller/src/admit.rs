//! What stands between a plan and AWS: the plan's own rules, the bound on changes, the lease, the call budget.

use std::time::Duration;

use ecs_etl_aws::{Bucket, Reservation, Urgency};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::step::{Kind, Plan};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{AccountId, Family, JobName};
use tokio::time::Instant;

use crate::context::{Context, Interrupted};

/// A turn so near is waited for before the job is read. Coming back for it would cost no more, but later.
const NEAR: Duration = Duration::from_secs(2);

/// What was read stays fresh for so long. Whose turn comes later is read again then: somebody else may have written meanwhile.
const FRESH: Duration = Duration::from_millis(100);

/// Stops a job that waits for the call budget and whose turn is still to come, before anything is read for it again.
pub fn turn(cx: &Context, place: &Place, job: &JobName) -> Result<(), Interrupted> {
    match cx.aws.turn(place, job.as_str()) {
        Some((bucket, until)) if until.saturating_duration_since(Instant::now()) > NEAR => {
            Err(later(cx, bucket, until))
        }
        Some(_) | None => Ok(()),
    }
}

/// Waits for the turn of the plan that the lists show, or stops the job if that is not near, before anything is read directly: what
/// is read then is written upon at once.
///
/// Where changes are counted, each job is read first: lists may lag, and one that seems to change would count for nothing.
pub async fn queue(cx: &Context, place: &Place, plan: &Plan, urgency: Urgency) -> Result<(), Interrupted> {
    if cx.settings().max_changes.is_some() || cx.may_write().is_err() {
        return Ok(());
    }
    let actions: Vec<_> = plan.steps.iter().map(|step| &step.action).collect();
    let ticket = ticket(plan);
    let patience = Instant::now() + NEAR;
    while let Some((bucket, until)) = cx.aws.queue(place, &actions, urgency, &ticket) {
        if until > patience {
            return Err(later(cx, bucket, until));
        }
        tokio::time::sleep_until(until).await;
    }
    Ok(())
}

/// Lets a plan through, or says why not now.
pub async fn admit(
    cx: &Context,
    desired: &Desired,
    observed: &Observed,
    plan: &Plan,
    urgency: Urgency,
) -> Result<(), Interrupted> {
    sound(plan, &Subject::of(desired), observed)?;
    match plan.kind {
        Kind::Change | Kind::Move => cx.gate().admit(&plan.job, &desired.observed_spec)?,
        Kind::Create => cx.gate().creates(&plan.job, &desired.observed_spec),
        Kind::None | Kind::Remove | Kind::CleanUp => {}
    }
    reserve(cx, &desired.place, &desired.account, plan, urgency).await
}

/// Lets a plan through that takes away what is a job's in a place: a job that goes, or revisions that nothing wants any more.
pub async fn leave(
    cx: &Context,
    (place, family): (&Place, &Family),
    observed: &Observed,
    plan: &Plan,
    urgency: Urgency,
) -> Result<(), Interrupted> {
    let settings = cx.settings();
    sound(plan, &Subject::leaving(&settings.identity, &plan.job, family, place), observed)?;
    let account = cx.account(place).await?;
    reserve(cx, place, &account, plan, urgency).await
}

/// The plan's own rules: one that breaks them is a defect, and is not carried out.
fn sound(plan: &Plan, subject: &Subject<'_>, observed: &Observed) -> Result<(), Interrupted> {
    let violations = lint(plan, subject, observed);
    if violations.is_empty() {
        return Ok(());
    }
    Err(Interrupted::Refused(violations.iter().map(ToString::to_string).collect()))
}

async fn reserve(
    cx: &Context,
    place: &Place,
    account: &AccountId,
    plan: &Plan,
    urgency: Urgency,
) -> Result<(), Interrupted> {
    if !plan.steps.is_empty() {
        cx.may_write()?;
    }
    let actions: Vec<_> = plan.steps.iter().map(|step| &step.action).collect();
    let ticket = ticket(plan);
    let patience = Instant::now() + FRESH;
    loop {
        match cx.aws.reserve(place, account, &actions, urgency, &ticket) {
            Reservation::Granted => return Ok(()),
            Reservation::Wait { until, .. } if until <= patience => tokio::time::sleep_until(until).await,
            Reservation::Wait { bucket, until } => return Err(later(cx, bucket, until)),
        }
    }
}

/// The ticket under which a plan waits: a job's clean-up has one of its own, or it would lose its place to the job's next
/// look.
fn ticket(plan: &Plan) -> String {
    match plan.kind {
        Kind::CleanUp => format!("clean-up {}", plan.job),
        Kind::None | Kind::Create | Kind::Change | Kind::Move | Kind::Remove => plan.job.to_string(),
    }
}

fn later(cx: &Context, bucket: Bucket, until: Instant) -> Interrupted {
    let wait = until.saturating_duration_since(Instant::now());
    let expected = cx.clock.now().saturating_add(wait).unwrap_or(cx.clock.now());
    Interrupted::Budget { bucket: bucket.to_string(), wait, expected }
}
