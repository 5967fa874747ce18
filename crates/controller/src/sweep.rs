//! Reads the lists of a place once: every rule, and every ACTIVE revision that bears the controller's prefix or is adopted.
//!
//! Rules are read without a filter, a few pages more in a shared account: only so are those seen that bear the prefix the
//! controller had before.

use ecs_etl_plan::observed::LiveRule;
use ecs_etl_spec::job::Place;

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
    active.retain(|family, _| family.as_str().starts_with(prefix) || adopted.families.contains(family));
    let under_other_prefix: Vec<_> = rules
        .iter()
        .filter_map(|rule| former_prefix::hinted(&settings.identity, rule.clone()))
        .filter(|(job, rule)| adopted::is_of_another_name(&settings.prefix, job, rule))
        .collect();
    adopted.rules.extend(under_other_prefix.iter().map(|(_, rule)| rule.name.clone()));
    let ours = |rule: &LiveRule| rule.name.as_str().starts_with(prefix) || adopted.rules.contains(&rule.name);
    let rules = rules.into_iter().filter(ours).map(|rule| (rule.name.clone(), rule)).collect();
    Ok(Sweep { at, rules, active, under_other_prefix })
}
