//! The writes that bring one rule and its target to what they should be.
//!
//! The order within a rule keeps every prefix safe: a rule that fires never has two targets of ours by our making, and is
//! without a valid one only while it is being created.

use ecs_etl_spec::name::RuleName;
use ecs_etl_spec::schedule::Timing;
use ecs_etl_spec::shapes::events::Target;

use super::adopt;
use super::draft::Draft;
use super::see::Ours;
use super::survey::Wanted;
use super::targets::{pinning, task_definition};
use crate::compare;
use crate::desired::{Desired, DesiredRule, Effect, TARGET_ID, Trigger};
use crate::normalise::FieldChange;
use crate::observed::{RevisionArn, RuleState};
use crate::step::{Action, Because, PutSchedule, RevisionRef};

/// What every rule of the job is brought to.
pub(crate) struct Goal<'a> {
    pub desired: &'a Desired,
    pub pins: RevisionRef,
    /// ACTIVE revisions: a target that pins another does not work.
    pub active: &'a [RevisionArn],
    /// Rules that do not fire yet must not, until others have stopped.
    pub hold: bool,
    /// Rules that the plan has stopped already.
    pub stopped: Vec<RuleName>,
}

/// How far a rule that fires is from having exactly one working target of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firing {
    /// It does not fire.
    No,
    /// It fires, and no stray stands beside our target.
    Clean,
    /// Our target works; strays beside it run the job twice.
    WithStrays,
    /// Strays run the job; our target is missing or broken. Putting it would make two.
    StraysOnly,
}

impl Goal<'_> {
    /// Adds what `wanted` needs. What must wait for others to stop is left to [`Goal::release`].
    pub fn converge(&self, wanted: &Wanted<'_>, draft: &mut Draft<'_>) {
        let rule = wanted.desired;
        if let Trigger::Timed(timing) = &rule.trigger {
            return self.schedule(wanted, timing, draft);
        }
        let Some(live) = &wanted.live else { return self.create(rule, draft) };
        let firing = self.firing(rule, live);
        if !rule.enabled {
            self.write_rule(rule, live, firing, draft);
            self.put_target(rule, live, draft);
            return remove_strays(&rule.name, live, draft);
        }
        match firing {
            Firing::Clean if self.works(rule, live) => {
                self.put_target(rule, live, draft);
                self.write_rule(rule, live, firing, draft);
            }
            // Nothing starts yet: the schedule is put right before anything can start by a wrong one.
            Firing::Clean => {
                self.write_rule(rule, live, firing, draft);
                self.put_target(rule, live, draft);
            }
            Firing::WithStrays => {
                remove_strays(&rule.name, live, draft);
                self.put_target(rule, live, draft);
                self.write_rule(rule, live, firing, draft);
            }
            Firing::StraysOnly => {
                let why = "no moment with two targets that start the job".to_owned();
                draft.push(Action::DisableRule { rule: rule.name.clone() }, Because::Note(why));
                self.put_target(rule, live, draft);
                remove_strays(&rule.name, live, draft);
                self.write_rule(rule, live, Firing::No, draft);
            }
            Firing::No => {
                self.put_target(rule, live, draft);
                remove_strays(&rule.name, live, draft);
                if !self.hold {
                    self.write_rule(rule, live, firing, draft);
                }
            }
        }
    }

    /// Adds what a held rule still needs once the others have stopped.
    pub fn release(&self, wanted: &Wanted<'_>, draft: &mut Draft<'_>) {
        let rule = wanted.desired;
        if let Trigger::Timed(timing) = &rule.trigger {
            let fires = wanted.live.as_ref().is_some_and(|live| self.firing(rule, live) != Firing::No);
            if rule.enabled && !rule.over && !fires {
                let why = "what it replaces does not fire any more".to_owned();
                draft.push(self.put_schedule(rule, timing, false, RuleState::Enabled), Because::Note(why));
            }
            return;
        }
        match &wanted.live {
            _ if !rule.enabled => {}
            None => {
                let why = "what it replaces does not fire any more".to_owned();
                draft.push(Action::EnableRule { rule: rule.name.clone() }, Because::Note(why));
            }
            Some(live) if self.firing(rule, live) == Firing::No => self.write_rule(rule, live, Firing::No, draft),
            Some(_) => {}
        }
    }

    /// Whether our target does something: it tells somebody, or pins a revision that can run.
    fn works(&self, rule: &DesiredRule, live: &Ours<'_>) -> bool {
        match rule.effect {
            Effect::Run => live.split.pinned().is_some_and(|arn| self.active.contains(&arn)),
            Effect::Notify(_) => live.split.ours.is_some(),
        }
    }

    /// How the rule fires now.
    pub fn firing(&self, rule: &DesiredRule, live: &Ours<'_>) -> Firing {
        let fires = live.live.state.may_fire() && !self.stopped.contains(&live.live.name);
        match (fires, live.split.strays.is_empty()) {
            (false, _) => Firing::No,
            (true, true) => Firing::Clean,
            (true, false) if self.works(rule, live) => Firing::WithStrays,
            (true, false) => Firing::StraysOnly,
        }
    }

    /// A schedule of EventBridge Scheduler: one write puts all of it, its target too, so that there is no order to keep.
    fn schedule(&self, wanted: &Wanted<'_>, timing: &Timing, draft: &mut Draft<'_>) {
        let rule = wanted.desired;
        if rule.over {
            return self.end(wanted, draft);
        }
        let state = |enabled: bool| if enabled { RuleState::Enabled } else { RuleState::Disabled };
        let Some(live) = &wanted.live else {
            let state = state(rule.enabled && !self.hold);
            draft.push(self.put_schedule(rule, timing, true, state), Because::Missing);
            return;
        };
        let fires = self.firing(rule, live) != Firing::No;
        // One that does not fire yet must not, until others have stopped.
        let state = state(rule.enabled && (fires || !self.hold));
        let mut changes = compare::rule(rule, live.live);
        changes.extend(compare::timing(rule, live.live));
        changes.extend(live.split.ours.map(|target| self.target_changes(rule, TARGET_ID, target)).unwrap_or_default());
        let differs = !changes.is_empty();
        changes.extend(compare::state(&state, &live.live.state));
        let stopped = self.stopped.contains(&rule.name);
        if !differs && !stopped && live.live.state == state {
            return;
        }
        let because = if changes.is_empty() {
            Because::Note("what had its trigger does not fire any more".to_owned())
        } else {
            Because::Differs(changes)
        };
        draft.push(self.put_schedule(rule, timing, false, state), because);
    }

    /// A schedule of which no moment is left, which Scheduler would not take any more. What is there fires at others: it goes.
    fn end(&self, wanted: &Wanted<'_>, draft: &mut Draft<'_>) {
        let rule = wanted.desired;
        let Some(live) = wanted.live.as_ref().filter(|live| self.firing(rule, live) != Firing::No) else { return };
        let others = compare::moments(rule, live.live);
        if !others.is_empty() {
            draft.push(Action::DeleteSchedule { rule: rule.name.clone() }, Because::Differs(others));
        }
    }

    /// The write of a whole schedule.
    pub fn put_schedule(&self, rule: &DesiredRule, timing: &Timing, create: bool, state: RuleState) -> Action {
        let mut timing = timing.clone();
        // Scheduler refuses one that is over.
        timing.start = timing.start.filter(|_| !rule.begun);
        Action::PutSchedule {
            rule: rule.name.clone(),
            schedule: Box::new(PutSchedule {
                timing,
                state,
                description: rule.description.clone(),
                target: self.desired.target_of(&rule.name).clone(),
            }),
            create,
            revision: self.pins.clone(),
        }
    }

    fn create(&self, rule: &DesiredRule, draft: &mut Draft<'_>) {
        let enabled = rule.enabled && !self.hold;
        let put = Action::PutRule {
            rule: rule.name.clone(),
            trigger: rule.trigger.clone(),
            state: if enabled { RuleState::Enabled } else { RuleState::Disabled },
            description: rule.description.clone(),
            create: true,
            tags: self.desired.rule_tags.clone(),
        };
        draft.push(put, Because::Missing);
        draft.push(self.targets(rule, TARGET_ID), Because::Missing);
    }

    /// The rule itself: whole if a field differs (PutRule resets what it is not given), one word if only its state does.
    fn write_rule(&self, rule: &DesiredRule, live: &Ours<'_>, firing: Firing, draft: &mut Draft<'_>) {
        let state = if rule.enabled { RuleState::Enabled } else { RuleState::Disabled };
        let mut changes = compare::rule(rule, live.live);
        let fires = firing != Firing::No;
        let whole = !changes.is_empty() || matches!(live.live.state, RuleState::Other(_));
        changes.extend(compare::state(&state, &live.live.state));
        let name = rule.name.clone();
        let action = if whole {
            let (trigger, description) = (rule.trigger.clone(), rule.description.clone());
            let tags = adopt::rule_tags(self.desired, live);
            Action::PutRule { rule: name, trigger, state, description, create: false, tags }
        } else if fires == rule.enabled {
            return;
        } else if rule.enabled {
            Action::EnableRule { rule: name }
        } else {
            Action::DisableRule { rule: name }
        };
        let because = if changes.is_empty() {
            Because::Note("its target is the only one that starts the job again".to_owned())
        } else {
            Because::Differs(changes)
        };
        draft.push(action, because);
    }

    fn put_target(&self, rule: &DesiredRule, live: &Ours<'_>, draft: &mut Draft<'_>) {
        let because = match live.split.ours {
            None => Because::Missing,
            Some(target) => match self.target_changes(rule, &live.split.id, target) {
                changes if changes.is_empty() => return,
                changes => Because::Differs(changes),
            },
        };
        draft.push(self.targets(rule, &live.split.id), because);
    }

    fn target_changes(&self, rule: &DesiredRule, id: &str, live: &Target) -> Vec<FieldChange> {
        if let Effect::Notify(target) = &rule.effect {
            return compare::target(target, live);
        }
        let target = self.target(rule, id);
        match &self.pins {
            RevisionRef::Existing(arn) => compare::target(&pinning(&target, arn.as_str()), live),
            RevisionRef::FromStep(_) => {
                let pinned = task_definition(live);
                let same = pinned.map_or_else(|| target.clone(), |arn| pinning(&target, arn));
                let mut changes = compare::target(&same, live);
                let path = "EcsParameters.TaskDefinitionArn";
                changes.retain(|change| change.path != path);
                changes.push(compare::text(path, pinned, Some("the new revision")));
                changes
            }
        }
    }

    /// The target that starts the job, under the Id that ours has on the rule.
    fn target(&self, rule: &DesiredRule, id: &str) -> Target {
        Target { id: Some(id.to_owned()), ..self.desired.target_of(&rule.name).clone() }
    }

    fn targets(&self, rule: &DesiredRule, id: &str) -> Action {
        let (target, revision) = match &rule.effect {
            Effect::Run => (Box::new(self.target(rule, id)), Some(self.pins.clone())),
            Effect::Notify(target) => (target.clone(), None),
        };
        Action::PutTargets { rule: rule.name.clone(), target, revision }
    }
}

fn remove_strays(rule: &RuleName, live: &Ours<'_>, draft: &mut Draft<'_>) {
    if live.split.strays.is_empty() {
        return;
    }
    let why = "it starts the job a second time at each tick".to_owned();
    let ids = live.split.strays.clone();
    draft.push(Action::RemoveTargets { rule: rule.clone(), ids }, Because::Note(why));
}
