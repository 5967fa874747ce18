//! `adopt`, one document at a time; what jobs want of each other is seen across the directory.

use std::collections::BTreeSet;

use super::Fields;
use crate::adopt::Adopt;
use crate::manifest::{EventSpec, JobSpec, ScheduleSpec};
use crate::name::{Family, RuleName};
use crate::pattern::EventPattern;
use crate::schedule::Schedule;

const RULES: &str = "spec.adopt.rules";

/// What a rule that is taken over is for.
enum Slot {
    Schedule(String),
    Event(String),
    /// It was refused at its own place.
    Broken,
}

/// Reads `spec.adopt`. Rules go with the schedules in the order in which those are written, and after them with the events.
pub fn adopt(fields: &mut Fields<'_>, spec: &JobSpec) -> Adopt {
    let Some(written) = &spec.adopt else { return Adopt::default() };
    let mut adopt = Adopt::default();
    if let Some(family) = &written.family {
        adopt.family = fields.name("spec.adopt.family", Family::new(family));
    }
    let rules = written.rules.as_deref().unwrap_or_default();
    let slots: Vec<Slot> = schedules(spec).chain(events(spec)).collect();
    if rules.len() > slots.len() {
        let message = format!("{} rules for {} of `schedule` and `events`", rules.len(), entries(slots.len()));
        let help = "each is for one of these, in the order in which they are written".to_owned();
        fields.error(RULES, message, Some(help));
        return adopt;
    }
    let mut taken: BTreeSet<&String> = BTreeSet::new();
    for (index, (rule, slot)) in rules.iter().zip(slots).enumerate() {
        let path = format!("{RULES}[{index}]");
        if !taken.insert(rule) {
            fields.error(&path, "the same rule stands above: it has one schedule or pattern", None);
            continue;
        }
        let Some(rule) = fields.name(&path, RuleName::new(rule)) else { continue };
        match slot {
            Slot::Schedule(expression) => drop(adopt.schedules.insert(expression, rule)),
            Slot::Event(pattern) => drop(adopt.events.insert(pattern, rule)),
            Slot::Broken => {}
        }
    }
    adopt
}

fn schedules(spec: &JobSpec) -> impl Iterator<Item = Slot> {
    let texts = match &spec.schedule {
        None => &[],
        Some(ScheduleSpec::One(text)) => std::slice::from_ref(text),
        Some(ScheduleSpec::List(list)) => list.as_slice(),
    };
    texts.iter().map(|text| match Schedule::parse(text) {
        Ok(schedule) => Slot::Schedule(schedule.expression().to_owned()),
        Err(_) => Slot::Broken,
    })
}

fn events(spec: &JobSpec) -> impl Iterator<Item = Slot> {
    let slot = |event: &EventSpec| match &event.pattern {
        Some(pattern) => Slot::Event(EventPattern::of(&pattern.0).as_str().to_owned()),
        None => Slot::Broken,
    };
    spec.events.as_deref().unwrap_or_default().iter().map(slot)
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}
