//! Reads the lists of a place once: every rule, and every ACTIVE revision that bears the controller's prefix.
//!
//! Rules are read without a filter, a few pages more in a shared account: only so are those seen that bear the prefix the
//! controller had before.

use ecs_etl_spec::job::Place;

use crate::context::{Context, Interrupted};
use crate::former_prefix;
use crate::world::Sweep;

/// Reads a place's lists. A listing that is not complete is an error: nothing may be concluded from half of one.
pub async fn sweep(cx: &Context, place: &Place) -> Result<Sweep, Interrupted> {
    let at = cx.clock.now();
    let settings = cx.settings();
    let prefix = settings.prefix.as_str();
    // Both to their end: which of two failures is told must not hang on which came first, or each retry would say another.
    let (rules, active) =
        futures::future::join(cx.aws.list_rules(place, ""), cx.aws.list_active_revisions(place, prefix)).await;
    let (rules, active) = (rules?, active?);
    let (rules, others): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| rule.name.as_str().starts_with(prefix));
    let rules = rules.into_iter().map(|rule| (rule.name.clone(), rule)).collect();
    let under_other_prefix =
        others.into_iter().filter_map(|rule| former_prefix::hinted(&settings.identity, rule)).collect();
    Ok(Sweep { at, rules, active, under_other_prefix })
}
