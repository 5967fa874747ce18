//! One reconcile of one job: observe, decide, admit, act, conclude. It takes no input but the job, sleeps never and retries
//! nothing: what it could not finish, it says, and the queue decides when to look again.

use std::sync::Arc;

use ecs_etl_aws::Urgency;
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::decide::Decision;
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::observed::Observed;
use ecs_etl_plan::step::{Kind, Plan};
use ecs_etl_spec::job::Job;

use crate::act;
use crate::admit;
use crate::context::{Context, Interrupted};
use crate::former_prefix;
use crate::observe::{self, Homes, Trust};

/// What a reconcile found and did.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    /// What is true of the job now.
    pub verdict: Verdict,
    /// What was planned.
    pub plan: Plan,
    /// Operations that AWS confirmed.
    pub actions: Vec<&'static str>,
    /// Live state as last seen.
    pub observed: Observed,
    /// Why it stopped early.
    pub stopped: Option<Interrupted>,
}

/// Brings one job to its manifest. `trust` is how far bulk knowledge proves that nothing is to be done.
pub async fn reconcile(cx: &Context, job: &Arc<Job>, urgency: Urgency, trust: Trust) -> Result<Outcome, Interrupted> {
    let desired = cx.desired(job).await?;
    admit::turn(cx, &job.place, &job.name)?;
    let homes = Homes::of(cx, &desired);
    let mut likely = None;
    let put_off = async |facts: &Observed, plan: &Plan| {
        let queued = admit::queue(cx, &job.place, plan, priority(plan, urgency)).await;
        queued.inspect_err(|_| likely = Some((facts.clone(), plan.clone())))
    };
    let decide = |facts: &Observed| cx.decide(&desired, facts);
    let decided = observe::until_decided_unless(cx, &homes, urgency, trust, put_off, decide).await;
    let (mut observed, plan) = match (decided, likely) {
        (Ok(decided), _) => decided,
        (Err(stopped), Some((facts, plan))) => return Ok(Outcome::stopped(plan, facts, stopped)),
        (Err(stopped), None) => return Err(stopped),
    };
    let plan = former_prefix::hold(cx, &desired, plan, urgency).await?;
    if plan.steps.is_empty() {
        return Ok(Outcome::quiet(plan, observed));
    }
    let urgency = priority(&plan, urgency);
    if let Err(stopped) = admit::admit(cx, &desired, &observed, &plan, urgency).await {
        return Ok(Outcome::stopped(plan, observed, stopped));
    }
    let carried = act::carry_out(cx, &plan, &mut observed, urgency).await;
    Ok(conclude(cx, &desired, plan, observed, carried))
}

/// The priority of a plan's calls in the budget.
fn priority(plan: &Plan, urgency: Urgency) -> Urgency {
    if plan.kind == Kind::Create { Urgency::Create } else { urgency }
}

/// Decides once more on what the answers showed: only what is seen to hold is Ready.
fn conclude(cx: &Context, desired: &Desired, plan: Plan, observed: Observed, carried: act::Carried) -> Outcome {
    let verdict = match (&carried.stopped, cx.decide(desired, &observed)) {
        (Some(_), _) => progressing("some writes are still to come"),
        (None, Decision::Plan(after)) if after.steps.is_empty() => after.verdict,
        (None, Decision::Plan(_)) => progressing("live state still differs after the writes"),
        (None, Decision::Look(_)) => progressing("live state is to be read again"),
    };
    Outcome { verdict, plan, actions: carried.actions, observed, stopped: carried.stopped }
}

fn progressing(message: &str) -> Verdict {
    Verdict::Waiting(Reason::Progressing, message.to_owned(), None)
}

impl Outcome {
    /// Whether the job was found as it should be, without a write.
    pub fn is_quiet(&self) -> bool {
        self.plan.steps.is_empty() && matches!(self.verdict, Verdict::Ready(..))
    }

    fn quiet(plan: Plan, observed: Observed) -> Self {
        Self { verdict: plan.verdict.clone(), plan, actions: Vec::new(), observed, stopped: None }
    }

    fn stopped(plan: Plan, observed: Observed, stopped: Interrupted) -> Self {
        let verdict = progressing("some writes are still to come");
        Self { verdict, plan, actions: Vec::new(), observed, stopped: Some(stopped) }
    }
}
