//! What a write that worked changes in what we know, so that a stale read right after it misleads nobody.

use ecs_etl_aws::Done;
use ecs_etl_plan::observed::{Fact, LiveRule, LiveTiming, Observed, RevisionArn, RuleState};
use ecs_etl_plan::step::{Action, PutSchedule};
use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::events::{EcsParameters, Target};

/// Applies `action`, which AWS answered with `done`, to the facts of one place.
///
/// `pinned` is the revision that a PutTargets named.
pub fn apply(observed: &mut Observed, action: &Action, pinned: Option<&RevisionArn>, done: &Done) {
    match action {
        Action::RegisterTaskDefinition { family, .. } => {
            if let Done::Registered(revision) = done {
                let active = observed.active.entry(family.clone()).or_insert(Fact::Known(Vec::new()));
                if let Fact::Known(list) = active {
                    list.insert(0, revision.arn.clone());
                }
                observed.revisions.insert(revision.arn.clone(), Fact::Known(Some(revision.clone())));
            }
        }
        Action::PutRule { rule, trigger, state, description, create: _, tags } => {
            let old = observed.rules.get(rule).and_then(Fact::known).and_then(Option::as_ref);
            let arn = match (done, old) {
                (Done::RulePut { arn }, _) => arn.clone(),
                (_, Some(old)) => old.arn.clone(),
                (_, None) => String::new(),
            };
            let created = old.is_none();
            let live = LiveRule {
                name: rule.clone(),
                arn,
                expression: trigger.expression().map(str::to_owned),
                event_pattern: trigger.pattern().map(str::to_owned),
                timing: None,
                state: state.clone(),
                description: Some(description.clone()),
                role_arn: None,
                managed_by: None,
            };
            observed.rules.insert(rule.clone(), Fact::Known(Some(live)));
            if created {
                observed.targets.insert(rule.clone(), Fact::Known(Vec::new()));
                observed.rule_tags.insert(rule.clone(), Fact::Known(tags.clone()));
            }
        }
        Action::CreateScheduleGroup { group: _, tags } => observed.group = Fact::Known(Some(tags.clone())),
        Action::PutSchedule { rule, schedule, .. } => {
            let arn = match done {
                Done::RulePut { arn } => arn.clone(),
                Done::Registered(_) | Done::Done => String::new(),
            };
            observed.rules.insert(rule.clone(), Fact::Known(Some(live_schedule(rule, schedule, arn))));
            observed.targets.insert(rule.clone(), Fact::Known(vec![pin(&schedule.target, pinned)]));
        }
        Action::DeleteSchedule { rule } => {
            observed.rules.insert(rule.clone(), Fact::Known(None));
            observed.targets.remove(rule);
        }
        Action::EnableRule { rule } => set_state(observed, rule, RuleState::Enabled),
        Action::DisableRule { rule } => set_state(observed, rule, RuleState::Disabled),
        Action::PutTargets { rule, target, .. } => {
            if let Some(Fact::Known(targets)) = observed.targets.get_mut(rule) {
                targets.retain(|other| other.id != target.id);
                targets.push(pin(target, pinned));
            }
        }
        Action::RemoveTargets { rule, ids } => {
            if let Some(Fact::Known(targets)) = observed.targets.get_mut(rule) {
                targets.retain(|target| !target.id.as_ref().is_some_and(|id| ids.contains(id)));
            }
        }
        Action::DeleteRule { rule } => {
            observed.rules.insert(rule.clone(), Fact::Known(None));
            observed.targets.remove(rule);
            observed.rule_tags.remove(rule);
        }
        Action::TagRule { arn, tags } => {
            for_rule_tags(observed, arn, |live| live.extend(tags.clone()));
        }
        Action::UntagRule { arn, keys } => {
            for_rule_tags(observed, arn, |live| live.retain(|key, _| !keys.contains(key)));
        }
        Action::TagRevision { revision, tags } => {
            if let Some(Fact::Known(Some(live))) = observed.revisions.get_mut(revision) {
                live.tags.extend(tags.clone());
            }
        }
        Action::UntagRevision { revision, keys } => {
            if let Some(Fact::Known(Some(live))) = observed.revisions.get_mut(revision) {
                live.tags.retain(|key, _| !keys.contains(key));
            }
        }
        Action::DeregisterTaskDefinition { revision } => {
            if let Ok(family) = Family::new(revision.family())
                && let Some(Fact::Known(list)) = observed.active.get_mut(&family)
            {
                list.retain(|arn| arn != revision);
            }
            observed.revisions.remove(revision);
        }
    }
}

/// A schedule as it was put.
fn live_schedule(rule: &RuleName, schedule: &PutSchedule, arn: String) -> LiveRule {
    let PutSchedule { timing, state, description, target: _ } = schedule;
    LiveRule {
        name: rule.clone(),
        arn,
        expression: Some(timing.schedule.expression().to_owned()),
        event_pattern: None,
        timing: Some(Box::new(LiveTiming {
            zone: timing.zone.as_str().to_owned(),
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

/// The target as it was put: with the task definition it pins.
pub fn pin(target: &Target, revision: Option<&RevisionArn>) -> Target {
    let mut target = target.clone();
    if let Some(revision) = revision {
        target.ecs_parameters.get_or_insert_with(EcsParameters::default).task_definition_arn =
            Some(revision.as_str().to_owned());
    }
    target
}

fn set_state(observed: &mut Observed, rule: &RuleName, state: RuleState) {
    if let Some(Fact::Known(Some(live))) = observed.rules.get_mut(rule) {
        live.state = state;
    }
}

fn for_rule_tags(observed: &mut Observed, arn: &str, change: impl FnOnce(&mut ecs_etl_plan::tags::Tags)) {
    let name = observed.rules.iter().find_map(|(name, rule)| match rule {
        Fact::Known(Some(rule)) if rule.arn == arn => Some(name.clone()),
        Fact::Known(_) | Fact::NotRead | Fact::Unreadable(_) => None,
    });
    if let Some(Fact::Known(tags)) = name.and_then(|name| observed.rule_tags.get_mut(&name)) {
        change(tags);
    }
}

#[cfg(test)]
mod tests;
