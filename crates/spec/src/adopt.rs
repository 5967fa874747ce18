//! Existing resources that a job takes over under their own names.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::name::{Family, RuleName};
use crate::pattern::EventPattern;
use crate::schedule::Schedule;

/// `spec.adopt`, each rule with the schedule or event that it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Adopt {
    /// Family of the task definition, instead of `<prefix><job>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Rules by the expression of the schedule that each has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schedules: BTreeMap<String, RuleName>,
    /// Rules by the event pattern that each has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub events: BTreeMap<String, RuleName>,
}

impl Adopt {
    /// Whether the job takes nothing over.
    pub fn is_empty(&self) -> bool {
        self.family.is_none() && self.schedules.is_empty() && self.events.is_empty()
    }

    /// The rule that is taken over for a schedule.
    pub fn for_schedule(&self, schedule: &Schedule) -> Option<&RuleName> {
        self.schedules.get(schedule.expression())
    }

    /// The rule that is taken over for an event pattern.
    pub fn for_event(&self, pattern: &EventPattern) -> Option<&RuleName> {
        self.events.get(pattern.as_str())
    }

    /// Every rule that is taken over.
    pub fn rules(&self) -> impl Iterator<Item = &RuleName> {
        self.schedules.values().chain(self.events.values())
    }
}
