//! Reads what a decision hangs on, and no more: bulk knowledge first, and on a difference the key itself.

use std::collections::BTreeSet;

use ecs_etl_aws::{Answer, CallError, Urgency};
use ecs_etl_plan::condition::Verdict;
use ecs_etl_plan::decide::Decision;
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::failure::RetryClass;
use ecs_etl_plan::lower;
use ecs_etl_plan::observed::{Fact, Look, Observed, Question, Questions, RevisionArn};
use ecs_etl_plan::step::{Action, Plan, RevisionRef};
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{JobName, RuleName};
use ecs_etl_spec::shapes::events::Target;
use futures::future::join_all;

use crate::context::{Context, Interrupted};
use crate::presume::Presumption;
use crate::world::{Names, World};

/// Rounds of questions after which a decision counts as stuck. Four are enough for every path; more is a defect.
const MAX_ROUNDS: usize = 12;

/// Where one job's resources may be: its place first, then places it no longer lives in.
#[derive(Debug, Clone)]
pub struct Homes {
    place: Place,
    names: Vec<Names>,
    wanted: Vec<RuleName>,
    elsewhere: Vec<Place>,
    presumption: Option<Presumption>,
}

impl Homes {
    /// Those of a job that is wanted: under its name and the one it had before, here and wherever sweeps found it.
    pub fn of(cx: &Context, desired: &Desired) -> Self {
        let former = desired.moved_from.as_ref().map(|former| &former.job);
        let settings = cx.settings();
        let mut world = cx.world();
        if let Some(taken) = settings.adopted.get(&desired.job) {
            world.adopt(&desired.place, &desired.job, taken);
        }
        let names: Vec<Names> = std::iter::once(&desired.job)
            .chain(former)
            .filter_map(|job| world.names(&settings, &desired.place, job))
            .collect();
        let elsewhere = world
            .places()
            .filter(|place| **place != desired.place && !world.rule_names(place, &names).is_empty())
            .cloned()
            .collect();
        let presumption = names.first().and_then(|names| Presumption::of(&world, desired, names));
        drop(world);
        let wanted = desired.rules.iter().map(|rule| rule.name.clone()).collect();
        Self { place: desired.place.clone(), names, wanted, elsewhere, presumption }
    }

    /// Those of a job that is not wanted any more in `place`.
    pub fn left_behind(cx: &Context, place: &Place, job: &JobName) -> Self {
        let mut names = cx.names(place, job);
        if let Some(names) = &mut names {
            names.taken.rules.extend(cx.world().under_other_prefix(place, job).into_iter().map(|rule| rule.name));
        }
        let names = names.into_iter().collect();
        Self { place: place.clone(), names, wanted: Vec::new(), elsewhere: Vec::new(), presumption: None }
    }

    /// Nothing read yet but what cannot change, with every known name still to be asked for.
    fn unread(&self, world: &World) -> Observed {
        let at = |place: &Place| Observed {
            revisions: world.known_revisions(place, &self.names),
            rules: world.rule_names(place, &self.names).into_iter().map(|name| (name, Fact::NotRead)).collect(),
            ..Observed::default()
        };
        let elsewhere = self.elsewhere.iter().map(|place| (place.clone(), at(place))).collect();
        let mut here = Observed { elsewhere, ..at(&self.place) };
        // What was taken over bears no prefix by which a list would show it.
        for names in self.names.iter().filter(|names| !names.taken.is_empty()) {
            here.rules.extend(names.taken.rules.iter().map(|rule| (rule.clone(), Fact::NotRead)));
            here.active.extend(names.taken.families.iter().map(|family| (family.clone(), Fact::NotRead)));
        }
        here
    }

    /// What was read, with the gaps filled from the sweeps.
    fn bulk(&self, world: &World, fresh: &Observed) -> Observed {
        let elsewhere = fresh
            .elsewhere
            .iter()
            .map(|(place, facts)| (place.clone(), world.bulk(place, &self.names, &[], facts)))
            .collect();
        Observed { elsewhere, ..world.bulk(&self.place, &self.names, &self.wanted, fresh) }
    }
}

/// How far bulk knowledge is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// For a look that writes nothing: a plan may rest on the sweeps.
    Bulk,
    /// Bulk knowledge proves silence, it never justifies a write: a plan with steps rests on direct reads alone.
    BulkForSilence,
    /// The same, and until the rotation reads the tags of a rule they are taken for granted: for a process that goes on.
    Presumed,
    /// Bulk knowledge shows where to look and proves nothing, not even silence: for words that are younger than the lists. What
    /// somebody did to the job before they came is in no list yet, and who wrote them waits.
    ForDifferences,
    /// Direct reads alone.
    Direct,
}

/// Asks AWS until `decide` has a plan.
pub async fn until_decided(
    cx: &Context,
    homes: &Homes,
    urgency: Urgency,
    trust: Trust,
    decide: impl FnMut(&Observed) -> Decision,
) -> Result<(Observed, Plan), Interrupted> {
    until_decided_unless(cx, homes, urgency, trust, async |_, _| Ok(()), decide).await
}

/// The same, unless `put_off` stops it when bulk knowledge shows a difference, before anything is read directly for that.
pub async fn until_decided_unless(
    cx: &Context,
    homes: &Homes,
    urgency: Urgency,
    trust: Trust,
    put_off: impl AsyncFnOnce(&Observed, &Plan) -> Result<(), Interrupted>,
    mut decide: impl FnMut(&Observed) -> Decision,
) -> Result<(Observed, Plan), Interrupted> {
    let mut put_off = Some(put_off);
    let mut fresh = homes.unread(&cx.world());
    let mut direct = trust == Trust::Direct;
    let mut remembered = revisions(&fresh);
    for _ in 0..MAX_ROUNDS {
        let mut view = if direct { fresh.clone() } else { homes.bulk(&cx.world(), &fresh) };
        let presumption = homes.presumption.as_ref().filter(|_| trust == Trust::Presumed && !direct);
        let presumed = presumption.map(|presumption| presumption.fill(&mut view)).unwrap_or_default();
        match decide(&view) {
            Decision::Look(questions) => ask(cx, &homes.place, &questions, &mut fresh, urgency).await?,
            Decision::Plan(plan) if trust == Trust::Bulk || is_silence(&plan, trust, direct) => {
                let taken = presumed.into_iter().filter_map(|rule| view.rule_tags.get_key_value(&rule));
                fresh.rule_tags.extend(taken.map(|(rule, tags)| (rule.clone(), tags.clone())));
                learn(cx, &homes.place, &fresh, false);
                return Ok((view, plan));
            }
            Decision::Plan(plan) if direct => {
                // A revision's content never changes, so it is remembered; its tags may, so before one is written to, or pinned
                // again, they are read again.
                let doubtful = written_to(&plan, &homes.place, &fresh, &mut remembered);
                if doubtful.is_empty() {
                    learn(cx, &homes.place, &fresh, false);
                    return Ok((view, plan));
                }
                ask(cx, &homes.place, &doubtful, &mut fresh, urgency).await?;
            }
            // Lists may lag: a difference seen in them is read again before anything is written.
            Decision::Plan(plan) => {
                if let Some(put_off) = put_off.take() {
                    put_off(&view, &plan).await?;
                }
                direct = true;
            }
        }
    }
    Err(Interrupted::Undecided)
}

/// Whether there is nothing to do, for certain. That a job is as it should be may rest on bulk knowledge; that something keeps us
/// from it, a mark of somebody else's or a person's word, is read again: it may have gone since, and an edit would wait for it.
fn is_silence(plan: &Plan, trust: Trust, direct: bool) -> bool {
    let by_lists = trust != Trust::ForDifferences && matches!(plan.verdict, Verdict::Ready(..));
    plan.steps.is_empty() && (direct || by_lists)
}

fn revisions(facts: &Observed) -> BTreeSet<RevisionArn> {
    let elsewhere = facts.elsewhere.iter().flat_map(|(_, facts)| facts.revisions.keys());
    facts.revisions.keys().chain(elsewhere).cloned().collect()
}

/// Questions for the `remembered` revisions that a plan writes to, or has something start that did not: one that was replaced bears a
/// mark that must not stay. Each is asked for once.
fn written_to(plan: &Plan, home: &Place, facts: &Observed, remembered: &mut BTreeSet<RevisionArn>) -> Questions {
    let pins = |target: &Target, arn: &RevisionArn| {
        target.ecs_parameters.as_ref().and_then(|ecs| ecs.task_definition_arn.as_deref()) == Some(arn.as_str())
    };
    let is_pinned =
        |arn: &RevisionArn| facts.targets.values().filter_map(Fact::known).flatten().any(|target| pins(target, arn));
    let revision = |action: &Action| match action {
        Action::TagRevision { revision, .. }
        | Action::UntagRevision { revision, .. }
        | Action::DeregisterTaskDefinition { revision } => Some(revision.clone()),
        Action::PutTargets { revision: Some(RevisionRef::Existing(arn)), .. }
        | Action::PutSchedule { revision: RevisionRef::Existing(arn), .. } => {
            Some(arn.clone()).filter(|arn| !is_pinned(arn))
        }
        Action::RegisterTaskDefinition { .. }
        | Action::PutRule { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::PutTargets { .. }
        | Action::RemoveTargets { .. }
        | Action::DeleteRule { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::PutSchedule { .. }
        | Action::DeleteSchedule { .. }
        | Action::TagRule { .. }
        | Action::UntagRule { .. } => None,
    };
    let question = |(place, arn): (&Place, RevisionArn)| Question {
        elsewhere: (place != home).then(|| place.clone()),
        look: Look::Revision(arn),
    };
    let written = plan.steps.iter().filter_map(|step| Some((&step.place, revision(&step.action)?)));
    written.filter(|(_, arn)| remembered.remove(arn)).map(question).collect()
}

/// Answers `questions` into `facts`, all at once.
pub async fn ask(
    cx: &Context,
    home: &Place,
    questions: &Questions,
    facts: &mut Observed,
    urgency: Urgency,
) -> Result<(), Interrupted> {
    let calls = questions.iter().map(|question| async move {
        let place = question.elsewhere.as_ref().unwrap_or(home);
        (question, cx.aws.look(place, &question.look, urgency).await)
    });
    for (question, answer) in join_all(calls).await {
        let target = match &question.elsewhere {
            None => &mut *facts,
            Some(place) => match facts.elsewhere.iter_mut().find(|(at, _)| at == place) {
                Some((_, facts)) => facts,
                None => return Err(Interrupted::Undecided),
            },
        };
        record(target, question, answer)?;
    }
    Ok(())
}

fn record(facts: &mut Observed, question: &Question, answer: Result<Answer, CallError>) -> Result<(), Interrupted> {
    let unreadable = match &answer {
        Ok(_) => None,
        // What may not be read stays unread, and nothing is written on the strength of it; what may be read later is retried.
        Err(CallError::Failed(failure)) if matches!(failure.class, RetryClass::Slow | RetryClass::Terminal) => {
            Some(failure.to_string())
        }
        Err(_) => None,
    };
    match (&question.look, unreadable) {
        (Look::Revision(arn), Some(why)) => {
            facts.revisions.insert(arn.clone(), Fact::Unreadable(why));
            return Ok(());
        }
        (Look::RuleTags(rule, _), Some(why)) => {
            facts.rule_tags.insert(rule.clone(), Fact::Unreadable(why));
            return Ok(());
        }
        (Look::Group(_), Some(why)) => {
            facts.group = Fact::Unreadable(why);
            return Ok(());
        }
        (Look::Active(_) | Look::Rule(_) | Look::Targets(_), _) | (_, None) => {}
    }
    match (&question.look, answer?) {
        (Look::Active(family), Answer::Active(arns)) => {
            facts.active.insert(family.clone(), Fact::Known(arns));
        }
        (Look::Revision(arn), Answer::Revision(revision)) => {
            facts.revisions.insert(arn.clone(), Fact::Known(revision));
        }
        (Look::Rule(name), Answer::Rule(rule)) => {
            facts.rules.insert(name.clone(), Fact::Known(rule));
        }
        (Look::Targets(name), Answer::Targets(targets)) => {
            facts.targets.insert(name.clone(), Fact::Known(targets));
        }
        (Look::RuleTags(name, _), Answer::RuleTags(tags)) => {
            facts.rule_tags.insert(name.clone(), Fact::Known(tags));
        }
        (Look::Rule(name) | Look::Targets(name), Answer::Schedule(found)) => {
            let (live, targets) = match found {
                Some(found) => (Some(found.0), vec![found.1]),
                None => (None, Vec::new()),
            };
            facts.rules.insert(name.clone(), Fact::Known(live));
            facts.targets.insert(name.clone(), Fact::Known(targets));
        }
        (Look::Group(_), Answer::Group(tags)) => facts.group = Fact::Known(tags),
        (
            Look::Active(_)
            | Look::Revision(_)
            | Look::Rule(_)
            | Look::Targets(_)
            | Look::RuleTags(..)
            | Look::Group(_),
            Answer::Active(_)
            | Answer::Revision(_)
            | Answer::Rule(_)
            | Answer::Targets(_)
            | Answer::RuleTags(_)
            | Answer::Schedule(_)
            | Answer::Group(_),
        ) => return Err(Interrupted::Undecided),
    }
    Ok(())
}

/// Remembers facts of every place they came from.
pub fn learn(cx: &Context, home: &Place, facts: &Observed, wrote: bool) {
    let now = cx.clock.now();
    let everywhere =
        || std::iter::once((home, facts)).chain(facts.elsewhere.iter().map(|(place, facts)| (place, facts)));
    let mut world = cx.world();
    everywhere().for_each(|(place, facts)| world.learn(place, facts, wrote, now));
    drop(world);
    let grouped = everywhere().filter(|(_, facts)| matches!(facts.group, Fact::Known(Some(_))));
    if let Ok(group) = lower::group(&cx.settings().identity.controller) {
        grouped.for_each(|(place, _)| cx.saw_group(place, &group));
    }
}
