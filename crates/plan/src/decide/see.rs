//! Reading one rule: whether it exists, whose it is, and which of its targets start the job.

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName};

use super::stop::Asks;
use super::targets::Split;
use crate::adoption::target_id;
use crate::observed::{LiveRule, Look, Observed};
use crate::ownership::Mark;
use crate::tags::Tags;

/// A live rule of ours, with everything about it known.
#[derive(Debug)]
pub(crate) struct Ours<'a> {
    pub live: &'a LiveRule,
    pub tags: &'a Tags,
    pub split: Split<'a>,
}

/// What was seen under a rule's name.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    Ours(Ours<'a>),
    Absent,
    /// Somebody else's, and whose.
    Stranger(String),
    /// It is asked for, or cannot be known.
    Lacking,
}

/// Looks at one rule. Targets are asked for only where the tags do not say already that it is a stranger's.
pub(crate) fn see<'a>(
    observed: &'a Observed,
    elsewhere: Option<&Place>,
    name: &RuleName,
    mark: &Mark<'_>,
    families: &[&Family],
    asks: &mut Asks,
) -> Seen<'a> {
    let look = || Look::Rule(name.clone());
    let Some(rule) = asks.fact(observed.rules.get(name), elsewhere, look, || format!("rule {name}")) else {
        return Seen::Lacking;
    };
    let Some(live) = rule else { return Seen::Absent };
    if let Some(service) = &live.managed_by {
        return Seen::Stranger(format!("it is managed by {service}"));
    }
    let look = || Look::RuleTags(name.clone(), live.arn.clone());
    let what = || format!("the tags of rule {name}");
    let tags = asks.fact(observed.rule_tags.get(name), elsewhere, look, what);
    if let Some(tags) = tags.filter(|tags| !mark.is_on(tags)) {
        return Seen::Stranger(mark.stranger(tags));
    }
    let look = || Look::Targets(name.clone());
    let what = || format!("the targets of rule {name}");
    let targets = asks.fact(observed.targets.get(name), elsewhere, look, what);
    match (tags, targets) {
        (Some(tags), Some(targets)) => {
            Seen::Ours(Ours { live, tags, split: Split::of(targets, families, target_id(tags)) })
        }
        (None, _) | (_, None) => Seen::Lacking,
    }
}
