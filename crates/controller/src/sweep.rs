//! Reads the lists of a place once: every rule and every ACTIVE revision that bears the controller's prefix.

use ecs_etl_spec::job::Place;

use crate::context::{Context, Interrupted};
use crate::world::Sweep;

/// Reads a place's lists. A listing that is not complete is an error: nothing may be concluded from half of one.
pub async fn sweep(cx: &Context, place: &Place) -> Result<Sweep, Interrupted> {
    let at = cx.clock.now();
    let prefix = cx.settings().prefix.clone();
    let (rules, active) = futures::future::try_join(
        cx.aws.list_rules(place, prefix.as_str()),
        cx.aws.list_active_revisions(place, prefix.as_str()),
    )
    .await?;
    Ok(Sweep { at, rules: rules.into_iter().map(|rule| (rule.name.clone(), rule)).collect(), active })
}
