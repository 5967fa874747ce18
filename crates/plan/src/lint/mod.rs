//! Checks a plan before it is carried out: that it breaks none of the promises, at no prefix.
//!
//! The lint knows nothing of how decisions are made. It takes the plan, what was observed, and what is wanted, and plays the
//! plan through on a model of rules and targets.

mod adoption;
mod model;
mod proof;

use std::borrow::Cow;

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, JobName, RuleName};

use crate::desired::{Desired, DesiredRule, Identity, TARGET_ID};
use crate::lower::names_rule;
use crate::observed::{Observed, RevisionArn, RuleState};
use crate::ownership::{self, Mark};
use crate::step::{Action, Plan, RevisionRef, Step};
use crate::tags;

/// A promise that a plan would break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A step refers to a revision that no earlier step registers.
    #[error("step {step} pins what no earlier step registers")]
    DanglingRevision {
        /// Index of the step.
        step: usize,
    },
    /// A step writes to a resource that was not proved to be ours.
    #[error("step {step} writes to {resource}, which is not proved to be ours")]
    Unproved {
        /// Index of the step.
        step: usize,
        /// The resource.
        resource: String,
    },
    /// A PutRule that leaves something to AWS's defaults.
    #[error("step {step} does not put the whole rule {rule}")]
    PartialRule {
        /// Index of the step.
        step: usize,
        /// The rule.
        rule: RuleName,
    },
    /// A rule that the job should have would be deleted.
    #[error("step {step} deletes the wanted rule {rule}")]
    DeletesWanted {
        /// Index of the step.
        step: usize,
        /// The rule.
        rule: RuleName,
    },
    /// A rule would be deleted before its targets are gone.
    #[error("step {step} deletes rule {rule}, which still has targets")]
    DeletesInUse {
        /// Index of the step.
        step: usize,
        /// The rule.
        rule: RuleName,
    },
    /// A revision that a target pins would be deregistered.
    #[error("step {step} deregisters {revision}, which a target pins")]
    DeregistersPinned {
        /// Index of the step.
        step: usize,
        /// The revision.
        revision: RevisionArn,
    },
    /// A target that is not ours would be written or removed.
    #[error("step {step} writes to target {id} of rule {rule}, which is not ours")]
    StrangersTarget {
        /// Index of the step.
        step: usize,
        /// The rule.
        rule: RuleName,
        /// Id of the target.
        id: String,
    },
    /// The job would run twice at a tick.
    #[error("after step {step} a tick of {rule} starts the job twice")]
    Doubled {
        /// Index of the step.
        step: usize,
        /// The rule.
        rule: RuleName,
    },
    /// An enabled rule would start nothing.
    #[error("after step {step} rule {rule} fires without a valid target of ours")]
    Dark {
        /// Index of the step.
        step: usize,
        /// The rule.
        rule: RuleName,
    },
    /// The plan does not lead to what it promises.
    #[error("at its end rule {rule} is not what the manifest says")]
    Unfinished {
        /// The rule.
        rule: RuleName,
    },
}

/// Whose plan it is, and what it may reach for.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    place: &'a Place,
    /// The mark of each family's resources: what bears the name of one and the mark of another is nobody's we know.
    marks: Vec<Mark<'a>>,
    families: Vec<&'a Family>,
    desired: Option<&'a Desired>,
}

impl<'a> Subject<'a> {
    /// A job that is converged.
    pub fn of(desired: &'a Desired) -> Self {
        let controller = desired.rule_tags.get(tags::CONTROLLER).map(String::as_str).unwrap_or_default();
        let former = desired.moved_from.as_ref();
        let jobs = [&desired.job, &desired.job].into_iter().chain(former.map(|former| &former.job));
        let families = [&desired.adoption.own, &desired.family].into_iter().chain(former.map(|former| &former.family));
        Self {
            place: &desired.place,
            marks: jobs.map(|job| Mark { controller, job: job.as_str() }).collect(),
            families: families.collect(),
            desired: Some(desired),
        }
    }

    /// A job that goes, or whose revisions are tidied.
    pub fn leaving(identity: &'a Identity, job: &'a JobName, family: &'a Family, place: &'a Place) -> Self {
        let marks = vec![Mark::new(&identity.controller, job)];
        Self { place, marks, families: vec![family], desired: None }
    }

    /// The rule of this name that the job should have.
    fn wanted(&self, place: &Place, rule: &RuleName) -> Option<&'a DesiredRule> {
        let desired = self.desired.filter(|_| place == self.place)?;
        desired.rules.iter().find(|wanted| wanted.name == *rule)
    }

    fn is_our_rule(&self, rule: &RuleName, tags: &tags::Tags) -> bool {
        let of_another_name = match self.desired {
            Some(desired) => desired.adoption.rules.contains(rule),
            // The job is gone, and its manifest with it: only the tags still say what it had taken over.
            None => true,
        };
        self.is_marked(tags, |family| of_another_name || names_rule(family, rule))
    }

    /// Whether a schedule bears one of the job's names; none is ever taken over.
    fn names_schedule(&self, rule: &RuleName) -> bool {
        self.families.iter().any(|family| names_rule(family, rule))
    }

    fn is_our_revision(&self, family: &str, tags: &tags::Tags) -> bool {
        let adopted = self.desired.is_none_or(|desired| desired.adoption.takes_family(family));
        self.is_marked(tags, |of| adopted || of.as_str() == family)
    }

    fn is_marked(&self, tags: &tags::Tags, bears_name: impl Fn(&Family) -> bool) -> bool {
        self.families.iter().zip(&self.marks).any(|(family, mark)| bears_name(family) && mark.is_on(tags))
    }
}

/// Every promise that the plan would break; a sound plan has none.
pub fn lint(plan: &Plan, subject: &Subject<'_>, observed: &Observed) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        violations.extend(shape(&plan.steps, index, step, subject, observed));
        violations.extend(proof::unproved(&plan.steps, index, step, subject, observed));
    }
    violations.extend(model::play(plan, subject, observed));
    violations
}

/// What can be seen from a step and those before it alone.
fn shape(steps: &[Step], index: usize, step: &Step, subject: &Subject<'_>, observed: &Observed) -> Option<Violation> {
    match &step.action {
        Action::PutRule { rule, trigger: _, state, description, .. } => {
            let known = matches!(state, RuleState::Enabled | RuleState::Disabled);
            let whole = known && !description.is_empty();
            (!whole).then(|| Violation::PartialRule { step: index, rule: rule.clone() })
        }
        Action::PutTargets { rule, target, revision } => {
            if let Some(RevisionRef::FromStep(from)) = revision
                && !registers(steps, *from, index, &step.place)
            {
                return Some(Violation::DanglingRevision { step: index });
            }
            let id = target.id.clone().unwrap_or_default();
            let before = steps.get(..index).unwrap_or_default();
            let ours = seen(subject, observed, &step.place)
                .map_or(TARGET_ID.to_owned(), |seen| adoption::our_target(before, &step.place, seen, rule));
            (id != ours).then(|| Violation::StrangersTarget { step: index, rule: rule.clone(), id })
        }
        Action::PutSchedule { rule, schedule, revision, create: _ } => {
            if let RevisionRef::FromStep(from) = revision
                && !registers(steps, *from, index, &step.place)
            {
                return Some(Violation::DanglingRevision { step: index });
            }
            let known = matches!(schedule.state, RuleState::Enabled | RuleState::Disabled);
            let whole = known && !schedule.description.is_empty() && rule.group().is_some();
            (!whole).then(|| Violation::PartialRule { step: index, rule: rule.clone() })
        }
        Action::DeleteRule { rule } | Action::DeleteSchedule { rule } => {
            // Of one whose moments are over nothing is wanted.
            let wanted = subject.wanted(&step.place, rule).filter(|wanted| !wanted.over);
            wanted.map(|_| Violation::DeletesWanted { step: index, rule: rule.clone() })
        }
        Action::RegisterTaskDefinition { .. }
        | Action::EnableRule { .. }
        | Action::DisableRule { .. }
        | Action::RemoveTargets { .. }
        | Action::CreateScheduleGroup { .. }
        | Action::TagRule { .. }
        | Action::UntagRule { .. }
        | Action::TagRevision { .. }
        | Action::UntagRevision { .. }
        | Action::DeregisterTaskDefinition { .. } => None,
    }
}

/// Whether the step `from`, which is to be before the step `before`, registers a revision in this place.
fn registers(steps: &[Step], from: usize, before: usize, place: &Place) -> bool {
    let step = steps.get(from).filter(|_| from < before);
    step.is_some_and(|step| matches!(step.action, Action::RegisterTaskDefinition { .. }) && step.place == *place)
}

/// The tags that prove whose a rule is; of a schedule, those of its group with what its description says.
fn proof_of<'a>(subject: &Subject<'_>, seen: &'a Observed, rule: &RuleName) -> Option<Cow<'a, tags::Tags>> {
    if rule.group().is_none() {
        return seen.rule_tags.get(rule).and_then(|fact| fact.known()).map(Cow::Borrowed);
    }
    let live = seen.rules.get(rule).and_then(|fact| fact.known()?.as_ref())?;
    let group = seen.group.known()?.as_ref()?;
    let bears_name = |(family, _): &(&&Family, &Mark<'_>)| names_rule(family, rule);
    let (_, mark) = subject.families.iter().zip(&subject.marks).find(bears_name)?;
    Some(Cow::Owned(ownership::of_schedule(group, live, mark.job)))
}

/// What was observed in one place.
fn seen<'a>(subject: &Subject<'_>, observed: &'a Observed, place: &Place) -> Option<&'a Observed> {
    if place == subject.place {
        return Some(observed);
    }
    observed.elsewhere.iter().find(|(other, _)| other == place).map(|(_, seen)| seen)
}
