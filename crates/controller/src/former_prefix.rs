//! What a change of the controller's prefix, or of `adopt`, leaves behind, here or where the job was before: rules of ours under
//! names that nothing asks for any more.
//!
//! They still fire. A job that were created beside them would run twice a tick, so it is not: it misses its new words rather
//! than doubles, and says so.

use std::collections::BTreeSet;

use ecs_etl_aws::{Answer, Urgency};
use ecs_etl_plan::condition::{Reason, Verdict};
use ecs_etl_plan::desired::{Desired, Identity};
use ecs_etl_plan::lower::{described, description_names};
use ecs_etl_plan::observed::{LiveRule, Look};
use ecs_etl_plan::ownership::Mark;
use ecs_etl_plan::step::{Action, Plan};
use ecs_etl_plan::tags;
use ecs_etl_spec::job::Place;
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
    let hints = Hints::of(cx, desired);
    for (place, job, rule) in hints.rules {
        if is_ours(cx, &place, job, &rule, urgency).await? {
            let message = format!(
                "rule {rule}{} runs this job under another name, and {} beside it would run it twice; if it was adopted, name it \
                 under `adopt.rules` again, or delete it away from its ticks; if the prefix changed, put it back, or remove \
                 what bears the old one (`drain: true` under the old prefix)",
                said_of(&place, desired),
                desired.adoption.own
            );
            return Ok(Plan::leave(&desired.job, Verdict::Stalled(Reason::LocationLost, message)));
        }
    }
    for (place, job, schedule) in hints.schedules {
        if says_ours(cx, &place, job, &schedule, urgency).await? {
            let message = format!(
                "schedule {schedule}{} runs this job under another prefix, and {} beside it would run it twice; put the prefix \
                 back, or remove what bears the old one (`drain: true` under the old prefix)",
                said_of(&place, desired),
                desired.adoption.own
            );
            return Ok(Plan::leave(&desired.job, Verdict::Stalled(Reason::LocationLost, message)));
        }
    }
    Ok(plan)
}

/// What may run a job, or the one it was before, and is not asked for, wherever sweeps show it.
struct Hints<'a> {
    rules: Vec<(Place, &'a JobName, RuleName)>,
    schedules: Vec<(Place, &'a JobName, RuleName)>,
}

impl<'a> Hints<'a> {
    fn of(cx: &Context, desired: &'a Desired) -> Self {
        let settings = cx.settings();
        let world = cx.world();
        let mut hints = Self { rules: Vec::new(), schedules: Vec::new() };
        let jobs = || std::iter::once(&desired.job).chain(desired.moved_from.as_ref().map(|former| &former.job));
        let wanted: BTreeSet<RuleName> = desired.rules.iter().map(|rule| rule.name.clone()).collect();
        // What bears these names in another place is found by them, and moves away from there.
        let names = jobs().filter_map(|job| world.names(&settings, &desired.place, job));
        let moves: BTreeSet<RuleName> = names.flat_map(|names| names.taken.rules).collect();
        for (place, job) in world.places().flat_map(|place| jobs().map(move |job| (place, job))) {
            let hinted = world.under_other_prefix(place, job).into_iter().map(|rule| rule.name);
            let is_asked_for = if *place == desired.place { &wanted } else { &moves };
            let taken = world.names(&settings, place, job).into_iter().flat_map(|names| names.taken.rules);
            let taken = taken.filter(|_| *place != desired.place);
            let rules: BTreeSet<RuleName> = hinted.chain(taken).collect();
            hints.rules.extend(rules.difference(is_asked_for).map(|rule| (place.clone(), job, rule.clone())));
            let schedules = world.schedules_under_other_prefix(place, job).into_iter();
            hints.schedules.extend(schedules.map(|schedule| (place.clone(), job, schedule)));
        }
        hints
    }
}

/// Where something is, if it is not where the job is.
fn said_of(place: &Place, desired: &Desired) -> String {
    match &place.assume_role_arn {
        _ if *place == desired.place => String::new(),
        Some(role) => format!(" in {} as {role} sees it", place.region),
        None => format!(" in {}", place.region),
    }
}

/// Whether a schedule in our group is there and says that it is the job's.
async fn says_ours(
    cx: &Context,
    place: &Place,
    job: &JobName,
    schedule: &RuleName,
    urgency: Urgency,
) -> Result<bool, Interrupted> {
    let identity = &cx.settings().identity;
    match cx.aws.look(place, &Look::Rule(schedule.clone()), urgency).await {
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
    place: &Place,
    job: &JobName,
    rule: &RuleName,
    urgency: Urgency,
) -> Result<bool, Interrupted> {
    let identity = &cx.settings().identity;
    let mark = Mark::new(&identity.controller, job);
    let look = |look| async move { cx.aws.look(place, &look, urgency).await };
    let live = match look(Look::Rule(rule.clone())).await {
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
