//! Taking over what exists: which names a job adopts, and what of it may not be taken (docs/design/adoption.md).

use std::collections::BTreeSet;

use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::events::Target;

use crate::desired::TARGET_ID;
use crate::ownership::Mark;
use crate::tags::{self, Tags};

/// What CloudFormation's own tags start with. Nobody else can set them.
const CLOUDFORMATION: &str = "aws:cloudformation:";

/// What a job takes over under other names than its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// `<prefix><job>`: what the job's family is called unless it takes one over, and its rules all the same.
    pub own: Family,
    /// The family it takes over.
    pub family: Option<Family>,
    /// The rules it takes over.
    pub rules: BTreeSet<RuleName>,
}

impl Adoption {
    /// Whether the job takes this family over.
    pub fn takes_family(&self, family: &str) -> bool {
        self.family.as_ref().is_some_and(|adopted| adopted.as_str() == family)
    }
}

/// Whether a resource that bears none of these marks may be taken over: it has no owner of our kind.
pub(crate) fn is_free(tags: &Tags) -> bool {
    !tags.contains_key(tags::CONTROLLER)
}

/// Whether a resource with these tags is one of `marks`, or free to become one.
pub(crate) fn may_take(marks: &[Mark<'_>], tags: &Tags) -> bool {
    is_free(tags) || marks.iter().any(|mark| mark.is_on(tags))
}

/// The stack that a resource with these tags belongs to, if CloudFormation has it.
pub(crate) fn stack(tags: &Tags) -> Option<&str> {
    let (_, any) = tags.iter().find(|(key, _)| key.starts_with(CLOUDFORMATION))?;
    Some(tags.get("aws:cloudformation:stack-name").unwrap_or(any))
}

/// Ids of the targets that start ECS tasks.
pub(crate) fn ecs_targets(targets: &[Target]) -> impl Iterator<Item = &str> {
    targets
        .iter()
        .filter(|target| target.ecs_parameters.is_some())
        .map(|target| target.id.as_deref().unwrap_or_default())
}

/// The Id of our target on a rule with these tags: that of the target the rule had when it was taken over.
pub fn target_id(tags: &Tags) -> &str {
    tags.get(tags::TARGET).map_or(TARGET_ID, String::as_str)
}

/// The Id that our target has on an adopted rule: what its tag says, or that of its one ECS target.
///
/// # Errors
///
/// Ids of several ECS targets, of which nobody can say which one is the job's.
pub(crate) fn adopted_target_id<'a>(tags: &'a Tags, targets: &'a [Target]) -> Result<&'a str, Vec<&'a str>> {
    if let Some(known) = tags.get(tags::TARGET) {
        return Ok(known);
    }
    let ecs: Vec<&str> = ecs_targets(targets).collect();
    match ecs.as_slice() {
        [] => Ok(TARGET_ID),
        [only] => Ok(only),
        // One of ours beside others: what they are, the rules for strays and strangers say.
        several if several.contains(&TARGET_ID) && tags.contains_key(tags::CONTROLLER) => Ok(TARGET_ID),
        _ => Err(ecs),
    }
}
