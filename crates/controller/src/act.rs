//! Carries a plan out, step by step. The plan leaves no choice: this only substitutes revisions that earlier steps made.

use ecs_etl_aws::{Done, Urgency};
use ecs_etl_plan::observed::{Observed, RevisionArn};
use ecs_etl_plan::step::{Action, Plan, RevisionRef, Step};

use crate::context::{Context, Interrupted};
use crate::effect;
use crate::observe;

/// What became of a plan.
#[derive(Debug)]
#[must_use]
pub struct Carried {
    /// Operations that AWS confirmed, in order.
    pub actions: Vec<&'static str>,
    /// Why it stopped early, if it did. What was done before stays done, and every prefix of a plan is safe.
    pub stopped: Option<Interrupted>,
}

/// Does the steps of `plan` in order, and brings `facts` up to date with each answer.
pub async fn carry_out(cx: &Context, plan: &Plan, facts: &mut Observed, urgency: Urgency) -> Carried {
    let mut plan = plan.clone();
    cx.seams().plan(&mut plan);
    let plan = &plan;
    let mut made: Vec<Option<RevisionArn>> = vec![None; plan.steps.len()];
    let mut actions = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let pinned = match pinned(&step.action, &made) {
            Ok(pinned) => pinned,
            Err(stopped) => return Carried { actions, stopped: Some(stopped) },
        };
        if let Err(stopped) = cx.may_write() {
            return Carried { actions, stopped: Some(stopped) };
        }
        expect(cx, step);
        match cx.aws.act(&step.place, &step.action, pinned.as_ref(), urgency).await {
            Ok(done) => {
                if let (Done::Registered(revision), Some(slot)) = (&done, made.get_mut(index)) {
                    *slot = Some(revision.arn.clone());
                }
                actions.push(step.action.operation());
                note(cx, plan, step, pinned.as_ref(), &done, facts);
            }
            Err(error) => return Carried { actions, stopped: Some(error.into()) },
        }
    }
    Carried { actions, stopped: None }
}

/// What is about to be put may be there whatever comes of it, and what is about to be tagged may bear the tags or not: no answer is no
/// proof, and this future may be dropped under way. Should its job not want that any more next time, it is asked for all the same.
fn expect(cx: &Context, step: &Step) {
    match &step.action {
        Action::PutRule { rule, .. } | Action::PutSchedule { rule, .. } => cx.world().expect(&step.place, rule),
        Action::TagRevision { revision, .. } | Action::UntagRevision { revision, .. } => {
            cx.world().forget_revision(&step.place, revision);
        }
        Action::TagRule { arn, .. } | Action::UntagRule { arn, .. } => cx.world().doubt_tags(&step.place, arn),
        Action::RegisterTaskDefinition { .. }
        | Action::PutTargets { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::RemoveTargets { .. }
        | Action::DeleteRule { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::DeleteSchedule { .. }
        | Action::DeregisterTaskDefinition { .. } => {}
    }
}

fn pinned(action: &Action, made: &[Option<RevisionArn>]) -> Result<Option<RevisionArn>, Interrupted> {
    let revision = match action {
        Action::PutTargets { revision, .. } => revision.as_ref(),
        Action::PutSchedule { revision, .. } => Some(revision),
        Action::RegisterTaskDefinition { .. }
        | Action::PutRule { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::RemoveTargets { .. }
        | Action::DeleteRule { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::DeleteSchedule { .. }
        | Action::TagRule { .. }
        | Action::UntagRule { .. }
        | Action::TagRevision { .. }
        | Action::UntagRevision { .. }
        | Action::DeregisterTaskDefinition { .. } => None,
    };
    match revision {
        None => Ok(None),
        Some(RevisionRef::Existing(arn)) => Ok(Some(arn.clone())),
        Some(RevisionRef::FromStep(step)) => match made.get(*step).cloned().flatten() {
            Some(arn) => Ok(Some(arn)),
            None => Err(Interrupted::Refused(vec![format!("step {step} registers no revision to pin")])),
        },
    }
}

/// Brings facts and the world up to date at once, so that a crash of the next step's future loses no knowledge.
fn note(cx: &Context, plan: &Plan, step: &Step, pinned: Option<&RevisionArn>, done: &Done, facts: &mut Observed) {
    let elsewhere = facts.elsewhere.iter().position(|(place, _)| *place == step.place);
    match elsewhere.and_then(|index| facts.elsewhere.get_mut(index)) {
        Some((place, facts)) => {
            effect::apply(facts, &step.action, pinned, done);
            observe::learn(cx, place, facts, true);
        }
        None => {
            effect::apply(facts, &step.action, pinned, done);
            observe::learn(cx, &step.place, facts, true);
        }
    }
    tracing::debug!(job = %plan.job, operation = step.action.operation(), resource = step.action.resource(), "step done");
}
