//! Reads the lists of a place once: every rule, and every ACTIVE revision that bears the controller's prefix or is adopted.
//!
//! Rules are read without a filter, a few pages more in a shared account: only so are those seen that bear the prefix the
//! controller had before.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs_etl_aws::{Answer, Urgency};
use ecs_etl_plan::failure::RetryClass;
use ecs_etl_plan::lower;
use ecs_etl_plan::observed::{Fact, LiveRule, Look, RuleState};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::RuleName;

use crate::adopted;
use crate::context::{Context, Interrupted};
use crate::former_prefix;
use crate::world::Sweep;

/// Reads a place's lists. A listing that is not complete is an error: nothing may be concluded from half of one.
pub async fn sweep(cx: &Context, place: &Place) -> Result<Sweep, Interrupted> {
    let at = cx.clock.now();
    let settings = cx.settings();
    let prefix = settings.prefix.as_str();
    let mut adopted = cx.world().adopted(place);
    settings.adopted.values().for_each(|taken| adopted.extend(taken));
    // Both to their end: which of two failures is told must not hang on which came first, or each retry would say another.
    let (rules, active) =
        futures::future::join(cx.aws.list_rules(place, ""), cx.aws.list_active_revisions(place, "")).await;
    let (rules, mut active) = (rules?, active?);
    let (group, schedules) = schedules(cx, place).await?;
    let (schedules, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        schedules.into_iter().partition(|(name, _)| name.as_str().starts_with(prefix));
    active.retain(|family, _| family.as_str().starts_with(prefix) || adopted.families.contains(family));
    let under_other_prefix: Vec<_> = rules
        .iter()
        .filter_map(|rule| former_prefix::hinted(&settings.identity, rule.clone()))
        .filter(|(job, rule)| adopted::is_of_another_name(&settings.prefix, job, rule))
        .collect();
    adopted.rules.extend(under_other_prefix.iter().map(|(_, rule)| rule.name.clone()));
    let ours = |rule: &LiveRule| rule.name.as_str().starts_with(prefix) || adopted.rules.contains(&rule.name);
    let rules = rules.into_iter().filter(ours).map(|rule| (rule.name.clone(), Arc::new(rule))).collect();
    let other_schedules = others.into_keys().collect();
    Ok(Sweep { at, rules, group, schedules, other_schedules, active, under_other_prefix })
}

/// The tags of the controller's group in EventBridge Scheduler, and the schedules in it.
///
/// A place without the right to read them is not unreadable for that: without it no schedule of ours came to be there. A job
/// that wants one is told. Once the group was seen there, losing that right hides what may still start jobs.
async fn schedules(
    cx: &Context,
    place: &Place,
) -> Result<(Fact<Option<Tags>>, BTreeMap<RuleName, RuleState>), Interrupted> {
    if !cx.world().reads_group(place) {
        return Ok((Fact::Known(None), BTreeMap::new()));
    }
    let group = lower::group(&cx.settings().identity.controller).map_err(|_| Interrupted::Undecided)?;
    // Who cannot tell whose account this is knows nothing of the group, whatever the refusal looks like.
    cx.aws.account(place).await?;
    let tags = match cx.aws.look(place, &Look::Group(group.clone()), Urgency::Drift).await {
        Ok(Answer::Group(tags)) => tags,
        Ok(_) => return Err(Interrupted::Undecided),
        Err(error) if error.failure().class == RetryClass::Slow && !cx.has_seen_group(place, &group) => {
            let why = error.to_string();
            tracing::warn!(%place.region, error = why, "EventBridge Scheduler cannot be read");
            return Ok((Fact::Unreadable(why), BTreeMap::new()));
        }
        Err(error) => return Err(error.into()),
    };
    let listed = match &tags {
        Some(_) => {
            cx.saw_group(place, &group);
            cx.aws.list_schedules(place, &group).await?
        }
        None => Vec::new(),
    };
    Ok((Fact::Known(tags), listed.into_iter().collect()))
}
