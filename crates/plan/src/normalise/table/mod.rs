//! When two values are equal in AWS's eyes: one row for each member, or several alike.

mod ecs;
mod events;

use std::sync::LazyLock;

use ecs_etl_spec::shapes::members::{EVENT_MEMBERS, MEMBERS};

use super::rule::{Rule, Tables};

/// ECS: task definitions and the overrides of a run.
pub(super) static ECS: LazyLock<Tables> = LazyLock::new(|| Tables::new(MEMBERS, ecs::ROWS));

/// EventBridge: rules and targets.
pub(super) static EVENTS: LazyLock<Tables> = LazyLock::new(|| Tables::new(EVENT_MEMBERS, events::ROWS));

/// Members of a structure that follow one rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) structure: &'static str,
    pub(super) members: &'static [&'static str],
    pub(super) rule: Rule,
    /// Heading in `docs/aws.md` under which the rule's source stands.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers, and for the test that the heading exists"))]
    pub(super) source: &'static str,
}

const fn row(structure: &'static str, members: &'static [&'static str], rule: Rule, source: &'static str) -> Row {
    Row { structure, members, rule, source }
}

/// Values that AWS fills in, or takes for granted.
const DEFAULTS: &str = "Defaults";
/// Lists, maps and structures that AWS returns empty or not at all.
const EMPTY: &str = "Empty and absent";
/// Lists that AWS reorders, or whose order says nothing.
const ORDER: &str = "Order";
/// Ways to write a size.
const SIZES: &str = "Sizes";
/// Ports on the host.
const PORTS: &str = "Ports";
/// Texts that hold JSON.
const JSON: &str = "JSON in texts";
/// What AWS returns as it was sent.
const VERBATIM: &str = "Verbatim";

#[cfg(test)]
mod tests;
