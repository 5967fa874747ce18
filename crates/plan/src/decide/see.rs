//! Reading one rule: whether it exists, whose it is, and which of its targets start the job.

use std::borrow::Cow;

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName, ScheduleGroup};

use super::stop::Asks;
use super::targets::Split;
use crate::adoption::target_id;
use crate::observed::{LiveRule, Look, Observed};
use crate::ownership::{self, Mark};
use crate::tags::Tags;

/// A live rule of ours, with everything about it known.
#[derive(Debug)]
pub(crate) struct Ours<'a> {
    pub live: &'a LiveRule,
    /// Its tags; of a schedule of EventBridge Scheduler, what its group and its description say.
    pub tags: Cow<'a, Tags>,
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
    let Some(rule) = asks.fact(observed.rules.get(name), elsewhere, look, || name.titled()) else {
        return Seen::Lacking;
    };
    let Some(live) = rule else { return Seen::Absent };
    if let Some(service) = &live.managed_by {
        return Seen::Stranger(format!("it is managed by {service}"));
    }
    let tags = match name.group() {
        None => {
            let look = || Look::RuleTags(name.clone(), live.arn.clone());
            let what = || format!("the tags of rule {name}");
            asks.fact(observed.rule_tags.get(name), elsewhere, look, what).map(Cow::Borrowed)
        }
        Some(group) => self::group(observed, elsewhere, group, asks).map(|group| match group {
            Some(group) => Cow::Owned(ownership::of_schedule(group, live, mark.job)),
            // It went with the schedule, since that was read.
            None => Cow::default(),
        }),
    };
    if let Some(tags) = tags.as_ref().filter(|tags| !mark.is_on(tags)) {
        return Seen::Stranger(mark.stranger(tags));
    }
    let look = || Look::Targets(name.clone());
    let what = || format!("the targets of {}", name.titled());
    let targets = asks.fact(observed.targets.get(name), elsewhere, look, what);
    match (tags, targets) {
        (Some(tags), Some(targets)) => {
            let split = Split::of(targets, families, target_id(&tags));
            Seen::Ours(Ours { live, tags, split })
        }
        (None, _) | (_, None) => Seen::Lacking,
    }
}

/// Tags of a group of schedules; none if there is no such group.
pub(crate) fn group<'a>(
    observed: &'a Observed,
    elsewhere: Option<&Place>,
    group: &ScheduleGroup,
    asks: &mut Asks,
) -> Option<Option<&'a Tags>> {
    let look = || Look::Group(group.clone());
    let what = || format!("the tags of schedule group {group}");
    asks.fact(Some(&observed.group), elsewhere, look, what).map(Option::as_ref)
}
