//! A model of AWS small enough to be right at sight: rules, targets, revisions and their tags, in several places.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::condition::Verdict;
use ecs_etl_plan::decide::{Decision, Policy, decide, pinning};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lower::{described, group};
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{
    Fact, LiveRevision, LiveRule, LiveTiming, Look, Observed, Question, Questions, RevisionArn, RuleState,
};
use ecs_etl_plan::step::{Action, Plan, PutSchedule, RevisionRef, Step};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;
use jiff::Timestamp;

use crate::job::{ACCOUNT, identity};

/// A rule with its targets and tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub live: LiveRule,
    pub targets: BTreeMap<String, Target>,
    pub tags: Tags,
}

/// A revision, ACTIVE or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    pub live: LiveRevision,
    pub active: bool,
}

/// What AWS holds in one place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Region {
    pub rules: BTreeMap<RuleName, Rule>,
    pub revisions: BTreeMap<RevisionArn, Revision>,
    /// Tags of the controller's group of schedules, if there is one.
    pub group: Option<Tags>,
}

/// What AWS holds, and what the controller keeps in memory between decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    pub now: Timestamp,
    pub policy: Policy,
    pub regions: BTreeMap<Place, Region>,
}

/// What one reconcile did.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub looks: Vec<Look>,
    pub rounds: usize,
    pub plan: Plan,
    pub observed: Observed,
}

impl Done {
    /// Operations of the plan in order.
    pub fn operations(&self) -> Vec<&'static str> {
        self.plan.steps.iter().map(|step| step.action.operation()).collect()
    }
}

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

impl World {
    /// Nothing in AWS; it is noon.
    pub fn empty() -> Self {
        Self { now: at("2026-11-23T12:00:00Z"), policy: Policy::default(), regions: BTreeMap::new() }
    }

    /// A world in which the job has been converged.
    pub fn with(desired: &Desired) -> Self {
        let mut world = Self::empty();
        world.reconcile(desired);
        world
    }

    pub fn region(&mut self, place: &Place) -> &mut Region {
        self.regions.entry(place.clone()).or_default()
    }

    /// Decides with direct reads of everything, and carries the plan out.
    pub fn reconcile(&mut self, desired: &Desired) -> Done {
        let observed = self.found(desired);
        let done = self.decide(desired, observed);
        self.apply(&done.plan.steps);
        done
    }

    /// Decides, answering every question, without carrying the plan out.
    pub fn decide(&self, desired: &Desired, mut observed: Observed) -> Done {
        let mut looks = Vec::new();
        for rounds in 0..20 {
            match decide(desired, &observed, &self.policy, self.now) {
                Decision::Plan(plan) => return Done { looks, rounds, plan, observed },
                Decision::Look(questions) => {
                    assert!(!questions.is_empty(), "a decision that asks nothing");
                    looks.extend(questions.iter().map(|question| question.look.clone()));
                    self.answer(&desired.place, questions, &mut observed);
                }
            }
        }
        panic!("the decision never stops asking: {looks:?}");
    }

    /// What a sweep's lists leave behind: names of rules of the job here and elsewhere, nothing read.
    pub fn found(&self, desired: &Desired) -> Observed {
        let mut here = self.found_in(&desired.place, desired);
        for place in self.regions.keys().filter(|place| **place != desired.place) {
            let seen = self.found_in(place, desired);
            if !seen.rules.is_empty() {
                here.elsewhere.push((place.clone(), seen));
            }
        }
        here
    }

    fn found_in(&self, place: &Place, desired: &Desired) -> Observed {
        let mut observed = Observed::default();
        let families: Vec<&str> = std::iter::once(&desired.adoption.own)
            .chain(desired.moved_from.as_ref().map(|former| &former.family))
            .map(Family::as_str)
            .collect();
        let rules = self.regions.get(place).into_iter().flat_map(|region| region.rules.keys());
        for name in rules.filter(|name| {
            let own = families.contains(&name.as_str().rsplit_once('.').map_or(name.as_str(), |(base, _)| base));
            own || desired.adoption.rules.contains(*name)
        }) {
            observed.rules.insert(name.clone(), Fact::NotRead);
        }
        observed
    }

    /// What a warm controller knows of the job before it asks: everything but the targets.
    pub fn warm(&self, desired: &Desired) -> Observed {
        let mut observed = self.decide(desired, self.swept(desired)).observed;
        observed.targets.clear();
        observed
    }

    /// What a controller knows right after its first sweep: the lists.
    pub fn swept(&self, desired: &Desired) -> Observed {
        let mut observed = self.found(desired);
        let names: Vec<RuleName> =
            observed.rules.keys().cloned().chain(desired.rules.iter().map(|rule| rule.name.clone())).collect();
        let looks = names.into_iter().map(Look::Rule).chain([Look::Active(desired.family.clone())]);
        let questions = looks.map(|look| Question { elsewhere: None, look }).collect();
        self.answer(&desired.place, questions, &mut observed);
        observed
    }

    /// The same with older revisions in the cache: what an edit of the manifest finds.
    pub fn edited(&self, desired: &Desired) -> Observed {
        let mut observed = self.found(desired);
        let region = self.regions.get(&desired.place);
        for (arn, revision) in region.into_iter().flat_map(|region| &region.revisions) {
            observed.revisions.insert(arn.clone(), Fact::Known(Some(revision.live.clone())));
        }
        observed
    }

    /// Answers questions as AWS would.
    pub fn answer(&self, home: &Place, questions: Questions, observed: &mut Observed) {
        let empty = Region::default();
        for Question { elsewhere, look } in questions {
            let place = elsewhere.as_ref().unwrap_or(home);
            let region = self.regions.get(place).unwrap_or(&empty);
            let seen = match &elsewhere {
                None => &mut *observed,
                Some(place) => {
                    let mut others = observed.elsewhere.iter_mut();
                    others.find_map(|(other, seen)| (other == place).then_some(seen)).unwrap()
                }
            };
            region.answer(look, seen);
        }
    }

    /// Carries steps out, in order.
    pub fn apply(&mut self, steps: &[Step]) {
        let mut registered = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            let place = step.place.clone();
            if let Some(arn) = self.region(&place).apply(&place, &step.action, &registered) {
                registered.insert(index, arn);
            }
        }
    }
}

impl Region {
    fn answer(&self, look: Look, seen: &mut Observed) {
        match look {
            Look::Active(family) => {
                let arns = self.active(&family);
                seen.active.insert(family, Fact::Known(arns));
            }
            Look::Revision(arn) => {
                let live = self.revisions.get(&arn).map(|revision| revision.live.clone());
                seen.revisions.insert(arn, Fact::Known(live));
            }
            Look::Rule(name) => {
                let live = self.rules.get(&name).map(|rule| rule.live.clone());
                seen.rules.insert(name, Fact::Known(live));
            }
            Look::Targets(name) => {
                let targets = self.rules.get(&name).map(|rule| rule.targets.values().cloned().collect());
                seen.targets.insert(name, Fact::Known(targets.unwrap_or_default()));
            }
            Look::Group(_) => seen.group = Fact::Known(self.group.clone()),
            Look::RuleTags(name, arn) => {
                let rule = self.rules.get(&name);
                assert_eq!(rule.map(|rule| &rule.live.arn), Some(&arn));
                seen.rule_tags.insert(name, Fact::Known(rule.map(|rule| rule.tags.clone()).unwrap_or_default()));
            }
        }
    }

    /// ACTIVE revisions, newest first.
    pub fn active(&self, family: &Family) -> Vec<RevisionArn> {
        let active = self.revisions.values().filter(|revision| revision.active);
        let mut arns: Vec<RevisionArn> = active.map(|revision| revision.live.arn.clone()).collect();
        arns.retain(|arn| arn.family() == family.as_str());
        arns.reverse();
        arns
    }

    pub fn rule(&mut self, name: &str) -> &mut Rule {
        self.rules.get_mut(&self::name(name)).unwrap_or_else(|| panic!("no rule {name}"))
    }

    /// A schedule of EventBridge Scheduler.
    pub fn schedule(&mut self, name: &str) -> &mut Rule {
        self.rules.get_mut(&scheduled(name)).unwrap_or_else(|| panic!("no schedule {name}"))
    }

    /// Registers a revision, as anybody can.
    pub fn register(&mut self, place: &Place, family: &str, content: &TaskDefinition, tags: Tags) -> RevisionArn {
        let newest = self.revisions.keys().filter(|arn| arn.family() == family).map(RevisionArn::revision).max();
        let number = newest.unwrap_or(0) + 1;
        let arn = format!("arn:aws:ecs:{}:{ACCOUNT}:task-definition/{family}:{number}", place.region);
        let arn = RevisionArn::parse(&arn).unwrap();
        let live = LiveRevision { arn: arn.clone(), normal: normalise::task_definition(content), tags };
        self.revisions.insert(arn.clone(), Revision { live, active: true });
        arn
    }

    fn apply(
        &mut self,
        place: &Place,
        action: &Action,
        registered: &BTreeMap<usize, RevisionArn>,
    ) -> Option<RevisionArn> {
        match action {
            Action::RegisterTaskDefinition { family, task_definition, tags } => {
                return Some(self.register(place, family.as_str(), task_definition, tags.clone()));
            }
            Action::PutRule { rule, trigger, state, description, create, tags } => {
                assert!(self.rules.contains_key(rule) != *create, "{rule}");
                self.put_rule(
                    place,
                    LiveRule {
                        name: rule.clone(),
                        arn: format!("arn:aws:events:{}:{ACCOUNT}:rule/{rule}", place.region),
                        expression: trigger.expression().map(str::to_owned),
                        event_pattern: trigger.pattern().map(str::to_owned),
                        timing: None,
                        state: state.clone(),
                        description: Some(description.clone()),
                        role_arn: None,
                        managed_by: None,
                    },
                    tags.clone(),
                );
            }
            Action::EnableRule { rule } => self.rule(rule.as_str()).live.state = RuleState::Enabled,
            Action::DisableRule { rule } => self.rule(rule.as_str()).live.state = RuleState::Disabled,
            Action::PutTargets { rule, target, revision } => {
                let target = match revision {
                    None => (**target).clone(),
                    Some(RevisionRef::Existing(arn)) => pinning(target, arn.as_str()),
                    Some(RevisionRef::FromStep(step)) => pinning(target, registered[step].as_str()),
                };
                self.rule(rule.as_str()).targets.insert(target.id.clone().unwrap(), target);
            }
            Action::RemoveTargets { rule, ids } => {
                self.rule(rule.as_str()).targets.retain(|id, _| !ids.contains(id));
            }
            Action::DeleteRule { rule } => {
                assert!(self.rule(rule.as_str()).targets.is_empty(), "Rule can't be deleted since it has targets.");
                self.rules.remove(rule);
            }
            Action::CreateScheduleGroup { tags, .. } => assert_eq!(self.group.replace(tags.clone()), None),
            Action::PutSchedule { rule, schedule, create, revision } => {
                assert!(self.group.is_some() && self.rules.contains_key(rule) != *create, "{rule}");
                let target = match revision {
                    RevisionRef::Existing(arn) => pinning(&schedule.target, arn.as_str()),
                    RevisionRef::FromStep(step) => pinning(&schedule.target, registered[step].as_str()),
                };
                let live = live_schedule(place, rule, schedule);
                let tags = described(&schedule.description);
                let targets = BTreeMap::from([(target.id.clone().unwrap(), target)]);
                self.rules.insert(rule.clone(), Rule { live, targets, tags });
            }
            Action::DeleteSchedule { rule } => assert!(self.rules.remove(rule).is_some(), "{rule}"),
            Action::TagRule { arn, tags } => self.rule_by_arn(arn).tags.extend(tags.clone()),
            Action::UntagRule { arn, keys } => self.rule_by_arn(arn).tags.retain(|key, _| !keys.contains(key)),
            Action::TagRevision { revision, tags } => self.revision(revision).live.tags.extend(tags.clone()),
            Action::UntagRevision { revision, keys } => {
                self.revision(revision).live.tags.retain(|key, _| !keys.contains(key));
            }
            Action::DeregisterTaskDefinition { revision } => self.revision(revision).active = false,
        }
        None
    }

    /// Creates or replaces a rule; tags count at creation only.
    fn put_rule(&mut self, _place: &Place, live: LiveRule, tags: Tags) {
        match self.rules.get_mut(&live.name) {
            Some(rule) => rule.live = live,
            None => {
                self.rules.insert(live.name.clone(), Rule { live, targets: BTreeMap::new(), tags });
            }
        }
    }

    fn rule_by_arn(&mut self, arn: &str) -> &mut Rule {
        self.rules.values_mut().find(|rule| rule.live.arn == arn).unwrap()
    }

    pub fn revision(&mut self, arn: &RevisionArn) -> &mut Revision {
        self.revisions.get_mut(arn).unwrap()
    }
}

fn live_schedule(place: &Place, rule: &RuleName, schedule: &PutSchedule) -> LiveRule {
    let PutSchedule { timing, state, description, .. } = schedule;
    LiveRule {
        name: rule.clone(),
        arn: format!("arn:aws:scheduler:{}:{ACCOUNT}:schedule/{}/{rule}", place.region, rule.group().unwrap()),
        expression: Some(timing.schedule.expression().to_owned()),
        event_pattern: None,
        timing: Some(Box::new(LiveTiming {
            zone: timing.zone.to_string(),
            start: timing.start,
            end: timing.end,
            window_minutes: timing.window_minutes.map(i32::from),
            after_completion: Some("NONE".to_owned()),
            kms_key_arn: None,
        })),
        state: state.clone(),
        description: Some(description.clone()),
        role_arn: None,
        managed_by: None,
    }
}

/// Name of a rule.
pub fn name(name: &str) -> RuleName {
    RuleName::new(name).unwrap()
}

/// Name of a schedule in the controller's group.
pub fn scheduled(name: &str) -> RuleName {
    RuleName::in_group(&group(&identity("").controller).unwrap(), name).unwrap()
}

/// The reason of a verdict.
pub fn reason(verdict: &Verdict) -> ecs_etl_plan::condition::Reason {
    match verdict {
        Verdict::Ready(reason, _)
        | Verdict::Waiting(reason, _, _)
        | Verdict::Stalled(reason, _)
        | Verdict::Paused(reason, _) => *reason,
    }
}

/// How many distinct resources the looks ask for.
pub fn count(looks: &[Look]) -> usize {
    looks.iter().collect::<BTreeSet<_>>().len()
}
